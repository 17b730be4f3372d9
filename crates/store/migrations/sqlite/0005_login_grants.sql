-- Outcomes of logins that wait for their apps, each under the hash of its one-time code.

CREATE TABLE login_grant (
    code_hash  TEXT    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_grant_by_end ON login_grant (expires_at);
