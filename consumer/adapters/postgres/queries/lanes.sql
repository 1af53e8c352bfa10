-- Lanes: who writes for a connection, what is due in it, and what it knows of its ledger.
-- The clock is read in a sub-select where an index has to find by it: a volatile function would be asked row by row.

-- name: lock_installation
-- The one row of the installation.
SELECT name, system_identifier, timeline_id FROM installation FOR UPDATE

-- name: add_installation
-- A new database belongs to the first installation that checks in; who comes second finds the row there.
INSERT INTO installation (name) VALUES ($1) ON CONFLICT (only_one) DO NOTHING

-- name: may_read_identity
-- Whether this user may ask for the server's identity; some hosters withhold it.
SELECT has_function_privilege('pg_control_system()', 'execute')
   AND has_function_privilege('pg_walfile_name(pg_lsn)', 'execute') AND NOT pg_is_in_recovery()

-- name: read_identity
-- The server's identity. The timeline is that of the log now being written: the control file tells it only after a
-- checkpoint, which may be minutes after a failover.
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
       ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer AS timeline_id

-- name: save_identity
-- The lanes know this server now.
UPDATE installation SET system_identifier = $1, timeline_id = $2

-- name: lease_due
-- Lease lanes that are due, for an order or a look of the watch, and nobody's. The lanes' rows are locked in passing
-- only: a lane that somebody else is leasing is left to him.
WITH due AS (
    SELECT l.connection_id
    FROM lanes l
    JOIN connections c USING (connection_id)
    WHERE (l.next_due <= (SELECT clock_timestamp()) OR l.watch_due <= (SELECT clock_timestamp()))
      AND (l.owner IS NULL OR l.lease_until <= clock_timestamp())
      AND (l.throttled_until IS NULL OR l.throttled_until <= clock_timestamp())
      AND c.active AND c.stopped_cause IS NULL AND coalesce(c.settings ->> 'organization_id', '') <> ''
    ORDER BY least(l.next_due, l.watch_due)
    LIMIT $3
    FOR UPDATE OF l SKIP LOCKED
)
UPDATE lanes l
SET owner = $1, epoch = l.epoch + 1, lease_until = clock_timestamp() + make_interval(secs => $2::double precision)
FROM due
WHERE l.connection_id = due.connection_id
RETURNING l.connection_id, l.epoch

-- name: renew
-- Prolong a lease that is still ours; one that has run out and that nobody took is ours again.
UPDATE lanes
SET lease_until = clock_timestamp() + make_interval(secs => $4::double precision)
WHERE connection_id = $1 AND owner = $2 AND epoch = $3
RETURNING connection_id

-- name: end_lease
-- Give a lease back, under the lane's lock.
UPDATE lanes SET owner = NULL, lease_until = NULL, next_due = $4
WHERE connection_id = $1 AND owner = $2 AND epoch = $3

-- name: read_lane
-- A lane without a lock, for a look at its lease and its figures.
SELECT l.connection_id, l.owner, l.epoch, l.lease_until, l.paced_until, l.throttled_until, l.halved_until, l.daily_limit,
       l.daily_left, l.daily_resets_at, (c.settings -> 'limits')::text AS limits, clock_timestamp() AS now
FROM lanes l
JOIN connections c USING (connection_id)
WHERE l.connection_id = $1

-- name: find_due
-- The orders that are due first, one probe of the index for each priority; of priority $4 (or none) only from $5 on,
-- see claim_floors.py. Orders that somebody else has locked (the intake, a record) are passed over: they are due in a
-- moment still.
SELECT d.shop_id, d.order_id, d.takes, p.priority, d.due_at
FROM unnest($2::smallint[]) WITH ORDINALITY AS p (priority, place)
CROSS JOIN LATERAL (
    SELECT o.shop_id, o.order_id, o.takes, o.due_at
    FROM orders o
    WHERE o.connection_id = $1 AND o.priority = p.priority AND o.due_at <= (SELECT clock_timestamp())
      AND o.due_at >= CASE WHEN p.priority = $4::smallint THEN $5::timestamptz ELSE '-infinity' END
    ORDER BY o.due_at
    LIMIT $3
    FOR UPDATE OF o SKIP LOCKED
) d
ORDER BY p.place, d.due_at

