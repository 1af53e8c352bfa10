-- The budget of a connection. Whoever changes a lane's figures or its slots holds the lane's row first; the slots are
-- read by a statement of their own after that, because the snapshot of the one that waited is from before the wait.

-- name: lock_lane
-- The lane's row, last of all locks of a transaction, with what is to be known of its connection, and the time.
SELECT l.connection_id, l.owner, l.epoch, l.lease_until, l.next_due, l.paced_until, l.throttled_until, l.halved_until,
       l.daily_limit, l.daily_left, l.daily_resets_at, l.calls_total, c.active, c.stopped_cause, c.stopped_message,
       (c.settings -> 'limits')::text AS limits, clock_timestamp() AS now
FROM lanes l
JOIN connections c USING (connection_id)
WHERE l.connection_id = $1
FOR UPDATE OF l

-- name: read_window
-- How many calls are under way, and when the first slot becomes free behind those kept for people ($2). The time is
-- read again: the lock has been waited for.
SELECT count(s.n) AS slots,
       count(s.n) FILTER (WHERE s.open_until > t.now) AS calls_under_way,
       (SELECT f.free_at
        FROM slots f
        WHERE f.connection_id = $1
        ORDER BY f.free_at
        OFFSET least($2::integer, greatest(0, (SELECT count(*) - 1 FROM slots k WHERE k.connection_id = $1)))
        LIMIT 1) AS nth_free_at,
       t.now
FROM (SELECT clock_timestamp() AS now) t
LEFT JOIN slots s ON s.connection_id = $1
GROUP BY t.now

-- name: take_slot
-- Take the slot that became free first, under the next number of the connection's calls.
UPDATE slots s
SET call = $2, open_until = $3, free_at = $4, purpose = $5
WHERE s.connection_id = $1
  AND s.n = (SELECT f.n FROM slots f WHERE f.connection_id = $1 ORDER BY f.free_at, f.n LIMIT 1)
RETURNING s.call

-- name: end_slot
-- A call has ended: its slot counts until $3 (null: it was never sent and counts for nothing), and the call is under
-- way no more. Gives whether it was under way by our books, and how many others are. A call that ends when its slot was
-- given to another has no effect.
WITH ended AS (
    UPDATE slots s
    SET free_at = coalesce($3::timestamptz, 'epoch'), open_until = 'epoch'
    WHERE s.connection_id = $1 AND s.call = $2 AND s.open_until > 'epoch'
    RETURNING s.n
)
SELECT EXISTS (SELECT FROM ended) AS ended,
       (SELECT EXISTS (SELECT FROM slots s WHERE s.connection_id = $1 AND s.call = $2)) AS known,
       (SELECT count(*)
        FROM slots s
        WHERE s.connection_id = $1 AND s.call <> $2 AND s.open_until > clock_timestamp()) AS calls_under_way

-- name: save_lane
-- The lane's figures, under its lock. It is woken where it has work before what is known.
UPDATE lanes
SET paced_until = $2, throttled_until = $3, halved_until = $4, daily_limit = $5, daily_left = $6, daily_resets_at = $7,
    calls_total = $8, next_due = least(next_due, $9::timestamptz)
WHERE connection_id = $1

-- name: insert_exchange
-- One call to the ledger, for the log.
INSERT INTO exchanges (connection_id, shop_id, order_id, intent_id, operation, method, path, request, response, status,
                       code, duration_seconds, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
