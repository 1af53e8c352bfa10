-- What people see and mark.

-- name: groups
-- The orders of a state by shop, reason and currency.
SELECT o.shop_id, o.reason_code, coalesce(o.group_key, '') AS group_key, o.currency, count(*) AS orders,
       sum(o.grand_total) AS total, min(coalesce(o.paid_moment, o.first_seen_at)) AS oldest, max(o.reason_fix) AS fix
FROM orders o
WHERE o.state = $1 AND ($2::text IS NULL OR o.shop_id = $2)
GROUP BY o.shop_id, o.reason_code, o.group_key, o.currency
ORDER BY o.shop_id, o.reason_code, o.group_key, o.currency

-- name: lock_held
-- Orders of a shop that a release may concern, the oldest first by key, locked.
SELECT o.shop_id, o.order_id, o.connection_id, o.paid, o.paid_moment, o.cancelled, o.wish, o.released, o.state,
       o.reason_code, o.reason_message, o.reason_fix, o.group_key, o.change, o.priority, o.due_at, o.takes, o.attempts,
       o.changes_in_hour, o.changes_since, o.announced IS NOT NULL AS announced, o.asked
FROM orders o
WHERE o.shop_id = $1 AND o.state IN ('waiting', 'parked', 'withdrawn')
  AND ($2::text IS NULL OR o.order_id = $2)
  AND ($3::text IS NULL OR o.reason_code = $3)
  AND ($4::text IS NULL OR o.group_key = $4)
  AND ($2::text IS NOT NULL OR o.state <> 'withdrawn')
ORDER BY o.order_id
LIMIT $5
FOR UPDATE

-- name: lock_one
-- One order that a person speaks of, locked.
SELECT o.shop_id, o.order_id, o.connection_id, o.paid, o.paid_moment, o.cancelled, o.wish, o.released, o.state,
       o.reason_code, o.reason_message, o.reason_fix, o.group_key, o.change, o.priority, o.due_at, o.takes, o.attempts,
       o.changes_in_hour, o.changes_since, o.announced IS NOT NULL AS announced, o.asked
FROM orders o
WHERE o.shop_id = $1 AND o.order_id = $2
FOR UPDATE

-- name: put_spoken
-- Where a person's words leave an order, and what is wanted of it. The answer of what was asked before is void.
UPDATE orders
SET connection_id = $3, state = $4, reason_code = $5, reason_message = $6, reason_fix = $7, group_key = $8,
    difference = NULL, due_at = $9, change = $10, priority = $11, takes = $12, attempts = 0, changes_in_hour = 0,
    changes_since = NULL, wish = $13, released = $14,
    wish_by = CASE WHEN wish = $13 AND released = $14 THEN wish_by ELSE $16::text END,
    wish_at = CASE WHEN wish = $13 AND released = $14 THEN wish_at ELSE clock_timestamp() END,
    wish_note = CASE WHEN wish = $13 AND released = $14 THEN wish_note ELSE $17::text END,
    asked = $15::text,
    asked_by = CASE WHEN $15::text IS NULL THEN asked_by ELSE $16::text END,
    asked_at = CASE WHEN $15::text IS NULL THEN asked_at ELSE clock_timestamp() END,
    asked_note = CASE WHEN $15::text IS NULL THEN asked_note ELSE $17::text END,
    answer = '', updated_at = clock_timestamp()
WHERE shop_id = $1 AND order_id = $2

-- name: audit_order
-- Who said what of one order.
INSERT INTO audit_log (actor, action, shop_id, order_id, details) VALUES ($1, $2, $3, $4, $5)

-- name: retry_closed
-- Orders parked for a closed period of which nothing was decided for so long, behind everything else.
WITH closed AS (
    SELECT o.shop_id, o.order_id
    FROM orders o
    WHERE o.state = 'parked' AND o.reason_code = 'period_closed'
      AND NOT EXISTS (
          SELECT FROM decisions d
          WHERE d.shop_id = o.shop_id AND d.order_id = o.order_id
            AND d.decided_at > clock_timestamp() - make_interval(secs => $1::double precision)
      )
    ORDER BY o.shop_id, o.order_id
    LIMIT $2
    FOR UPDATE OF o
)
UPDATE orders o
SET state = 'due', reason_code = NULL, reason_message = '', reason_fix = '', group_key = NULL, difference = NULL,
    due_at = clock_timestamp(), change = o.change + 1, priority = 2, takes = 0, attempts = 0,
    updated_at = clock_timestamp()