-- name: take_orders
-- Take orders in hand, counting the take: they are locked by find_due.
UPDATE orders o
SET takes = o.takes + 1, recorded = NULL
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE o.shop_id = k.shop_id AND o.order_id = k.order_id
RETURNING o.*

-- name: lock_keys
-- Lock orders by key, in order, before they are changed together.
SELECT o.shop_id, o.order_id
FROM orders o
JOIN unnest($1::text[], $2::text[]) AS k (shop_id, order_id) USING (shop_id, order_id)
ORDER BY o.shop_id, o.order_id
FOR UPDATE OF o

-- name: release_orders
-- Orders given back untouched: the take does not count.
UPDATE orders o
SET takes = greatest(0, o.takes - 1)
FROM unnest($1::text[], $2::text[]) AS k (shop_id, order_id)
WHERE o.shop_id = k.shop_id AND o.order_id = k.order_id

-- name: find_next
-- What is due next in some lanes, the first few orders of each priority: what their next due is computed from.
SELECT c.connection_id, p.priority, d.shop_id, d.order_id, d.due_at
FROM unnest($1::text[]) AS c (connection_id)
CROSS JOIN (VALUES (0::smallint), (1::smallint), (2::smallint)) AS p (priority)
CROSS JOIN LATERAL (
    SELECT o.shop_id, o.order_id, o.due_at
    FROM orders o
    WHERE o.connection_id = c.connection_id AND o.priority = p.priority AND o.due_at IS NOT NULL
    ORDER BY o.due_at
    LIMIT $2
) d

-- name: set_next_due
-- The next due of lanes, under their locks.
UPDATE lanes l
SET next_due = k.next_due
FROM unnest($1::text[], $2::timestamptz[]) AS k (connection_id, next_due)
WHERE l.connection_id = k.connection_id

-- name: wake_at
-- A lane has work from then on. Without a condition: see wake_lanes of the intake.
UPDATE lanes SET next_due = least(next_due, $2::timestamptz) WHERE connection_id = $1

-- name: wake_now
-- A lane is due now.
UPDATE lanes SET next_due = least(next_due, clock_timestamp()) WHERE connection_id = $1

-- name: next_due_seconds
-- When the next lane falls due that nobody has and that may be leased then.
SELECT extract(epoch FROM min(greatest(least(l.next_due, l.watch_due), l.throttled_until)) - clock_timestamp())
           ::double precision
FROM lanes l
JOIN connections c USING (connection_id)
WHERE (l.next_due IS NOT NULL OR l.watch_due IS NOT NULL) AND (l.owner IS NULL OR l.lease_until <= clock_timestamp())
  AND c.active AND c.stopped_cause IS NULL AND coalesce(c.settings ->> 'organization_id', '') <> ''

-- name: list_lanes
-- All lanes by name, a page at a time.
SELECT connection_id FROM lanes WHERE connection_id > $1 ORDER BY connection_id LIMIT $2

-- name: lock_lanes
-- Some lanes with the figures that their next due depends on, locked in order.
SELECT l.connection_id, l.next_due, l.paced_until, l.throttled_until, l.halved_until, l.daily_limit, l.daily_left,
       l.daily_resets_at, (c.settings -> 'limits')::text AS limits, clock_timestamp() AS now
FROM lanes l
JOIN connections c USING (connection_id)
WHERE l.connection_id = ANY($1::text[])
ORDER BY l.connection_id
FOR UPDATE OF l

-- name: read_connection
-- A connection with what its lane knows.
SELECT c.connection_id, c.active, c.settings, c.ledger_facts, c.stopped_cause, l.look_first,
       l.looked_first_until IS NOT NULL AS looked_first,
       extract(epoch FROM clock_timestamp() - c.ledger_facts_read_at)::double precision AS facts_age_seconds,
       coalesce((SELECT name FROM installation), '') AS installation,
       l.paced_until, l.throttled_until, l.halved_until, l.daily_limit, l.daily_left, l.daily_resets_at,
       clock_timestamp() AS now
