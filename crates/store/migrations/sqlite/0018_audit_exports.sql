-- How far each exporter of the audit trail has come: the last line that it is done with, of which trail, and how much of it its
-- receiver never got.

CREATE TABLE audit_export (
    name      TEXT    NOT NULL PRIMARY KEY,
    trail     TEXT    NOT NULL,
    line      INTEGER NOT NULL,
    moved_at  INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    dropped   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
