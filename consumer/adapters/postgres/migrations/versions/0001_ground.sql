-- The ground: settings, orders and what came in, lanes and what goes out.
-- Times are the database's own, by clock_timestamp(): now() stands still within a transaction.

CREATE TABLE installation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    name text NOT NULL,                       -- BOOKED_INSTALLATION: a copy with another name starts no lane
    system_identifier text,                   -- of the server when the lanes last knew that Postgres remembers
    timeline_id integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE connections (
    connection_id text PRIMARY KEY CHECK (connection_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    active boolean NOT NULL DEFAULT true,
    settings jsonb NOT NULL,                  -- ConnectionSettings
    ledger_facts jsonb,                       -- LedgerFacts as last read
    ledger_facts_read_at timestamptz,
    stopped_cause text,                       -- null: it works
    stopped_message text,
    stopped_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE tokens (
    connection_id text PRIMARY KEY REFERENCES connections,
    client_id text NOT NULL,
    client_secret bytea NOT NULL,             -- sealed, bound to this connection
    refresh_token bytea NOT NULL,             -- sealed
    access_token bytea,                       -- sealed
    access_expires_at timestamptz,
    access_made_at timestamptz,
    api_domain text NOT NULL DEFAULT '',
    renewing_until timestamptz,               -- one renews at a time; the others wait
    renewals timestamptz[] NOT NULL DEFAULT '{}',  -- of the last ten minutes: the ledger allows ten
    connected_by text NOT NULL DEFAULT '',
    connected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE shops (
    shop_id text PRIMARY KEY CHECK (length(shop_id) BETWEEN 1 AND 200),
    connection_id text REFERENCES connections,
    active boolean NOT NULL DEFAULT true,
    automatic boolean NOT NULL DEFAULT false,
    book_from timestamptz,
    revision_key text CHECK (revision_key IN ('version', 'updated_at', 'time')),
    revision_key_fixed boolean NOT NULL DEFAULT false,  -- set by a person, not by the first event
    settings jsonb NOT NULL,                  -- ShopSettings, without the columns above
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX shops_by_connection ON shops (connection_id);

CREATE TABLE orders (
    shop_id text NOT NULL,
    order_id text NOT NULL,
    connection_id text,                       -- the lane; fixed once a document exists
    number text NOT NULL DEFAULT '',
    -- the newest revision, and the newest that had content (documents may come from an older one than a bare cancellation)
    head jsonb NOT NULL,                      -- revisions: newest, content's, cancelled_by, uncancelled_by, refund ids, counts
    content bytea,
    content_hash bytea,
    currency text NOT NULL DEFAULT '',
    grand_total numeric,
    placed_at timestamptz,
    -- facts, which only add up
    paid boolean NOT NULL DEFAULT false,
    paid_moment timestamptz,
    cancelled boolean NOT NULL DEFAULT false,
    -- what a person wants
    wish text NOT NULL DEFAULT 'auto' CHECK (wish IN ('auto', 'hold', 'none', 'ignore')),
    wish_by text,
    wish_at timestamptz,
    wish_note text,
    released boolean NOT NULL DEFAULT false,
    -- where it stands
    state text NOT NULL CHECK (state IN ('waiting', 'due', 'uncertain', 'booked', 'parked', 'withdrawn')),
    reason_code text,
    reason_message text NOT NULL DEFAULT '',
    reason_fix text NOT NULL DEFAULT '',
    group_key text,
    difference numeric,
    change bigint NOT NULL DEFAULT 1,
    priority smallint NOT NULL DEFAULT 1 CHECK (priority BETWEEN 0 AND 2),
    due_at timestamptz,                       -- null unless there is work
    takes smallint NOT NULL DEFAULT 0,        -- times a lane took it and has not said yet what came of it
    attempts integer NOT NULL DEFAULT 0,
    reference text NOT NULL DEFAULT '',       -- fixed when it is first booked
    sequence bigint NOT NULL DEFAULT 0,
    announced bytea,                          -- digest of what invoice.synced last said
    recorded bytea,                           -- digest of the last outcome since it was taken: a commit may be repeated
    changes_in_hour smallint NOT NULL DEFAULT 0,
    changes_since timestamptz,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    booked_at timestamptz,
    PRIMARY KEY (shop_id, order_id),
    CONSTRAINT reason_where_needed CHECK (state IN ('due', 'uncertain', 'booked') OR reason_code IS NOT NULL),
    CONSTRAINT due_has_time CHECK (state <> 'due' OR due_at IS NOT NULL)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
CREATE INDEX orders_due ON orders (connection_id, priority, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_open ON orders (paid_moment) WHERE state IN ('due', 'uncertain');
CREATE INDEX orders_parked ON orders (group_key, shop_id) WHERE state = 'parked';
CREATE INDEX orders_waiting ON orders (shop_id, reason_code) WHERE state = 'waiting';

CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id text NOT NULL REFERENCES connections,
    shop_id text NOT NULL,
    order_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note', 'payment', 'refund')),
    part text NOT NULL DEFAULT '',            -- the refund's or payment's id
    n integer NOT NULL,                       -- grows only after the one before is gone
    reference text NOT NULL,
    unique_key text NOT NULL DEFAULT '',
    ledger_id text NOT NULL,
    number text NOT NULL DEFAULT '',
    status text NOT NULL,
    live boolean NOT NULL,
    total numeric NOT NULL,
    tax_total numeric,
    currency text NOT NULL,
    issued_on date,
    url text NOT NULL DEFAULT '',
    written_digest bytea,                     -- of the draft as it was written
    details jsonb NOT NULL DEFAULT '{}',      -- VAT per rate, layout in words, contact id
    ledger_modified_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (shop_id, order_id, kind, part, n),
    UNIQUE (connection_id, kind, ledger_id),
    FOREIGN KEY (shop_id, order_id) REFERENCES orders
);
-- Which shops a connection still has documents of, although they have moved.
CREATE INDEX documents_by_shop ON documents (connection_id, shop_id);
-- Promise 2, as far as our own books go: one order has at most one live invoice.
CREATE UNIQUE INDEX documents_one_live_invoice ON documents (shop_id, order_id) WHERE kind = 'invoice' AND live;

CREATE TABLE intents (
    intent_id uuid PRIMARY KEY,
    connection_id text NOT NULL REFERENCES connections,
    subject text NOT NULL,                    -- 'order:<shop>/<order>' or 'contact:<customer key>'
    shop_id text NOT NULL,                    -- the order it is written for
    order_id text NOT NULL,
    operation text NOT NULL,
    digest bytea NOT NULL,                    -- of what was about to be sent
    sought jsonb NOT NULL,                    -- what to ask for when no answer came: reference, name, total …
    epoch bigint NOT NULL,
    change bigint NOT NULL,
    slot bigint,                              -- the number of the call, as in slots.call
    begun_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    settled_at timestamptz NOT NULL,          -- deadline + settle time: from then on another may ask and write
    looked_at timestamptz,                    -- the first look that found nothing
    doubtful boolean NOT NULL DEFAULT false,  -- sent, and known to have no usable answer
    resolution text CHECK (resolution IN ('done', 'refused', 'never_sent', 'adopted', 'absent', 'superseded')),
    resolved_at timestamptz,
    late_answer jsonb                         -- an answer that came after the intent had been resolved otherwise
);
CREATE UNIQUE INDEX intents_one_open ON intents (connection_id, subject) WHERE resolution IS NULL;
CREATE INDEX intents_by_order ON intents (shop_id, order_id);

CREATE TABLE lanes (
    connection_id text PRIMARY KEY REFERENCES connections,
    owner text,
    lease_until timestamptz,
    epoch bigint NOT NULL DEFAULT 0,
    next_due timestamptz,                     -- null: nothing to do
    paced_until timestamptz,                  -- where the spacing of calls stands
    throttled_until timestamptz,              -- no call before it (429, breaker)
    halved_until timestamptz,                 -- half the pace after a 429
    daily_limit integer,
    daily_left integer,
    daily_resets_at timestamptz,
    look_first boolean NOT NULL DEFAULT false,
    looked_first_until timestamptz,
    contacts_complete_at timestamptz,         -- the index of contacts was complete at
    contacts_seen_until timestamptz,          -- all changes until then are in the index
    contacts_seen_next timestamptz,           -- the newest change of the list that is being read
    contacts_fresh_at timestamptz,            -- when the last list of changes was read
    contacts_page integer NOT NULL DEFAULT 0, -- where the first filling stands
    calls_total bigint NOT NULL DEFAULT 0
);
CREATE INDEX lanes_due ON lanes (next_due) WHERE next_due IS NOT NULL;

-- One row per call that the window allows: taken for a call, free again when the call can no longer count.
CREATE TABLE slots (
    connection_id text NOT NULL REFERENCES connections,
    n integer NOT NULL,
    call bigint NOT NULL DEFAULT 0,           -- of lanes.calls_total: whoever ends a call late ends no other's
    free_at timestamptz NOT NULL DEFAULT 'epoch',
    open_until timestamptz NOT NULL DEFAULT 'epoch',  -- the call may be under way until then
    purpose text NOT NULL DEFAULT '',
    PRIMARY KEY (connection_id, n)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE contacts (
    connection_id text NOT NULL REFERENCES connections,
    contact_id text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    email_key text NOT NULL DEFAULT '',
    active boolean NOT NULL,
    is_customer boolean NOT NULL,
    contact jsonb NOT NULL,                   -- Contact; its data is null while it is known from a list only
    modified_at timestamptz,
    gone boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection_id, contact_id)
);
CREATE INDEX contacts_by_email ON contacts (connection_id, email_key) WHERE email_key <> '';
CREATE INDEX contacts_by_name ON contacts (connection_id, name_key);

CREATE TABLE contact_links (
    connection_id text NOT NULL REFERENCES connections,
    shop_id text NOT NULL,
    customer_key text NOT NULL,
    contact_id text NOT NULL,
    PRIMARY KEY (connection_id, shop_id, customer_key)
);

CREATE TABLE decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id text NOT NULL,
    order_id text NOT NULL,
    change bigint NOT NULL,
    decision text NOT NULL,                   -- what was decided, in one word
    words jsonb NOT NULL DEFAULT '[]',        -- why, in sentences without personal data
    figures jsonb NOT NULL DEFAULT '{}',
    actor text NOT NULL DEFAULT '',
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX decisions_by_order ON decisions (shop_id, order_id, id);

CREATE TABLE events (
    topic text NOT NULL,
    log integer NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    shop_id text NOT NULL,
    order_id text NOT NULL,
    kind text NOT NULL,
    event_id text NOT NULL,
    event_time timestamptz NOT NULL,
    verdict text NOT NULL,
    notes jsonb,                              -- unknown fields, replaced characters, a key that differs
    value bytea,                              -- the bytes that came
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (received_at);
CREATE INDEX events_by_order ON events (shop_id, order_id);
CREATE TABLE events_rest PARTITION OF events DEFAULT;

CREATE TABLE rejected_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    log integer NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    record_key bytea,
    headers jsonb NOT NULL DEFAULT '[]',
    value bytea,                              -- at most 1 MiB
    size bigint NOT NULL,
    digest bytea NOT NULL,                    -- SHA-256 of all that came
    reason text NOT NULL,
    message text NOT NULL,
    shop_id text NOT NULL DEFAULT '',
    order_id text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'dropped')),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (topic, log, partition, "offset")
);

CREATE TABLE positions (
    topic text NOT NULL,
    partition integer NOT NULL,
    log integer NOT NULL DEFAULT 1,
    next_offset bigint NOT NULL,
    last_offset bigint,                       -- of the last record taken, and its checksum: the topic is still the same one
    last_checksum bytea,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, partition)
);

CREATE TABLE gaps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    log integer NOT NULL,
    from_offset bigint NOT NULL,
    to_offset bigint,                         -- exclusive; null: the topic was made again, its end is not known
    cause text NOT NULL CHECK (cause IN ('cut_by_retention', 'made_again', 'moved_by_hand')),
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz
);

CREATE TABLE exchanges (
    connection_id text NOT NULL,
    shop_id text NOT NULL DEFAULT '',
    order_id text NOT NULL DEFAULT '',
    intent_id uuid,
    operation text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    request text NOT NULL,
    response text NOT NULL,
    status integer,
    code integer,
    duration_seconds double precision NOT NULL,
    outcome text NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (happened_at);
CREATE INDEX exchanges_by_order ON exchanges (shop_id, order_id);
-- Since when the ledger has to be looked through after Postgres forgot something.
CREATE INDEX exchanges_of_writes ON exchanges (connection_id, happened_at) WHERE method <> 'GET';
CREATE TABLE exchanges_rest PARTITION OF exchanges DEFAULT;

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic_kind text NOT NULL CHECK (topic_kind IN ('invoice.synced', 'order.rejected')),
    record_key text NOT NULL,
    event_id uuid NOT NULL UNIQUE,
    sequence bigint NOT NULL DEFAULT 0,
    payload bytea NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'set_aside')),
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
CREATE INDEX outbox_waiting ON outbox (id) WHERE state = 'waiting';
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE state = 'sent';

