-- Identifiers are TEXT under the BINARY collation, SQLite's default: they are equal if their bytes are.
-- Instants are INTEGER milliseconds since the Unix epoch. JSON stands where nothing is ever searched.

CREATE TABLE identity_pool (
    id       TEXT NOT NULL PRIMARY KEY,
    settings TEXT NOT NULL,  -- JSON
    roles    TEXT NOT NULL   -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE configured_pool (
    name    TEXT NOT NULL PRIMARY KEY,
    pool_id TEXT NOT NULL REFERENCES identity_pool (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
    id            TEXT    NOT NULL PRIMARY KEY,
    pool_id       TEXT    NOT NULL REFERENCES identity_pool (id),
    authenticated INTEGER NOT NULL CHECK (authenticated IN (0, 1)),
    disabled      INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    created_at    INTEGER NOT NULL,
    modified_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_by_pool ON identity (pool_id, id);

-- The primary key is what makes racing first logins one identity.
CREATE TABLE developer_login (
    pool_id                   TEXT NOT NULL REFERENCES identity_pool (id),
    -- Never empty: listings begin after the empty string.
    developer_user_identifier TEXT NOT NULL CHECK (developer_user_identifier <> ''),
    identity_id               TEXT NOT NULL REFERENCES identity (id),
    PRIMARY KEY (pool_id, developer_user_identifier)
) STRICT, WITHOUT ROWID;

CREATE INDEX developer_login_by_identity ON developer_login (identity_id, developer_user_identifier);

CREATE TABLE signing_key (
    key_id             TEXT    NOT NULL PRIMARY KEY,
    sealed_private_key BLOB    NOT NULL,
    created_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_key (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    sealed_secret BLOB    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session_revocation (
    kind       TEXT    NOT NULL CHECK (kind IN ('identity', 'role')),
    name       TEXT    NOT NULL,
    not_before INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_event (
    id                        INTEGER PRIMARY KEY,  -- grows: the order of events of one instant
    time                      INTEGER NOT NULL,
    request_id                TEXT    NOT NULL,
    action                    TEXT    NOT NULL,
    outcome                   TEXT    NOT NULL,
    reason                    TEXT,
    provider                  TEXT,
    developer_user_identifier TEXT,
    identity_id               TEXT,
    access_key_id             TEXT,
    resource                  TEXT
) STRICT;

CREATE INDEX audit_event_by_request ON audit_event (request_id, time);
CREATE INDEX audit_event_by_identity ON audit_event (identity_id, time) WHERE identity_id IS NOT NULL;
CREATE INDEX audit_event_by_access_key ON audit_event (access_key_id, time) WHERE access_key_id IS NOT NULL;
