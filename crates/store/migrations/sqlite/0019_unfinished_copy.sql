-- Of which store this is to be a copy, as long as not everything is in it: nobody is served from it then.

CREATE TABLE unfinished_copy (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL
) STRICT;