FROM connections c
LEFT JOIN lanes l USING (connection_id)
WHERE c.connection_id = $1

-- name: read_shops
-- The shops of a connection, and those that have moved elsewhere and left documents in it.
SELECT s.shop_id, s.connection_id, s.active, s.automatic, s.book_from, s.revision_key, s.settings
FROM shops s
WHERE s.connection_id = $1
   OR EXISTS (SELECT FROM documents d WHERE d.connection_id = $1 AND d.shop_id = s.shop_id)

-- name: look_first_since
-- An hour before the last write that is known: what was written after it may be unknown. Reads do not count, because
-- the look itself makes some, and may be broken off.
SELECT max(happened_at) - interval '1 hour' FROM exchanges WHERE connection_id = $1 AND method <> 'GET'

-- name: lock_facts
-- What was known of an organisation.
SELECT ledger_facts FROM connections WHERE connection_id = $1 FOR NO KEY UPDATE

-- name: save_facts
-- What was read of an organisation.
UPDATE connections SET ledger_facts = $2, ledger_facts_read_at = clock_timestamp() WHERE connection_id = $1

-- name: unpark
-- Parked orders that new facts may help; behind the live ones where they are many.
WITH helped AS (
    SELECT o.shop_id, o.order_id
    FROM orders o
    WHERE o.state = 'parked' AND o.connection_id = $1 AND o.reason_code = ANY($2::text[])
    ORDER BY o.shop_id, o.order_id
    FOR UPDATE
), counted AS (
    SELECT count(*) AS orders FROM helped
)
UPDATE orders o
SET state = 'due', reason_code = NULL, reason_message = '', reason_fix = '', group_key = NULL, difference = NULL,
    due_at = clock_timestamp(), change = o.change + 1, takes = 0, attempts = 0, updated_at = clock_timestamp(),
    priority = CASE WHEN c.orders > $3 THEN 2 ELSE 1 END
FROM helped h CROSS JOIN counted c
WHERE o.shop_id = h.shop_id AND o.order_id = h.order_id

-- name: lock_connection
-- A stop and a new authorisation come one after the other: whichever is second sees what the first has done.
SELECT connection_id FROM connections WHERE connection_id = $1 FOR NO KEY UPDATE

-- name: stop_connection
-- The connection needs a person. What it was stopped for first stays: it has to be cured first. Not where it was
-- authorised anew within the last $4 seconds (null: that would cure nothing).
UPDATE connections
SET stopped_cause = $2, stopped_message = $3, stopped_at = clock_timestamp()
WHERE connection_id = $1 AND stopped_cause IS NULL
  AND NOT EXISTS (
      SELECT FROM tokens t
      WHERE t.connection_id = $1 AND t.connected_at > clock_timestamp() - make_interval(secs => $4::double precision)
  )
RETURNING connection_id

-- name: resume_connection
-- A person has acted; only for some causes where they are given.
UPDATE connections
SET stopped_cause = NULL, stopped_message = NULL, stopped_at = NULL
WHERE connection_id = $1 AND stopped_cause IS NOT NULL AND ($2::text[] IS NULL OR stopped_cause = ANY($2::text[]))
RETURNING connection_id

-- name: finish_look_first
-- The ledger has been looked through.
UPDATE lanes SET look_first = false, looked_first_until = clock_timestamp() WHERE connection_id = $1

-- name: save_seen
-- Documents found in the ledger, by reference.
INSERT INTO seen_invoices (connection_id, reference, invoice_id, invoice)
SELECT $1, k.reference, k.invoice_id, k.invoice
FROM unnest($2::text[], $3::text[], $4::jsonb[]) AS k (reference, invoice_id, invoice)
ON CONFLICT (connection_id, reference, invoice_id) DO UPDATE
SET invoice = excluded.invoice, seen_at = clock_timestamp()

-- name: read_seen
-- What was found under a reference.
SELECT invoice FROM seen_invoices WHERE connection_id = $1 AND reference = $2 ORDER BY invoice_id

-- name: add_audit
-- What was done to a connection, and by whom.
INSERT INTO audit_log (actor, action, details) VALUES ($1, $2, $3)
