-- Retention, erasure and export of personal data.

-- name: old_days
-- The days of a table that ended so many days ago.
SELECT child, bytes FROM booked_retention_days($1, $2)

-- name: drop_day
-- Drop one of them.
SELECT booked_retention_drop_day($1, $2, $3)

-- name: thin_events_rest
-- Events that lie in no day of their own.
DELETE FROM events_rest WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM events_rest WHERE received_at < clock_timestamp() - make_interval(days => $1) LIMIT $2))

-- name: count_events_rest
-- How many of them.
SELECT count(*) FROM events_rest WHERE received_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_exchanges_rest
-- Calls that lie in no day of their own.
DELETE FROM exchanges_rest WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM exchanges_rest WHERE happened_at < clock_timestamp() - make_interval(days => $1) LIMIT $2))

-- name: count_exchanges_rest
-- How many of them.
SELECT count(*) FROM exchanges_rest WHERE happened_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_outbox
-- Messages that were sent; what waits or is set aside stays.
WITH old AS (
    SELECT id FROM outbox
    WHERE state = 'sent' AND sent_at < clock_timestamp() - make_interval(days => $1)
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM outbox o USING old WHERE o.id = old.id

-- name: count_outbox
-- How many of them.
SELECT count(*) FROM outbox WHERE state = 'sent' AND sent_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_rejected
-- Rejected messages that were dealt with.
WITH old AS (
    SELECT id FROM rejected_events
    WHERE state <> 'open' AND received_at < clock_timestamp() - make_interval(days => $1)
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM rejected_events r USING old WHERE r.id = old.id

-- name: count_rejected
-- How many of them.
SELECT count(*) FROM rejected_events
WHERE state <> 'open' AND received_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_rejected_bytes
-- What came in open ones; the row stays, so that nobody forgets that an order may be missing.
WITH old AS (
    SELECT id FROM rejected_events
    WHERE state = 'open' AND erased_at IS NULL AND received_at < clock_timestamp() - make_interval(days => $1)
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE rejected_events r SET value = NULL, record_key = NULL, headers = '[]', erased_at = clock_timestamp()
FROM old WHERE r.id = old.id

-- name: count_rejected_bytes
-- How many of them.
SELECT count(*) FROM rejected_events
WHERE state = 'open' AND erased_at IS NULL AND received_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_contacts
-- Contacts that are gone from the ledger; an erased one stays, without its data, so that no old list brings it back.
WITH old AS (
    SELECT connection_id, contact_id FROM contacts
    WHERE gone AND erased_at IS NULL AND updated_at < clock_timestamp() - make_interval(days => $1)
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM contacts c USING old WHERE c.connection_id = old.connection_id AND c.contact_id = old.contact_id

-- name: count_contacts
-- How many of them.
SELECT count(*) FROM contacts
WHERE gone AND erased_at IS NULL AND updated_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_intent_words
-- What writes that have come to an end were sought by: names and addresses among it.
WITH old AS (
    SELECT intent_id FROM intents
    WHERE resolution IS NOT NULL AND resolved_at < clock_timestamp() - make_interval(days => $1)
          AND (sought <> '{}' OR late_answer IS NOT NULL OR subject LIKE 'contact:_%')
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE intents i
SET sought = '{}', late_answer = NULL,
    subject = CASE WHEN i.subject LIKE 'contact:%' THEN 'contact:' ELSE i.subject END
FROM old WHERE i.intent_id = old.intent_id

-- name: count_intent_words
-- How many of them.
SELECT count(*) FROM intents
WHERE resolution IS NOT NULL AND resolved_at < clock_timestamp() - make_interval(days => $1)
      AND (sought <> '{}' OR late_answer IS NOT NULL OR subject LIKE 'contact:_%')

-- name: thin_audit
-- Who did what; only this function may remove it.
SELECT booked_retention_audit($1, $2)

-- name: count_audit
-- How many of them.
SELECT count(*) FROM audit_log WHERE happened_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_decisions
-- Decisions past the legal term.
WITH old AS (
    SELECT id FROM decisions WHERE decided_at < clock_timestamp() - make_interval(days => $1)
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM decisions d USING old WHERE d.id = old.id

-- name: count_decisions
-- How many of them.
SELECT count(*) FROM decisions WHERE decided_at < clock_timestamp() - make_interval(days => $1)

-- name: thin_intents
-- Writes past the legal term; what is open stays.
WITH old AS (
    SELECT intent_id FROM intents
    WHERE resolution IS NOT NULL AND resolved_at < clock_timestamp() - make_interval(days => $1)
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM intents i USING old WHERE i.intent_id = old.intent_id

-- name: count_intents
-- How many of them.
SELECT count(*) FROM intents
WHERE resolution IS NOT NULL AND resolved_at < clock_timestamp() - make_interval(days => $1)

-- name: page_of_orders
-- Of the next orders ($3 at most) those that nothing happened to for $4 days and that have content, and those that have
-- been without it and past the legal term; and the last of the page, whatever it is.
WITH page AS MATERIALIZED (
    SELECT o.shop_id, o.order_id, o.content IS NOT NULL AND o.updated_at < clock_timestamp() - make_interval(days => $4)
               AS old,
           o.content IS NULL AND o.layout IS NOT NULL
               AND o.updated_at < clock_timestamp() - make_interval(days => $5) AS over
    FROM orders o
    WHERE (o.shop_id, o.order_id) > ($1, $2)
    ORDER BY o.shop_id, o.order_id
    LIMIT $3
)
SELECT shop_id, order_id, old, over, false AS is_last FROM page WHERE old OR over
UNION ALL
(SELECT shop_id, order_id, false, false, true FROM page ORDER BY shop_id DESC, order_id DESC LIMIT 1)

-- name: lock_to_blank
-- Orders under their lock, with what tells whether they are settled; those that somebody has in hand are passed over.
SELECT o.shop_id, o.order_id, o.number, o.head, o.content, o.content_hash, o.currency, o.grand_total, o.placed_at, o.paid,
       o.state, o.wish, o.due_at, o.asked, o.erased_mark,
       EXISTS (SELECT FROM intents i
               WHERE i.shop_id = o.shop_id AND i.order_id = o.order_id AND i.resolution IS NULL) AS open_intent
FROM orders o
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
WHERE $3::integer IS NULL OR o.updated_at < clock_timestamp() - make_interval(days => $3)
ORDER BY o.shop_id, o.order_id
FOR UPDATE OF o SKIP LOCKED

-- name: lock_to_erase
-- As lock_to_blank, waiting for whoever has them in hand.
SELECT o.shop_id, o.order_id, o.number, o.head, o.content, o.content_hash, o.currency, o.grand_total, o.placed_at, o.paid,
       o.state, o.wish, o.due_at, o.asked, o.erased_mark, false AS open_intent
FROM orders o
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
ORDER BY o.shop_id, o.order_id
FOR UPDATE OF o

-- name: open_intents
-- Which of these orders have an open intent. A statement of its own after the lock, as read_ties in intake.sql.
SELECT DISTINCT i.shop_id, i.order_id
FROM intents i
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
WHERE i.resolution IS NULL

-- name: blank
-- Orders without their content, and with the mark: what is told once more brings nothing back. updated_at stays: the legal term runs from the last thing that happened to the order.
UPDATE orders o
SET content = NULL, head = n.head, layout = coalesce(n.layout, o.layout), wish_note = NULL, asked_note = '', answer = '',
    personal_removed_at = clock_timestamp(), erased_mark = n.mark
FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[], $5::jsonb[]) AS n (shop_id, order_id, head, layout, mark)
WHERE o.shop_id = n.shop_id AND o.order_id = n.order_id

-- name: drop_layouts
-- The layout of orders past the legal term.
UPDATE orders o SET layout = NULL
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE o.shop_id = k.shop_id AND o.order_id = k.order_id AND o.content IS NULL

-- name: candidates
-- Of the next orders ($3 at most) those whose content mentions one of these texts; and the last of the page.
WITH page AS MATERIALIZED (
    SELECT o.shop_id, o.order_id, o.content
    FROM orders o
    WHERE (o.shop_id, o.order_id) > ($1, $2) AND ($5::text = '' OR o.shop_id = $5)
    ORDER BY o.shop_id, o.order_id
    LIMIT $3
)
SELECT shop_id, order_id, content, false AS is_last FROM page WHERE booked_mentions(content, $4::text[])
UNION ALL
(SELECT shop_id, order_id, NULL, true FROM page ORDER BY shop_id DESC, order_id DESC LIMIT 1)

-- name: standing_of
-- Where these orders stand.
SELECT o.shop_id, o.order_id, o.state, o.wish, o.due_at, o.asked,
       EXISTS (SELECT FROM intents i
               WHERE i.shop_id = o.shop_id AND i.order_id = o.order_id AND i.resolution IS NULL) AS open_intent
FROM orders o
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
ORDER BY o.shop_id, o.order_id

-- name: documents_of
-- What they have in the ledger.
SELECT d.connection_id, d.shop_id, d.order_id, d.kind, d.number, d.ledger_id, d.url,
       coalesce(d.details ->> 'contact_id', '') AS contact_id
FROM documents d
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
ORDER BY d.shop_id, d.order_id, d.id

-- name: open_rejected
-- Open rejected messages that mention one of these texts.
SELECT r.id FROM rejected_events r
WHERE r.state = 'open' AND r.erased_at IS NULL
      AND (booked_mentions(r.value, $1) OR booked_mentions(r.record_key, $1)
           OR booked_mentions(convert_to(r.headers::text || r.message, 'UTF8'), $1))
ORDER BY r.id LIMIT $2

-- name: erase_rejected
-- What came in rejected messages that mention one of these texts; headers are kept as base64, so all of them go.
UPDATE rejected_events r
SET value = NULL, record_key = NULL, headers = '[]', erased_at = clock_timestamp(),
    message = CASE WHEN booked_mentions(convert_to(r.message, 'UTF8'), $1) THEN 'Erased.' ELSE r.message END
WHERE r.erased_at IS NULL
      AND (booked_mentions(r.value, $1) OR booked_mentions(r.record_key, $1)
           OR booked_mentions(convert_to(r.headers::text || r.message, 'UTF8'), $1))

-- name: erase_contacts
-- Contacts of these addresses: the id stays, so that no old list brings them back.
UPDATE contacts c
SET name = '', name_key = '', email_key = '', tax_key = '', contact = '{}', gone = true, erased_at = clock_timestamp(),
    updated_at = clock_timestamp()
WHERE c.erased_at IS NULL
      AND (c.email_key = ANY($1::text[]) AND c.email_key <> '' OR booked_mentions(convert_to(c.contact::text, 'UTF8'), $2)
           OR EXISTS (SELECT FROM contact_links l
                      WHERE l.connection_id = c.connection_id AND l.contact_id = c.contact_id
                            AND l.customer_key = ANY($3::text[])))

-- name: erase_links
-- Which contact the customer is.
DELETE FROM contact_links WHERE customer_key = ANY($1::text[])

-- name: erase_intents
-- What writes of the customer's contact, and those that mention them, were sought by; open ones are still needed.
UPDATE intents i
SET sought = '{}', late_answer = NULL,
    subject = CASE WHEN i.subject LIKE 'contact:%' THEN 'contact:' ELSE i.subject END
WHERE i.resolution IS NOT NULL
      AND (i.subject = ANY($1::text[])
           OR booked_mentions(convert_to(i.sought::text || coalesce(i.late_answer::text, ''), 'UTF8'), $2))

-- name: erase_outbox
-- Messages that were sent and mention them.
DELETE FROM outbox WHERE state = 'sent' AND booked_mentions(payload, $1)

-- name: days
-- The days of events and exchanges, with their blocks.
SELECT child, blocks FROM booked_days()

-- name: erase_days
-- What was logged and mentions them, in some blocks of a day.
SELECT booked_erase_days($1::text::regclass, $2, $3, $4)

-- name: about_days
-- The same, to be read.
SELECT found FROM booked_about_days($1::text::regclass, $2, $3, $4)

-- name: erase_order_events
-- The bytes of these orders' events.
UPDATE events e SET value = NULL, notes = coalesce(e.notes, '{}') || '{"erased": true}'
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE e.shop_id = k.shop_id AND e.order_id = k.order_id AND e.value IS NOT NULL

-- name: erase_order_exchanges
-- What was sent and answered for them.
UPDATE exchanges x SET path = split_part(x.path, '?', 1), request = '', response = ''
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE x.shop_id = k.shop_id AND x.order_id = k.order_id AND (x.request <> '' OR x.response <> '')

-- name: erase_order_intents
-- What their writes were sought by.
UPDATE intents i
SET sought = '{}', late_answer = NULL,
    subject = CASE WHEN i.subject LIKE 'contact:%' THEN 'contact:' ELSE i.subject END
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE i.shop_id = k.shop_id AND i.order_id = k.order_id AND i.resolution IS NOT NULL
      AND (i.sought <> '{}' OR i.late_answer IS NOT NULL OR i.subject LIKE 'contact:_%')

-- name: erase_order_rejected
-- What came for them and could not be an order.
UPDATE rejected_events r
SET value = NULL, record_key = NULL, headers = '[]', erased_at = clock_timestamp()
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE r.shop_id = k.shop_id AND r.order_id = k.order_id AND r.erased_at IS NULL AND r.state <> 'open'

-- name: audit_erased
-- Who erased which orders.
INSERT INTO audit_log (actor, action, shop_id, order_id)
SELECT $1, 'erase order', k.shop_id, k.order_id
FROM unnest($2::text[], $3::text[]) AS k (shop_id, order_id)

-- name: note_access
-- Who looked at what, or did it.
INSERT INTO audit_log (actor, action, shop_id, order_id, details) VALUES ($1, $2, $3, $4, $5)

-- name: about_orders
-- All that is kept of these orders, table by table, as plain data.
WITH k AS (SELECT * FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id))
SELECT 'orders' AS source, to_jsonb(o) AS found FROM orders o JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'documents', to_jsonb(d) FROM documents d JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'intents', to_jsonb(i) FROM intents i JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'decisions', to_jsonb(d) FROM decisions d JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'events', to_jsonb(e) FROM events e JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'exchanges', to_jsonb(x) FROM exchanges x JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'rejected_events', to_jsonb(r) FROM rejected_events r JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'completeness_missing', to_jsonb(m) FROM completeness_missing m JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'audit_log', to_jsonb(a) FROM audit_log a JOIN k USING (shop_id, order_id)
UNION ALL
SELECT 'outbox', to_jsonb(b) FROM outbox b JOIN k ON b.record_key = k.shop_id || '/' || k.order_id

-- name: around
-- What stands outside of orders and is the customer's or mentions them ($1 keys of addresses, $2 texts, $3 keys).
SELECT 'contacts' AS source, to_jsonb(c) AS found FROM contacts c
WHERE c.erased_at IS NULL
      AND (c.email_key = ANY($1::text[]) AND c.email_key <> '' OR booked_mentions(convert_to(c.contact::text, 'UTF8'), $2)
           OR EXISTS (SELECT FROM contact_links l
                      WHERE l.connection_id = c.connection_id AND l.contact_id = c.contact_id
                            AND l.customer_key = ANY($3::text[])))
UNION ALL
SELECT 'contact_links', to_jsonb(l) FROM contact_links l WHERE l.customer_key = ANY($3::text[])
UNION ALL
SELECT 'intents', to_jsonb(i) FROM intents i
WHERE i.subject = ANY(SELECT 'contact:' || k FROM unnest($3::text[]) AS u (k))
      OR booked_mentions(convert_to(i.sought::text || coalesce(i.late_answer::text, ''), 'UTF8'), $2)
UNION ALL
SELECT 'rejected_events', to_jsonb(r) FROM rejected_events r
WHERE r.erased_at IS NULL
      AND (booked_mentions(r.value, $2) OR booked_mentions(r.record_key, $2)
           OR booked_mentions(convert_to(r.headers::text || r.message, 'UTF8'), $2))
UNION ALL
SELECT 'outbox', to_jsonb(b) FROM outbox b WHERE booked_mentions(b.payload, $2)
UNION ALL
SELECT 'decisions', to_jsonb(d) FROM decisions d
WHERE booked_mentions(convert_to(d.words::text || d.figures::text, 'UTF8'), $2)
UNION ALL
SELECT 'audit_log', to_jsonb(a) FROM audit_log a WHERE booked_mentions(convert_to(a.details::text, 'UTF8'), $2)
UNION ALL
SELECT 'seen_invoices', to_jsonb(s) FROM seen_invoices s WHERE booked_mentions(convert_to(s.invoice::text, 'UTF8'), $2)
UNION ALL
SELECT 'watch_put_off', to_jsonb(w) FROM watch_put_off w WHERE booked_mentions(convert_to(w.invoice::text, 'UTF8'), $2)
LIMIT 100000
