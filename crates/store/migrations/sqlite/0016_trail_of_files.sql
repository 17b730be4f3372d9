-- Audit events are in files beside the database from now on. Those that are here are taken over, a thousand at a time, before
-- anything is decided; then the table goes.

DROP INDEX audit_event_by_request;
DROP INDEX audit_event_by_identity;
DROP INDEX audit_event_by_access_key;
DROP INDEX audit_event_by_user;
ALTER TABLE audit_event RENAME TO audit_event_before_files;

-- The newest signed head of the trail: whoever takes away the end of its files has to take away this as well.
CREATE TABLE trail_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    trail TEXT NOT NULL,
    n INTEGER NOT NULL,
    chain TEXT NOT NULL,
    time INTEGER NOT NULL
) STRICT;
