-- IDs of identities are 17 bytes instead of 46 characters, in each of the four B-trees that an identity with a login is in.
-- `packed` is registered by whoever runs this: SQLite has no such function. IDs that stand once, in revocations, grants
-- and refusals, stay text.

DROP VIEW living_login;
DROP VIEW living_identity;

CREATE TABLE packed_identity (
    id            BLOB    NOT NULL PRIMARY KEY,
    incarnation   TEXT    NOT NULL REFERENCES identity_pool (incarnation),
    authenticated INTEGER NOT NULL CHECK (authenticated IN (0, 1)),
    disabled      INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    created_at    INTEGER NOT NULL,
    modified_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO packed_identity (id, incarnation, authenticated, disabled, created_at, modified_at)
SELECT packed(id), incarnation, authenticated, disabled, created_at, modified_at FROM identity ORDER BY id;

-- The primary key is what makes racing first logins one identity.
CREATE TABLE packed_login (
    incarnation TEXT NOT NULL REFERENCES identity_pool (incarnation),
    -- Empty for the developer provider, of which a pool has one; else the provider's key in Logins.
    provider    TEXT NOT NULL,
    user        TEXT NOT NULL CHECK (user <> ''),
    identity_id BLOB NOT NULL REFERENCES packed_identity (id),
    PRIMARY KEY (incarnation, provider, user)
) STRICT, WITHOUT ROWID;

INSERT INTO packed_login (incarnation, provider, user, identity_id)
SELECT incarnation, provider, user, packed(identity_id) FROM login ORDER BY incarnation, provider, user;

-- Children first. What refers to a table is renamed with it.
DROP TABLE login;
DROP TABLE identity;
ALTER TABLE packed_identity RENAME TO identity;
ALTER TABLE packed_login RENAME TO login;
CREATE INDEX identity_by_pool ON identity (incarnation, id);
CREATE INDEX login_by_identity ON login (identity_id, provider, user);

CREATE VIEW living_identity (id, pool_id, authenticated, disabled, created_at, modified_at) AS
    SELECT identity.id, identity_pool.id, authenticated, disabled, created_at, modified_at
    FROM identity JOIN identity_pool USING (incarnation)
    WHERE identity_pool.id IS NOT NULL;

CREATE VIEW living_login (pool_id, provider, user, identity_id) AS
    SELECT identity_pool.id, provider, user, identity_id
    FROM login JOIN identity_pool USING (incarnation)
    WHERE identity_pool.id IS NOT NULL;

CREATE TABLE packed_sign_in_session (
    id                BLOB    NOT NULL PRIMARY KEY,
    app               TEXT    NOT NULL,
    pool_id           TEXT    NOT NULL,
    -- Perhaps of a pool of Amazon's, so that nothing refers to it.
    identity_id       BLOB    NOT NULL,
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

INSERT INTO packed_sign_in_session
SELECT id, app, pool_id, packed(identity_id), provider, upstream_issuer, upstream_subject, upstream_session, login, scope,
    signed_in_at, checked_at, key_thumbprint, device, generation, created_at, rotated_at, late_at, idle_until, ends_at,
    ended_at, end_reason, forgotten_at
FROM sign_in_session ORDER BY id;

DROP TABLE sign_in_session;
ALTER TABLE packed_sign_in_session RENAME TO sign_in_session;
CREATE INDEX sign_in_session_by_identity ON sign_in_session (identity_id, created_at);
CREATE INDEX sign_in_session_by_end ON sign_in_session (forgotten_at);
