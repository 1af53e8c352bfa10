-- What the relay sends. Rows have a state: reading `id > last` would lose rows that commit late.

-- name: take_lease
-- Take the lease, or renew it. A lease that ran out begins a new epoch even for the same owner.
INSERT INTO leases AS l (name, owner, epoch, lease_until)
VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE
SET epoch = l.epoch + CASE WHEN l.owner = excluded.owner AND l.lease_until > clock_timestamp() THEN 0 ELSE 1 END,
    owner = excluded.owner,
    lease_until = clock_timestamp() + make_interval(secs => $3)
WHERE l.owner = excluded.owner OR l.lease_until <= clock_timestamp()
RETURNING l.epoch

-- name: give_back
-- End the lease at once, if it is still ours.
UPDATE leases SET lease_until = 'epoch' WHERE name = $1 AND owner = $2 AND epoch = $3

-- name: check_lease
-- The lease, locked against passing on while the rows are read; no row where it is not ours any more.
SELECT 1 FROM leases
WHERE name = $1 AND owner = $2 AND epoch = $3 AND lease_until > clock_timestamp()
FOR SHARE

-- name: walk_by_index
-- For this transaction: what follows walks along indexes. Of a queue that has just filled the planner knows nothing; it
-- takes it for a few rows and sorts or joins all of it for every round, with a plan it keeps for the whole session.
SELECT set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true)

-- name: waiting
-- The oldest rows that wait: of each key only its oldest, and none of a key that is in flight. OFFSET 0 keeps the look
-- for an older one a look for each row: as a join it would be made over the whole queue.
SELECT o.id, o.topic_kind, o.record_key, o.event_id, o.sequence, o.payload, o.created_at
FROM outbox o
WHERE o.state = 'waiting'
  AND o.record_key <> ALL($2::text[])
  AND NOT EXISTS (SELECT FROM outbox e WHERE e.state = 'waiting' AND e.record_key = o.record_key AND e.id < o.id OFFSET 0)
ORDER BY o.id
LIMIT $1

-- name: mark_sent
-- Kafka has them.
UPDATE outbox SET state = 'sent', sent_at = clock_timestamp(), error = ''
WHERE id = ANY($1::bigint[]) AND state <> 'sent'

-- name: set_aside
-- Kafka refuses it for good; the rows behind it go on.
UPDATE outbox SET state = 'set_aside', error = $2 WHERE id = $1 AND state = 'waiting'

-- name: depth
-- How many wait, as far as counting is cheap.
SELECT count(*) FROM (SELECT FROM outbox WHERE state = 'waiting' LIMIT 100000) AS w
