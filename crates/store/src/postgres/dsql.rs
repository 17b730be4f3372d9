//! What Aurora DSQL is asked. It differs from PostgreSQL in what follows (Amazon Aurora DSQL User Guide, "Concurrency control",
//! "Supported data types", "Asynchronous indexes"):
//!
//! - No key is of bytes (`bytea` has no index), so keys are text: in hexadecimal, whose order is that of the bytes.
//! - Nothing is locked. Whoever commits second what somebody else has written since his snapshot is refused (40001), and what was
//!   only read is not looked at. So a commit writes every row that a guard is about, as it is if nothing becomes of it.
//! - An index is made beside everything else, `ASYNC`.
//!
//! Statements say besides which row they have judged, and count. At READ COMMITTED they are as right as at a snapshot.

use tokio_postgres::types::Type;

use super::statements::{Statement, Statements};

pub(super) const STATEMENTS: Statements =
    Statements { read_one: READ_ONE, read: READ, page: PAGE, scan: SCAN, commit: COMMIT, forget: FORGET };

const READ_ONE: Statement = Statement {
    text: "SELECT stamp, content, forgotten_at FROM daypass_item
           WHERE partition = encode($1, 'hex') AND sort = encode($2, 'hex') AND forgotten_at IS DISTINCT FROM -1",
    types: &[Type::BYTEA, Type::BYTEA],
};

const READ: Statement = Statement {
    text: "SELECT place, stamp, content, forgotten_at
           FROM unnest((SELECT $1::bytea[]), (SELECT $2::bytea[])) WITH ORDINALITY AS key (partition, sort, place)
           CROSS JOIN LATERAL (
             SELECT stamp, content, forgotten_at FROM daypass_item
             WHERE partition = encode(key.partition, 'hex') AND sort = encode(key.sort, 'hex') LIMIT 1
           ) AS item
           WHERE forgotten_at IS DISTINCT FROM -1",
    types: &[Type::BYTEA_ARRAY, Type::BYTEA_ARRAY],
};

const PAGE: Statement = Statement {
    text: "SELECT decode(sort, 'hex'), stamp, content, forgotten_at FROM daypass_item
           WHERE partition = encode($1, 'hex') AND sort >= encode($2, 'hex') AND forgotten_at IS DISTINCT FROM -1
           ORDER BY sort LIMIT $3",
    types: &[Type::BYTEA, Type::BYTEA, Type::INT8],
};

const SCAN: Statement = Statement {
    text: "SELECT decode(partition, 'hex'), decode(sort, 'hex'), stamp, content, forgotten_at FROM daypass_item
           WHERE (partition, sort) > (encode($2, 'hex'), encode($3, 'hex')) AND forgotten_at IS DISTINCT FROM -1
           ORDER BY partition, sort LIMIT $1",
    types: &[Type::INT8, Type::BYTEA, Type::BYTEA],
};

/// `written` is the stamp of the row that is there, a hollow one too. Each row that is due is deleted, written again, as it is if
/// nothing is put, or made. If any of them is not the one that was judged, less is done than is due, and the division by zero takes
/// back all of it. What is there is never put by `ON CONFLICT`, which would make anew what was deleted since.
const COMMIT: Statement = Statement {
    text: "WITH wanted AS (
             SELECT encode(partition, 'hex') AS partition, encode(sort, 'hex') AS sort, absent, expected, content,
               forgotten_at, gone
             FROM unnest(
               (SELECT $2::bytea[]), (SELECT $3::bytea[]), (SELECT $4::bool[]), (SELECT $5::int8[]),
               (SELECT $6::bytea[]), (SELECT $7::int8[]), (SELECT $8::bool[])
             ) AS wanted (partition, sort, absent, expected, content, forgotten_at, gone)
           ), found AS (
             SELECT item.* FROM wanted CROSS JOIN LATERAL (
               SELECT partition, sort, stamp AS written, CASE WHEN forgotten_at = -1 THEN NULL ELSE stamp END AS stamp
               FROM daypass_item WHERE partition = wanted.partition AND sort = wanted.sort LIMIT 1
             ) AS item
           ), judged AS (
             SELECT wanted.*, written,
               CASE WHEN absent THEN stamp IS NULL WHEN expected IS NULL THEN true ELSE coalesce(stamp = expected, false) END
                 AS holds
             FROM wanted LEFT JOIN found USING (partition, sort)
           ), due AS (
             SELECT * FROM judged WHERE (SELECT bool_and(holds) FROM judged)
           ), deleted AS (
             DELETE FROM daypass_item AS item USING due
             WHERE item.partition = due.partition AND item.sort = due.sort AND item.stamp = written AND gone
             RETURNING 1
           ), written_again AS (
             UPDATE daypass_item AS item
             SET stamp = CASE WHEN due.content IS NULL THEN item.stamp ELSE $1 END,
               content = coalesce(due.content, item.content),
               forgotten_at = CASE WHEN due.content IS NULL THEN item.forgotten_at ELSE due.forgotten_at END
             FROM due
             WHERE item.partition = due.partition AND item.sort = due.sort AND item.stamp = written AND NOT gone
             RETURNING 1
           ), made AS (
             INSERT INTO daypass_item (partition, sort, stamp, content, forgotten_at)
             SELECT partition, sort, $1, coalesce(content, ''), CASE WHEN content IS NULL THEN -1 ELSE forgotten_at END
             FROM due WHERE written IS NULL ORDER BY partition, sort
             ON CONFLICT (partition, sort) DO NOTHING
             RETURNING 1
           )
           SELECT bool_and(holds), 1 / (
             (SELECT count(*) FROM deleted) + (SELECT count(*) FROM written_again) + (SELECT count(*) FROM made)
               = (SELECT count(*) FROM due)
           )::int
           FROM judged",
    types: &[
        Type::INT8,
        Type::BYTEA_ARRAY,
        Type::BYTEA_ARRAY,
        Type::BOOL_ARRAY,
        Type::INT8_ARRAY,
        Type::BYTEA_ARRAY,
        Type::INT8_ARRAY,
        Type::BOOL_ARRAY,
    ],
};

/// A bite. If somebody else is at one of these, all of them are left to the next one (40001).
const FORGET: Statement = Statement {
    text: "DELETE FROM daypass_item
           WHERE forgotten_at <= LEAST($1, (extract(epoch FROM now()) * 1000)::bigint) AND (partition, sort) IN (
             SELECT partition, sort FROM daypass_item
             WHERE forgotten_at <= LEAST($1, (extract(epoch FROM now()) * 1000)::bigint)
             ORDER BY forgotten_at LIMIT 100
           )
           RETURNING 1",
    types: &[Type::INT8],
};
