-- Pools end at once, however many identities they have: identities and logins belong to an incarnation of their pool,
-- and a pool that is deleted only lets go of its incarnation. A pool that comes back under the same ID gets another one.

-- What had the ID of its pool keeps it as its incarnation.
ALTER TABLE identity_pool RENAME COLUMN id TO incarnation;
ALTER TABLE configured_pool RENAME COLUMN pool_id TO incarnation;
ALTER TABLE identity RENAME COLUMN pool_id TO incarnation;
ALTER TABLE login RENAME COLUMN pool_id TO incarnation;

-- NULL when the pool was deleted: what belongs to the incarnation is seen by nobody, and is purged in time.
ALTER TABLE identity_pool ADD COLUMN id TEXT;
UPDATE identity_pool SET id = incarnation;
CREATE UNIQUE INDEX identity_pool_by_id ON identity_pool (id) WHERE id IS NOT NULL;

-- What is there, in words of the pool: whatever is asked about identities and logins is asked of these.
CREATE VIEW living_identity (id, pool_id, authenticated, disabled, created_at, modified_at) AS
    SELECT identity.id, identity_pool.id, authenticated, disabled, created_at, modified_at
    FROM identity JOIN identity_pool USING (incarnation)
    WHERE identity_pool.id IS NOT NULL;

CREATE VIEW living_login (pool_id, provider, user, identity_id) AS
    SELECT identity_pool.id, provider, user, identity_id
    FROM login JOIN identity_pool USING (incarnation)
    WHERE identity_pool.id IS NOT NULL;
