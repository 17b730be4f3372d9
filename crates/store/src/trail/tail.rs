//! The end of the trail: where the next line goes. Whoever looks holds the lock, so what is not whole was left by somebody
//! who was killed, or by a loss of power, before anybody was answered.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use super::folder::{Folder, TrailFile};
use super::trouble::TrailTrouble as Trouble;
use daypass_core::records::trail_line::{
    Beginning, Chain, Content, Line, Missing, Note, Torn, head_in, members, write,
};

/// More than is ever written at once, and a line: whatever was under way is within. So much is looked at, at once.
const WINDOW: u64 = 1 << 20;

/// More than the first line of a file takes.
const BEGINNING: u64 = 4096;

/// The end.
#[derive(Debug)]
pub(super) struct Tail {
    file: File,
    at: TrailFile,
    /// Device and inode.
    seen: (u64, u64),
    /// Up to where the file has whole lines.
    length: u64,
    /// The trail's ID.
    pub(super) trail: String,
    /// The last whole line.
    pub(super) last: Last,
}

/// The last whole line, and what those near it say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) number: u64,
    pub(super) chain: Chain,
    /// Whether the file has ended.
    pub(super) ended: bool,
    /// So many lines at least are behind the last head.
    pub(super) unsigned: u64,
    /// The last head, if it is near.
    pub(super) head: Option<Arc<str>>,
    /// What the trail said last was missing.
    pub(super) missing: Option<Missing>,
}

impl Tail {
    /// Begins a trail.
    pub(super) fn begin(folder: &Folder, trail: String) -> Result<Self, Trouble> {
        Self::begin_file(folder, trail, None)
    }

    /// Begins the file behind this one, which has ended.
    pub(super) fn begin_next(&self, folder: &Folder) -> Result<Self, Trouble> {
        Self::begin_file(folder, self.trail.clone(), Some(&self.last))
    }

    fn begin_file(folder: &Folder, trail: String, before: Option<&Last>) -> Result<Self, Trouble> {
        let first = before.map_or(0, |before| before.number) + 1;
        let at = folder.file(first);
        let failed = |error| Trouble::file(&at.path)(error);
        let previous = before.map(|before| before.chain);
        let beginning = Beginning { id: trail.clone(), previous: previous.map(Chain::text) };
        let mut text = Vec::new();
        let note = members(&Note::Trail(beginning));
        let chain = write(&mut text, first, &note, previous.unwrap_or(Chain::START));
        let mut file = folder.create(&at).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        folder.sync().map_err(Trouble::file(folder.path()))?;
        let seen = identity(&file.metadata().map_err(failed)?);
        let unsigned = before.map_or(0, |before| before.unsigned) + 1;
        let missing = before.and_then(|before| before.missing.clone());
        let head = before.and_then(|before| before.head.clone());
        let last = Last { number: first, chain, ended: false, unsigned, head, missing };
        Ok(Self { file, at, seen, length: text.len() as u64, trail, last })
    }

    /// The end of a file, with what was torn. `None` if somebody was killed before the file had a first line.
    pub(super) fn of(folder: &Folder, at: TrailFile) -> Result<Option<(Self, Option<Torn>)>, Trouble> {
        let failed = |error| Trouble::file(&at.path)(error);
        let file = at.open().map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        let Some(trail) = trail_of(&file, found.len()).map_err(failed)? else {
            // Whoever was killed while they began it had written no whole line. What has one is not written over.
            let begun = has_line(&file, found.len()).map_err(failed)?;
            return if begun { Err(Trouble::Damaged(at.path)) } else { Ok(None) };
        };
        let start = found.len().saturating_sub(WINDOW);
        let mut window = read(&file, start, found.len()).map_err(failed)?;
        // What a loss of power left out of the last write reads as zeros, which no line has: what is behind was not answered.
        let written = memchr::memchr(0, &window).unwrap_or(window.len());
        window.truncate(written);
        let skipped = if start == 0 { 0 } else { line_end(&window).unwrap_or(window.len()) };
        let mut whole = Whole::default();
        whole.take(&window[skipped..], Behind::Anything);
        let Some(last) = whole.last else { return Err(Trouble::Damaged(at.path)) };
        let length = start + (skipped + whole.length) as u64;
        let seen = identity(&found);
        let tail = Self { file, at, seen, length, trail, last };
        let torn = tail.put_away_torn(folder)?;
        Ok(Some((tail, torn)))
    }

