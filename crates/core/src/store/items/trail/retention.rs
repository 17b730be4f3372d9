//! What is too old, or too much, goes: whole sections, from the old end. One change says in the trail what is dropped, signed, and
//! has the trail begin behind it. From then on nobody reads it, and it is deleted by and by, by whoever comes: there nothing more
//! is decided.

use std::time::Duration;

use super::super::attempts::Decided;
use super::super::engine::{Change, Effect, Guard, Key};
use super::super::{Found, ItemStore, keys};
use super::blocks::Block;
use super::gather::NextBlock;
use super::records::TrailRecord;
use super::subjects::keys_of_entries;
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::records::trail_head::TrailDropped;
use crate::records::trail_line::{Beginning, Chain, Content, Line, Note, members};
use crate::store::{AuditCare, Retention, StoreError};

/// How often it is looked for what is too old.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// As many blocks are read at once.
const AT_ONCE: usize = 32;

/// So many sections are looked for that are not there any more.
const SECTIONS_AT_ONCE: usize = 90;

/// Why nothing is dropped.
#[derive(Debug, thiserror::Error)]
enum Doubt {
    /// Where the trail is not as it was written.
    #[error(
        "nothing is dropped of the audit trail, whatever [audit] keep and keep_size say, because what begins at line {0} is not as \
         it was written, or does not follow what is before it: `daypass audit verify` says more"
    )]
    Written(u64),
    /// What is dropped by the key of another installation, nobody believes to be.
    #[error(
        "nothing is dropped of the audit trail, because none of this configuration's master keys has signed its end: see whether \
         store and master key are of one installation"
    )]
    Signed,
}

impl Doubt {
    /// The line that it is about.
    fn line(&self) -> u64 {
        match self {
            Self::Written(line) => *line,
            Self::Signed => 0,
        }
    }
}

/// What a look came to.
enum Shortened {
    /// There is nothing to drop.
    Not,
    /// Something was dropped, and more may be.
    More,
    /// Something should be, and is not as it was written.
    Doubtful(Doubt),
}

/// A section that ended, as its lines tell.
struct Section {
    last: u64,
    chain: Chain,
    until: Option<Timestamp>,
    bytes: u64,
}

impl ItemStore {
    /// Drops a section that need not be kept, or deletes some of one that was dropped, if this is the process that takes care of the
    /// trail, and it is time. Whoever is cut off goes on with the next call.
    pub(super) async fn shorten(&self) {
        let Some(care) = self.process.care().filter(|care| care.keep != Retention::default()) else {
            return;
        };
        let now = care.clock.now();
        let is_time = |at: Timestamp| now.duration_since(at).abs() >= EVERY;
        let done_at = self.process.shortening().done_at;
        if !done_at.is_none_or(is_time) {
            return;
        }
        let shortened = match self.shorten_by(&care).await {
            Ok(shortened) => shortened,
            // Whoever hears of what fails here would take it for the gathering.
            Err(error) => {
                (care.tell)(&format!(
                    "nothing could be dropped of the audit trail: {error}; it is tried again in an hour"
                ));
                self.process.shortening().done_at = Some(now);
                return;
            }
        };
        let mut shortening = self.process.shortening();
        let doubt = match shortened {
            Shortened::More => return,
            Shortened::Not => None,
            Shortened::Doubtful(doubt) => Some(doubt),
        };
        shortening.done_at = Some(now);
        let told = doubt.as_ref().map(Doubt::line);
        if let Some(doubt) = doubt.filter(|_| shortening.told != told) {
            (care.tell)(&doubt.to_string());
        }
        shortening.told = told;
    }

    /// Drops everything that need not be kept, and deletes everything that was dropped.
    pub(super) async fn shorten_all(&self, care: &AuditCare) -> Result<(), StoreError> {
        loop {
            match self.shorten_by(care).await? {
                Shortened::Not => return Ok(()),
                Shortened::More => self.pace.pause(Duration::ZERO).await,
                Shortened::Doubtful(doubt) => return Err(StoreError::Corrupt(doubt.into())),
            }
        }
    }

