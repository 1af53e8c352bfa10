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

-- name: oldest_with_budget_seconds
-- The same without what is late for a known reason: a backfill's orders, and those that wait for the ledger's next day.
SELECT coalesce(extract(epoch FROM clock_timestamp() - least(
    (SELECT o.paid_moment
     FROM orders o
     WHERE o.state IN ('due', 'uncertain') AND o.paid_moment IS NOT NULL AND o.priority < 2
           AND (o.connection_id = ANY (ARRAY(
                SELECT s.connection_id FROM connection_stand s WHERE s.live_waits))) IS NOT TRUE
     ORDER BY o.paid_moment
     LIMIT 1),
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

-- name: connections
-- All connections in sums: what they are, how many stand still or run out of calls before the day ends, the lanes with
-- due work and budget that nobody has leased for ten seconds.
SELECT count(*) AS connections,
       count(*) FILTER (WHERE s.stopped_cause IS NOT NULL) AS stopped_count,
       coalesce(sum(s.calls_left), 0)::bigint AS calls_left,
       count(*) FILTER (WHERE s.runs_out_at IS NOT NULL) AS running_out,
       -- greatest() passes over what is null: without an order that is due there is nothing to serve.
       count(*) FILTER (WHERE s.stopped_cause IS NULL AND s.has_organization AND s.next_due IS NOT NULL
           AND greatest(s.next_due, s.throttled_until, s.lease_until) <= clock_timestamp() - interval '10 seconds')
           AS lanes_unserved
FROM connection_stand s

-- name: budgets
-- The day's calls of the connections that need somebody most, and the live orders that wait for the next day's: as many
-- connections as metrics may name. An order needs two calls at most where nothing goes wrong.
WITH waiting AS (
    SELECT s.connection_id, w.orders
    FROM connection_stand s
    CROSS JOIN LATERAL (
        SELECT count(*) AS orders
        FROM (SELECT FROM orders o
              WHERE o.connection_id = s.connection_id AND o.priority = 1 AND o.due_at <= (SELECT clock_timestamp())
              LIMIT 100000) d
    ) w
    WHERE s.live_waits
)
SELECT s.connection_id, s.calls_left, coalesce(w.orders, 0) AS waiting,
       extract(epoch FROM s.resets_at - clock_timestamp())::double precision AS resets_seconds,
       extract(epoch FROM s.runs_out_at - clock_timestamp())::double precision AS runs_out_seconds,
       s.day_calls - s.calls_left + s.kept_for_people + 2 * coalesce(w.orders, 0) AS needed,
       sum(coalesce(w.orders, 0)) OVER ()::bigint AS waiting_in_all
FROM connection_stand s
LEFT JOIN waiting w USING (connection_id)
ORDER BY w.orders DESC NULLS LAST, s.runs_out_at NULLS LAST, s.calls_left, s.connection_id
LIMIT $1

-- name: tokens
-- The oldest access tokens.
SELECT s.connection_id, s.access_age_seconds AS token_age_seconds
FROM connection_stand s
WHERE s.access_age_seconds IS NOT NULL
ORDER BY s.access_age_seconds DESC, s.connection_id
LIMIT $1

-- name: tokens_not_renewed
-- Access tokens of connections with due orders, which those should have renewed long ago: one lives for an hour. The
-- oldest, as many as metrics may name.
SELECT s.connection_id, s.access_age_seconds AS token_age_seconds
FROM connection_stand s
WHERE s.stopped_cause IS NULL AND s.next_due <= clock_timestamp() AND s.access_age_seconds > 7200
ORDER BY s.access_age_seconds DESC, s.connection_id
LIMIT $1

-- name: stopped
-- The connections that were stopped last.
SELECT s.connection_id, s.stopped_cause
FROM connection_stand s
WHERE s.stopped_cause IS NOT NULL
ORDER BY s.stopped_at DESC, s.connection_id
LIMIT $1

-- name: parked
-- Parked orders by shop and currency, the most first, with the sums of each currency over all shops.
SELECT p.shop_id, p.currency, count(*) AS orders, coalesce(sum(p.grand_total), 0) AS total,
       coalesce(sum(sum(p.grand_total)) OVER (PARTITION BY p.currency), 0) AS total_in_all
FROM (SELECT o.shop_id, o.currency, o.grand_total FROM orders o WHERE o.state = 'parked' LIMIT 100000) p
GROUP BY p.shop_id, p.currency
ORDER BY count(*) DESC, p.shop_id, p.currency

-- name: oldest_by_shop
-- The shops with the oldest orders that are not booked; those of a shop nobody knows are among them.
SELECT k.shop_id, extract(epoch FROM clock_timestamp() - min(k.paid_moment))::double precision AS age_seconds
FROM (
    (SELECT o.shop_id, o.paid_moment FROM orders o
     WHERE o.state IN ('due', 'uncertain') AND o.paid_moment IS NOT NULL ORDER BY o.paid_moment LIMIT 5000)
    UNION ALL
    (SELECT o.shop_id, o.paid_moment FROM orders o
     WHERE o.state = 'waiting' AND o.reason_code IN ('unknown_shop', 'connection_stopped')
           AND o.paid_moment IS NOT NULL
     ORDER BY o.paid_moment LIMIT 5000)
) k
GROUP BY k.shop_id
ORDER BY min(k.paid_moment), k.shop_id
LIMIT $1

-- name: compared
-- What the last comparisons of shops with their ledgers could not explain, the most first.
SELECT m.connection_id, m.shop_id, m.currency, m.unexplained,
       extract(epoch FROM clock_timestamp() - m.compared_at)::double precision AS age_seconds
FROM reconcile_money m
ORDER BY m.unexplained DESC, m.connection_id, m.shop_id, m.currency
LIMIT $1

-- name: unexplained
-- The same by currency.
SELECT m.currency, sum(m.unexplained) AS unexplained FROM reconcile_money m GROUP BY m.currency ORDER BY m.currency

-- name: doubles
-- Second documents that the newest comparison of each connection has found.
SELECT coalesce(sum(k.doubles), 0)::bigint
FROM (SELECT DISTINCT ON (r.connection_id) r.doubles
      FROM reconcile_runs r WHERE r.ended_at IS NOT NULL
      ORDER BY r.connection_id, r.run_id DESC) k

-- name: judged_span
-- What may be judged now: from where the last reading ended ($1, null: the first one) to five minutes ago ($2), as much
-- at once as $3. A commit that took long is over by then.
SELECT coalesce($1::timestamptz, n.latest) AS since,
       least(n.latest, coalesce($1::timestamptz, n.latest) + $3::interval) AS until
FROM (SELECT clock_timestamp() - $2::interval AS latest) n

-- name: judged
-- Paid orders of which something new was heard in the span ($1, $2], by whether they were booked or parked within the
-- promised time ($3) after it. One of which more was heard since is judged by that. What waits by a setting, or was
-- withdrawn, is not judged; nor is what comes from a backfill. A late one has an excuse where its connection could make
-- no call: it is stopped, or was until a person connected it again meanwhile; the ledger's calls of the day are used up,
-- or were until its new day began meanwhile.
WITH heard AS (
    SELECT e.shop_id, e.order_id, max(e.received_at) AS heard_at
    FROM events e
    WHERE e.received_at > $1 AND e.received_at <= $2 AND e.verdict = 'newest'
    GROUP BY e.shop_id, e.order_id
), stood AS (
    SELECT o.booked_at > h.heard_at AND o.booked_at <= h.heard_at + $3::interval
           OR o.state IN ('booked', 'parked') AND o.updated_at <= h.heard_at + $3::interval AS in_time,
           s.stopped_cause IS NOT NULL OR coalesce(t.connected_at > h.heard_at, false)
           OR coalesce(s.live_waits OR s.resets_at - interval '24 hours' > h.heard_at, false) AS without_budget
    FROM heard h
    JOIN orders o USING (shop_id, order_id)
    LEFT JOIN connection_stand s ON s.connection_id = o.connection_id
    LEFT JOIN tokens t ON t.connection_id = o.connection_id
    WHERE o.paid AND o.priority < 2
      AND (o.state IN ('due', 'uncertain', 'booked', 'parked')
           OR o.state = 'waiting' AND o.reason_code IN ('unknown_shop', 'connection_stopped'))
      AND NOT EXISTS (SELECT FROM events n
                      WHERE n.shop_id = h.shop_id AND n.order_id = h.order_id AND n.received_at > $2
                        AND n.verdict = 'newest')
)
SELECT count(*) FILTER (WHERE in_time) AS in_time,
       count(*) FILTER (WHERE in_time IS NOT TRUE AND NOT without_budget) AS late,
       count(*) FILTER (WHERE in_time IS NOT TRUE AND without_budget) AS without_budget
FROM stood

-- name: made
-- Documents made in the span ($1, $2], by kind and currency.
SELECT d.kind, d.currency, count(*) AS documents, coalesce(sum(d.total), 0) AS total
FROM documents d
WHERE d.created_at > $1 AND d.created_at <= $2
GROUP BY d.kind, d.currency
ORDER BY d.kind, d.currency

-- name: ping
-- An answer.
SELECT 1

-- name: end_stalled_sessions
-- End the sessions of Booked that have waited for $1 seconds for the rest of a statement. asyncpg has a statement parsed
-- first and sends its arguments then: for Postgres the session is at work in between, not idle, so that none of its own
-- ends comes (idle_in_transaction_session_timeout, statement_timeout), and it keeps its locks. Programs of other names
-- are left alone: a restore waits so for its next rows.
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))
FROM pg_stat_activity
WHERE datname = current_database() AND usename = session_user AND pid <> pg_backend_pid()
  AND starts_with(application_name, 'booked')
  AND state = 'active' AND wait_event_type = 'Client' AND wait_event = 'ClientRead'
  AND state_change < clock_timestamp() - make_interval(secs => $1::double precision)

-- name: has_version
-- Whether a migration was ever applied.
SELECT to_regclass('alembic_version') IS NOT NULL

-- name: version
-- The newest migration that was applied.
SELECT max(version_num) FROM alembic_version
