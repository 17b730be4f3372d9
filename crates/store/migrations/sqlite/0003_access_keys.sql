-- Developers have a policy, and several access keys each. The policy stands once for all keys of a name, so
-- that they cannot come to differ. The keys there were could do everything.

CREATE TABLE developer (
    name   TEXT NOT NULL PRIMARY KEY,
    policy TEXT NOT NULL  -- an IAM policy document
) STRICT, WITHOUT ROWID;

INSERT INTO developer (name, policy)
    SELECT name, '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    FROM access_key;

ALTER TABLE access_key RENAME TO access_key_of_one_name;

CREATE TABLE access_key (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL REFERENCES developer (name),
    sealed_secret BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;

INSERT INTO access_key (id, name, sealed_secret, created_at, enabled)
    SELECT id, name, sealed_secret, created_at, 1 FROM access_key_of_one_name;

DROP TABLE access_key_of_one_name;

CREATE INDEX access_key_by_name ON access_key (name, created_at, id);
