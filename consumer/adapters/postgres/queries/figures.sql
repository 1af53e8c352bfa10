-- What the metrics show. Every count stops at 100,000 and goes through a partial index.

-- name: orders_by_state
-- How many orders stand where.
SELECT 'waiting' AS state, count(*) FROM (SELECT FROM orders WHERE state = 'waiting' LIMIT 100000) AS o
UNION ALL
SELECT 'due', count(*) FROM (SELECT FROM orders WHERE state = 'due' LIMIT 100000) AS o
UNION ALL
SELECT 'uncertain', count(*) FROM (SELECT FROM orders WHERE state = 'uncertain' LIMIT 100000) AS o
UNION ALL
SELECT 'booked', count(*) FROM (SELECT FROM orders WHERE state = 'booked' LIMIT 100000) AS o
UNION ALL
SELECT 'parked', count(*) FROM (SELECT FROM orders WHERE state = 'parked' LIMIT 100000) AS o
UNION ALL
SELECT 'withdrawn', count(*) FROM (SELECT FROM orders WHERE state = 'withdrawn' LIMIT 100000) AS o

-- name: oldest_unbooked_seconds
-- The age of the oldest paid order that is not booked and that nobody chose to keep back: due, uncertain, or waiting
-- for a stopped connection or an unknown shop.
SELECT coalesce(extract(epoch FROM clock_timestamp() - least(
    (SELECT min(paid_moment) FROM orders WHERE state IN ('due', 'uncertain')),
    (SELECT min(paid_moment) FROM orders
     WHERE state = 'waiting' AND reason_code IN ('unknown_shop', 'connection_stopped'))
)), 0)::double precision

-- name: counts
-- What waits elsewhere, and for how long the oldest snapshot has kept vacuum from working.
SELECT
    (SELECT count(*) FROM (SELECT FROM outbox WHERE state = 'waiting' LIMIT 100000) AS w) AS outbox_waiting,
    (SELECT count(*) FROM (SELECT FROM outbox WHERE state = 'set_aside' LIMIT 100000) AS s) AS outbox_set_aside,
    (SELECT count(*) FROM (SELECT FROM rejected_events WHERE state = 'open' LIMIT 100000) AS r) AS rejected_open,
    (SELECT count(*) FROM gaps WHERE closed_at IS NULL) AS gaps_open,
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::double precision
     FROM pg_stat_activity
     WHERE backend_xmin IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid())
        AS oldest_snapshot_seconds

-- name: dead_rows
-- Rows that wait for vacuum, of the tables that change with every order.
SELECT relname AS table, n_dead_tup AS rows
FROM pg_stat_user_tables
WHERE schemaname = current_schema()
  AND relname IN ('orders', 'lanes', 'slots', 'intents', 'outbox', 'positions', 'leases')
ORDER BY relname

-- name: cleaning
-- What else keeps vacuum from working: transactions prepared and forgotten, slots that nobody reads.
SELECT
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - prepared)), 0)::double precision
     FROM pg_prepared_xacts WHERE database = current_database()) AS prepared_seconds,
    (SELECT count(*) FROM pg_replication_slots WHERE NOT active) AS idle_slots

-- name: replay
-- The replay: how long ago it last came to its end, what its runs found, and what is told of and not recorded.
SELECT
    (SELECT extract(epoch FROM clock_timestamp() - max(ended_at))::double precision FROM replay_runs WHERE whole)
        AS success_age_seconds,
    (SELECT coalesce(sum(missing), 0)::bigint FROM replay_runs) AS missing,
    coalesce((SELECT lag FROM replay_runs ORDER BY id DESC LIMIT 1), 0) AS lag,
    coalesce((SELECT unverified FROM replay_runs ORDER BY id DESC LIMIT 1), 0) AS unverified,
    (SELECT count(*) FROM (SELECT FROM completeness_missing LIMIT 100000) AS m) AS difference

-- name: compared
-- What the last comparisons of shops with their ledgers could not explain; as many as metrics may have labels.
SELECT m.connection_id, m.shop_id, m.currency, m.unexplained,
       extract(epoch FROM clock_timestamp() - m.compared_at)::double precision AS age_seconds
FROM reconcile_money m
ORDER BY m.unexplained DESC, m.connection_id, m.shop_id, m.currency
LIMIT 1000

-- name: connections
-- Health of each connection: its token's age, the day's budget, and why it stands still.
SELECT c.connection_id, c.stopped_cause, l.daily_left,
       extract(epoch FROM clock_timestamp() - coalesce(
           (SELECT max(r) FROM unnest(t.renewals) AS r), t.connected_at))::double precision AS token_age_seconds
FROM connections c
LEFT JOIN lanes l USING (connection_id)
LEFT JOIN tokens t USING (connection_id)
WHERE c.active
ORDER BY c.connection_id
LIMIT 10000

-- name: ping
-- An answer.
SELECT 1

-- name: has_version
-- Whether a migration was ever applied.
SELECT to_regclass('alembic_version') IS NOT NULL

-- name: version
-- The newest migration that was applied.
SELECT max(version_num) FROM alembic_version
