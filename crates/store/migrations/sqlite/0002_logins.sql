-- Public logins beside developer users, in one table: an identity has both. Pools count their changes.

ALTER TABLE identity_pool ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE identity_pool ADD COLUMN tag_maps TEXT NOT NULL DEFAULT '{}';  -- JSON

-- The primary key is what makes racing first logins one identity.
CREATE TABLE login (
    pool_id     TEXT NOT NULL REFERENCES identity_pool (id),
    -- Empty for the developer provider, of which a pool has one; else the provider's key in Logins.
    provider    TEXT NOT NULL,
    user        TEXT NOT NULL CHECK (user <> ''),
    identity_id TEXT NOT NULL REFERENCES identity (id),
    PRIMARY KEY (pool_id, provider, user)
) STRICT, WITHOUT ROWID;

INSERT INTO login (pool_id, provider, user, identity_id)
SELECT pool_id, '', developer_user_identifier, identity_id FROM developer_login;

DROP TABLE developer_login;

CREATE INDEX login_by_identity ON login (identity_id, provider, user);

ALTER TABLE audit_event ADD COLUMN login TEXT;

-- Mappings had no effect until now, and were kept in whatever form they came.
UPDATE identity_pool SET roles = json_remove(roles, '$.mappings');
