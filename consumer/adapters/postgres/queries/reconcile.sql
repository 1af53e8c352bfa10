-- The comparison of orders with the ledger's documents. Locks: orders sorted by key, the lane's row last.

-- name: lock_begin
-- Two who begin a run of one connection at once: the second waits, so that it sees the first one's run and replaces it.
SELECT pg_advisory_xact_lock(hashtextextended('booked reconcile ' || $1::text, 0))

-- name: replace_open
-- A new run takes the place of those of its connection that did not come to their end.
UPDATE reconcile_runs SET replaced = true WHERE connection_id = $1 AND ended_at IS NULL AND NOT replaced

-- name: drop_listed
-- What former runs of the connection had listed.
DELETE FROM reconcile_listed l USING reconcile_runs r WHERE r.run_id = l.run_id AND r.connection_id = $1

-- name: drop_old_runs
-- Runs are kept for people to look at, so many of a connection.
DELETE FROM reconcile_runs
WHERE connection_id = $1 AND run_id NOT IN (
    SELECT run_id FROM reconcile_runs WHERE connection_id = $1 ORDER BY run_id DESC LIMIT $2
)

-- name: begin
-- A run.
INSERT INTO reconcile_runs (connection_id, from_day, to_day) VALUES ($1, $2, $3) RETURNING run_id

-- name: open_run
-- The newest run of these days that did not come to its end.
SELECT run_id, stage, page
FROM reconcile_runs
WHERE connection_id = $1 AND from_day = $2 AND to_day = $3 AND ended_at IS NULL AND NOT replaced
ORDER BY run_id DESC
LIMIT 1

-- name: budget
-- What comparisons have called today, and how many calls the day has.
SELECT coalesce((
           SELECT k.calls
           FROM reconcile_calls k
           WHERE k.connection_id = $1 AND k.day = (clock_timestamp() AT TIME ZONE 'UTC')::date
       ), 0) AS calls,
       l.daily_limit, (c.settings -> 'limits')::text AS limits
FROM connections c
LEFT JOIN lanes l USING (connection_id)
WHERE c.connection_id = $1

-- name: count_call
-- One call more of today; days of before are forgotten.
WITH today AS (
    SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day
), forgotten AS (
    DELETE FROM reconcile_calls k USING today t WHERE k.connection_id = $1 AND k.day < t.day
)
INSERT INTO reconcile_calls AS k (connection_id, day, calls)
SELECT $1, t.day, 1 FROM today t
ON CONFLICT (connection_id, day) DO UPDATE SET calls = k.calls + 1

-- name: save_listed
-- Documents as a list or a read shows them.
INSERT INTO reconcile_listed (run_id, kind, ledger_id, order_reference, document)
SELECT $1, k.kind, k.ledger_id, k.order_reference, k.document
FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[]) AS k (kind, ledger_id, order_reference, document)
ON CONFLICT (run_id, kind, ledger_id) DO UPDATE
SET order_reference = excluded.order_reference, document = excluded.document

-- name: save_place
-- How far the lists were read; not once another run has begun.
UPDATE reconcile_runs
SET stage = $2, page = $3
WHERE run_id = $1 AND ended_at IS NULL AND NOT replaced
RETURNING run_id

-- name: slips
-- The next orders of a shop, and whether they may have to do with these days.
SELECT o.order_id, o.number, o.reference,
       coalesce(o.connection_id = $1 AND (
           o.paid_moment BETWEEN $5::date - 2 AND $6::date + 3
           OR o.placed_at BETWEEN $5::date - 2 AND $6::date + 3
           OR o.updated_at >= $5::date AND coalesce(o.paid_moment, o.placed_at, o.first_seen_at) <= $6::date + 3
           OR EXISTS (
               SELECT FROM documents d
               WHERE d.shop_id = o.shop_id AND d.order_id = o.order_id AND d.issued_on BETWEEN $5 AND $6
           )
       ), false) AS concerns
FROM orders o
WHERE o.shop_id = $2 AND o.order_id > $3
ORDER BY o.order_id
LIMIT $4

-- name: whole
-- Orders with their content.
SELECT o.* FROM orders o WHERE o.shop_id = $1 AND o.order_id = ANY($2::text[])