    /// A bite of it.
    async fn shorten_by(&self, care: &AuditCare) -> Result<Shortened, StoreError> {
        match self.sweep(care).await? {
            Shortened::Not => self.drop_next(care).await,
            shortened => Ok(shortened),
        }
    }

    /// Drops the oldest section, if it need not be kept. The one that is written stays.
    async fn drop_next(&self, care: &AuditCare) -> Result<Shortened, StoreError> {
        let Some(trail) = self.read::<TrailRecord>(keys::trail()).await?.record else {
            return Ok(Shortened::Not);
        };
        let Some(next) = self.section_behind(trail.first).await? else { return Ok(Shortened::Not) };
        let is_too_much = care.keep.bytes.is_some_and(|bytes| trail.bytes > bytes);
        let Some(behind) = self.block(next).await? else { return self.doubt(&trail).await };
        // The last line of a section has a block of its own.
        let newest = self.blocks_before(Some(next), 2).await?;
        let until = newest_event(newest.iter().flat_map(Block::lines), &behind, care);
        if !is_too_much && !is_too_old(until, care) {
            return Ok(Shortened::Not);
        }
        if !is_signed_here(&trail, care) {
            return Ok(Shortened::Doubtful(Doubt::Signed));
        }
        let Some(section) = self.whole_section(&trail, behind, care).await? else {
            return self.doubt(&trail).await;
        };
        if !is_too_much && !is_too_old(section.until, care) {
            return Ok(Shortened::Not);
        }
        self.drop_section(&trail, &section, care).await?;
        Ok(Shortened::More)
    }

    /// Says in the trail that a section is dropped, and has it begin behind that, unless somebody else was quicker.
    async fn drop_section(
        &self,
        trail: &TrailRecord,
        section: &Section,
        care: &AuditCare,
    ) -> Result<(), StoreError> {
        let Section { last, chain, until, bytes } = section;
        let (id, chain) = (trail.id.clone(), chain.text());
        let dropped = TrailDropped { trail: id, first: trail.first, last: *last, chain, until: *until };
        let jws = care.signer.sign_dropped(&dropped);
        let is_ours = self.ask(|| async {
            let found: Found<TrailRecord> = self.read(keys::trail()).await?;
            // What somebody has vouched for since is signed by a key that is not known here.
            let is_left = |now: &TrailRecord| {
                (&now.id, now.first) == (&trail.id, trail.first) && is_signed_here(now, care)
            };
            let Some(now) = found.record.clone().filter(is_left) else { return Ok(Decided::Answer(false)) };
            let mut block = NextBlock::behind(Some(now), "");
            block.add(&members(&Note::Dropped(jws.clone())));
            let note = block.put();
            block.trail.first = last + 1;
            block.trail.bytes = block.trail.bytes.saturating_sub(*bytes);
            block.trail.dropped = Some(jws.clone());
            Ok(Decided::change(vec![note, found.put(&block.trail)?], true))
        });
        if is_ours.await? {
            let of = until.map(|until| format!(", with events up to {until:.0}")).unwrap_or_default();
            (care.tell)(&format!(
                "the audit trail dropped lines {} to {last}{of}, as [audit] keep and keep_size say",
                trail.first
            ));
        }
        Ok(())
    }

    /// Where the first section begins behind a line.
    async fn section_behind(&self, line: u64) -> Result<Option<u64>, StoreError> {
        let after = keys::trail_section(line).sort;
        let items = self.patiently(|| self.engine.page(keys::TRAIL_SECTIONS, Some(&after), 1)).await?;
        Ok(items.first().and_then(|item| keys::first_line_of_section(&item.key)))
    }

