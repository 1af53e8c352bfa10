-- Sealed secrets by key, and sealing them again: booked keys. A sealed secret is a byte 1, the length of the key's id,
-- the id, and what only the key opens (consumer/secrets.py). The columns are those of ports.keys.SEALED_COLUMNS.

-- name: counts
-- How many secrets of each column are under which key; '' is none that could be read.
SELECT 'tokens' AS table_name, c.column_name,
       CASE WHEN length(c.sealed) > 2 AND get_byte(c.sealed, 0) = 1 AND length(c.sealed) > 2 + get_byte(c.sealed, 1)
            THEN encode(substr(c.sealed, 3, get_byte(c.sealed, 1)), 'escape') ELSE '' END AS key_id,
       count(*) AS count
FROM tokens t
CROSS JOIN LATERAL (
    VALUES ('client_secret', t.client_secret), ('refresh_token', t.refresh_token), ('access_token', t.access_token)
) AS c (column_name, sealed)
WHERE c.sealed IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3

-- name: lock_old
-- The next rows of which a secret is not under the key that writes now.
SELECT t.connection_id, t.client_secret, t.refresh_token, t.access_token
FROM tokens t
WHERE t.connection_id > $2
  AND (substr(t.client_secret, 1, length($1::bytea)) <> $1::bytea
       OR substr(t.refresh_token, 1, length($1::bytea)) <> $1::bytea
       OR substr(t.access_token, 1, length($1::bytea)) <> $1::bytea)
ORDER BY t.connection_id
LIMIT $3
FOR UPDATE OF t

-- name: put_sealed
-- The same secrets under another key. The version stays: a renewal that is under way is not lost by it.
UPDATE tokens SET client_secret = $2, refresh_token = $3, access_token = $4 WHERE connection_id = $1
