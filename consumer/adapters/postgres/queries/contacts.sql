-- The index of the ledger's contacts, and how far it reaches (in the lane's row).

-- name: find
-- A customer's contacts: by the stored link, by e-mail, by name, by VAT number. Those that are gone are not found.
(SELECT 'linked' AS found_by, c.contact_id, c.contact
 FROM contact_links l
 JOIN contacts c USING (connection_id, contact_id)
 WHERE l.connection_id = $1 AND l.shop_id = $2 AND l.customer_key = $3 AND NOT c.gone)
UNION ALL
(SELECT 'email', c.contact_id, c.contact
 FROM contacts c
 WHERE c.connection_id = $1 AND c.email_key = $4 AND c.email_key <> '' AND NOT c.gone
 ORDER BY c.contact_id
 LIMIT $6)
UNION ALL
(SELECT 'name', c.contact_id, c.contact
 FROM contacts c
 WHERE c.connection_id = $1 AND c.name_key = $5 AND c.name_key <> '' AND NOT c.gone
 ORDER BY c.contact_id
 LIMIT $6)
UNION ALL
(SELECT 'tax', c.contact_id, c.contact
 FROM contacts c
 WHERE c.connection_id = $1 AND c.tax_key = $7 AND c.tax_key <> '' AND NOT c.gone
 ORDER BY c.contact_id
 LIMIT $6)

-- name: get_contact
-- One contact by its id.
SELECT contact FROM contacts WHERE connection_id = $1 AND contact_id = $2 AND NOT gone

-- name: index_state
-- How far the index reaches.
SELECT contacts_complete_at IS NOT NULL AS complete, contacts_page AS page, contacts_seen_until AS seen_until,
       extract(epoch FROM clock_timestamp() - contacts_fresh_at)::double precision AS fresh_seconds_ago
FROM lanes
WHERE connection_id = $1

-- name: put_page
-- Contacts from a list, which tells little. What is known whole stays where the contact has not changed since, and a
-- page that is older than what is known (its call took longer) changes nothing.
INSERT INTO contacts (connection_id, contact_id, name, name_key, email_key, active, is_customer, contact, modified_at,
                      tax_key)
SELECT $1, k.contact_id, k.name, k.name_key, k.email_key, k.active, k.is_customer, k.contact, k.modified_at, k.tax_key
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[], $8::jsonb[],
            $9::timestamptz[], $10::text[])
    AS k (contact_id, name, name_key, email_key, active, is_customer, contact, modified_at, tax_key)
ON CONFLICT (connection_id, contact_id) DO UPDATE
SET name = excluded.name, name_key = excluded.name_key, email_key = excluded.email_key, active = excluded.active,
    is_customer = excluded.is_customer, modified_at = excluded.modified_at, gone = false,
    contact = CASE
        WHEN contacts.modified_at = excluded.modified_at AND contacts.contact ->> 'data' IS NOT NULL
             AND excluded.contact ->> 'data' IS NULL
        THEN contacts.contact
        ELSE excluded.contact
    END,
    tax_key = CASE
        WHEN contacts.modified_at = excluded.modified_at AND contacts.contact ->> 'data' IS NOT NULL
             AND excluded.contact ->> 'data' IS NULL
        THEN contacts.tax_key
        ELSE excluded.tax_key
    END,
    erased_at = NULL, updated_at = clock_timestamp()
WHERE CASE
    WHEN contacts.erased_at IS NULL
    THEN contacts.modified_at IS NULL OR excluded.modified_at IS NULL OR excluded.modified_at >= contacts.modified_at
    -- An erased one stays erased until the ledger has a newer change of it.
    ELSE excluded.modified_at > contacts.modified_at
END

-- name: note_filling
-- The filling has come so far. The changes that it is sure to have seen are those before it began (an hour less, for
-- two clocks that differ); it is as fresh as its first page.
UPDATE lanes
SET contacts_page = $2,
    contacts_complete_at = CASE WHEN $3::boolean THEN clock_timestamp() ELSE contacts_complete_at END,
    contacts_fresh_at = CASE WHEN $2 = 1 THEN clock_timestamp() ELSE contacts_fresh_at END,
    contacts_seen_until = CASE WHEN $2 = 1 THEN clock_timestamp() - interval '1 hour' ELSE contacts_seen_until END
WHERE connection_id = $1 AND (contacts_page, contacts_complete_at IS NOT NULL) IS DISTINCT FROM ($2, $3::boolean)

-- name: note_refresh
-- A page of the list of changes, newest first ($2 its number, $3 and $4 its newest and oldest change). Only where the
-- list has come down to what was seen before are all changes until its beginning known.
UPDATE lanes
SET contacts_fresh_at = clock_timestamp(),
    contacts_seen_next = CASE WHEN $2 = 1 THEN $3::timestamptz ELSE contacts_seen_next END,
    contacts_seen_until = CASE
        WHEN $4::timestamptz < contacts_seen_until
        THEN greatest(contacts_seen_until, CASE WHEN $2 = 1 THEN $3 ELSE contacts_seen_next END)
        ELSE contacts_seen_until
    END
WHERE connection_id = $1

-- name: put_contact
-- A contact that was read or written whole.
INSERT INTO contacts (connection_id, contact_id, name, name_key, email_key, active, is_customer, contact, modified_at,
                      tax_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (connection_id, contact_id) DO UPDATE
SET name = excluded.name, name_key = excluded.name_key, email_key = excluded.email_key, active = excluded.active,
    is_customer = excluded.is_customer, contact = excluded.contact, modified_at = excluded.modified_at, tax_key = excluded.tax_key,
    gone = false, erased_at = NULL, updated_at = clock_timestamp()

-- name: put_link
-- Which contact stands for a customer of a shop.
INSERT INTO contact_links (connection_id, shop_id, customer_key, contact_id)
VALUES ($1, $2, $3, $4)
ON CONFLICT (connection_id, shop_id, customer_key) DO UPDATE SET contact_id = excluded.contact_id

-- name: drop_contact
-- The contact is gone, merged or inactive: it is not found any more, until a list shows it again.
UPDATE contacts SET gone = true, updated_at = clock_timestamp() WHERE connection_id = $1 AND contact_id = $2

-- name: drop_links
-- Nobody is linked to it.
DELETE FROM contact_links WHERE connection_id = $1 AND contact_id = $2

-- name: unpark_default
-- Orders that are parked because the shop's default customer could not be used, where it can be used now; as unpark in
-- lanes.sql, and locked by key as everywhere.
WITH helped AS (
    SELECT o.shop_id, o.order_id
    FROM orders o
    WHERE o.state = 'parked' AND o.connection_id = $1 AND o.reason_code = 'default_customer_missing'
          AND o.group_key IN (
              SELECT 'default_customer_missing:' || o.shop_id || ':' || k.contact_id FROM unnest($2::text[]) AS k (contact_id)
          )
    ORDER BY o.shop_id, o.order_id
    FOR UPDATE
)
UPDATE orders o
SET state = 'due', reason_code = NULL, reason_message = '', reason_fix = '', group_key = NULL, difference = NULL,
    due_at = clock_timestamp(), change = o.change + 1, takes = 0, attempts = 0, updated_at = clock_timestamp()
FROM helped h
WHERE o.shop_id = h.shop_id AND o.order_id = h.order_id
