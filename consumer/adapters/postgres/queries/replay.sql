-- The replay: what it compares with, how far it is, and what it found.

-- name: check_lease
-- The right to replay, locked against passing on while the transaction writes; no row where it is not ours any more.
SELECT 1 FROM leases
WHERE name = $1 AND owner = $2 AND epoch = $3 AND lease_until > clock_timestamp()
FOR SHARE

-- name: clock
-- The database's clock.
SELECT clock_timestamp()

-- name: held
-- What is held of orders, by their keys: of the head no more than is compared.
SELECT o.shop_id, o.order_id, o.paid, o.currency, o.grand_total, o.head -> 'revision' AS revision,
       o.head -> 'cancelled_by' AS cancelled_by
FROM orders o
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)

-- name: rejected_before
-- Which records are kept as rejected, whatever became of them.
SELECT r.topic, r.log, r.partition, r."offset"
FROM rejected_events r
JOIN unnest($1::text[], $2::integer[], $3::integer[], $4::bigint[]) AS k (topic, log, partition, "offset")
    USING (topic, log, partition, "offset")

-- name: read_progress
-- How far partitions were compared.
SELECT p.topic, p.partition, p.log, p.next_offset, p.reached
FROM replay_progress p
JOIN unnest($1::text[], $2::integer[]) AS k (topic, partition) USING (topic, partition)

-- name: put_progress
-- A partition was compared up to here.
INSERT INTO replay_progress AS p (topic, partition, log, next_offset, reached)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (topic, partition) DO UPDATE
SET log = excluded.log, next_offset = excluded.next_offset, reached = excluded.reached, updated_at = clock_timestamp()

-- name: add_sums
-- What was told and what is recorded, on top of what the stretches before came to.
INSERT INTO completeness AS c (shop_id, source, day, currency, told_count, told_sum, recorded_count, recorded_sum)
SELECT n.shop_id, n.source, n.day, n.currency, n.told_count, n.told_sum, n.recorded_count, n.recorded_sum
FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::bigint[], $6::numeric[], $7::bigint[], $8::numeric[])
    AS n (shop_id, source, day, currency, told_count, told_sum, recorded_count, recorded_sum)
ORDER BY n.shop_id, n.source, n.day, n.currency
ON CONFLICT (shop_id, source, day, currency) DO UPDATE
SET told_count = c.told_count + excluded.told_count, told_sum = c.told_sum + excluded.told_sum,
    recorded_count = c.recorded_count + excluded.recorded_count,
    recorded_sum = c.recorded_sum + excluded.recorded_sum, updated_at = clock_timestamp()

-- name: add_unrecorded
-- Paid orders that are not recorded.
INSERT INTO completeness_missing (shop_id, order_id, source, day, currency, amount)
SELECT n.shop_id, n.order_id, n.source, n.day, n.currency, n.amount
FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[], $6::numeric[])
    AS n (shop_id, order_id, source, day, currency, amount)
ON CONFLICT (shop_id, order_id, source) DO NOTHING

-- name: settle_unrecorded
-- Those that are recorded by now count as recorded, in the window where they were missing.
WITH settled AS (
    DELETE FROM completeness_missing m
    USING orders o
    WHERE o.shop_id = m.shop_id AND o.order_id = m.order_id AND o.paid
    RETURNING m.shop_id, m.source, m.day, m.currency, m.amount
), summed AS (
    SELECT shop_id, source, day, currency, count(*) AS orders, sum(amount) AS amount
    FROM settled
    GROUP BY shop_id, source, day, currency
), noted AS (
    UPDATE completeness c
    SET recorded_count = c.recorded_count + s.orders, recorded_sum = c.recorded_sum + s.amount,
        updated_at = clock_timestamp()
    FROM summed s
    WHERE c.shop_id = s.shop_id AND c.source = s.source AND c.day = s.day AND c.currency = s.currency
    RETURNING s.orders
)
SELECT count(*) FROM settled

-- name: completeness
-- The table, from a day on.
SELECT shop_id, source, day, currency, told_count, told_sum, recorded_count, recorded_sum
FROM completeness
WHERE day >= $1 AND ($2::text IS NULL OR shop_id = $2)
ORDER BY shop_id, source, day, currency
LIMIT 10000