    /// The first section, if it is as it was written: every line follows the one before, up to the first line of the next, and
    /// what it begins with [begins well](begins_well). It is read from its end, some blocks at a time: one that was kept before
    /// there were sections may be of any size.
    async fn whole_section(
        &self,
        trail: &TrailRecord,
        behind: Block,
        care: &AuditCare,
    ) -> Result<Option<Section>, StoreError> {
        let Some((last, chain)) = end_before(trail, &behind) else { return Ok(None) };
        let (now, mut newest, mut bytes) = (care.clock.now(), Newest::default(), 0);
        let mut read: Option<Block> = None;
        while read.as_ref().is_none_or(|read| read.first() > trail.first) {
            let page = self.blocks_before(Some(read.as_ref().unwrap_or(&behind).first()), AT_ONCE).await?;
            let left = page.into_iter().take_while(|block| block.first() >= trail.first);
            let before = read.as_ref().map(Block::first);
            for block in left {
                if !leads_to(&block, read.as_ref().unwrap_or(&behind)) {
                    return Ok(None);
                }
                newest.look(block.lines(), now);
                bytes += block.text().len() as u64;
                read = Some(block);
            }
            if read.as_ref().map(Block::first) == before {
                return Ok(None);
            }
        }
        let first = read.as_ref().and_then(|read| read.lines().next());
        let is_well =
            first.is_some_and(|first| first.number == trail.first && begins_well(trail, &first, care));
        let until = newest.event(&behind, care);
        Ok(is_well.then_some(Section { last, chain, until, bytes }))
    }

    /// What is not as it was written, unless it was dropped meanwhile, and deleted, by whoever was quicker.
    async fn doubt(&self, trail: &TrailRecord) -> Result<Shortened, StoreError> {
        let is_dropped = self.is_dropped(trail.first).await?;
        Ok(if is_dropped { Shortened::More } else { Shortened::Doubtful(Doubt::Written(trail.first)) })
    }

    /// Whether a line is before those that are left.
    pub(super) async fn is_dropped(&self, line: u64) -> Result<bool, StoreError> {
        let trail = self.read::<TrailRecord>(keys::trail()).await?.record;
        Ok(trail.is_some_and(|trail| line < trail.first))
    }

    /// Deletes some of what was dropped, and where it is written down whom that is about, if it is signed that it was.
    async fn sweep(&self, care: &AuditCare) -> Result<Shortened, StoreError> {
        let Some(trail) = self.read::<TrailRecord>(keys::trail()).await?.record else {
            return Ok(Shortened::Not);
        };
        let blocks = self.blocks_before(Some(trail.first), AT_ONCE).await?;
        if !blocks.is_empty() && !self.begins_well(&trail, care).await? {
            return self.doubt(&trail).await;
        }
        let sections = self.patiently(|| self.engine.page(keys::TRAIL_SECTIONS, None, SECTIONS_AT_ONCE));
        let sections = sections.await?.into_iter().map(|item| item.key);
        let ended =
            sections.filter(|key| keys::first_line_of_section(key).is_some_and(|it| it <= trail.first));
        // A block goes when nothing leads there any more.
        let leading_there = blocks.iter().flat_map(keys_of_entries).chain(ended).collect();
        let is_anything = self.delete_all(leading_there).await?;
        let blocks = blocks.iter().map(|block| keys::trail_block(block.first())).collect();
        let is_more = self.delete_all(blocks).await? || is_anything;
        Ok(if is_more { Shortened::More } else { Shortened::Not })
    }

    async fn begins_well(&self, trail: &TrailRecord, care: &AuditCare) -> Result<bool, StoreError> {
        let block = self.block(trail.first).await?;
        let first = block.as_ref().and_then(|block| block.lines().next());
        Ok(first.is_some_and(|first| first.number == trail.first && begins_well(trail, &first, care)))
    }

    /// The block that begins with a line.
    async fn block(&self, first: u64) -> Result<Option<Block>, StoreError> {
        Ok(self.read_items(&[keys::trail_block(first)]).await?.pop().flatten().and_then(Block::of))
    }

    /// Answers whether there was anything to delete.
    async fn delete_all(&self, keys: Vec<Key>) -> Result<bool, StoreError> {
        let is_anything = !keys.is_empty();
        self.change_each(&keys.into_iter().map(deletion).collect::<Vec<_>>()).await?;
        Ok(is_anything)
    }
}

