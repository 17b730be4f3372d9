-- Sessions of people who signed in. Nothing of a refresh token is here: it is made of the ID and the generation.
-- The identity may be in a pool of Amazon's, so that nothing refers to it.

CREATE TABLE sign_in_session (
    id                BLOB    NOT NULL PRIMARY KEY,
    app               TEXT    NOT NULL,
    pool_id           TEXT    NOT NULL,
    identity_id       TEXT    NOT NULL,
    provider          TEXT    NOT NULL,
    upstream_issuer   TEXT,
    upstream_subject  TEXT    NOT NULL,
    upstream_session  TEXT,
    login             BLOB    NOT NULL,
    scope             TEXT    NOT NULL,
    signed_in_at      INTEGER,
    checked_at        INTEGER NOT NULL,
    key_thumbprint    TEXT,
    device            TEXT,
    generation        INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    rotated_at        INTEGER NOT NULL,
    late_at           INTEGER,
    idle_until        INTEGER NOT NULL,
    ends_at           INTEGER NOT NULL,
    ended_at          INTEGER,
    end_reason        TEXT,
    forgotten_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_session_by_identity ON sign_in_session (identity_id, created_at);
CREATE INDEX sign_in_session_by_end ON sign_in_session (forgotten_at);
