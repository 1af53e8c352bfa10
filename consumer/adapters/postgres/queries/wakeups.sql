-- Wake-ups between processes. NOTIFY is never sent inside a transaction that writes data: all commits would wait for
-- each other.

-- name: notify
-- Tell the other processes.
SELECT pg_notify('booked_wakeups', $1)

-- name: keep_alive
-- Find out whether the connection still stands.
SELECT 1
