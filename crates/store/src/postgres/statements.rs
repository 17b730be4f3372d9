//! What the server is asked. What may run beside each other at READ COMMITTED, the lowest level, is said where it matters; at a
//! higher one the server refuses more (40001), and nothing else changes.
//!
//! A row with `forgotten_at = -1` is no item. It is hollow: it stands where there is none, so that two commits that rest on the
//! absence of an item, or make it, meet at a row. `FORGET` sweeps it away.
//!
//! Plans are to be the same for one key and for a hundred, in a table that is new and in one that is large, so that the server makes
//! them once: `LATERAL` looks for each key by itself, which takes the index, and a `SELECT` around a parameter hides from the planner
//! how many there are.

use tokio_postgres::types::Type;

/// A statement, and the types of its parameters. No two have the same types: behind a pooler that mixes up the names of
/// statements, none is taken for another.
pub(super) struct Statement {
    pub(super) text: &'static str,
    pub(super) types: &'static [Type],
}

/// Everything that a database is asked, in its dialect.
pub(super) struct Statements {
    pub(super) read_one: Statement,
    pub(super) read: Statement,
    pub(super) page: Statement,
    pub(super) scan: Statement,
    /// A commit. `content` is null where nothing is put.
    pub(super) commit: Statement,
    pub(super) forget: Statement,
}

pub(super) const POSTGRESQL: Statements =
    Statements { read_one: READ_ONE, read: READ, page: PAGE, scan: SCAN, commit: COMMIT, forget: FORGET };

const READ_ONE: Statement = Statement {
    text: "SELECT stamp, content, forgotten_at FROM daypass_item
           WHERE partition = $1 AND sort = $2 AND forgotten_at IS DISTINCT FROM -1",
    types: &[Type::BYTEA, Type::BYTEA],
};

const READ: Statement = Statement {
    text: "SELECT place, stamp, content, forgotten_at
           FROM unnest((SELECT $1::bytea[]), (SELECT $2::bytea[])) WITH ORDINALITY AS key (partition, sort, place)
           CROSS JOIN LATERAL (
             SELECT stamp, content, forgotten_at FROM daypass_item
             WHERE partition = key.partition AND sort = key.sort LIMIT 1
           ) AS item
           WHERE forgotten_at IS DISTINCT FROM -1",
    types: &[Type::BYTEA_ARRAY, Type::BYTEA_ARRAY],
};

const PAGE: Statement = Statement {
    text: "SELECT sort, stamp, content, forgotten_at FROM daypass_item
           WHERE partition = $1 AND sort >= $2 AND forgotten_at IS DISTINCT FROM -1
           ORDER BY sort LIMIT $3",
    types: &[Type::BYTEA, Type::BYTEA, Type::INT8],
};

const SCAN: Statement = Statement {
    text: "SELECT partition, sort, stamp, content, forgotten_at FROM daypass_item
           WHERE (partition, sort) > ($2, $3) AND forgotten_at IS DISTINCT FROM -1
           ORDER BY partition, sort LIMIT $1",
    types: &[Type::INT8, Type::BYTEA, Type::BYTEA],
};

/// Rows are locked in the order of the parameters. The statement sees rows as they were when it began, except that a lock is taken on
/// a row as it is then:
///
/// - a row that was changed meanwhile is locked, and judged, as it was changed to; `DELETE` and `ON CONFLICT` follow it there;
/// - a row that was deleted meanwhile is not among the locked ones, nor is one that was made meanwhile, or deleted and made again.
///   Where one is taken for absent, a row is put, if only a hollow one, and finds the one that is there: then less is done than is
///   due, and the division by zero takes back all of it.
///
/// So before anything is kept, every row that a guard is about is locked, and nobody else can make one that has to be absent.
const COMMIT: Statement = Statement {
    text: "WITH wanted AS (
             SELECT * FROM unnest(
               (SELECT $2::bytea[]), (SELECT $3::bytea[]), (SELECT $4::bool[]), (SELECT $5::int8[]),
               (SELECT $6::bytea[]), (SELECT $7::int8[]), (SELECT $8::bool[])
             ) AS wanted (partition, sort, absent, expected, content, forgotten_at, gone)
           ), locked AS (
             SELECT item.* FROM wanted CROSS JOIN LATERAL (
               SELECT partition, sort, CASE WHEN forgotten_at = -1 THEN NULL ELSE stamp END AS stamp FROM daypass_item
               WHERE partition = wanted.partition AND sort = wanted.sort FOR UPDATE
             ) AS item
           ), judged AS (
             SELECT wanted.*, locked.partition IS NOT NULL AS there,
               CASE WHEN absent THEN stamp IS NULL WHEN expected IS NULL THEN true ELSE coalesce(stamp = expected, false) END
                 AS holds
             FROM wanted LEFT JOIN locked USING (partition, sort)
           ), due AS (
             SELECT * FROM judged
             WHERE (SELECT bool_and(holds) FROM judged) AND (content IS NOT NULL OR gone OR NOT there)
           ), deleted AS (
             DELETE FROM daypass_item AS item USING due
             WHERE item.partition = due.partition AND item.sort = due.sort AND gone AND there
             RETURNING 1
           ), put AS (
             INSERT INTO daypass_item AS item (partition, sort, stamp, content, forgotten_at)
             SELECT partition, sort, $1, coalesce(content, ''), CASE WHEN content IS NULL THEN -1 ELSE forgotten_at END
             FROM due WHERE NOT (gone AND there) ORDER BY partition, sort
             ON CONFLICT (partition, sort) DO UPDATE
             SET stamp = excluded.stamp, content = excluded.content, forgotten_at = excluded.forgotten_at
             WHERE EXISTS (
               SELECT FROM due
               WHERE due.partition = excluded.partition AND due.sort = excluded.sort AND (there OR NOT absent)
             )
             RETURNING 1
           )
           SELECT bool_and(holds), 1 / (
             (SELECT count(*) FROM deleted) + (SELECT count(*) FROM put) = (SELECT count(*) FROM due)
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

/// As many rows are forgotten at once.
pub(super) const BITE: usize = 100;

/// A bite: what others hold is left to the next one. Nothing goes that is not over by the database's clock: a server's may be
/// far ahead, and what it deletes is gone for all.
const FORGET: Statement = Statement {
    text: "DELETE FROM daypass_item
           WHERE (partition, sort) IN (
             SELECT partition, sort FROM daypass_item
             WHERE forgotten_at <= LEAST($1, (extract(epoch FROM now()) * 1000)::bigint)
             ORDER BY forgotten_at LIMIT 100 FOR UPDATE SKIP LOCKED
           )
           RETURNING 1",
    types: &[Type::INT8],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_statements_have_parameters_of_the_same_types() {
        for statements in [&POSTGRESQL, &crate::postgres::dsql::STATEMENTS] {
            let Statements { read_one, read, page, scan, commit, forget, .. } = statements;
            let types = [read_one, read, page, scan, commit, forget].map(|statement| statement.types);
            for (place, one) in types.iter().enumerate() {
                assert!(!types[place + 1..].contains(one), "{one:?}");
            }
        }
    }
}
