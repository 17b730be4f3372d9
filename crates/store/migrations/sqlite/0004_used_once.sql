-- Names that count once, until the instant at which what they stand for is worthless anyway.

CREATE TABLE used_once (
    name  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX used_once_by_end ON used_once (until);