FROM closed c
WHERE o.shop_id = c.shop_id AND o.order_id = c.order_id
RETURNING o.connection_id

-- name: release_orders
-- Released orders where they stand now.
UPDATE orders o
SET connection_id = n.connection_id, state = n.state, reason_code = n.reason_code, reason_message = n.reason_message,
    reason_fix = n.reason_fix, group_key = n.group_key, difference = NULL, due_at = n.due_at, change = n.change,
    priority = n.priority, takes = 0, attempts = 0, changes_in_hour = 0, changes_since = NULL, released = true,
    wish = 'auto', wish_by = $1, wish_at = clock_timestamp(), wish_note = NULL, updated_at = clock_timestamp()
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::timestamptz[], $11::bigint[], $12::smallint[])
    AS n (shop_id, order_id, connection_id, state, reason_code, reason_message, reason_fix, group_key, due_at, change,
          priority)
WHERE o.shop_id = n.shop_id AND o.order_id = n.order_id

-- name: audit_release
-- Who released which orders.
INSERT INTO audit_log (actor, action, shop_id, order_id, details)
SELECT $1, 'release', n.shop_id, n.order_id, n.details
FROM unnest($2::text[], $3::text[], $4::jsonb[]) AS n (shop_id, order_id, details)

-- name: story
-- All that is kept of one order, the newest of each kind ($4 at most); oldest first.
SELECT s.at, s.kind, s.details
FROM (
    (SELECT e.received_at AS at, 'event' AS kind,
            jsonb_build_object('kind', e.kind, 'event_id', e.event_id, 'event_time', e.event_time, 'topic', e.topic,
                               'partition', e.partition, 'offset', e."offset", 'verdict', e.verdict, 'notes', e.notes)
            AS details
     FROM events e WHERE e.shop_id = $1 AND e.order_id = $2 ORDER BY e.received_at DESC LIMIT $4)
    UNION ALL
    (SELECT d.decided_at, 'decision',
            jsonb_build_object('decision', d.decision, 'change', d.change, 'words', d.words, 'figures', d.figures)
     FROM decisions d WHERE d.shop_id = $1 AND d.order_id = $2 ORDER BY d.id DESC LIMIT $4)
    UNION ALL
    (SELECT i.begun_at, 'intent',
            jsonb_build_object('operation', i.operation, 'subject', i.subject, 'change', i.change,
                               'resolution', i.resolution, 'resolved_at', i.resolved_at, 'doubtful', i.doubtful,
                               'late_answer', i.late_answer)
     FROM intents i WHERE i.shop_id = $1 AND i.order_id = $2 ORDER BY i.begun_at DESC LIMIT $4)
    UNION ALL
    (SELECT x.happened_at, 'exchange',
            jsonb_build_object('operation', x.operation, 'method', x.method, 'path', x.path, 'request', x.request,
                               'response', x.response, 'status', x.status, 'code', x.code, 'outcome', x.outcome,
                               'duration_seconds', x.duration_seconds)
     FROM exchanges x WHERE x.shop_id = $1 AND x.order_id = $2 ORDER BY x.happened_at DESC LIMIT $4)
    UNION ALL
    (SELECT o.created_at, 'message',
            jsonb_build_object('topic_kind', o.topic_kind, 'sequence', o.sequence, 'state', o.state, 'error', o.error)
     FROM outbox o WHERE o.record_key = $3 ORDER BY o.id DESC LIMIT $4)
    UNION ALL
    (SELECT a.happened_at, 'audit',
            jsonb_build_object('actor', a.actor, 'action', a.action, 'details', a.details)
     FROM audit_log a WHERE a.shop_id = $1 AND a.order_id = $2 ORDER BY a.id DESC LIMIT $4)
) s
ORDER BY s.at DESC
LIMIT $4

-- name: newest_unbooked
-- A sample of what a shop has sent and nobody has booked yet; what was cancelled tells nothing.
SELECT o.*
FROM orders o
WHERE o.shop_id = $1 AND o.state IN ('waiting', 'due', 'parked') AND o.content IS NOT NULL AND NOT o.cancelled
ORDER BY o.first_seen_at DESC, o.order_id DESC
LIMIT $2
