//! What is too old, or too much, goes: whole files, from the old end. The trail says what went before it goes, so that whoever
//! verifies it knows what to miss.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::sync::Arc;

use daypass_core::ground::clock::Timestamp;
use daypass_core::records::trail_head::TrailDropped;
use daypass_core::store::AuditCare;

use super::appender::Appender;
use super::folder::{Folder, TrailFile};
use super::reading::{Backwards, Forwards};
use super::search;
use super::times::time_of;
use super::trouble::TrailTrouble as Trouble;
use daypass_core::records::trail_line::{Beginning, Chain, Content, Line, Note, members};

/// Drops the files that need not be kept, and answers their names. The one that is written is kept. What is signed to be dropped
/// is missed by nobody: nothing is, where the files are not as they were written.
pub(super) fn drop_surplus(appender: &mut Appender, care: &AuditCare) -> Result<Vec<String>, Trouble> {
    let folder = appender.folder().clone();
    let files = folder.files().map_err(Trouble::file(folder.path()))?;
    let surplus = surplus(&files, care)?;
    if surplus.is_empty() {
        return Ok(Vec::new());
    }
    let ends = ends(&folder, &files, surplus.len(), &Beginnings { care, head: appender.head() })?;
    let mut is_signed_here = true;
    appender.append(|end| {
        // What somebody has vouched for since is signed by a key that is not known here, and nobody would believe this one.
        let is_ours = |head: &str| care.signer.is_of_now(head) || care.signer.read_of_before(head).is_some();
        is_signed_here = end.head.as_deref().is_none_or(is_ours);
        if !is_signed_here {
            return Vec::new();
        }
        let dropped = surplus.iter().zip(&ends).map(|((file, until), (last, chain))| TrailDropped {
            trail: end.trail.clone(),
            first: file.first,
            last: *last,
            chain: chain.text(),
            until: *until,
        });
        dropped.map(|dropped| members(&Note::Dropped(care.signer.sign_dropped(&dropped)))).collect()
    })?;
    if !is_signed_here {
        return Err(Trouble::OtherKey(folder.path().to_owned()));
    }
    for (file, ..) in &surplus {
        for path in [file.index(), file.path.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(Trouble::file(&path))?,
            }
        }
    }
    Ok(surplus.iter().map(|(file, ..)| file.name()).collect())
}

type Surplus<'a> = (&'a TrailFile, Option<Timestamp>);

/// What need not be kept, each with when its newest event happened. Only the lines tell that: an index is anybody's who can
/// write to the folder.
fn surplus<'a>(files: &'a [TrailFile], care: &AuditCare) -> Result<Vec<Surplus<'a>>, Trouble> {
    let (keep, now) = (&care.keep, care.clock.now());
    let mut surplus = Vec::new();
    let mut size = files.iter().map(size_of).sum::<u64>();
    for file in &files[..files.len().saturating_sub(1)] {
        let is_too_much = keep.bytes.is_some_and(|bytes| size > bytes);
        if !is_too_much && keep.age.is_none() {
            break;
        }
        let until = newest_before(file, now).map_err(Trouble::file(&file.path))?;
        let is_too_old =
            keep.age.is_some_and(|age| until.is_none_or(|until| now.duration_since(until) > age));
        if !is_too_old && !is_too_much {
            break;
        }
        size -= size_of(file);
        surplus.push((file, until));
    }
    Ok(surplus)
}

/// The last lines of so many files, with their links, if those are whole, every file follows the one before, and the trail
/// begins where it may.
fn ends(
    folder: &Folder,
    files: &[TrailFile],
    count: usize,
    beginnings: &Beginnings<'_>,
) -> Result<Vec<(u64, Chain)>, Trouble> {
    let mut ends: Vec<(u64, Chain)> = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let failed = |error| Trouble::file(&file.path)(error);
        let doubtful = || Trouble::Doubtful(file.path.clone());
        let open = file.read().map_err(failed)?;
        let beginning = beginning_of(&open, file).map_err(failed)?.ok_or_else(doubtful)?;
        let follows = match ends.last() {
            Some((last, chain)) => file.first == last + 1 && beginning.previous == Some(chain.text()),
            None => beginnings.is_well(folder, file, &beginning).map_err(failed)?,
        };
        if !follows {
            return Err(doubtful());
        }
        if number + 1 < files.len() {
            let end = if number < count { end_of_whole(&open) } else { last_of(&open) };
            ends.push(end.map_err(failed)?.ok_or_else(doubtful)?);
        }
    }
    ends.truncate(count);
    Ok(ends)
}

