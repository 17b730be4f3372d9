//! Gives what is in the journal its place in the trail.

use std::mem;

use super::super::attempts::Decided;
use super::super::engine::{Change, Effect, Guard, Item};
use super::super::records::Millis;
use super::super::{Found, ItemStore, keys, put_new};
use super::journal::{lines_of, taken_out};
use super::records::{SectionPart, SectionRecord, TrailRecord};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::records::trail_head::{TrailDropped, TrailHead};
use crate::records::trail_line::{Beginning, Chain, Ending, Line, Missing, Note, members, write};
use crate::store::{AuditCare, StoreError};

/// So many entries of the journal are taken at once: with two blocks, a section and the head of the trail they are one commit.
const MAX_ENTRIES: usize = 90;

/// About so many bytes a block has, and an entry more at most.
pub(super) const MAX_BLOCK: usize = 192 << 10;

/// A head is signed after so many lines, or so long after the last one.
const LINES_FOR_EACH_HEAD: u64 = 1_000;
const LONGEST_WITHOUT_HEAD: SignedDuration = SignedDuration::from_secs(10);

/// Then a section ends, of which nothing is dropped but all of it: it is read at once, and most of it goes with its day.
const LONGEST_SECTION: u64 = 4 << 20;
const MOST_BLOCKS: u64 = 1_000;
const OLDEST_SECTION: SignedDuration = SignedDuration::from_hours(24);

/// Lines that are written behind the trail.
pub(super) struct NextBlock {
    text: Vec<u8>,
    pub(super) trail: TrailRecord,
    first: u64,
}

impl ItemStore {
    /// Gives everything that is in the journal its place, and answers how far the trail goes then.
    pub(super) async fn gather_all(&self) -> Result<TrailRecord, StoreError> {
        loop {
            if let Some(trail) = self.gather().await? {
                return Ok(trail);
            }
        }
    }

    /// Gives a block of what is in the journal its place. Answers how far the trail goes, unless there may be more.
    async fn gather(&self) -> Result<Option<TrailRecord>, StoreError> {
        let (drawn, begins) = (self.draw_incarnation().to_string(), self.process.begins());
        let gathered = self.ask(|| async {
            let found: Found<TrailRecord> = self.read(keys::trail()).await?;
            let oldest = self.oldest_entries(MAX_ENTRIES).await?;
            let read = oldest.len();
            let entries = fitting(oldest);
            // Nobody waits for what comes later.
            let is_all = read < MAX_ENTRIES && entries.len() == read;
            let (mut block, mut changes) = (NextBlock::behind(found.record.clone(), &drawn), Vec::new());
            let care = self.process.care();
            let now = care.as_ref().map(|care| care.clock.now()).filter(|_| !entries.is_empty());
            if let Some(now) = now.filter(|now| block.ends_section(*now)) {
                changes.extend(block.begin_section(now)?);
            }
            for line in entries.iter().flat_map(lines_of) {
                block.add(line);
            }
            let mut signed = None;
            let is_due = |care: &&AuditCare| block.is_due(care) || begins && block.is_of_before(care);
            if let Some(care) = care.as_ref().filter(is_due) {
                if let Some(missing) = self.missing(&block.trail, care).await? {
                    block.add(&members(&Note::Missing(missing)));
                }
                signed = Some(block.sign(care));
            }
            if block.text.is_empty() {
                return Ok(Decided::Answer((Some(block.trail), None)));
            }
            changes.push(block.put());
            changes.push(found.put(&block.trail)?);
            changes.extend(entries.iter().map(taken_out));
            let answer = is_all.then_some(block.trail);
            Ok(Decided::change(changes, (answer, signed)))
        });
        let (answer, signed) = gathered.await?;
        if begins {
            self.process.has_begun();
        }
        if signed.is_some() {
            *self.process.signed() = signed;
        }
        Ok(answer)
    }

    /// What this process has signed, if it is not there any more: whoever writes everything anew in the store has nobody sign it
    /// who does not say so. What was dropped is not missing, if that is signed: where the trail begins, anybody may write.
    async fn missing(&self, now: &TrailRecord, care: &AuditCare) -> Result<Option<Missing>, StoreError> {
        let Some(TrailHead { trail, n, chain, .. }) = self.process.signed().clone() else { return Ok(None) };
        let read = |jws| care.signer.read_dropped(jws, now.head.as_deref());
        let dropped = now.dropped.as_deref().and_then(read);
        if dropped.is_some_and(|dropped| dropped.trail == trail && n <= dropped.last) {
            return Ok(None);
        }
        let block = self.block_from(n).await?;
        let is_there = |line: Line<'_>| line.number == n && line.chain.text() == chain;
        let is_missing = !block.is_some_and(|block| block.lines().any(is_there));
        Ok(is_missing.then_some(Missing { trail, until: n, chain }))
    }
}

/// As many entries as a block may have, and one at least.
fn fitting(mut entries: Vec<Item>) -> Vec<Item> {
    let mut bytes = 0;
    let count = entries
        .iter()
        .take_while(|entry| {
            let fits = bytes < MAX_BLOCK;
            bytes += entry.content.len();
            fits
        })
        .count();
    entries.truncate(count);
    entries
}

