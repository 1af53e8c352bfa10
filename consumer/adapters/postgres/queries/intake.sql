-- The intake: a batch in a handful of statements. Locks are taken in the one sequence of all transactions:
-- positions, shops (shared), orders sorted by key, and the lanes' rows last.

-- name: read_positions
-- How far partitions were taken; without locks, for the start of reading.
SELECT p.topic, p.partition, p.log, p.next_offset, p.last_offset, p.last_checksum
FROM positions p
JOIN unnest($1::text[], $2::integer[]) AS k (topic, partition) USING (topic, partition)

-- name: lock_positions
-- The positions of a batch, locked in order; the clock's time comes with them, for all that the batch is placed by.
SELECT p.topic, p.partition, p.log, p.next_offset, p.last_offset, clock_timestamp() AS now
FROM positions p
JOIN unnest($1::text[], $2::integer[]) AS k (topic, partition) USING (topic, partition)
ORDER BY p.topic, p.partition
FOR UPDATE OF p

-- name: add_positions
-- The rows of partitions never taken before; who comes second finds them there and waits for their lock. Gives those added.
INSERT INTO positions (topic, partition, log, next_offset)
SELECT k.topic, k.partition, k.log, 0
FROM unnest($1::text[], $2::integer[], $3::integer[]) AS k (topic, partition, log)
ORDER BY k.topic, k.partition
ON CONFLICT (topic, partition) DO NOTHING
RETURNING topic

-- name: move_positions
-- The batch has been taken up to here.
UPDATE positions p
SET next_offset = k.last_offset + 1, last_offset = k.last_offset, last_checksum = k.checksum,
    updated_at = clock_timestamp()
FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[]) AS k (topic, partition, last_offset, checksum)
WHERE p.topic = k.topic AND p.partition = k.partition

-- name: put_position
-- A position as it is told; nothing is known of a last record then.
INSERT INTO positions (topic, partition, log, next_offset) VALUES ($1, $2, $3, $4)
ON CONFLICT (topic, partition) DO UPDATE
SET log = excluded.log, next_offset = excluded.next_offset, last_offset = NULL, last_checksum = NULL,
    updated_at = clock_timestamp()

-- name: add_gap
-- Records that will never be read.
INSERT INTO gaps (topic, partition, log, from_offset, to_offset, cause) VALUES ($1, $2, $3, $4, $5, $6)

-- name: fix_revision_keys
-- A shop without a revision key gets that of its first event; somebody else's may have been earlier. In the shops'
-- order, so that two processes do not wait for each other.
WITH firsts AS (
    SELECT s.shop_id, k.revision_key
    FROM shops s
    JOIN unnest($1::text[], $2::text[]) AS k (shop_id, revision_key) USING (shop_id)
    WHERE s.revision_key IS NULL
    ORDER BY s.shop_id
    FOR UPDATE OF s
)
UPDATE shops s SET revision_key = f.revision_key, updated_at = clock_timestamp()
FROM firsts f
WHERE s.shop_id = f.shop_id AND s.revision_key IS NULL

-- name: lock_shops
-- The shops of a batch with their connections. The shared lock on the rows, and ROW SHARE on the table even where no
-- row is found, keep `apply` (which locks the table) from changing them, or adding a shop, until the batch is through.
SELECT s.shop_id, s.connection_id, s.active, s.automatic, s.book_from, s.revision_key, s.settings::text AS settings,
       c.active AS connection_active, c.settings::text AS connection_settings
FROM shops s
LEFT JOIN connections c ON c.connection_id = s.connection_id
WHERE s.shop_id = ANY($1::text[])
ORDER BY s.shop_id
FOR SHARE OF s

-- name: read_connections
-- Connections that orders stay with although their shop has moved.
SELECT c.connection_id, c.active AS connection_active, c.settings::text AS connection_settings
FROM connections c
WHERE c.connection_id = ANY($1::text[])

-- name: clock
-- The time of a batch that moves no position.
SELECT clock_timestamp()

-- name: read_origins
-- Where the events of these orders stood, as far as they are kept.
SELECT e.topic, e.log, e.partition, e."offset"
FROM events e
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)

-- name: lock_orders
-- The orders of a batch that are known, locked by key; their content is not needed to fold.
SELECT o.shop_id, o.order_id, o.connection_id, o.number, o.head, o.content_hash, o.currency, o.grand_total,
       o.placed_at, o.paid, o.wish, o.released, o.state, o.reason_code, o.reason_message, o.reason_fix, o.group_key,
       o.change, o.priority, o.due_at, o.takes, o.attempts, o.changes_in_hour, o.changes_since,
       o.announced IS NOT NULL AS announced, o.asked, o.erased_mark
FROM orders o
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
ORDER BY o.shop_id, o.order_id
FOR UPDATE OF o

-- name: read_ties
-- What binds orders to a ledger. A statement of its own after the lock: begin() writes its intent under the same lock,
-- and the snapshot of the statement that waited for that lock would not see it.
SELECT k.shop_id, k.order_id,
       EXISTS (SELECT FROM documents d WHERE d.shop_id = k.shop_id AND d.order_id = k.order_id) AS documents,
       EXISTS (SELECT FROM documents d
               WHERE d.shop_id = k.shop_id AND d.order_id = k.order_id AND d.kind = 'invoice' AND d.live)
           AS live_invoice,
       EXISTS (SELECT FROM intents i
               WHERE i.shop_id = k.shop_id AND i.order_id = k.order_id AND i.resolution IS NULL) AS open_intent
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)