-- name: unrecorded
-- The difference by order id, the longest missing first.
SELECT DISTINCT ON (found_at, shop_id, order_id) shop_id, order_id
FROM completeness_missing
WHERE $2::text IS NULL OR shop_id = $2
ORDER BY found_at, shop_id, order_id
LIMIT $1

-- name: open_gaps
-- Recorded gaps that nothing has closed, the oldest first.
SELECT id, topic, partition, log, from_offset, to_offset, cause, found_at
FROM gaps
WHERE closed_at IS NULL
ORDER BY id
LIMIT $1

-- name: close_gaps
-- What lay in them has been compared after all.
UPDATE gaps SET closed_at = clock_timestamp() WHERE id = ANY($1::bigint[]) AND closed_at IS NULL
RETURNING id

-- name: end_dead_leases
-- Leases that ran out and that nobody took: the owner is dead. Whoever comes next need not wait for anything.
WITH dead AS (
    SELECT connection_id FROM lanes
    WHERE owner IS NOT NULL AND lease_until < clock_timestamp() - make_interval(secs => $1::double precision)
    ORDER BY connection_id
    FOR UPDATE SKIP LOCKED
)
UPDATE lanes l SET owner = NULL, lease_until = NULL
FROM dead d
WHERE l.connection_id = d.connection_id
RETURNING l.connection_id

-- name: lock_forgotten
-- Orders of intents that have no outcome although nobody can be about to write it any more, and that nothing is going
-- to ask about: the order is not due.
SELECT o.shop_id, o.order_id, o.connection_id
FROM orders o
WHERE o.due_at IS NULL
  AND EXISTS (SELECT FROM intents i
              WHERE i.shop_id = o.shop_id AND i.order_id = o.order_id AND i.resolution IS NULL
                AND i.settled_at < clock_timestamp() - make_interval(secs => $1::double precision))
ORDER BY o.shop_id, o.order_id
LIMIT 1000
FOR UPDATE OF o SKIP LOCKED

-- name: make_due
-- They are due: what came of the write is asked first.
UPDATE orders o
SET due_at = clock_timestamp(), updated_at = clock_timestamp()
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE o.shop_id = k.shop_id AND o.order_id = k.order_id

-- name: stale_outbox
-- How many messages have waited for so long.
SELECT count(*) FROM (
    SELECT FROM outbox
    WHERE state = 'waiting' AND created_at < clock_timestamp() - make_interval(secs => $1::double precision)
    LIMIT 100000
) AS stale

-- name: day_budgets
-- What the day still leaves to each connection, and how many orders of backfills wait there.
SELECT c.connection_id,
       CASE WHEN l.daily_left IS NULL OR l.daily_resets_at <= clock_timestamp()
            THEN coalesce(l.daily_limit, (c.settings -> 'limits' ->> 'daily_calls')::integer, $1)
            ELSE l.daily_left END AS calls_left,
       (SELECT count(*) FROM (
            SELECT FROM orders o
            WHERE o.connection_id = c.connection_id AND o.priority = 2 AND o.due_at IS NOT NULL
            LIMIT 100000) AS w) AS waiting
FROM connections c
LEFT JOIN lanes l USING (connection_id)
WHERE c.active
ORDER BY c.connection_id
LIMIT 10000

-- name: add_run
-- What a run came to.
INSERT INTO replay_runs (began_at, whole, records, missing, lag, unverified, woken, details)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: drop_old_runs
-- Figures of runs are kept for so many days; the newest whole one always, since the alert looks at it.
DELETE FROM replay_runs
WHERE ended_at < clock_timestamp() - make_interval(days => $1::integer)
  AND id <> coalesce((SELECT id FROM replay_runs WHERE whole ORDER BY ended_at DESC LIMIT 1), 0)

-- name: drop_old_completeness
-- The table is kept for so many days.
DELETE FROM completeness WHERE day < (clock_timestamp() - make_interval(days => $1::integer))::date

-- name: drop_old_unrecorded
-- The difference of days that are not kept any more.
DELETE FROM completeness_missing WHERE day < (clock_timestamp() - make_interval(days => $1::integer))::date