    /// Reads what others wrote since, and answers what was torn.
    pub(super) fn catch_up(&mut self, folder: &Folder) -> Result<Option<Torn>, Trouble> {
        let length = self.file.metadata().map_err(Trouble::file(&self.at.path))?.len();
        if length == self.length {
            return Ok(None);
        }
        if length < self.length {
            return Err(Trouble::Cut { path: self.at.path.clone(), number: self.last.number });
        }
        while self.read_on(length)? {}
        // A kill leaves the beginning of what was written, and no power failed since this process wrote.
        let left = self.torn()?;
        if left.is_some_and(|left| left.contains(&b'\n')) {
            return Err(Trouble::Damaged(self.at.path.clone()));
        }
        self.put_away_torn(folder)
    }

    /// Reads what others wrote up to a length, as much as is read at once. Whether there was any.
    fn read_on(&mut self, length: u64) -> Result<bool, Trouble> {
        let end = length.min(self.length + WINDOW);
        let new = read(&self.file, self.length, end).map_err(Trouble::file(&self.at.path))?;
        let mut whole = Whole { length: 0, last: Some(self.last.clone()) };
        whole.take(&new, Behind::WhatItFollows);
        self.last = whole.last.expect("it began with one");
        self.length += whole.length as u64;
        Ok(whole.length > 0)
    }

    /// Writes lines behind the end, and has them outlive a loss of power. If it fails, none of them is there, as far as
    /// that can be had.
    pub(super) fn write(&mut self, lines: &[Vec<u8>]) -> Result<(), Trouble> {
        let Last { mut number, mut chain, mut unsigned, .. } = self.last;
        let mut head = None;
        let mut text = Vec::with_capacity(lines.iter().map(|line| line.len() + 96).sum());
        for line in lines {
            number += 1;
            chain = write(&mut text, number, line, chain);
            unsigned += 1;
            if let Some(jws) = head_in(line) {
                (unsigned, head) = (0, Some(jws.into()));
            }
        }
        let written = self.file.write_all_at(&text, self.length).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What cannot be taken back is an event of something that was not granted; the next who looks takes it for whole.
            let _ = self.file.set_len(self.length);
            return Err(Trouble::file(&self.at.path)(error));
        }
        self.check()?;
        (self.last.number, self.last.chain, self.last.unsigned) = (number, chain, unsigned);
        self.last.head = head.or(self.last.head.take());
        self.length += text.len() as u64;
        Ok(())
    }

    /// Notes that the last line written was the file's last.
    pub(super) fn end(&mut self) -> TrailFile {
        self.last.ended = true;
        self.at.clone()
    }

    /// The first line of the file.
    pub(super) fn first(&self) -> u64 {
        self.at.first
    }

    /// How long the file is.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether the path still leads to the file that is open.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        let found = fs::metadata(&self.at.path).ok();
        let same = found.is_some_and(|found| identity(&found) == self.seen);
        if same { Ok(()) } else { Err(Trouble::Displaced(self.at.path.clone())) }
    }

    /// What is behind the last whole line. More than is ever written at once is something else.
    fn torn(&self) -> Result<Option<Vec<u8>>, Trouble> {
        let failed = |error| Trouble::file(&self.at.path)(error);
        let length = self.file.metadata().map_err(failed)?.len();
        match length - self.length {
            0 => Ok(None),
            1..=WINDOW => read(&self.file, self.length, length).map_err(failed).map(Some),
            _ => Err(Trouble::Damaged(self.at.path.clone())),
        }
    }

    /// What is behind the last whole line was answered to nobody. It is put away rather than thrown away: if it was
    /// acknowledged after all, somebody has changed the file.
    fn put_away_torn(&self, folder: &Folder) -> Result<Option<Torn>, Trouble> {
        let failed = |error| Trouble::file(&self.at.path)(error);
        let Some(torn) = self.torn()? else { return Ok(None) };
        let place = folder.place_for_torn(self.last.number);
        put_away(folder, &place, &torn).map_err(Trouble::file(&place))?;
        self.file.set_len(self.length).and_then(|()| self.file.sync_all()).map_err(failed)?;
        let kept_in = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let has_holes = torn.contains(&0);
        let lines = if has_holes { 0 } else { memchr::memchr_iter(b'\n', &torn).count() as u64 };
        Ok(Some(Torn { bytes: torn.len() as u64, lines, kept_in }))
    }
}

