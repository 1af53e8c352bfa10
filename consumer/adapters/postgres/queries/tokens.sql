-- Tokens, sealed by the program; the database sees no secret.

-- name: read_token
-- The authorisation of a connection.
SELECT client_id, client_secret, refresh_token, access_token, version,
       greatest(0, extract(epoch FROM access_expires_at - clock_timestamp()))::double precision AS expires_in_seconds,
       extract(epoch FROM clock_timestamp() - access_made_at)::double precision AS age_seconds
FROM tokens
WHERE connection_id = $1

-- name: lock_token
-- The token's row, to become the one who renews.
SELECT version, renewing_until, renewals, clock_timestamp() AS now FROM tokens WHERE connection_id = $1 FOR UPDATE

-- name: begin_renewal
-- This process renews now; the renewal counts from here, since the ledger may count one that fails.
UPDATE tokens SET renewing_until = $2, renewals = $3 WHERE connection_id = $1

-- name: save_renewed
-- A new access token, unless somebody else has stored one meanwhile: then that one stays.
UPDATE tokens
SET access_token = $3, access_expires_at = clock_timestamp() + make_interval(secs => $4::double precision),
    access_made_at = clock_timestamp(), renewing_until = NULL, version = version + 1
WHERE connection_id = $1 AND version = $2

-- name: end_renewal
-- The renewal failed.
UPDATE tokens SET renewing_until = NULL WHERE connection_id = $1

-- name: save_grant
-- A new authorisation.
INSERT INTO tokens (connection_id, client_id, client_secret, refresh_token, access_token, access_expires_at,
                    access_made_at, connected_by)
VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6::double precision), clock_timestamp(), $7)
ON CONFLICT (connection_id) DO UPDATE
SET client_id = excluded.client_id, client_secret = excluded.client_secret, refresh_token = excluded.refresh_token,
    access_token = excluded.access_token, access_expires_at = excluded.access_expires_at,
    access_made_at = excluded.access_made_at, connected_by = excluded.connected_by,
    connected_at = clock_timestamp(), renewing_until = NULL, version = tokens.version + 1
