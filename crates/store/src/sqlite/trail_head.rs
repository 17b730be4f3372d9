//! The newest signed head of the audit trail, which is beside the database.

use std::sync::Arc;

use daypass_core::records::trail_head::TrailHead;
use rusqlite::{Connection, OptionalExtension, Result, named_params};

use super::value::{Instant, integer};
use super::writer::Writer;
use crate::trail::Anchor;

pub(super) fn find(connection: &Connection) -> Result<Option<TrailHead>> {
    let sql = "SELECT trail, n, chain, time FROM trail_head";
    let head = connection.prepare_cached(sql)?.query_one([], |row| {
        Ok(TrailHead {
            trail: row.get("trail")?,
            n: row.get::<_, i64>("n")?.unsigned_abs(),
            chain: row.get("chain")?,
            time: row.get::<_, Instant>("time")?.0,
        })
    });
    head.optional()
}

/// What the trail says itself from now on need not be known here.
pub(super) fn forget(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM trail_head", []).map(drop)
}

/// Keeps each head in the place of the one before. Nobody waits: the next is not far.
pub(super) fn keeper(writer: Arc<Writer>) -> Anchor {
    Box::new(move |head| {
        let head = head.clone();
        // Where the store takes nothing, nothing is granted.
        drop(writer.try_write(move |connection| keep(connection, &head)));
    })
}

fn keep(connection: &Connection, head: &TrailHead) -> Result<()> {
    let sql = "INSERT INTO trail_head (id, trail, n, chain, time) VALUES (1, :trail, :n, :chain, :time)
         ON CONFLICT (id) DO UPDATE SET trail = :trail, n = :n, chain = :chain, time = :time
         WHERE trail <> :trail OR n < :n";
    let number = usize::try_from(head.n).unwrap_or(usize::MAX);
    connection
        .prepare_cached(sql)?
        .execute(named_params! {
            ":trail": head.trail,
            ":n": integer(number),
            ":chain": head.chain,
            ":time": Instant(head.time),
        })
        .map(drop)
}
