-- The watch over what people change in the ledger. Locks: the order, its document, the lane's row last.

-- name: read_state
-- How far the watch of a connection has come.
SELECT l.watch_cursor, l.watch_covered_since, l.sweep_page, l.daily_limit, (c.settings -> 'limits')::text AS limits,
       extract(epoch FROM l.watch_due - clock_timestamp())::double precision AS due_in_seconds, clock_timestamp() AS now
FROM lanes l
JOIN connections c USING (connection_id)
WHERE l.connection_id = $1

-- name: first_cursor
-- The oldest last change of the newest live invoices.
SELECT min(newest.ledger_modified_at)
FROM (
    SELECT d.ledger_modified_at
    FROM documents d
    WHERE d.connection_id = $1 AND d.kind = 'invoice' AND d.live AND d.ledger_modified_at IS NOT NULL
    ORDER BY d.ledger_modified_at DESC
    LIMIT $2
) newest

-- name: save_look
-- A list of changes was read to its end.
UPDATE lanes SET watch_cursor = $2, watch_covered_since = $3 WHERE connection_id = $1

-- name: plan
-- The next look, unless the lease has passed on.
UPDATE lanes
SET watch_due = clock_timestamp() + make_interval(secs => $4::double precision)
WHERE connection_id = $1 AND owner = $2 AND epoch = $3

-- name: known
-- Our invoices among these, and how their orders stand.
SELECT d.*, o.change, o.state,
       o.due_at IS NOT NULL OR EXISTS (
           SELECT FROM intents i
           WHERE i.shop_id = d.shop_id AND i.order_id = d.order_id AND i.resolution IS NULL
             AND i.subject = 'order:' || d.shop_id || '/' || d.order_id
       ) AS busy,
       EXISTS (
           SELECT FROM watch_put_off w
           WHERE w.connection_id = d.connection_id AND w.ledger_id = d.ledger_id
             AND (w.modified_at > d.ledger_modified_at) IS NOT FALSE
       ) AS put_off
FROM documents d
JOIN orders o USING (shop_id, order_id)
WHERE d.connection_id = $1 AND d.kind = 'invoice' AND d.ledger_id = ANY($2::text[])
ORDER BY d.shop_id, d.order_id, d.n

-- name: by_reference
-- Our live invoices of these references.
SELECT d.ledger_id
FROM documents d
WHERE d.connection_id = $1 AND d.kind = 'invoice' AND d.live AND d.reference = ANY($2::text[])

-- name: missing
-- Our live invoices that stood on no page of the sweep although they were made before it began.
SELECT d.ledger_id
FROM documents d
JOIN lanes l USING (connection_id)
WHERE d.connection_id = $1 AND d.kind = 'invoice' AND d.live AND d.created_at < l.sweep_began_at
  AND (d.seen_at IS NULL OR d.seen_at < l.sweep_began_at)
ORDER BY d.id
LIMIT $2

-- name: creations
-- The requests for an invoice that were sent for an order.
SELECT i.sought, i.begun_at, i.resolution
FROM intents i
WHERE i.shop_id = $1 AND i.order_id = $2 AND i.operation = 'create_invoice'
ORDER BY i.begun_at, i.intent_id

-- name: told_of_double
-- Whether the order's story speaks of this document already.
SELECT EXISTS (
    SELECT FROM decisions d
    WHERE d.shop_id = $1 AND d.order_id = $2 AND d.decision = 'late_double' AND d.figures ->> 'ledger_id' = $3
)

-- name: lock_order
-- The order for a notice; one that is in work is its booking's.
SELECT o.change, o.sequence, o.announced, o.connection_id, clock_timestamp() AS now,
       o.due_at IS NOT NULL AS due
FROM orders o
WHERE o.shop_id = $1 AND o.order_id = $2
FOR UPDATE

-- name: set_noticed
-- The newest change of somebody else's that was judged.
UPDATE documents SET noticed_at = $3 WHERE connection_id = $1 AND kind = 'invoice' AND ledger_id = $2

-- name: make_due
-- Its document is gone, or was sent: the order is decided anew.
UPDATE orders
SET state = 'due', reason_code = NULL, reason_message = '', reason_fix = '', group_key = NULL, difference = NULL,
    due_at = clock_timestamp(), change = change + 1, takes = 0, attempts = 0, updated_at = clock_timestamp()
WHERE shop_id = $1 AND order_id = $2

-- name: move_links
-- Customers whose contact was merged into another one.
UPDATE contact_links SET contact_id = $3 WHERE connection_id = $1 AND contact_id = $2

-- name: put_off
-- Listed invoices that have to wait for their orders.
INSERT INTO watch_put_off (connection_id, ledger_id, modified_at, invoice)
SELECT $1, k.ledger_id, k.modified_at, k.invoice
FROM unnest($2::text[], $3::timestamptz[], $4::jsonb[]) AS k (ledger_id, modified_at, invoice)
ON CONFLICT (connection_id, ledger_id) DO UPDATE
SET modified_at = excluded.modified_at, invoice = excluded.invoice, put_off_at = clock_timestamp()

-- name: put_off_rows
-- Those whose orders are settled by now, and those that are no document of ours, the oldest first.
SELECT w.invoice
FROM watch_put_off w
LEFT JOIN documents d ON d.connection_id = w.connection_id AND d.kind = 'invoice' AND d.ledger_id = w.ledger_id
LEFT JOIN orders o ON o.shop_id = d.shop_id AND o.order_id = d.order_id
WHERE w.connection_id = $1 AND o.due_at IS NULL AND NOT EXISTS (
    SELECT FROM intents i
    WHERE i.shop_id = d.shop_id AND i.order_id = d.order_id AND i.resolution IS NULL
      AND i.subject = 'order:' || d.shop_id || '/' || d.order_id
)
ORDER BY w.put_off_at, w.ledger_id
LIMIT $2

-- name: settle
-- These were judged.
DELETE FROM watch_put_off WHERE connection_id = $1 AND ledger_id = ANY($2::text[])

-- name: seen
-- These stand in the ledger at this moment.
UPDATE documents
SET seen_at = clock_timestamp()
WHERE connection_id = $1 AND kind = 'invoice' AND ledger_id = ANY($2::text[])

-- name: begin_sweep
-- The first page of all invoices is about to be asked for.
UPDATE lanes SET sweep_began_at = clock_timestamp() WHERE connection_id = $1

-- name: save_sweep
-- How far the sweep has come.
UPDATE lanes SET sweep_page = $2 WHERE connection_id = $1