fn beginning_of(open: &File, file: &TrailFile) -> std::io::Result<Option<Beginning>> {
    let mut lines = Forwards::from(open, 0);
    let first =
        lines.next()?.and_then(|(_, line)| Line::parse(line)).filter(|line| line.number == file.first);
    Ok(match first.and_then(|line| line.content()) {
        Some(Content::Note(Note::Trail(beginning))) => Some(beginning),
        _ => None,
    })
}

/// Who is believed about where the trail begins: the key of now, and whoever signed the last head.
struct Beginnings<'a> {
    care: &'a AuditCare,
    head: Option<Arc<str>>,
}

impl Beginnings<'_> {
    /// Whether nothing was before the oldest file, or it is signed that it was dropped.
    fn is_well(&self, folder: &Folder, file: &TrailFile, beginning: &Beginning) -> std::io::Result<bool> {
        match beginning.previous {
            None => Ok(file.first == 1),
            Some(_) => Ok(self.dropped_before(folder, file, beginning)?.is_some()),
        }
    }

    /// What is signed to be dropped right before a file, and by whom.
    fn dropped_before(
        &self,
        folder: &Folder,
        file: &TrailFile,
        beginning: &Beginning,
    ) -> std::io::Result<Option<(TrailDropped, String)>> {
        let is_it = |dropped: &TrailDropped| {
            let is_next = dropped.trail == beginning.id && dropped.last + 1 == file.first;
            is_next && beginning.previous.as_ref() == Some(&dropped.chain)
        };
        search::last_note(folder, |note| match note {
            Note::Dropped(jws) => {
                let dropped = self.care.signer.read_dropped(jws, self.head.as_deref()).filter(is_it)?;
                Some((dropped, jws.clone()))
            }
            _ => None,
        })
    }
}

/// What is before the oldest file, said by the key of now where `head` is the last one and of a key of before, which is taken away
/// one day. The files are read back to where it was said last.
pub(super) fn dropped_said_again(
    folder: &Folder,
    care: &AuditCare,
    head: Option<Arc<str>>,
) -> Result<Option<Vec<u8>>, Trouble> {
    if head.as_deref().is_none_or(|head| care.signer.read_of_before(head).is_none()) {
        return Ok(None);
    }
    let files = folder.files().map_err(Trouble::file(folder.path()))?;
    let Some(oldest) = files.first().filter(|file| file.first > 1) else { return Ok(None) };
    let find = || {
        let Some(beginning) = beginning_of(&oldest.read()?, oldest)? else { return Ok(None) };
        Beginnings { care, head }.dropped_before(folder, oldest, &beginning)
    };
    let found = find().map_err(Trouble::file(&oldest.path))?;
    let by_before = found.filter(|(_, jws)| !care.signer.is_of_now(jws));
    Ok(by_before.map(|(dropped, _)| members(&Note::Dropped(care.signer.sign_dropped(&dropped)))))
}

/// The last line, if every line follows the one before, and the last one ends the file.
fn end_of_whole(open: &File) -> std::io::Result<Option<(u64, Chain)>> {
    let (mut before, mut has_ended) = (None, false);
    let mut lines = Forwards::from(open, 0);
    while let Some((_, text)) = lines.next()? {
        let line = Line::parse(text);
        let follows = |line: &Line<'_>| {
            before.is_none_or(|(number, chain)| line.number == number + 1 && line.follows(chain))
        };
        let Some(line) = line.filter(follows) else { return Ok(None) };
        before = Some((line.number, line.chain));
        has_ended = !line.is_event() && matches!(line.content(), Some(Content::Note(Note::End(_))));
    }
    Ok(before.filter(|_| has_ended && !lines.has_rest()))
}

fn last_of(open: &File) -> std::io::Result<Option<(u64, Chain)>> {
    let mut lines = Backwards::from_end(open)?;
    Ok(lines.next()?.and_then(Line::parse).map(|line| (line.number, line.chain)))
}

/// When the newest event of a file happened, if it has any. What is of the future, by a clock that was wrong, counts beside
/// others for nothing, and alone as of now.
fn newest_before(file: &TrailFile, now: Timestamp) -> std::io::Result<Option<Timestamp>> {
    let open = file.read()?;
    let (mut newest, mut has_later) = (None, false);
    let mut lines = Forwards::from(&open, 0);
    while let Some((_, line)) = lines.next()? {
        match time_of(line) {
            Some(time) if time > now => has_later = true,
            time => newest = newest.max(time),
        }
    }
    Ok(newest.or_else(|| has_later.then_some(now)))
}

/// Without its index, which is made and lost as it comes.
fn size_of(file: &TrailFile) -> u64 {
    fs::metadata(&file.path).map_or(0, |found| found.len())
}
