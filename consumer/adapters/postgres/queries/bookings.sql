-- One order's booking, step by step. Locks: the order, its documents and intents, the contact, the lane's row last.

-- name: read_order
-- An order as a booking needs it.
SELECT o.*
FROM orders o
WHERE o.shop_id = $1 AND o.order_id = $2

-- name: read_documents
-- All that was made in the ledger for these orders.
SELECT d.*
FROM documents d
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
ORDER BY d.shop_id, d.order_id, d.kind, d.part, d.n

-- name: read_order_intents
-- The open intents on these orders themselves; those on a contact are asked for by their subject.
SELECT i.*,
       extract(epoch FROM i.settled_at - clock_timestamp())::double precision AS settles_in_seconds,
       extract(epoch FROM clock_timestamp() - i.looked_at)::double precision AS looked_seconds_ago
FROM intents i
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
WHERE i.resolution IS NULL AND i.subject = 'order:' || i.shop_id || '/' || i.order_id

-- name: read_open_intent
-- The open intent of a subject.
SELECT i.*,
       extract(epoch FROM i.settled_at - clock_timestamp())::double precision AS settles_in_seconds,
       extract(epoch FROM clock_timestamp() - i.looked_at)::double precision AS looked_seconds_ago
FROM intents i
WHERE i.connection_id = $1 AND i.subject = $2 AND i.resolution IS NULL

-- name: lock_order_to_begin
-- Lock the order for a write. It has been mapped without harm by now, so that its take no longer counts.
UPDATE orders SET takes = 0 WHERE shop_id = $1 AND order_id = $2 RETURNING change

-- name: insert_intent
-- The intent, unless another is open for its subject (one that is being committed is waited for). Its deadline counts
-- from now, which is later than the moment from which the request has one second to leave.
INSERT INTO intents (intent_id, connection_id, subject, shop_id, order_id, operation, digest, sought, epoch, change,
                     begun_at, deadline_at, settled_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, t.now,
       t.now + make_interval(secs => $11::double precision),
       t.now + make_interval(secs => $12::double precision)
FROM (SELECT clock_timestamp() AS now) t
ON CONFLICT DO NOTHING
RETURNING intent_id

-- name: read_occupied
-- How long until the open intent of a subject settles.
SELECT greatest(0, extract(epoch FROM settled_at - clock_timestamp()))::double precision AS seconds
FROM intents
WHERE connection_id = $1 AND subject = $2 AND resolution IS NULL

-- name: delete_intent
-- The call may not leave yet: nothing of its intent is kept.
DELETE FROM intents WHERE intent_id = $1

-- name: set_intent_slot
-- Which call the intent was sent by.
UPDATE intents SET slot = $2 WHERE intent_id = $1

-- name: lock_order
-- The order for the record of a step, with the time of the record.
SELECT o.state, o.change, o.attempts, o.reference, o.connection_id, o.recorded, o.announced, o.reason_code,
       o.reason_message, o.reason_fix, o.group_key, o.difference, o.due_at, o.sequence,
       clock_timestamp() AS now
FROM orders o
WHERE o.shop_id = $1 AND o.order_id = $2
FOR UPDATE

-- name: lock_intent
-- The intent that the record is about.
SELECT i.resolution, i.doubtful, i.late_answer IS NOT NULL AS late
FROM intents i
WHERE i.intent_id = $1
FOR UPDATE

-- name: other_intents
-- Whether another write for the order is in doubt.
SELECT EXISTS (
    SELECT FROM intents i
    WHERE i.shop_id = $1 AND i.order_id = $2 AND i.resolution IS NULL AND i.intent_id IS DISTINCT FROM $3::uuid
)

-- name: end_intent
-- What is now known of an intent. Without a resolution it stays open: in doubt, or looked for once.
UPDATE intents
SET resolution = $2,
    resolved_at = CASE WHEN $2::text IS NULL THEN NULL ELSE $5::timestamptz END,
    looked_at = CASE WHEN $3::boolean THEN coalesce(looked_at, $5) ELSE looked_at END,
    doubtful = doubtful OR $4::boolean
WHERE intent_id = $1

-- name: keep_late_answer
-- An answer to an intent that was resolved otherwise meanwhile.
UPDATE intents SET late_answer = $2 WHERE intent_id = $1

-- name: put_document
-- A thing made in the ledger, as last seen.
INSERT INTO documents (connection_id, shop_id, order_id, kind, part, n, reference, unique_key, ledger_id, number, status,
                       live, total, tax_total, currency, issued_on, url, written_digest, details, ledger_modified_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (shop_id, order_id, kind, part, n) DO UPDATE
SET connection_id = excluded.connection_id, reference = excluded.reference, unique_key = excluded.unique_key,
    ledger_id = excluded.ledger_id, number = excluded.number, status = excluded.status, live = excluded.live,
    total = excluded.total, tax_total = excluded.tax_total, currency = excluded.currency,
    issued_on = excluded.issued_on, url = excluded.url, written_digest = excluded.written_digest,
    details = excluded.details, ledger_modified_at = excluded.ledger_modified_at, updated_at = clock_timestamp()

-- name: insert_decision
-- What was decided and why, for the story.
INSERT INTO decisions (shop_id, order_id, change, decision, words, figures) VALUES ($1, $2, $3, $4, $5, $6)

-- name: update_order
-- Where the record of a step leaves the order.
UPDATE orders
SET state = $3, reason_code = $4, reason_message = $5, reason_fix = $6, group_key = $7, difference = $8, due_at = $9,
    change = $10, attempts = $11, reference = $12, connection_id = $13, recorded = $14, takes = 0,
    booked_at = CASE WHEN $15::boolean THEN $16::timestamptz ELSE booked_at END,
    answer = CASE WHEN $17::boolean AND asked IS NOT NULL THEN $18::text ELSE answer END,
    asked = CASE WHEN $17::boolean THEN NULL ELSE asked END,
    wish = coalesce($19::text, wish),
    released = released AND NOT $15::boolean,
    updated_at = clock_timestamp()
WHERE shop_id = $1 AND order_id = $2

-- name: announce
-- The shop is told, under the order's next number.
WITH told AS (
    UPDATE orders SET sequence = $3, announced = $4 WHERE shop_id = $1 AND order_id = $2 RETURNING shop_id
)
INSERT INTO outbox (topic_kind, record_key, event_id, sequence, payload)
SELECT 'invoice.synced', $5, $6, $3, $7 FROM told
