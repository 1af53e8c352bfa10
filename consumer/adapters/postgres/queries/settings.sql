-- Connections and shops, and what `apply` makes of the orders that waited for them.

-- name: lock_settings
-- Nobody reads the shops for placing orders, or changes them, while they are changed (see lock_shops of the intake):
-- otherwise an order of a shop that is just being added would be left waiting for it. Plain reads go on.
LOCK TABLE shops IN EXCLUSIVE MODE

-- name: clock
-- The time by which everything in this transaction is placed.
SELECT clock_timestamp()

-- name: connections
-- All connections.
SELECT connection_id, active, settings FROM connections ORDER BY connection_id

-- name: shops
-- All shops.
SELECT shop_id, connection_id, active, automatic, book_from, revision_key, settings FROM shops ORDER BY shop_id

-- name: put_connections
-- Connections as they become.
INSERT INTO connections (connection_id, active, settings)
SELECT * FROM unnest($1::text[], $2::boolean[], $3::jsonb[])
ON CONFLICT (connection_id) DO UPDATE
SET active = excluded.active, settings = excluded.settings, updated_at = clock_timestamp()

-- name: put_shops
-- Shops as they become.
INSERT INTO shops (shop_id, connection_id, active, automatic, book_from, revision_key, revision_key_fixed, settings)
SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::timestamptz[], $6::text[],
                     $7::boolean[], $8::jsonb[])
ON CONFLICT (shop_id) DO UPDATE
SET connection_id = excluded.connection_id, active = excluded.active, automatic = excluded.automatic,
    book_from = excluded.book_from, revision_key = excluded.revision_key,
    revision_key_fixed = excluded.revision_key_fixed, settings = excluded.settings, updated_at = clock_timestamp()

-- name: concerned_shops
-- Shops whose orders may stand elsewhere now: the changed ones, those that book into a changed connection, and those
-- that have moved away from one and left documents there.
SELECT shop_id FROM (
    SELECT unnest($1::text[]) AS shop_id
    UNION
    SELECT s.shop_id FROM shops s WHERE s.connection_id = ANY($2::text[])
    UNION
    SELECT d.shop_id FROM documents d WHERE d.connection_id = ANY($2::text[])
) AS concerned
ORDER BY shop_id

-- name: read_page
-- A page of a shop's orders that settings may place anew; without locks, for telling what would change.
SELECT shop_id, order_id, connection_id, paid, paid_moment, cancelled, wish, released, state, reason_code,
       reason_message, reason_fix, group_key, change, priority, due_at, takes, attempts,
       announced IS NOT NULL AS announced, asked
FROM orders
WHERE shop_id = $1 AND order_id > $2 AND state IN ('waiting', 'parked', 'due')
ORDER BY order_id
LIMIT $3

-- name: lock_page
-- The same page, locked.
SELECT shop_id, order_id, connection_id, paid, paid_moment, cancelled, wish, released, state, reason_code,
       reason_message, reason_fix, group_key, change, priority, due_at, takes, attempts,
       announced IS NOT NULL AS announced, asked
FROM orders
WHERE shop_id = $1 AND order_id > $2 AND state IN ('waiting', 'parked', 'due')
ORDER BY order_id
LIMIT $3
FOR UPDATE

-- name: place_orders
-- A page of orders, placed anew.
UPDATE orders o
SET connection_id = n.connection_id, state = n.state, reason_code = n.reason_code, reason_message = n.reason_message,
    reason_fix = n.reason_fix, group_key = n.group_key, difference = NULL, due_at = n.due_at, change = n.change,
    priority = n.priority, takes = n.takes, attempts = n.attempts, updated_at = clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::timestamptz[], $10::bigint[], $11::smallint[], $12::smallint[], $13::integer[])
    AS n (shop_id, order_id, connection_id, state, reason_code, reason_message, reason_fix, group_key, due_at, change,
          priority, takes, attempts)
WHERE o.shop_id = n.shop_id AND o.order_id = n.order_id

-- name: add_audit
-- Who changed which connection or shop, and how.
INSERT INTO audit_log (actor, action, shop_id, details)
SELECT $1, 'apply', n.shop_id, n.details
FROM unnest($2::text[], $3::jsonb[]) AS n (shop_id, details)

-- name: add_lanes
-- Every connection has its lane.
INSERT INTO lanes (connection_id) SELECT * FROM unnest($1::text[]) ON CONFLICT (connection_id) DO NOTHING

-- name: lock_lanes
-- The lanes whose slots are to change, in order: slots are taken under the same lock.
SELECT connection_id FROM lanes WHERE connection_id = ANY($1::text[]) ORDER BY connection_id FOR UPDATE

-- name: drop_slots
-- Where the window has become smaller: keep the slots that become free last. Those dropped would have been free before
-- any of them, so that the calls of the past still count as long as they must.
DELETE FROM slots s
USING (
    SELECT x.connection_id, x.n,
           row_number() OVER (PARTITION BY x.connection_id ORDER BY x.free_at DESC, x.open_until DESC, x.n) AS place
    FROM slots x
    WHERE x.connection_id = ANY($1::text[])
) AS ranked
JOIN unnest($1::text[], $2::integer[]) AS k (connection_id, size) USING (connection_id)
WHERE s.connection_id = ranked.connection_id AND s.n = ranked.n AND ranked.place > k.size

-- name: add_slots
-- Where it has become larger (or is new): the missing slots, free at once, under numbers that are not taken.
INSERT INTO slots (connection_id, n)
SELECT k.connection_id, missing.n
FROM unnest($1::text[], $2::integer[]) AS k (connection_id, size)
CROSS JOIN LATERAL (
    SELECT g.n
    FROM generate_series(1, k.size) AS g (n)
    WHERE NOT EXISTS (SELECT FROM slots s WHERE s.connection_id = k.connection_id AND s.n = g.n)
    ORDER BY g.n
    LIMIT greatest(0, k.size - (SELECT count(*) FROM slots s WHERE s.connection_id = k.connection_id))
) AS missing
