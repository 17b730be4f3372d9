-- The master keys that servers seal under, or sealed, by their IDs. The one with the latest instant is that of now.

CREATE TABLE master_key (
    id    TEXT    NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
