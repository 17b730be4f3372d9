-- Devices that wait for somebody to sign in for them, each under what its user code leads to. The one-time code is good for nothing
-- without the device code, of which only the hash is here.

CREATE TABLE device_authorization (
    id                TEXT    NOT NULL PRIMARY KEY,
    device_code_hash  TEXT    NOT NULL,
    app               TEXT    NOT NULL,
    scope             TEXT    NOT NULL,
    device            TEXT,
    source_ip         TEXT,
    created_at        INTEGER NOT NULL,
    ends_at           INTEGER NOT NULL,
    interval          INTEGER NOT NULL,
    polled_at         INTEGER,
    decision          TEXT,
    login_code        TEXT,
    forgotten_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX device_authorization_by_end ON device_authorization (forgotten_at);
