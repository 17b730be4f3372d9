//! The newest signed head of the audit trail, which is beside the database.

use std::sync::Arc;

use daypass_core::records::trail_head::TrailHead;
use rusqlite::{Connection, OptionalExtension, Result, named_params};

use super::readers::Readers;
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

/// Keeps heads in the database.
pub(super) struct Keeper {
    pub(super) writer: Arc<Writer>,
    pub(super) readers: Arc<Readers>,
}

impl Anchor for Keeper {
    /// Nobody waits: the next is not far.
    fn keep(&self, head: &TrailHead, missed: Option<&TrailHead>) {
        let (head, missed) = (head.clone(), missed.cloned());
        // Where the store takes nothing, nothing is granted.
        drop(self.writer.try_write(move |connection| keep(connection, &head, missed.as_ref())));
    }

    fn kept(&self) -> Option<TrailHead> {
        self.readers.read(find).ok().flatten()
    }
}

/// A head makes way for a later one of its trail, and for one behind the line that says it was missed. For no other: it is
/// what tells that the trail was cut off, or written anew.
pub(super) fn keep(connection: &Connection, head: &TrailHead, missed: Option<&TrailHead>) -> Result<()> {
    let sql = "INSERT INTO trail_head (id, trail, n, chain, time) VALUES (1, :trail, :n, :chain, :time)
         ON CONFLICT (id) DO UPDATE SET trail = :trail, n = :n, chain = :chain, time = :time
         WHERE (trail = :trail AND n < :n)
            OR (trail = :missed_trail AND n = :missed_n AND chain = :missed_chain)";
    connection
        .prepare_cached(sql)?
        .execute(named_params! {
            ":trail": head.trail,
            ":n": line(head.n),
            ":chain": head.chain,
            ":time": Instant(head.time),
            ":missed_trail": missed.map(|missed| &missed.trail),
            ":missed_n": missed.map(|missed| line(missed.n)),
            ":missed_chain": missed.map(|missed| &missed.chain),
        })
        .map(drop)
}

fn line(number: u64) -> i64 {
    integer(usize::try_from(number).unwrap_or(usize::MAX))
}
