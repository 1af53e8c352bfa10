-- Wake-ups between processes. NOTIFY is never sent inside a transaction that writes data: all commits would wait for
-- each other.

-- name: notify
-- Tell the other processes.
SELECT pg_notify('booked_wakeups', $1)

-- name: keep_alive
-- Find out whether the connection still stands.
SELECT 1

-- name: answering_server
-- Which of the server's processes answers: another than the one that greeted us where a pooler stands between.
SELECT pg_backend_pid()

-- name: notify_on
-- A wake-up on a channel of its own, to see whether it arrives.
SELECT pg_notify($1, '')
