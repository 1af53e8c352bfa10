-- The watch (consumer/services/watching.py). Of the columns below, watch_cursor, watch_covered_since and noticed_at are
-- moments of the ledger's own clock; the others are of ours.
ALTER TABLE lanes ADD COLUMN watch_due timestamptz;           -- the next look; null: not planned yet
ALTER TABLE lanes ADD COLUMN watch_cursor timestamptz;        -- all changes until then were judged or put off
ALTER TABLE lanes ADD COLUMN watch_covered_since timestamptz; -- and from this moment on none was missed
ALTER TABLE lanes ADD COLUMN sweep_page integer NOT NULL DEFAULT 0;  -- of all invoices; -1: asks for what it missed
ALTER TABLE lanes ADD COLUMN sweep_began_at timestamptz;
CREATE INDEX lanes_watch_due ON lanes (watch_due) WHERE watch_due IS NOT NULL;

ALTER TABLE documents ADD COLUMN noticed_at timestamptz;      -- the newest change by somebody else that was judged
ALTER TABLE documents ADD COLUMN seen_at timestamptz;         -- when it last stood in a list of all invoices
CREATE INDEX documents_by_reference ON documents (connection_id, reference) WHERE kind = 'invoice' AND live;

-- Listed invoices that could not be judged at once, because their orders were in work.
CREATE TABLE watch_put_off (
    connection_id text NOT NULL REFERENCES connections,
    ledger_id text NOT NULL,
    modified_at timestamptz,                                  -- by the ledger
    invoice jsonb NOT NULL,
    put_off_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection_id, ledger_id)
);
