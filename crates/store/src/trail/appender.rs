//! Appends to a trail, one process at a time. Several may have the same trail: a server, and commands beside it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::random::{Random, SystemRandom};
use daypass_core::records::trail_head::TrailHead;

use super::folder::{Folder, TrailFile};
use super::line::{Chain, Ending, Missing, Note, Torn, members};
use super::tail::Tail;
use super::trouble::TrailTrouble as Trouble;

/// How often somebody tries who waits for the lock.
const PAUSE: Duration = Duration::from_micros(100);

/// Where a trail ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// The trail's ID.
    pub(super) trail: String,
    pub(super) number: u64,
    pub(super) chain: Chain,
}

/// How much, and how long; tests have small ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A file that is longer ends.
    pub(super) file: u64,
    /// So long somebody else may have the lock.
    pub(super) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: 32 << 20, patience: Duration::from_secs(5) }
    }
}

/// Whoever appends.
#[derive(Debug)]
pub(crate) struct Appender {
    folder: Folder,
    limits: Limits,
    lock: File,
    tail: Tail,
    /// As far as this process has seen the trail. Should it ever end before, something is gone.
    seen: End,
    /// Whether something went wrong, after which the end has to be found anew.
    lost: bool,
    /// Whether lines were missing that had been signed, which the trail says now.
    pub(crate) had_lines_missing: bool,
}

impl Appender {
    /// Goes on with the trail in a folder, or begins one. `signed` is the newest head that the store has kept of it.
    pub(super) fn open(path: &Path, signed: Option<&TrailHead>, limits: Limits) -> Result<Self, Trouble> {
        let folder = Folder::at(path);
        folder.make().map_err(Trouble::file(path))?;
        let lock = folder.lock().map_err(Trouble::file(path))?;
        let held = Held::of(&lock, path, limits.patience)?;
        let (mut tail, torn) = last_tail(&folder, None)?;
        let mut notes: Vec<Note> = torn.map(Note::Torn).into_iter().collect();
        let missing = signed.and_then(|signed| missing(signed, &tail));
        let had_lines_missing = missing.is_some();
        notes.extend(missing.map(Note::Missing));
        note(&folder, &mut tail, &notes)?;
        drop(held);
        let seen = end_of(&tail);
        Ok(Self { folder, limits, lock, tail, seen, lost: false, had_lines_missing })
    }

    /// Appends lines whose text may depend on where they go.
    pub(super) fn append(&mut self, lines: impl FnOnce(&End) -> Vec<Vec<u8>>) -> Result<(), Trouble> {
        self.with_tail(|folder, tail| {
            go_on(folder, tail)?;
            tail.write(&lines(&end_of(tail)))
        })
    }

    /// Appends lines, and begins the next file if it is time.
    pub(crate) fn append_in_files(&mut self, lines: Vec<Vec<u8>>) -> Result<(), Trouble> {
        self.append(|_| lines)?;
        if self.is_full() { self.begin_next_file() } else { Ok(()) }
    }

    /// Whether it is time for the next file.
    pub(super) fn is_full(&self) -> bool {
        self.tail.length() > self.limits.file
    }

