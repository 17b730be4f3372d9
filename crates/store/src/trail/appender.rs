//! Appends to a trail, one process at a time. Several may have the same trail: a server, and commands beside it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::random::{Random, SystemRandom};
use daypass_core::records::trail_head::TrailHead;

use super::folder::{Folder, TrailFile};
use super::lock::Lock;
use super::reading::{self, Found};
use super::tail::{Last, Tail};
use super::trouble::TrailTrouble as Trouble;
use daypass_core::records::trail_line::{Chain, Content, Ending, Line, Missing, Note, Torn, link, members};

/// Where a trail ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// The trail's ID.
    pub(super) trail: String,
    pub(super) number: u64,
    pub(super) chain: Chain,
    /// So many lines at least are behind the last head.
    pub(super) unsigned: u64,
    /// The last head, if it is near.
    pub(super) head: Option<Arc<str>>,
}

impl End {
    /// The end when one more line is behind it.
    pub(super) fn behind(self, members: &[u8]) -> Self {
        let (number, unsigned) = (self.number + 1, self.unsigned + 1);
        Self { number, unsigned, chain: link(number, members, self.chain), ..self }
    }
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
    lock: Lock,
    tail: Tail,
    /// As far as this process has seen the trail. Should that ever not be there, something is gone.
    seen: End,
    /// Whether something went wrong, after which the end has to be found anew.
    lost: bool,
    /// The head that was kept elsewhere, if what it vouches for was not there.
    missed: Option<TrailHead>,
}

impl Appender {
    /// Goes on with the trail in a folder, or begins one. `signed` is the newest head that the store has kept of it; what
    /// is missing of that is said before anything else is written.
    pub(super) fn open(
        path: &Path,
        database: &Path,
        signed: Option<&TrailHead>,
        limits: Limits,
    ) -> Result<Self, Trouble> {
        let folder = Folder::at(path);
        folder.make(database).map_err(Trouble::file(path))?;
        let mut lock = Lock::of(&folder, limits.patience)?;
        let held = lock.hold()?;
        let (mut tail, torn) = last_tail(&folder, None)?;
        note(&folder, &mut tail, &torn.map(Note::Torn).into_iter().collect::<Vec<_>>())?;
        let missed = match signed {
            Some(signed) if !has_line(&folder, &tail, &signed.trail, signed.n, &signed.chain)? => {
                Some(signed.clone())
            }
            _ => None,
        };
        if let (None, None, Some(signed)) = (&tail.last.head, &missed, signed) {
            tail.last.head = head_behind(&folder, signed.n).map_err(Trouble::file(path))?;
        }
        drop(held);
        let seen = end_of(&tail);
        Ok(Self { folder, limits, lock, tail, seen, lost: false, missed })
    }

    /// The head that was kept elsewhere, if what it vouches for was not there.
    pub(super) fn missed(&self) -> Option<&TrailHead> {
        self.missed.as_ref()
    }

    /// The last head, if it is near, as far as is known here.
    pub(super) fn head(&self) -> Option<Arc<str>> {
        self.tail.last.head.clone()
    }

    /// So many lines at least are behind the last head, as far as is known here.
    pub(super) fn unsigned(&self) -> u64 {
        self.tail.last.unsigned
    }