/// Whether the last head, if there is any, is of a key of this installation: by another one nobody believes what is dropped.
fn is_signed_here(trail: &TrailRecord, care: &AuditCare) -> bool {
    let is_ours = |head| care.signer.is_of_now(head) || care.signer.read_of_before(head).is_some();
    trail.head.as_deref().is_none_or(is_ours)
}

fn deletion(key: Key) -> Change {
    Change { key, guard: Guard::Any, effect: Effect::Delete }
}

/// What need not be kept, by when its newest event happened.
fn is_too_old(until: Option<Timestamp>, care: &AuditCare) -> bool {
    let is_older = |age| until.is_none_or(|until| care.clock.now().duration_since(until) > age);
    care.keep.age.is_some_and(is_older)
}

/// When events happened. What is of the future, by a clock that was wrong, counts beside others for nothing, and alone as what is
/// behind it, or as of now.
#[derive(Default)]
struct Newest {
    at: Option<Timestamp>,
    has_later: bool,
}

impl Newest {
    fn look<'a>(&mut self, lines: impl Iterator<Item = Line<'a>>, now: Timestamp) {
        for time in lines.filter_map(|line| line.event()).map(|event| event.time) {
            if time > now {
                self.has_later = true;
            } else {
                self.at = self.at.max(Some(time));
            }
        }
    }

    /// When the newest one did, if there is any.
    fn event(self, behind: &Block, care: &AuditCare) -> Option<Timestamp> {
        let now = care.clock.now();
        let newest_behind = || {
            let mut newest = Self::default();
            newest.look(behind.lines(), now);
            newest.at.unwrap_or(now)
        };
        self.at.or_else(|| self.has_later.then(newest_behind))
    }
}

fn newest_event<'a>(
    lines: impl Iterator<Item = Line<'a>>,
    behind: &Block,
    care: &AuditCare,
) -> Option<Timestamp> {
    let mut newest = Newest::default();
    newest.look(lines, care.clock.now());
    newest.event(behind, care)
}

/// The last line before a section, and its link, as the section's first line has it.
fn end_before(trail: &TrailRecord, section: &Block) -> Option<(u64, Chain)> {
    let first = section.lines().next().filter(|line| line.number == section.first())?;
    let chain = Chain::parse(beginning_of(trail, &first)?.previous?.as_bytes())?;
    first.follows(chain).then_some((first.number.checked_sub(1)?, chain))
}

/// Whether every line of a block follows the one before, and the first line of the next block its last.
fn leads_to(block: &Block, next: &Block) -> bool {
    let mut before: Option<(u64, Chain)> = None;
    for text in block.text().split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
        let Some(line) = Line::parse(text) else { return false };
        let follows = match before {
            Some((number, chain)) => line.number == number + 1 && line.follows(chain),
            None => line.number == block.first(),
        };
        if !follows {
            return false;
        }
        before = Some((line.number, line.chain));
    }
    let first = next.lines().next();
    let follows = |first: &Line<'_>| {
        before.is_some_and(|(last, chain)| first.number == last + 1 && first.follows(chain))
    };
    first.is_some_and(|first| follows(&first))
}

fn begins_well(trail: &TrailRecord, line: &Line<'_>, care: &AuditCare) -> bool {
    let Some(Beginning { previous, .. }) = beginning_of(trail, line) else { return false };
    let Some(previous) = previous else { return line.number == 1 && line.follows(Chain::START) };
    let is_of_here = |dropped: &TrailDropped| {
        dropped.trail == trail.id && dropped.last + 1 == line.number && dropped.chain == previous
    };
    let read = |jws| care.signer.read_dropped(jws, trail.head.as_deref());
    let dropped = trail.dropped.as_deref().and_then(read);
    dropped.is_some_and(|dropped| is_of_here(&dropped))
        && Chain::parse(previous.as_bytes()).is_some_and(|previous| line.follows(previous))
}

fn beginning_of(trail: &TrailRecord, line: &Line<'_>) -> Option<Beginning> {
    match line.content()? {
        Content::Note(Note::Trail(beginning)) if beginning.id == trail.id => Some(beginning),
        _ => None,
    }
}
