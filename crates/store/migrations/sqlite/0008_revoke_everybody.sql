-- Besides the sessions of an identity or of a role, those of everybody can end, under an empty name.

ALTER TABLE session_revocation RENAME TO session_revocation_of_two_kinds;

CREATE TABLE session_revocation (
    kind       TEXT    NOT NULL CHECK (kind IN ('identity', 'role', 'everybody')),
    name       TEXT    NOT NULL,
    not_before INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

INSERT INTO session_revocation (kind, name, not_before)
    SELECT kind, name, not_before FROM session_revocation_of_two_kinds;

DROP TABLE session_revocation_of_two_kinds;