    /// Ends the file, unless somebody else has, and begins the next.
    pub(super) fn begin_next_file(&mut self) -> Result<(), Trouble> {
        let first = self.tail.first();
        self.with_tail(|folder, tail| {
            if tail.first() == first && !tail.ended {
                end(tail)?;
            }
            go_on(folder, tail)
        })
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Has the end as it is now, with everybody else kept out.
    fn with_tail<T>(
        &mut self,
        act: impl FnOnce(&Folder, &mut Tail) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let held = Held::of(&self.lock, self.folder.path(), self.limits.patience)?;
        let outcome = catch_up(&self.folder, &mut self.tail, &self.seen, self.lost)
            .and_then(|()| act(&self.folder, &mut self.tail));
        drop(held);
        self.lost = outcome.is_err();
        if outcome.is_ok() {
            self.seen = end_of(&self.tail);
        }
        outcome
    }
}

/// Reads what others wrote since, or finds the end anew.
fn catch_up(folder: &Folder, tail: &mut Tail, seen: &End, lost: bool) -> Result<(), Trouble> {
    let mut torn: Vec<Torn> = Vec::new();
    // A file that somebody else ended may have been dropped since, and others been begun.
    if lost || tail.check().is_err() {
        let (found, left) = last_tail(folder, Some(seen))?;
        *tail = found;
        torn.extend(left);
    } else {
        torn.extend(tail.catch_up(folder)?);
        while tail.ended
            && let Some((next, left)) = existing(folder, tail)?
        {
            *tail = next;
            torn.extend(left);
        }
    }
    note(folder, tail, &torn.into_iter().map(Note::Torn).collect::<Vec<_>>())
}

/// The file behind one that ended, if somebody has begun it.
fn existing(folder: &Folder, tail: &Tail) -> Result<Option<(Tail, Option<Torn>)>, Trouble> {
    let next = folder.file(tail.number + 1);
    if next.path.exists() { Tail::of(folder, next) } else { Ok(None) }
}

/// Begins the file behind one that ended, where nobody has.
fn go_on(folder: &Folder, tail: &mut Tail) -> Result<(), Trouble> {
    if tail.ended {
        *tail = Tail::begin(folder, tail.number + 1, &tail.trail.clone(), Some(tail.chain))?;
    }
    Ok(())
}

fn end(tail: &mut Tail) -> Result<TrailFile, Trouble> {
    tail.write(&[members(&Note::End(Ending {}))])?;
    Ok(tail.end())
}

/// The end of the last file. A trail that was `seen` is begun by nobody.
fn last_tail(folder: &Folder, seen: Option<&End>) -> Result<(Tail, Option<Torn>), Trouble> {
    let mut files = folder.files().map_err(Trouble::file(folder.path()))?;
    let mut found = None;
    // Whoever was killed while they made a file left nothing in it.
    while found.is_none()
        && let Some(file) = files.pop()
    {
        found = Tail::of(folder, file)?;
    }
    let gone = |number| Trouble::Cut { path: folder.path().to_owned(), number };
    match (found, seen) {
        (Some((tail, _)), Some(seen)) if tail.number < seen.number || tail.trail != seen.trail => {
            Err(gone(seen.number))
        }
        (None, Some(seen)) => Err(gone(seen.number)),
        (Some(found), _) => Ok(found),
        (None, None) => Ok((Tail::begin(folder, 1, &new_id(), None)?, None)),
    }
}

/// What a head says that was signed once, and the trail has not got.
fn missing(signed: &TrailHead, tail: &Tail) -> Option<Missing> {
    let gone = signed.trail != tail.trail || signed.n > tail.number;
    gone.then(|| Missing { trail: signed.trail.clone(), until: signed.n, chain: signed.chain.clone() })
}

fn note(folder: &Folder, tail: &mut Tail, notes: &[Note]) -> Result<(), Trouble> {
    if notes.is_empty() {
        return Ok(());
    }
    go_on(folder, tail)?;
    tail.write(&notes.iter().map(members).collect::<Vec<_>>())
}

fn end_of(tail: &Tail) -> End {
    End { trail: tail.trail.clone(), number: tail.number, chain: tail.chain }
}

fn new_id() -> String {
    let random: &dyn Random = &SystemRandom;
    BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<16>())
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for, whatever a clock says")]
fn pause() {
    std::thread::sleep(PAUSE);
}

/// The lock, as long as it is held.
struct Held<'a>(&'a File);

impl<'a> Held<'a> {
    /// Others hold it for a write each. Whoever was stopped in the middle of one keeps nobody waiting for good.
    fn of(file: &'a File, path: &Path, patience: Duration) -> Result<Self, Trouble> {
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => pause(),
                Err(TryLockError::WouldBlock) => return Err(Trouble::Locked(path.to_owned())),
                Err(TryLockError::Error(error)) => return Err(Trouble::file(path)(error)),
            }
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // It ends with the file at the latest.
        let _ = self.0.unlock();
    }
}
