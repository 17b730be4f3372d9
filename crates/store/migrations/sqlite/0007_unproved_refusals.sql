-- Refusals of people who proved nothing: the newest few, without an index, because only an operator looks here.
CREATE TABLE unproved_refusal (
    id                        INTEGER PRIMARY KEY,  -- grows: the order in which they were kept
    time                      INTEGER NOT NULL,
    request_id                TEXT    NOT NULL,
    action                    TEXT    NOT NULL,
    outcome                   TEXT    NOT NULL,
    reason                    TEXT,
    provider                  TEXT,
    developer_user_identifier TEXT,
    login                     TEXT,
    identity_id               TEXT,
    access_key_id             TEXT,
    resource                  TEXT
) STRICT;
