-- What the roles of docs/roles.md stand on. The rights themselves, the policies and the safe search_path of functions
-- that run as the owner are given after every migration (queries/roles.sql): roles may come, or tables, at any time.

-- Which login of the database may read which shops. The login is not asked in a setting that it could change itself.
CREATE TABLE shop_readers (
    role_name text NOT NULL,                  -- the login, a member of booked_shop_reader
    shop_id text NOT NULL CHECK (length(shop_id) BETWEEN 1 AND 200),
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (role_name, shop_id)
);

-- The shop whose rows this session may read: the only one of its login, or the one of several that the setting
-- booked.shop chooses. Null, and so no row, in every other case.
CREATE FUNCTION booked_shop_read() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT min(r.shop_id)
    FROM shop_readers r
    WHERE r.role_name = session_user
          AND r.shop_id = coalesce(nullif(current_setting('booked.shop', true), ''), r.shop_id)
    HAVING count(*) = 1
$$;
REVOKE ALL ON FUNCTION booked_shop_read() FROM PUBLIC;

-- The services make the days' tables, and own none: the function does it as the owner, for these two tables only.
ALTER FUNCTION make_day_partitions(text, integer) RENAME TO make_day_partitions_of;
REVOKE ALL ON FUNCTION make_day_partitions_of(text, integer) FROM PUBLIC;
CREATE FUNCTION make_day_partitions(parent text, days_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF parent NOT IN ('events', 'exchanges') OR days_ahead NOT BETWEEN 0 AND 60 THEN
        RAISE EXCEPTION 'partitions are made of events and exchanges only, and for 60 days at most';
    END IF;
    RETURN make_day_partitions_of(parent, days_ahead);
END
$$;
REVOKE ALL ON FUNCTION make_day_partitions(text, integer) FROM PUBLIC;

-- The audit log only grows. The services' role has no right to change it; this stops the owner's own slips too. What
-- retention removes is old, and says so by a setting (0007_privacy.sql).
CREATE FUNCTION booked_audit_log_only_grows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('booked.retention', true) = 'audit'
       AND OLD.happened_at < clock_timestamp() - interval '30 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log only grows: % is refused', TG_OP
        USING HINT = 'Old rows are removed by: booked retention';
END
$$;
CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION booked_audit_log_only_grows();
CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION booked_audit_log_only_grows();
