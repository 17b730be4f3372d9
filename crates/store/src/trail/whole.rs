//! A trail in files on its way out of a store and into it, as it was written. Where a line begins a file, another file begins.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use daypass_core::audit::head_key::head_as_anybody_says;
use daypass_core::records::trail_head::TrailHead;
use daypass_core::records::trail_line::{Chain, Content, Line, Note};

use super::folder::Folder;
use super::reading::{Forwards, place_after};

/// About so much is read at once.
const AT_ONCE: usize = 128 << 10;

/// The number of the first line that is left, if there is a trail.
pub(crate) fn first_line(folder: &Path) -> io::Result<Option<u64>> {
    match Folder::at(folder).files() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        files => Ok(files?.first().map(|file| file.first)),
    }
}

/// Whole lines behind one, each with its end.
pub(crate) fn lines_after(folder: &Path, number: u64) -> io::Result<Vec<u8>> {
    let files = Folder::at(folder).files()?;
    // The last file that begins no later has the line, unless it ends before.
    let at = files.partition_point(|file| file.first <= number + 1).saturating_sub(1);
    let mut text = Vec::new();
    for file in &files[at.min(files.len())..] {
        let open = file.read()?;
        let start = if file.first > number { 0 } else { place_after(&open, number)? };
        let mut lines = Forwards::from(&open, start);
        while text.len() < AT_ONCE
            && let Some((_, line)) = lines.next()?
        {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        if !text.is_empty() {
            break;
        }
    }
    Ok(text)
}

/// Takes away a trail that an attempt at a copy left.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The files of a trail that is brought.
#[derive(Debug)]
pub(crate) struct BroughtTrail {
    folder: Folder,
    file: Option<BufWriter<File>>,
    trail: Option<String>,
    before: Option<(u64, Chain)>,
    /// The newest head that says what is there.
    head: Option<TrailHead>,
}

impl BroughtTrail {
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: Folder::at(folder), file: None, trail: None, before: None, head: None }
    }

    /// Writes whole lines behind those that are there. The folder is made beside the database with the first.
    pub(crate) fn append(&mut self, database: &Path, lines: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.folder.make(database)?;
        }
        for text in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = Line::parse(text.strip_suffix(b"\n").unwrap_or(text));
            let line = line.ok_or_else(|| io::Error::other("this is no line of a trail"))?;
            self.note(&line)?;
            let file = self.file.as_mut();
            file.ok_or_else(|| io::Error::other("a trail begins without its first line"))?.write_all(text)?;
            self.before = Some((line.number, line.chain));
        }
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }

    /// Has everything outlive a loss of power, and answers the newest head.
    pub(crate) fn finish(&mut self) -> io::Result<Option<TrailHead>> {
        self.end_file()?;
        Ok(self.head.take())
    }

    fn note(&mut self, line: &Line<'_>) -> io::Result<()> {
        if line.is_event() {
            return Ok(());
        }
        if let Some(Content::Note(Note::Trail(beginning))) = line.content() {
            self.end_file()?;
            self.file = Some(BufWriter::new(self.folder.create(&self.folder.file(line.number))?));
            self.trail = Some(beginning.id);
        }
        let head = line.head().and_then(head_as_anybody_says);
        let is_of_here = |head: &TrailHead| {
            let before = self.before.map(|(number, chain)| (number, chain.text()));
            self.trail.as_ref() == Some(&head.trail) && before == Some((head.n, head.chain.clone()))
        };
        if let Some(head) = head.filter(is_of_here) {
            self.head = Some(head);
        }
        Ok(())
    }

    fn end_file(&mut self) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        self.folder.sync()
    }
}
