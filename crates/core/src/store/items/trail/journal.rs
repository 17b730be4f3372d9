//! Events that have no place in the trail yet. Each entry is one item, which nobody else writes, and has the events of one
//! decision: a line for each, as it is going to stand in the trail.

use super::super::attempts::Decided;
use super::super::engine::{Change, Effect, Guard, Item, Key};
use super::super::{ItemStore, keys};
use crate::records::audit_event::AuditEvent;
use crate::records::trail_line::members;
use crate::store::StoreError;

/// An entry is no longer than about this; events that are, are kept in several.
const MAX_ENTRY: usize = 64 << 10;

impl ItemStore {
    /// Keeps events in the journal, all of them or none.
    pub(super) async fn keep_in_journal(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let changes: Vec<Change> = entries(events).into_iter().map(|entry| self.entry(entry)).collect();
        self.ask(|| async { Ok(Decided::change(changes.clone(), ())) }).await
    }

    fn entry(&self, content: Vec<u8>) -> Change {
        let shard = self.process.shard(self.engine.shards(), || self.draw());
        let instant = self.process.next_instant(self.clock.now().as_microsecond());
        let key = keys::journal_entry(shard, instant, self.draw());
        Change { key, guard: Guard::Absent, effect: Effect::Put { content, forgotten_at: None } }
    }

    /// The oldest entries, in order, as many as asked for at most.
    pub(super) async fn oldest_entries(&self, limit: usize) -> Result<Vec<Item>, StoreError> {
        let shards: Vec<Vec<u8>> = (0..self.engine.shards().into()).map(keys::journal).collect();
        let page = |shard| self.patiently(move || self.engine.page(shard, None, limit));
        let pages = futures::future::try_join_all(shards.iter().map(|shard| page(shard.as_slice()))).await?;
        let mut entries: Vec<Item> = pages.into_iter().flatten().collect();
        entries.sort_unstable_by(|a, b| a.key.sort.cmp(&b.key.sort));
        entries.truncate(limit);
        Ok(entries)
    }
}

/// The lines of events, in as many entries as it takes.
fn entries(events: &[AuditEvent]) -> Vec<Vec<u8>> {
    let mut entries: Vec<Vec<u8>> = vec![Vec::new()];
    for event in events {
        let line = members(event);
        let last =
            entries.last_mut().filter(|entry| entry.is_empty() || entry.len() + line.len() < MAX_ENTRY);
        let entry = match last {
            Some(entry) => entry,
            None => entries.push_mut(Vec::new()),
        };
        entry.extend(line);
        entry.push(b'\n');
    }
    entries
}

/// The lines of an entry.
pub(super) fn lines_of(entry: &Item) -> impl Iterator<Item = &[u8]> {
    entry.content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// An entry is taken out of the journal as it was read.
pub(super) fn taken_out(entry: &Item) -> Change {
    let key: Key = entry.key.clone();
    Change { key, guard: Guard::Is(entry.stamp), effect: Effect::Delete }
}