/// Has a file of something, or none.
fn put_away(folder: &Folder, place: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = folder.open(place, OpenOptions::new().create_new(true))?;
    let kept = file.write_all(text).and_then(|()| file.sync_all()).and_then(|()| folder.sync());
    kept.inspect_err(|_| drop(fs::remove_file(place)))
}

/// How far a text has whole lines.
#[derive(Debug, Default)]
struct Whole {
    length: usize,
    last: Option<Last>,
}

/// What a line may stand behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// The line that it follows, for whoever knows that.
    WhatItFollows,
    /// One that was changed: what is behind that stays, for whoever verifies.
    Anything,
}

impl Whole {
    /// A line that was changed stands before others that follow it; what was torn has nothing behind it that is whole.
    fn take(&mut self, text: &[u8], behind: Behind) {
        let (mut at, mut before) = (0, self.last.as_ref().map(|last| last.chain));
        while let Some(end) = line_end(&text[at..]) {
            let line = Line::parse(&text[at..at + end - 1]);
            at += end;
            if let Some(line) = line
                && before.is_none_or(|before| line.follows(before))
            {
                self.length = at;
                self.last = Some(Last::behind(self.last.take(), &line));
            } else if behind == Behind::WhatItFollows {
                return;
            }
            before = line.map(|line| line.chain);
        }
    }
}

impl Last {
    fn behind(before: Option<Self>, line: &Line<'_>) -> Self {
        let (unsigned, head, missing) =
            before.map_or((0, None, None), |before| (before.unsigned, before.head, before.missing));
        let unsigned = unsigned + 1;
        let last = Self { number: line.number, chain: line.chain, ended: false, unsigned, head, missing };
        if line.is_event() {
            return last;
        }
        match line.content() {
            Some(Content::Note(Note::Head(jws))) => Self { unsigned: 0, head: Some(jws.into()), ..last },
            Some(Content::Note(Note::End(_))) => Self { ended: true, ..last },
            Some(Content::Note(Note::Missing(missing))) => Self { missing: Some(missing), ..last },
            _ => last,
        }
    }

    /// What was said before stands in a file before, for whoever comes from there.
    pub(super) fn go_on_from(&mut self, before: &Self) {
        if self.head.is_none() {
            self.head.clone_from(&before.head);
        }
        if self.missing.is_none() {
            self.missing.clone_from(&before.missing);
        }
    }
}

/// The trail whose file it is, by its first line.
fn trail_of(file: &File, length: u64) -> std::io::Result<Option<String>> {
    let beginning = read(file, 0, length.min(BEGINNING))?;
    let line = line_end(&beginning).and_then(|end| Line::parse(&beginning[..end - 1]));
    Ok(line.and_then(|line| match line.content()? {
        Content::Note(Note::Trail(beginning)) => Some(beginning.id),
        _ => None,
    }))
}

/// Whether there is a whole line, or more than the first line of a file ever has.
fn has_line(file: &File, length: u64) -> std::io::Result<bool> {
    let beginning = read(file, 0, length.min(BEGINNING))?;
    Ok(length > BEGINNING || line_end(&beginning).is_some())
}

/// Where the first line ends, with its break.
fn line_end(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', text).map(|at| at + 1)
}

fn read(file: &File, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    let mut text = vec![0; usize::try_from(to - from).expect("a window fits into memory")];
    file.read_exact_at(&mut text, from)?;
    Ok(text)
}

pub(super) fn identity(found: &fs::Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
