//! The trail on its way out of a store and into it, as it was written.

use super::super::engine::{Change, Effect, Guard};
use super::super::pools::corrupt;
use super::super::{Found, ItemStore, keys, put_new};
use super::blocks::Block;
use super::gather::MAX_BLOCK;
use super::records::{SectionPart, SectionRecord, TrailRecord};
use crate::records::trail_line::{Content, Line, Note};
use crate::store::StoreError;
use crate::store::whole::CopyError;

impl ItemStore {
    /// The first line that is left, once everything in the journal has its place.
    pub(in super::super) async fn first_line_of_trail(&self) -> Result<Option<u64>, CopyError> {
        if !self.oldest_entries(1).await?.is_empty() {
            self.gather_all().await?;
        }
        let trail: Found<TrailRecord> = self.read(keys::trail()).await?;
        Ok(trail.record.map(|trail| trail.first))
    }

    /// A block of lines behind one.
    pub(in super::super) async fn lines_behind(&self, line: u64) -> Result<Vec<u8>, StoreError> {
        Ok(self.block_from(line + 1).await?.map(Block::into_text).unwrap_or_default())
    }

    /// What it takes for a block to stand behind the trail, unless it does.
    pub(in super::super) async fn next_block(&self, text: &[u8]) -> Result<Vec<Change>, StoreError> {
        let found: Found<TrailRecord> = self.read(keys::trail()).await?;
        let lines = || text.split(|byte| *byte == b'\n').filter_map(Line::parse);
        let (Some(first), Some(last)) = (lines().next(), lines().next_back()) else { return Ok(Vec::new()) };
        if found.record.as_ref().is_some_and(|trail| trail.last >= last.number) {
            return Ok(Vec::new());
        }
        let mut trail = match &found.record {
            Some(trail) => trail.clone(),
            None => TrailRecord { first: first.number, ..TrailRecord::begun(&id_in(&first)?) },
        };
        let mut changes = Vec::new();
        // Where a file begins, a section does.
        if found.is_there() && matches!(first.content(), Some(Content::Note(Note::Trail(_)))) {
            trail.section = SectionPart::default();
            changes.push(put_new(keys::trail_section(first.number), &SectionRecord {})?);
        }
        for line in lines() {
            trail.go_on(&line);
        }
        trail.count(text);
        let effect = Effect::Put { content: text.to_vec(), forgotten_at: None };
        changes.push(Change { key: keys::trail_block(first.number), guard: Guard::Absent, effect });
        changes.push(found.put(&trail)?);
        Ok(changes)
    }
}

impl TrailRecord {
    fn go_on(&mut self, line: &Line<'_>) {
        (self.last, self.chain) = (line.number, line.chain.text());
        if let Some(head) = line.head() {
            (self.signed, self.head) = (line.number, Some(head.to_owned()));
        } else if !line.is_event()
            && let Some(Content::Note(Note::Dropped(jws))) = line.content()
        {
            self.dropped = Some(jws);
        }
    }
}

/// The ID of a trail, which its first line has.
fn id_in(line: &Line<'_>) -> Result<String, StoreError> {
    match line.content() {
        Some(Content::Note(Note::Trail(beginning))) => Ok(beginning.id),
        _ => Err(corrupt(std::io::Error::other("a trail begins with another line than its first"))),
    }
}

/// Whole lines, in as many blocks as it takes.
pub(in super::super) fn blocks_of(lines: &[u8]) -> Vec<&[u8]> {
    let (mut blocks, mut rest) = (Vec::new(), lines);
    while !rest.is_empty() {
        let end = |from: usize| rest[from..].iter().position(|byte| *byte == b'\n').map(|at| from + at + 1);
        let before = rest[..rest.len().min(MAX_BLOCK)].iter().rposition(|byte| *byte == b'\n');
        let length = before.map(|at| at + 1).or_else(|| end(0)).unwrap_or(rest.len());
        let (block, left) = rest.split_at(length);
        blocks.push(block);
        rest = left;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_with_lines_and_are_everything() {
        let line = |length: usize| [vec![b'x'; length], vec![b'\n']].concat();
        for lengths in [
            vec![],
            vec![1],
            vec![MAX_BLOCK - 1],
            vec![MAX_BLOCK, 3],
            vec![5, MAX_BLOCK, 2, 2],
            vec![1_000; 500],
        ] {
            let lines: Vec<u8> = lengths.iter().flat_map(|length| line(*length)).collect();
            let blocks = blocks_of(&lines);
            assert_eq!(blocks.concat(), lines);
            for block in blocks {
                let is_one_line = block.split(|byte| *byte == b'\n').count() == 2;
                assert!(block.ends_with(b"\n") && (block.len() <= MAX_BLOCK || is_one_line));
            }
        }
    }
}
