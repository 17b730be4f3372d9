//! From where to where a trail goes.

use std::fs::File;
use std::io::{self, ErrorKind};

use daypass_core::store::{EventPosition, TrailExtent};

use super::folder::Folder;
use super::reading::{Backwards, Forwards};
use daypass_core::records::trail_line::{Content, Line, Note};

/// From where to where the trail in a folder goes now.
pub(super) fn find(folder: &Folder) -> io::Result<TrailExtent> {
    let files = folder.files()?;
    // A file that was just begun may have no line yet.
    for file in files.iter().rev() {
        let open = file.read()?;
        if let (Some(trail), Some(last)) = (trail_of(&open)?, last_of(&open)?) {
            let first = EventPosition(files[0].first);
            return Ok(TrailExtent { trail, first, last: EventPosition(last) });
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// Whose file it is, by its first line.
fn trail_of(file: &File) -> io::Result<Option<String>> {
    let mut lines = Forwards::from(file, 0);
    let first = lines.next()?.and_then(|(_, line)| Line::parse(line)?.content());
    Ok(match first {
        Some(Content::Note(Note::Trail(beginning))) => Some(beginning.id),
        _ => None,
    })
}

fn last_of(file: &File) -> io::Result<Option<u64>> {
    let mut lines = Backwards::from_end(file)?;
    while let Some(line) = lines.next()? {
        if let Some(line) = Line::parse(line) {
            return Ok(Some(line.number));
        }
    }
    Ok(None)
}