CREATE TABLE leases (
    name text PRIMARY KEY,                    -- 'relay'
    owner text NOT NULL,
    epoch bigint NOT NULL,
    lease_until timestamptz NOT NULL
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    shop_id text NOT NULL DEFAULT '',
    order_id text NOT NULL DEFAULT '',
    details jsonb NOT NULL DEFAULT '{}'
);

-- What a lane found in the ledger when it had to look first (after a restore or on a database that forgot).
CREATE TABLE seen_invoices (
    connection_id text NOT NULL REFERENCES connections,
    reference text NOT NULL,
    invoice_id text NOT NULL,
    invoice jsonb NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection_id, reference, invoice_id)
);

-- What the figures and the relay look up; see queries/figures.sql and queries/outbox.sql.
CREATE INDEX orders_closed ON orders (state) WHERE state IN ('booked', 'withdrawn');
CREATE INDEX orders_alarming ON orders (paid_moment)
    WHERE state = 'waiting' AND reason_code IN ('unknown_shop', 'connection_stopped');
CREATE INDEX rejected_open ON rejected_events (id) WHERE state = 'open';
CREATE INDEX rejected_by_order ON rejected_events (shop_id, order_id) WHERE order_id <> '';
CREATE INDEX outbox_by_key ON outbox (record_key, id) WHERE state = 'waiting';
CREATE INDEX outbox_set_aside ON outbox (id) WHERE state = 'set_aside';
CREATE INDEX audit_by_order ON audit_log (shop_id, order_id, id);

-- Makes the partitions of today (by UTC) and the days ahead that are not there yet, and gives how many it made.
-- Rows of such a day that came too early stand in the default partition; they are moved, since a partition
-- cannot be attached over them. Attaching locks the parent less than creating a partition in place would.
CREATE FUNCTION make_day_partitions(parent text, days_ahead integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    key_column text;
    first_day date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    lower_bound text;
    upper_bound text;
    child text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('booked partitions of ' || parent));
    SELECT a.attname INTO STRICT key_column
    FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = parent::regclass;
    FOR day_number IN 0..days_ahead LOOP
        child := parent || to_char(first_day + day_number, '"_"YYYYMMDD');
        CONTINUE WHEN to_regclass(child) IS NOT NULL;
        lower_bound := to_char(first_day + day_number, 'YYYY-MM-DD"T00:00:00+00"');
        upper_bound := to_char(first_day + day_number + 1, 'YYYY-MM-DD"T00:00:00+00"');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
        EXECUTE format(
            'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
            parent || '_rest', key_column, lower_bound, key_column, upper_bound, child);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, child, lower_bound, upper_bound);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
