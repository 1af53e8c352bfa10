-- Messages that could not be orders, as people look at them.

-- name: find
-- The newest messages that fit, without their values.
SELECT r.id, r.topic, r.log, r.partition, r."offset", r.record_key, r.headers, NULL::bytea AS value, r.size, r.digest,
       r.reason, r.message, r.shop_id, r.order_id, r.state, r.received_at
FROM rejected_events r
WHERE ($1::text IS NULL OR r.state = $1)
  AND ($2::text IS NULL OR r.shop_id = $2)
  AND ($3::text IS NULL OR r.reason = $3)
  AND ($4::timestamptz IS NULL OR r.received_at >= $4)
ORDER BY r.id DESC
LIMIT $5

-- name: read_one
-- One message, whole.
SELECT r.id, r.topic, r.log, r.partition, r."offset", r.record_key, r.headers, r.value, r.size, r.digest,
       r.reason, r.message, r.shop_id, r.order_id, r.state, r.received_at
FROM rejected_events r
WHERE r.id = $1

-- name: settle
-- An open one has been dealt with; nothing where somebody else was quicker.
UPDATE rejected_events SET state = $2 WHERE id = $1 AND state = 'open' RETURNING shop_id, order_id

-- name: still_bad
-- Why it cannot be an order by the rules of today.
UPDATE rejected_events SET reason = $2, message = $3 WHERE id = $1 AND state = 'open' RETURNING shop_id, order_id

-- name: add_audit
-- Who did what to it.
INSERT INTO audit_log (actor, action, shop_id, order_id, details) VALUES ($1, $2, $3, $4, $5)
