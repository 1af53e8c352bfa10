-- The comparison of orders with the ledger's documents (consumer/services/reconciling.py).
CREATE TABLE reconcile_runs (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id text NOT NULL REFERENCES connections,
    from_day date NOT NULL,
    to_day date NOT NULL,
    stage text NOT NULL DEFAULT 'invoice' CHECK (stage IN ('invoice', 'credit_note', 'listed')),
    page integer NOT NULL DEFAULT 0,          -- of the stage's list, the last one that is kept
    findings bigint NOT NULL DEFAULT 0,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,                     -- null: it has not come to its end
    replaced boolean NOT NULL DEFAULT false   -- another one has begun before it came to its end
);
CREATE INDEX reconcile_runs_open ON reconcile_runs (connection_id, run_id) WHERE ended_at IS NULL AND NOT replaced;

-- What a run has listed of the ledger; dropped at its end. It holds no names and no addresses.
CREATE TABLE reconcile_listed (
    run_id bigint NOT NULL REFERENCES reconcile_runs ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    ledger_id text NOT NULL,
    order_reference text NOT NULL,            -- of the order that the document's reference names
    claimed boolean NOT NULL DEFAULT false,   -- a recorded order is known for it
    document jsonb NOT NULL,                  -- domain.reconciling.books.Listed
    PRIMARY KEY (run_id, kind, ledger_id)
);
CREATE INDEX reconcile_listed_by_reference ON reconcile_listed (run_id, order_reference);

-- How many calls comparisons have made of a day (UTC), so that several take one share together.
CREATE TABLE reconcile_calls (
    connection_id text NOT NULL REFERENCES connections,
    day date NOT NULL,
    calls integer NOT NULL,
    PRIMARY KEY (connection_id, day)
);

-- Money that the last comparison of a shop could not explain; should be nothing.
CREATE TABLE reconcile_money (
    connection_id text NOT NULL REFERENCES connections,
    shop_id text NOT NULL,
    currency text NOT NULL,
    unexplained numeric NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection_id, shop_id, currency)
);
