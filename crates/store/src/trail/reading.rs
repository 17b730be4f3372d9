//! Reading lines of a file from its end, or from some line on.

use std::fs::File;
use std::mem;
use std::os::unix::fs::FileExt;

use super::folder::Folder;
use daypass_core::records::trail_line::{Chain, Line};

/// So much is read at once.
const CHUNK: u64 = 256 << 10;

/// No line is as long. What is longer is given out as a line that says nothing.
const MAX_LINE: usize = 1 << 20;

/// The lines before some place in a file, the last first. What is behind the last line break is not there yet.
pub(super) struct Backwards<'a> {
    file: &'a File,
    /// Where `text` begins in the file.
    start: u64,
    text: Vec<u8>,
    /// Up to where `text` was not given out.
    end: usize,
    /// Whether the end of a line was passed over that is too long.
    is_too_long: bool,
}

impl<'a> Backwards<'a> {
    pub(super) fn from_end(file: &'a File) -> std::io::Result<Self> {
        let length = file.metadata()?.len();
        let mut lines = Self { file, start: length, text: Vec::new(), end: 0, is_too_long: false };
        // Whatever is behind the last line break is given to nobody.
        lines.next()?;
        Ok(lines)
    }

    /// The line before.
    pub(super) fn next(&mut self) -> std::io::Result<Option<&[u8]>> {
        loop {
            let unread = &self.text[..self.end];
            if let Some(at) = memchr::memrchr(b'\n', unread) {
                let line = if mem::take(&mut self.is_too_long) { 0..0 } else { at + 1..self.end };
                self.end = at;
                return Ok(Some(&self.text[line]));
            }
            if self.start == 0 {
                let line = if mem::take(&mut self.is_too_long) { 0..0 } else { 0..self.end };
                let first = mem::take(&mut self.end) > 0;
                return Ok(first.then(|| &self.text[line]));
            }
            if self.end > MAX_LINE {
                (self.is_too_long, self.end) = (true, 0);
            }
            self.read_before()?;
        }
    }

    fn read_before(&mut self) -> std::io::Result<()> {
        let length = self.start.min(CHUNK);
        let mut text = vec![0; usize::try_from(length).expect("a chunk fits into memory")];
        self.file.read_exact_at(&mut text, self.start - length)?;
        text.extend_from_slice(&self.text[..self.end]);
        self.start -= length;
        self.end = text.len();
        self.text = text;
        Ok(())
    }
}

/// The lines of a file from some place on. What is behind the last line break is not there yet.
pub(super) struct Forwards<'a> {
    file: &'a File,
    /// Where `text` ends in the file.
    end: u64,
    text: Vec<u8>,
    /// From where `text` was not given out.
    start: usize,
    /// Whether the beginning of a line was passed over that is too long.
    is_too_long: bool,
}

impl<'a> Forwards<'a> {
    /// From a line break on, or from the beginning.
    pub(super) fn from(file: &'a File, start: u64) -> Self {
        Self { file, end: start, text: Vec::new(), start: 0, is_too_long: false }
    }

    /// The next line, and where it begins.
    pub(super) fn next(&mut self) -> std::io::Result<Option<(u64, &[u8])>> {
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.text[self.start..]) {
                let begins = self.end - (self.text.len() - self.start) as u64;
                let line =
                    if mem::take(&mut self.is_too_long) { 0..0 } else { self.start..self.start + length };
                self.start += length + 1;
                return Ok(Some((begins, &self.text[line])));
            }
            if self.text.len() - self.start > MAX_LINE {
                (self.is_too_long, self.start) = (true, self.text.len());
            }
            if !self.read_more()? {
                return Ok(None);
            }
        }
    }

    /// Whether something is left, which is no line.
    pub(super) fn has_rest(&self) -> bool {
        self.is_too_long || self.start < self.text.len()
    }

    fn read_more(&mut self) -> std::io::Result<bool> {
        self.text.drain(..self.start);
        self.start = 0;
        let kept = self.text.len();
        self.text.resize(kept + usize::try_from(CHUNK).expect("a chunk fits into memory"), 0);
        let read = self.file.read_at(&mut self.text[kept..], self.end)?;
        self.text.truncate(kept + read);
        self.end += read as u64;
        Ok(read > 0)
    }
}

/// The line that begins at a place.
pub(super) fn line_at(file: &File, start: u64) -> std::io::Result<Option<Vec<u8>>> {
    Ok(Forwards::from(file, start).next()?.map(|(_, line)| line.to_vec()))
}

/// What is found of a line.
pub(super) enum Found {
    Link(Chain),
    /// All files begin behind it.
    Dropped,
    Nothing,
}

/// The line with a number, which begins with 1, if it is there.
pub(super) fn line_of(folder: &Folder, number: u64) -> std::io::Result<Option<Vec<u8>>> {
    let files = folder.files()?;
    let Some(file) = files.iter().rev().find(|file| file.first <= number) else { return Ok(None) };
    let open = file.read()?;
    let line = line_at(&open, place_after(&open, number.saturating_sub(1))?)?;
    Ok(line.filter(|line| Line::parse(line).is_some_and(|line| line.number == number)))
}

/// The link of the line with a number.
pub(super) fn link_of(folder: &Folder, number: u64) -> std::io::Result<Found> {
    let files = folder.files()?;
    if files.first().is_some_and(|file| file.first > number) {
        return Ok(Found::Dropped);
    }
    let line = line_of(folder, number)?;
    Ok(line.as_deref().and_then(Line::parse).map_or(Found::Nothing, |line| Found::Link(line.chain)))
}

/// Where the first line begins whose number is greater.
pub(super) fn place_after(file: &File, number: u64) -> std::io::Result<u64> {
    let (mut low, mut high) = (0, file.metadata()?.len());
    // Every line that begins before `low` has a number that is not greater; none that begins at `high` or behind has.
    while high - low > CHUNK {
        let middle = low + (high - low) / 2;
        match first_behind(file, middle)? {
            Some((begins, found)) if begins < high && found <= number => low = begins,
            _ => high = middle,
        }
    }
    let mut lines = Forwards::from(file, low);
    while let Some((begins, line)) = lines.next()? {
        if Line::parse(line).is_some_and(|line| line.number > number) {
            return Ok(begins);
        }
    }
    Ok(file.metadata()?.len())
}

/// The first line that begins behind a place, with its number.
fn first_behind(file: &File, place: u64) -> std::io::Result<Option<(u64, u64)>> {
    let mut lines = Forwards::from(file, place);
    lines.next()?;
    while let Some((begins, line)) = lines.next()? {
        if let Some(line) = Line::parse(line) {
            return Ok(Some((begins, line.number)));
        }
    }
    Ok(None)
}
