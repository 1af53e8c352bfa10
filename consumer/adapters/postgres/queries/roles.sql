-- Rights of the roles: docs/roles.md. Run after every migration; running it again changes nothing.

-- name: name_roles
-- The names of the two roles, for this transaction; see give_rights.
SELECT set_config('booked.services_role', $1, true), set_config('booked.reader_role', $2, true)

-- name: missing_roles
-- Those of the named roles that this server does not have.
SELECT n.role_name FROM unnest($1::text[]) AS n (role_name)
WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = n.role_name)
ORDER BY n.role_name

-- name: give_rights
-- What each role may, table by table, of the roles that exist. What is not named here is not given, and is taken where
-- an older version had given it. Locks: ALTER and CREATE POLICY stop a table for a moment, so they run only where they
-- change something, and give up rather than queue long before everybody else.
DO $$
DECLARE
    services text := (SELECT rolname FROM pg_roles WHERE rolname = current_setting('booked.services_role'));
    reader text := (SELECT rolname FROM pg_roles WHERE rolname = current_setting('booked.reader_role'));
    ours text := current_schema();
    one record;
BEGIN
    PERFORM set_config('lock_timeout', '5s', true);
    -- Functions that run as the owner find nothing that their caller has put in the way: pg_temp comes last.
    FOR one IN SELECT p.oid::regprocedure AS signature FROM pg_proc p
               WHERE p.pronamespace = ours::regnamespace AND p.prosecdef AND pg_has_role(p.proowner, 'USAGE') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one.signature, ours);
    END LOOP;
    IF services IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', ours, services);
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', ours, services);
        EXECUTE format('GRANT EXECUTE ON FUNCTION make_day_partitions(text, integer) TO %I', services);
    END IF;
    IF reader IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', ours, reader);
        EXECUTE format('GRANT EXECUTE ON FUNCTION booked_shop_read() TO %I', reader);
    END IF;
    -- of_shop: a login of one shop may read the rows whose shop_id is that shop.
    FOR one IN SELECT g.* FROM (VALUES
        ('alembic_version', 'SELECT', false),
        -- Rows are added and read; their moment and number are the database's own.
        ('audit_log', 'SELECT, INSERT (actor, action, shop_id, order_id, details)', false),
        ('completeness', 'SELECT, INSERT, UPDATE, DELETE', true),
        ('completeness_missing', 'SELECT, INSERT, DELETE', true),
        ('connections', 'SELECT, INSERT, UPDATE', false),
        ('contact_links', 'SELECT, INSERT, UPDATE, DELETE', false),
        ('contacts', 'SELECT, INSERT, UPDATE', false),
        ('decisions', 'SELECT, INSERT', true),
        ('documents', 'SELECT, INSERT, UPDATE', true),
        ('events', 'SELECT, INSERT', true),
        ('exchanges', 'SELECT, INSERT', false),
        ('gaps', 'SELECT, INSERT, UPDATE', false),
        ('installation', 'SELECT, INSERT, UPDATE', false),
        ('intents', 'SELECT, INSERT, UPDATE, DELETE', false),
        ('lanes', 'SELECT, INSERT, UPDATE', false),
        ('leases', 'SELECT, INSERT, UPDATE', false),
        ('orders', 'SELECT, INSERT, UPDATE', true),
        ('outbox', 'SELECT, INSERT, UPDATE', false),
        ('positions', 'SELECT, INSERT, UPDATE', false),
        ('reconcile_calls', 'SELECT, INSERT, UPDATE, DELETE', false),
        ('reconcile_listed', 'SELECT, INSERT, UPDATE, DELETE', false),
        ('reconcile_money', 'SELECT, INSERT, DELETE', false),
        ('reconcile_runs', 'SELECT, INSERT, UPDATE, DELETE', false),
        ('rejected_events', 'SELECT, INSERT, UPDATE', true),
        ('replay_progress', 'SELECT, INSERT, UPDATE', false),
        ('replay_runs', 'SELECT, INSERT, DELETE', false),
        ('seen_invoices', 'SELECT, INSERT, UPDATE', false),
        ('shop_readers', '', false),
        ('shops', 'SELECT, INSERT, UPDATE', true),
        ('slots', 'SELECT, INSERT, UPDATE, DELETE', false),
        ('tokens', 'SELECT, INSERT, UPDATE', false),
        ('watch_put_off', 'SELECT, INSERT, UPDATE, DELETE', false)
    ) AS g (table_name, privileges, of_shop)
    WHERE to_regclass(format('%I.%I', ours, g.table_name)) IS NOT NULL LOOP
        IF services IS NOT NULL THEN
            EXECUTE format('REVOKE ALL ON %I FROM %I', one.table_name, services);
            IF one.privileges <> '' THEN
                EXECUTE format('GRANT %s ON %I TO %I', one.privileges, one.table_name, services);
            END IF;
        END IF;
        IF reader IS NOT NULL THEN
            EXECUTE format('REVOKE ALL ON %I FROM %I', one.table_name, reader);
        END IF;
        CONTINUE WHEN reader IS NULL OR NOT one.of_shop;
        EXECUTE format('GRANT SELECT ON %I TO %I', one.table_name, reader);
        IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = one.table_name::regclass) THEN
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one.table_name);
        END IF;
        IF NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = ours AND tablename = one.table_name
                       AND policyname = 'rows_of_one_shop' AND roles = ARRAY[reader]::name[]) THEN
            EXECUTE format('DROP POLICY IF EXISTS rows_of_one_shop ON %I', one.table_name);
            -- In a sub-select, so that it is asked once per statement and not for every row.
            EXECUTE format('CREATE POLICY rows_of_one_shop ON %I FOR SELECT TO %I '
                           'USING (shop_id = (SELECT booked_shop_read()))', one.table_name, reader);
        END IF;
        IF services IS NOT NULL
           AND NOT EXISTS (SELECT FROM pg_policies WHERE schemaname = ours AND tablename = one.table_name
                           AND policyname = 'rows_of_the_services' AND roles = ARRAY[services]::name[]) THEN
            EXECUTE format('DROP POLICY IF EXISTS rows_of_the_services ON %I', one.table_name);
            -- A constant, which the planner takes out: the services' queries are planned as without a policy.
            EXECUTE format('CREATE POLICY rows_of_the_services ON %I TO %I USING (true) WITH CHECK (true)',
                           one.table_name, services);
        END IF;
    END LOOP;
    -- The views run as their owner; shop_stand itself shows a login of one shop no other row.
    IF services IS NOT NULL AND to_regclass(format('%I.shop_stand', ours)) IS NOT NULL THEN
        EXECUTE format('REVOKE ALL ON connection_stand, shop_stand FROM %I', services);
        EXECUTE format('GRANT SELECT ON connection_stand, shop_stand TO %I', services);
        EXECUTE format('GRANT EXECUTE ON FUNCTION booked_shop_read() TO %I', services);
    END IF;
    IF reader IS NOT NULL AND to_regclass(format('%I.shop_stand', ours)) IS NOT NULL THEN
        EXECUTE format('REVOKE ALL ON connection_stand, shop_stand FROM %I', reader);
        EXECUTE format('GRANT SELECT ON shop_stand TO %I', reader);
    END IF;
END
$$

-- name: row_security_active
-- Whether row level security holds for this session on a table: COPY into it is refused then.
SELECT row_security_active($1::text)

-- name: assign_shop
-- Let a login read a shop's rows; written out for an administrator, with the names in the places of the parameters.
INSERT INTO shop_readers (role_name, shop_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