impl NextBlock {
    /// Behind a trail, or at the beginning of one.
    pub(super) fn behind(trail: Option<TrailRecord>, drawn: &str) -> Self {
        if let Some(trail) = trail {
            return Self { text: Vec::new(), first: trail.last + 1, trail };
        }
        let mut block = Self { text: Vec::new(), first: 1, trail: TrailRecord::begun(drawn) };
        block.add(&members(&Note::Trail(Beginning { id: drawn.to_owned(), previous: None })));
        block
    }

    pub(super) fn add(&mut self, members: &[u8]) {
        self.trail.last += 1;
        // What stands in the store is a link, or was changed: then the chain breaks there, for whoever verifies.
        let before = Chain::parse(self.trail.chain.as_bytes()).unwrap_or(Chain::START);
        let chain = write(&mut self.text, self.trail.last, members, before);
        self.trail.chain = chain.text();
    }

    /// Whether nobody has signed the trail for so long, or so many lines of it.
    fn is_due(&self, care: &AuditCare) -> bool {
        let now = care.clock.now();
        let unsigned = self.trail.last.saturating_sub(self.trail.signed);
        let is_long_ago = now.duration_since(self.trail.signed_at.0).abs() >= LONGEST_WITHOUT_HEAD;
        unsigned > 0 && (is_long_ago || unsigned >= LINES_FOR_EACH_HEAD)
    }

    /// Whether the last head is of a key that only opens by now. Whoever begins to sign vouches for it at once, because it may be taken
    /// away.
    fn is_of_before(&self, care: &AuditCare) -> bool {
        let is_of_before =
            |head: &str| !care.signer.is_of_now(head) && care.signer.read_of_before(head).is_some();
        self.trail.head.as_deref().is_some_and(is_of_before)
    }

    /// Has the trail signed, as far as it goes.
    fn sign(&mut self, care: &AuditCare) -> TrailHead {
        if let Some(keys) = self.vouched(care) {
            self.add(&members(&Note::Keys(keys)));
            self.say_again_what_was_dropped(care);
        }
        let head = self.head(care);
        let jws = care.signer.sign(&head);
        self.add(&members(&Note::Head(jws.clone())));
        self.trail.head = Some(jws);
        (self.trail.signed, self.trail.signed_at) = (self.trail.last, Millis(head.time));
        head
    }

    /// The keys that signed before, if the last head is of one of them.
    fn vouched(&self, care: &AuditCare) -> Option<String> {
        let before = self.trail.head.as_ref().filter(|_| self.is_of_before(care))?;
        Some(care.signer.vouch(&self.head(care), before))
    }

    /// Retention believes what the keys of this installation have signed to be dropped, and those of before are taken away one day.
    fn say_again_what_was_dropped(&mut self, care: &AuditCare) {
        let (head, by_before) = (self.trail.head.as_deref(), |jws: &&str| !care.signer.is_of_now(jws));
        let dropped = self.trail.dropped.as_deref().filter(by_before);
        let dropped = dropped.and_then(|jws| care.signer.read_dropped(jws, head));
        let is_last = |it: &TrailDropped| it.trail == self.trail.id && it.last + 1 == self.trail.first;
        if let Some(dropped) = dropped.filter(is_last) {
            let jws = care.signer.sign_dropped(&dropped);
            self.add(&members(&Note::Dropped(jws.clone())));
            self.trail.dropped = Some(jws);
        }
    }

    fn head(&self, care: &AuditCare) -> TrailHead {
        let TrailRecord { id, last, chain, .. } = &self.trail;
        TrailHead { trail: id.clone(), n: *last, chain: chain.clone(), time: care.clock.now() }
    }

    /// What puts it there. Lines that are added from then on are of the next.
    pub(super) fn put(&mut self) -> Change {
        let text = mem::take(&mut self.text);
        self.trail.count(&text);
        let key = keys::trail_block(mem::replace(&mut self.first, self.trail.last + 1));
        let effect = Effect::Put { content: text, forgotten_at: None };
        Change { key, guard: Guard::Absent, effect }
    }

    /// Whether it is time for the next section. Whoever sees a section first begins to count.
    fn ends_section(&mut self, now: Timestamp) -> bool {
        let section = &mut self.trail.section;
        let since = section.since.get_or_insert(Millis(now)).0;
        let is_old = now.duration_since(since).abs() >= OLDEST_SECTION;
        is_old || section.bytes >= LONGEST_SECTION || section.blocks >= MOST_BLOCKS
    }

    /// Ends the section, and begins the next, as files of a trail end and begin.
    fn begin_section(&mut self, now: Timestamp) -> Result<[Change; 2], StoreError> {
        self.add(&members(&Note::End(Ending {})));
        let ended = self.put();
        let beginning = Beginning { id: self.trail.id.clone(), previous: Some(self.trail.chain.clone()) };
        let section = put_new(keys::trail_section(self.first), &SectionRecord {})?;
        self.trail.section = SectionPart { since: Some(Millis(now)), ..SectionPart::default() };
        self.add(&members(&Note::Trail(beginning)));
        Ok([ended, section])
    }
}
