-- What is kept of an order without its personal data (consumer/domain/erasing.py), and the marks of erasures.
ALTER TABLE orders ADD COLUMN layout jsonb;                    -- lines and figures, once the content is gone
ALTER TABLE orders ADD COLUMN personal_removed_at timestamptz; -- since when the content is gone; null: it is there
ALTER TABLE orders ADD COLUMN erased_mark jsonb;               -- the revision up to which events say nothing of a person
ALTER TABLE rejected_events ADD COLUMN erased_at timestamptz;  -- its bytes are gone, by retention or by an erasure
ALTER TABLE contacts ADD COLUMN erased_at timestamptz;         -- until the ledger shows a newer change of it

-- Whether bytes hold one of these texts; those are written as encode(…, 'escape') writes them, in lower case.
CREATE FUNCTION booked_mentions(value bytea, wanted text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM unnest(wanted) AS w (needle) WHERE position(w.needle IN lower(encode(value, 'escape'))) > 0)
$$;

-- The days of a table that is kept by day which ended so many days ago, the oldest first.
CREATE FUNCTION booked_retention_days(parent text, keep_days integer) RETURNS TABLE (child text, bytes bigint)
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, pg_total_relation_size(c.oid)
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent::regclass AND c.relname ~ ('^' || parent || '_[0-9]{8}$')
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < (clock_timestamp() AT TIME ZONE 'UTC')::date - keep_days
    ORDER BY c.relname
$$;

-- Drops one such day. Made for a role that owns nothing: it drops no other table than a day that is old enough, and
-- never one of the last two days. It gives up at once where it would have to wait long for the lock.
CREATE FUNCTION booked_retention_drop_day(parent text, child text, keep_days integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
BEGIN
    IF parent NOT IN ('events', 'exchanges') OR keep_days < 2
       OR NOT EXISTS (SELECT FROM booked_retention_days(parent, keep_days) d WHERE d.child = $2) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE %I', child);
    RETURN true;
END
$$;

-- Removes audit rows that are older than so many days, at most so many at once; the services' role may remove none.
CREATE FUNCTION booked_retention_audit(keep_days integer, at_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
    removed bigint;
BEGIN
    IF keep_days < 30 THEN
        RAISE EXCEPTION 'the audit log is kept for 30 days at least';
    END IF;
    PERFORM set_config('booked.retention', 'audit', true);
    WITH old AS (
        SELECT id FROM audit_log WHERE happened_at < clock_timestamp() - make_interval(days => keep_days)
        ORDER BY id LIMIT at_most
    )
    DELETE FROM audit_log a USING old WHERE a.id = old.id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('booked.retention', '', true);
    RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION booked_retention_drop_day(text, text, integer), booked_retention_audit(integer, integer) FROM PUBLIC;

-- Rows of one day of events or exchanges which mention one of these texts, as plain data, from some blocks of it: so that
-- a search through much is many short statements.
CREATE FUNCTION booked_about_days(child regclass, first_block bigint, last_block bigint, wanted text[])
RETURNS TABLE (place tid, found jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    said text := CASE WHEN child::text LIKE 'events%' THEN 't.value'
        ELSE 'convert_to(t.path || '' '' || t.request || '' '' || t.response, ''UTF8'')' END;
BEGIN
    IF child::text !~ '^(events|exchanges)_([0-9]{8}|rest)$' THEN
        RAISE EXCEPTION '% is no day of events or exchanges', child;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT t.ctid, to_jsonb(t) FROM %s t WHERE t.ctid >= %L::tid AND t.ctid < %L::tid AND booked_mentions(%s, $1)',
        child, format('(%s,0)', first_block), format('(%s,0)', last_block), said) USING wanted;
END
$$;

-- Blanks such rows: of an event the bytes, of a call what was sent and answered.
CREATE FUNCTION booked_erase_days(child regclass, first_block bigint, last_block bigint, wanted text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
    blanks text := CASE WHEN child::text LIKE 'events%'
        THEN 'value = NULL, notes = coalesce(t.notes, ''{}'') || ''{"erased": true}'''
        ELSE 'path = split_part(t.path, ''?'', 1), request = '''', response = ''''' END;
BEGIN
    EXECUTE format(
        'UPDATE %s t SET %s WHERE t.ctid = ANY(ARRAY(SELECT a.place FROM booked_about_days($1, $2, $3, $4) a))',
        child, blanks) USING child, first_block, last_block, wanted;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;

-- The days of both tables, with the number of their blocks.
CREATE FUNCTION booked_days() RETURNS TABLE (child text, blocks bigint)
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, pg_relation_size(c.oid) / current_setting('block_size')::bigint
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent IN ('events'::regclass, 'exchanges'::regclass)
    ORDER BY c.relname
$$;