-- name: update_heads
-- Known orders of which nothing changed that matters: the revision and the facts move on, where it stands does not.
UPDATE orders o
SET number = n.number, head = n.head, content = coalesce(n.content, o.content), content_hash = n.content_hash,
    layout = CASE WHEN n.content IS NULL THEN o.layout END,
    personal_removed_at = CASE WHEN n.content IS NULL THEN o.personal_removed_at END,
    currency = n.currency, grand_total = n.grand_total, placed_at = n.placed_at, paid = n.paid,
    paid_moment = n.paid_moment, cancelled = n.cancelled, updated_at = clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[], $6::bytea[], $7::text[], $8::numeric[],
            $9::timestamptz[], $10::boolean[], $11::timestamptz[], $12::boolean[])
    AS n (shop_id, order_id, number, head, content, content_hash, currency, grand_total, placed_at, paid, paid_moment,
          cancelled)
WHERE o.shop_id = n.shop_id AND o.order_id = n.order_id

-- name: update_orders
-- Known orders that a change has placed anew.
UPDATE orders o
SET number = n.number, head = n.head, content = coalesce(n.content, o.content), content_hash = n.content_hash,
    layout = CASE WHEN n.content IS NULL THEN o.layout END,
    personal_removed_at = CASE WHEN n.content IS NULL THEN o.personal_removed_at END,
    currency = n.currency, grand_total = n.grand_total, placed_at = n.placed_at, paid = n.paid,
    paid_moment = n.paid_moment, cancelled = n.cancelled, connection_id = n.connection_id, state = n.state,
    reason_code = n.reason_code, reason_message = n.reason_message, reason_fix = n.reason_fix,
    group_key = n.group_key, difference = NULL, due_at = n.due_at, change = n.change, priority = n.priority,
    takes = n.takes, attempts = n.attempts, changes_in_hour = n.changes_in_hour, changes_since = n.changes_since,
    updated_at = clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[], $6::bytea[], $7::text[], $8::numeric[],
            $9::timestamptz[], $10::boolean[], $11::timestamptz[], $12::boolean[], $13::text[], $14::text[],
            $15::text[], $16::text[], $17::text[], $18::text[], $19::timestamptz[], $20::bigint[], $21::smallint[],
            $22::smallint[], $23::integer[], $24::smallint[], $25::timestamptz[])
    AS n (shop_id, order_id, number, head, content, content_hash, currency, grand_total, placed_at, paid, paid_moment,
          cancelled, connection_id, state, reason_code, reason_message, reason_fix, group_key, due_at, change,
          priority, takes, attempts, changes_in_hour, changes_since)
WHERE o.shop_id = n.shop_id AND o.order_id = n.order_id

-- name: insert_rejected
-- Messages that cannot be orders. One that was rejected before (its position was set back) is not told of again.
INSERT INTO rejected_events (topic, log, partition, "offset", record_key, headers, value, size, digest, reason,
                             message, shop_id, order_id)
SELECT n.topic, n.log, n.partition, n.place, n.record_key, n.headers::jsonb, n.value, n.size, n.digest, n.reason,
       n.message, n.shop_id, n.order_id
FROM unnest($1::text[], $2::integer[], $3::integer[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[],
            $8::bigint[], $9::bytea[], $10::text[], $11::text[], $12::text[], $13::text[])
    AS n (topic, log, partition, place, record_key, headers, value, size, digest, reason, message, shop_id, order_id)
ON CONFLICT (topic, log, partition, "offset") DO NOTHING
RETURNING topic, log, partition, "offset"

-- name: insert_outbox
-- What the shop is told of them, without the payload.
INSERT INTO outbox (topic_kind, record_key, event_id, payload)
SELECT 'order.rejected', n.record_key, n.event_id, n.payload
FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS n (record_key, event_id, payload)

-- name: wake_lanes
-- Lanes that have work now. Without a condition on next_due: a lane that goes to sleep meanwhile holds its row, and an
-- update that had looked at the row before would pass over it and lose the wake-up.
WITH ours AS (
    SELECT connection_id FROM lanes WHERE connection_id = ANY($1::text[]) ORDER BY connection_id FOR UPDATE
)
UPDATE lanes l SET next_due = least(l.next_due, $2::timestamptz)
FROM ours
WHERE l.connection_id = ours.connection_id

-- name: look_first
-- Postgres has forgotten something: no lane makes anything before it has looked at its ledger.
WITH all_lanes AS (SELECT connection_id FROM lanes ORDER BY connection_id FOR UPDATE)
UPDATE lanes l SET look_first = true
FROM all_lanes a
WHERE l.connection_id = a.connection_id

-- name: add_audit
-- What somebody, or a part of the program on its own, has done on purpose.
INSERT INTO audit_log (actor, action, details) VALUES ($1, $2, $3)

-- name: read_states
-- The states of orders.
SELECT o.shop_id, o.order_id, o.state
FROM orders o
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)

-- name: insert_event
-- One event, where COPY is refused to the role; the columns are those of EVENT_COLUMNS.
INSERT INTO events (
    topic, log, partition, "offset", shop_id, order_id, kind, event_id, event_time, verdict, notes,
    value
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
)

-- name: insert_order
-- One order, where COPY is refused to the role; the columns are those of ORDER_COLUMNS.
INSERT INTO orders (
    shop_id, order_id, connection_id, number, head, content, content_hash, currency, grand_total,
    placed_at, paid, paid_moment, cancelled, state, reason_code, reason_message, reason_fix, group_key,
    due_at, priority
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
)
