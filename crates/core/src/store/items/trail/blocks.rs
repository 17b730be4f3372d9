//! Blocks of the trail: lines as they stand in files of it, in items that are never changed.

use super::super::engine::Item;
use super::super::{ItemStore, keys};
use crate::records::audit_question::AuditQuestion;
use crate::records::trail_line::Line;
use crate::store::{EventPosition, KeptEvent, Page, StoreError};

/// As many blocks are read at once.
const AT_ONCE: usize = 8;

/// Some lines of the trail, one behind the other.
pub(super) struct Block {
    first: u64,
    text: Vec<u8>,
}

impl Block {
    /// An item whose key was changed by somebody is no block.
    pub(super) fn of(item: Item) -> Option<Self> {
        Some(Self { first: keys::first_line_of_block(&item.key)?, text: item.content })
    }

    /// Where it begins.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Its last line, if it has any that is one.
    pub(super) fn last(&self) -> u64 {
        self.lines().last().map_or(self.first, |line| line.number)
    }

    /// What is no line is left out: its number is missing, then.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.text.split(|byte| *byte == b'\n').filter_map(Line::parse)
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// The events that answer a question, the last first.
    pub(super) fn answers(&self, question: &AuditQuestion, before: Option<EventPosition>) -> Vec<KeptEvent> {
        let lines = self.lines().filter(|line| before.is_none_or(|before| line.number < before.0));
        let events = lines.filter_map(|line| Some((line.number, line.event()?)));
        let mut found: Vec<KeptEvent> = events
            .filter(|(_, event)| question.matches(event))
            .map(|(number, event)| KeptEvent { position: EventPosition(number), event, damaged: 0 })
            .collect();
        found.reverse();
        found
    }
}

impl ItemStore {
    /// The block that a line is in; if somebody took that away, the next one that is there.
    pub(super) async fn block_from(&self, line: u64) -> Result<Option<Block>, StoreError> {
        let block = self.blocks_before(Some(line + 1), 1).await?.pop();
        match block {
            Some(block) if block.last() >= line => Ok(Some(block)),
            _ => self.first_block_from(line).await,
        }
    }

    /// Looks from the end: nobody asks for what should be there and is not. The one that begins with the line may have been written
    /// since it was looked for, with others behind it.
    async fn first_block_from(&self, line: u64) -> Result<Option<Block>, StoreError> {
        let (mut found, mut before) = (None, None);
        loop {
            let blocks = self.blocks_before(before, AT_ONCE).await?;
            let Some(oldest) = blocks.last() else { return Ok(found) };
            before = Some(oldest.first());
            let is_all = oldest.first() <= line;
            found = blocks.into_iter().rfind(|block| block.first() >= line).or(found);
            if is_all {
                return Ok(found);
            }
        }
    }

    /// The block that comes next.
    pub(super) async fn block_behind(&self, block: &Block) -> Result<Option<Block>, StoreError> {
        let next = block.last() + 1;
        let items = self.read_items(&[keys::trail_block(next)]).await?;
        match items.into_iter().flatten().find_map(Block::of) {
            Some(block) => Ok(Some(block)),
            None => self.first_block_from(next).await,
        }
    }

    /// Blocks that begin before a line, the last first. What was dropped may be among them.
    pub(super) async fn blocks_before(
        &self,
        line: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Block>, StoreError> {
        let before = line.map(|line| keys::trail_block(line).sort);
        let items = self.patiently(|| self.engine.page(keys::TRAIL_BLOCKS, before.as_deref(), limit)).await?;
        Ok(items.into_iter().filter_map(Block::of).collect())
    }

    /// The events that answer a question, the one kept last first, of a trail that has a first line.
    pub(super) async fn events_backwards(
        &self,
        question: &AuditQuestion,
        page: &Page<EventPosition>,
        first: u64,
    ) -> Result<Vec<KeptEvent>, StoreError> {
        let (mut found, mut before) = (Vec::new(), page.after.map(|after| after.0));
        while found.len() < page.limit && before.is_none_or(|before| before > first) {
            let blocks = self.blocks_before(before, AT_ONCE).await?;
            let Some(oldest) = blocks.last() else { break };
            before = Some(oldest.first());
            let left = blocks.iter().filter(|block| block.first() >= first);
            found.extend(left.flat_map(|block| block.answers(question, page.after)));
        }
        found.truncate(page.limit);
        Ok(found)
    }
}
