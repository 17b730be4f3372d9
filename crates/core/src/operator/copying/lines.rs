//! Lines of a trail on their way: whether each follows the one before.

use crate::records::trail_line::{Chain, Content, Line, Note};
use crate::store::whole::CopyError;

/// A trail, as far as it was read.
#[derive(Debug)]
pub(super) struct Followed {
    /// The last line; before the first, the one that the first would follow.
    last: u64,
    /// Its link, unless it was not read.
    link: Option<Chain>,
}

impl Followed {
    /// One whose first line has a number.
    pub(super) fn from(first: u64) -> Self {
        Self { last: first.saturating_sub(1), link: None }
    }

    /// The last line that was read.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Reads on. Every text has an end behind it.
    pub(super) fn follow(&mut self, text: &[u8]) -> Result<(), CopyError> {
        let next = self.last + 1;
        let line = Line::parse(text).filter(|line| line.number == next).ok_or(CopyError::Trail(next))?;
        let before = match self.link {
            Some(link) => Some(link),
            None => beginning_of(&line),
        };
        if !before.is_some_and(|before| line.follows(before)) {
            return Err(CopyError::Trail(next));
        }
        (self.last, self.link) = (line.number, Some(line.chain));
        Ok(())
    }
}

/// What the first line that is left says that it follows.
fn beginning_of(line: &Line<'_>) -> Option<Chain> {
    match line.content()? {
        Content::Note(Note::Trail(beginning)) => {
            beginning.previous.map_or(Some(Chain::START), |previous| Chain::parse(previous.as_bytes()))
        }
        _ => None,
    }
}

/// The lines of a text, each without its end.
pub(super) fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').filter(|_| !text.is_empty())
}