    /// Appends lines whose text may depend on where they go.
    pub(super) fn append(&mut self, lines: impl FnOnce(&End) -> Vec<Vec<u8>>) -> Result<(), Trouble> {
        let missed = self.missed.clone();
        self.with_tail(|folder, tail| {
            tell_missed(folder, tail, missed.as_ref())?;
            go_on(folder, tail)?;
            let lines = lines(&end_of(tail));
            tail.write(&lines)
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
            if tail.first() == first && !tail.last.ended {
                end(tail)?;
            }
            go_on(folder, tail)
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Has the end as it is now, with everybody else kept out.
    fn with_tail<T>(
        &mut self,
        act: impl FnOnce(&Folder, &mut Tail) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let held = self.lock.hold()?;
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
        let (mut found, left) = last_tail(folder, Some(seen))?;
        found.last.go_on_from(&tail.last);
        *tail = found;
        torn.extend(left);
    } else {
        torn.extend(tail.catch_up(folder)?);
        while tail.last.ended
            && let Some((mut next, left)) = existing(folder, tail)?
        {
            next.last.go_on_from(&tail.last);
            *tail = next;
            torn.extend(left);
        }
    }
    note(folder, tail, &torn.into_iter().map(Note::Torn).collect::<Vec<_>>())
}

/// The file behind one that ended, if somebody has begun it.
fn existing(folder: &Folder, tail: &Tail) -> Result<Option<(Tail, Option<Torn>)>, Trouble> {
    let next = folder.file(tail.last.number + 1);
    if next.path.exists() { Tail::of(folder, next) } else { Ok(None) }
}

/// Begins the file behind one that ended, where nobody has.
fn go_on(folder: &Folder, tail: &mut Tail) -> Result<(), Trouble> {
    if tail.last.ended {
        *tail = tail.begin_next(folder)?;
    }
    Ok(())
}

fn end(tail: &mut Tail) -> Result<TrailFile, Trouble> {
    tail.write(&[members(&Note::End(Ending {}))])?;
    Ok(tail.end())
}

/// The end of the last file. A trail that was `seen` is begun by nobody, and none that is another is gone on with.
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
        (Some((tail, _)), Some(seen))
            if !has_line(folder, &tail, &seen.trail, seen.number, &seen.chain.text())? =>
        {
            Err(gone(seen.number))
        }
        (None, Some(seen)) => Err(gone(seen.number)),
        (Some(found), _) => Ok(found),
        (None, None) => Ok((Tail::begin(folder, new_id())?, None)),
    }
}

/// Whether a trail has a line with a link: it, and by it every line before, is as it was. A line that was dropped with its
/// file is vouched for by whoever signed that it was.
fn has_line(folder: &Folder, tail: &Tail, trail: &str, number: u64, link: &str) -> Result<bool, Trouble> {
    if tail.trail != trail || tail.last.number < number {
        return Ok(false);
    }
    let found = reading::link_of(folder, number).map_err(Trouble::file(folder.path()))?;
    Ok(match found {
        Found::Link(found) => found.text() == link,
        Found::Dropped => true,
        Found::Nothing => false,
    })
}

/// The head that stands behind the line that it is of.
fn head_behind(folder: &Folder, number: u64) -> std::io::Result<Option<Arc<str>>> {
    let line = reading::line_of(folder, number + 1)?;
    let line = line.as_deref().and_then(Line::parse).filter(|line| !line.is_event());
    Ok(match line.and_then(|line| line.content()) {
        Some(Content::Note(Note::Head(jws))) => Some(jws.into()),
        _ => None,
    })
}

/// Says what was signed once and is not there, unless the trail says so already.
fn tell_missed(folder: &Folder, tail: &mut Tail, missed: Option<&TrailHead>) -> Result<(), Trouble> {
    let missing = missed.map(|TrailHead { trail, n, chain, .. }| Missing {
        trail: trail.clone(),
        until: *n,
        chain: chain.clone(),
    });
    if missing.is_none() || tail.last.missing == missing {
        return Ok(());
    }
    note(folder, tail, &missing.iter().cloned().map(Note::Missing).collect::<Vec<_>>())?;
    tail.last.missing = missing;
    Ok(())
}

fn note(folder: &Folder, tail: &mut Tail, notes: &[Note]) -> Result<(), Trouble> {
    if notes.is_empty() {
        return Ok(());
    }
    go_on(folder, tail)?;
    tail.write(&notes.iter().map(members).collect::<Vec<_>>())
}

fn end_of(tail: &Tail) -> End {
    let Last { number, chain, unsigned, .. } = tail.last;
    End { trail: tail.trail.clone(), number, chain, unsigned, head: tail.last.head.clone() }
}

fn new_id() -> String {
    let random: &dyn Random = &SystemRandom;
    BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<16>())
}
