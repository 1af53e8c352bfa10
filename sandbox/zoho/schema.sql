-- The stand-in's state. Opened by every start; nothing in it is lost by a restart.

PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA busy_timeout = 5000;
PRAGMA temp_store = MEMORY;

CREATE TABLE IF NOT EXISTS organizations (
    organization_id TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    email TEXT NOT NULL,
    number TEXT NOT NULL,
    reference TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    status TEXT NOT NULL,
    date TEXT NOT NULL,
    due_date TEXT NOT NULL,
    balance REAL NOT NULL,
    created REAL NOT NULL,
    modified REAL NOT NULL,
    body TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS documents_by_name ON documents (organization_id, kind, name);
CREATE INDEX IF NOT EXISTS documents_by_name_key ON documents (organization_id, kind, name_key);
CREATE INDEX IF NOT EXISTS documents_by_email ON documents (organization_id, kind, email COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS documents_by_number ON documents (organization_id, kind, number);
CREATE INDEX IF NOT EXISTS documents_by_reference ON documents (organization_id, kind, reference);
CREATE INDEX IF NOT EXISTS documents_by_customer ON documents (organization_id, customer_id, kind, status, balance);
CREATE INDEX IF NOT EXISTS documents_by_created ON documents (organization_id, kind, created, id);
CREATE INDEX IF NOT EXISTS documents_by_modified ON documents (organization_id, kind, modified, id);

-- Values of custom fields that refuse duplicates.
CREATE TABLE IF NOT EXISTS unique_values (
    organization_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (organization_id, kind, field, value, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_values_by_id ON unique_values (id);

CREATE TABLE IF NOT EXISTS series (
    organization_id TEXT NOT NULL,
    series TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (organization_id, series)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS calls_by_day (
    organization_id TEXT NOT NULL,
    day TEXT NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (organization_id, day)
) WITHOUT ROWID;

-- OAuth.
CREATE TABLE IF NOT EXISTS clients (
    client_id TEXT PRIMARY KEY,
    client_secret TEXT NOT NULL,
    redirect_uris TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    redirect_uri TEXT,
    scopes TEXT NOT NULL,
    organizations TEXT NOT NULL,
    offline INTEGER NOT NULL,
    expires REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS refresh_tokens (
    token TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    organizations TEXT NOT NULL,
    created REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS access_tokens (
    token TEXT PRIMARY KEY,
    refresh_token TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    organizations TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS access_tokens_by_refresh ON access_tokens (refresh_token, created);

-- When tokens were asked for: the throttle counts them even when the token is long gone.
CREATE TABLE IF NOT EXISTS token_requests (
    refresh_token TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS token_requests_by_token ON token_requests (refresh_token, at);

-- What the control API was told, and what was received.
CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS faults (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    body TEXT NOT NULL,
    matched INTEGER NOT NULL DEFAULT 0,
    fired INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    template TEXT NOT NULL,
    query TEXT NOT NULL,
    body TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    status INTEGER,
    code INTEGER,
    answer TEXT NOT NULL,
    committed INTEGER NOT NULL DEFAULT 0,
    counted INTEGER NOT NULL DEFAULT 0,
    held_seconds REAL NOT NULL DEFAULT 0,
    duration_seconds REAL,
    faults TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS requests_by_organization ON requests (organization_id, seq);