-- name: listed
-- What was listed of these ids, or names these orders; and which order each is recorded for.
SELECT l.document, d.shop_id, d.order_id
FROM (
    SELECT b.kind, b.ledger_id, b.document
    FROM reconcile_listed b
    WHERE b.run_id = $1 AND b.kind = ANY('{invoice,credit_note}'::text[]) AND b.ledger_id = ANY($3::text[])
    UNION
    SELECT r.kind, r.ledger_id, r.document
    FROM reconcile_listed r
    WHERE r.run_id = $1 AND r.order_reference = ANY($4::text[])
) l
LEFT JOIN documents d ON d.connection_id = $2 AND d.kind = l.kind AND d.ledger_id = l.ledger_id
ORDER BY l.kind, l.ledger_id

-- name: claim
-- These belong to recorded orders.
UPDATE reconcile_listed l
SET claimed = true
FROM unnest($2::text[], $3::text[]) AS k (kind, ledger_id)
WHERE l.run_id = $1 AND l.kind = k.kind AND l.ledger_id = k.ledger_id AND NOT l.claimed

-- name: unclaim
-- A run that goes on compares all orders anew.
UPDATE reconcile_listed SET claimed = false WHERE run_id = $1 AND claimed

-- name: unclaimed
-- The next that no order compared has claimed, and that are recorded for no other one.
SELECT l.document
FROM reconcile_listed l
WHERE l.run_id = $1 AND NOT l.claimed AND (l.kind, l.ledger_id) > ($3, $4)
  AND NOT EXISTS (
      SELECT FROM documents d WHERE d.connection_id = $2 AND d.kind = l.kind AND d.ledger_id = l.ledger_id
  )
ORDER BY l.kind, l.ledger_id
LIMIT $5

-- name: lock_to_hand_over
-- Orders that may take a document over: wanted, with no write in doubt, and (for an invoice) without one.
SELECT o.shop_id, o.order_id
FROM orders o
JOIN unnest($2::text[], $3::text[], $4::boolean[]) AS k (shop_id, order_id, invoice) USING (shop_id, order_id)
WHERE o.connection_id = $1 AND NOT o.cancelled AND o.wish NOT IN ('none', 'ignore')
  AND NOT EXISTS (
      SELECT FROM intents i
      WHERE i.shop_id = o.shop_id AND i.order_id = o.order_id AND i.resolution IS NULL
  )
  AND NOT (k.invoice AND EXISTS (
      SELECT FROM documents d
      WHERE d.shop_id = o.shop_id AND d.order_id = o.order_id AND d.kind = 'invoice' AND d.live
  ))
ORDER BY o.shop_id, o.order_id
FOR UPDATE OF o

-- name: make_due
-- They are decided anew.
UPDATE orders o
SET state = 'due', reason_code = NULL, reason_message = '', reason_fix = '', group_key = NULL, difference = NULL,
    due_at = clock_timestamp(), change = change + 1, takes = 0, attempts = 0, updated_at = clock_timestamp()
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE o.shop_id = k.shop_id AND o.order_id = k.order_id

-- name: let_look_first
-- Credit notes are looked for where a lane has looked first.
UPDATE lanes SET look_first = true WHERE connection_id = $1

-- name: add_audit
-- Which order was handed over, by whom.
INSERT INTO audit_log (actor, action, shop_id, order_id, details)
SELECT $1, 'reconcile adopt', k.shop_id, k.order_id, jsonb_build_object('run', $4::bigint)
FROM unnest($2::text[], $3::text[]) AS k (shop_id, order_id)

-- name: end_run
-- It came to its end; not once another run has begun.
UPDATE reconcile_runs
SET ended_at = clock_timestamp(), findings = $2, doubles = $3
WHERE run_id = $1 AND ended_at IS NULL AND NOT replaced
RETURNING run_id

-- name: drop_run_listed
-- What it had listed.
DELETE FROM reconcile_listed WHERE run_id = $1

-- name: drop_money
-- The figures of former runs of these shops.
DELETE FROM reconcile_money WHERE connection_id = $1 AND shop_id = ANY($2::text[])

-- name: save_money
-- Money that is not explained, by shop and currency.
INSERT INTO reconcile_money (connection_id, shop_id, currency, unexplained)
SELECT $1, k.shop_id, k.currency, k.unexplained
FROM unnest($2::text[], $3::text[], $4::numeric[]) AS k (shop_id, currency, unexplained)
