-- Partitions by day, and the lock of the migrations.

-- name: lock_migrations
-- One migration at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(hashtext('booked migrations'))

-- name: give_way
-- No lock of this transaction is waited for longer, so that nobody waits longer behind it.
SET LOCAL lock_timeout = '3s'

-- name: make_partitions
-- Make the partitions of a table for today and so many days ahead; gives how many were made.
SELECT make_day_partitions($1::text, $2::integer)
