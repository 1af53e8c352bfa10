-- How far the replay has compared each partition (and each shop's own list, as topic 'list:<shop>') with `orders`.
CREATE TABLE replay_progress (
    topic text NOT NULL,
    partition integer NOT NULL,
    log integer NOT NULL,
    next_offset bigint NOT NULL,
    reached timestamptz,                      -- time of the last record compared; of a list the end of the last window
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, partition)
);

-- The runs of the replay, for people and for the metrics.
CREATE TABLE replay_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    whole boolean NOT NULL,                   -- it came to its end
    records bigint NOT NULL,
    missing bigint NOT NULL,
    lag bigint NOT NULL,
    unverified integer NOT NULL,
    woken integer NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX replay_runs_whole ON replay_runs (ended_at) WHERE whole;

-- Paid orders as they are told against those recorded.
CREATE TABLE completeness (
    shop_id text NOT NULL,
    source text NOT NULL CHECK (source IN ('topic', 'list')),
    day date NOT NULL,                        -- of the payment, as the shop writes it
    currency text NOT NULL,
    told_count bigint NOT NULL DEFAULT 0,
    told_sum numeric NOT NULL DEFAULT 0,
    recorded_count bigint NOT NULL DEFAULT 0,
    recorded_sum numeric NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shop_id, source, day, currency)
);

-- The difference by order: told of as paid, and not recorded (yet).
CREATE TABLE completeness_missing (
    shop_id text NOT NULL,
    order_id text NOT NULL,
    source text NOT NULL CHECK (source IN ('topic', 'list')),
    day date NOT NULL,
    currency text NOT NULL,
    amount numeric NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shop_id, order_id, source)
);
CREATE INDEX gaps_open ON gaps (id) WHERE closed_at IS NULL;
