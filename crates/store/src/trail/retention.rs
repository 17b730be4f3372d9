//! What is too old, or too much, goes: whole files, from the old end. The trail says what went before it goes, so that whoever
//! verifies it knows what to miss.

use std::fs;
use std::io::ErrorKind;

use daypass_core::ground::clock::Timestamp;
use daypass_core::records::trail_head::TrailDropped;
use daypass_core::store::AuditCare;

use super::appender::Appender;
use super::folder::TrailFile;
use super::index::Index;
use super::line::{Line, Note, members};
use super::reading::{Backwards, Forwards};
use super::times::time_of;
use super::trouble::TrailTrouble as Trouble;

/// Drops the files that need not be kept, and answers their names. The one that is written is kept.
pub(super) fn drop_surplus(appender: &mut Appender, care: &AuditCare) -> Result<Vec<String>, Trouble> {
    let (keep, now) = (&care.keep, care.clock.now());
    let folder = appender.folder().clone();
    let files = folder.files().map_err(Trouble::file(folder.path()))?;
    let mut surplus = Vec::new();
    let mut size = files.iter().map(size_of).sum::<u64>();
    for file in files.iter().take(files.len().saturating_sub(1)) {
        let failed = |error| Trouble::file(&file.path)(error);
        let until = newest_before(file, now).map_err(failed)?;
        let is_too_old =
            keep.age.is_some_and(|age| until.is_some_and(|until| now.duration_since(until) > age));
        let is_too_much = keep.bytes.is_some_and(|bytes| size > bytes);
        if !is_too_old && !is_too_much {
            break;
        }
        size -= size_of(file);
        surplus.push((file, last_of(file).map_err(failed)?, until));
    }
    if surplus.is_empty() {
        return Ok(Vec::new());
    }
    appender.append(|end| {
        let dropped = surplus.iter().map(|(file, (last, chain), until)| TrailDropped {
            trail: end.trail.clone(),
            first: file.first,
            last: *last,
            chain: chain.clone(),
            until: *until,
        });
        dropped.map(|dropped| members(&Note::Dropped(care.signer.sign_dropped(&dropped)))).collect()
    })?;
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

/// The last line of a file, and its link.
fn last_of(file: &TrailFile) -> std::io::Result<(u64, String)> {
    let open = fs::File::open(&file.path)?;
    let mut lines = Backwards::from_end(&open)?;
    let last = lines.next()?.and_then(|line| Line::parse(line).map(|line| (line.number, line.chain.text())));
    Ok(last.unwrap_or_else(|| (file.first, String::new())))
}

/// When the newest event of a file happened, if it has any. What is of the future, by a clock that was wrong, counts beside
/// others for nothing, and alone as of now.
fn newest_before(file: &TrailFile, now: Timestamp) -> std::io::Result<Option<Timestamp>> {
    let open = fs::File::open(&file.path)?;
    let known = Index::open(file, &open)?.and_then(|index| index.span);
    if let Some(span) = known.filter(|span| span.newest <= now) {
        return Ok(Some(span.newest));
    }
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

/// With its index.
fn size_of(file: &TrailFile) -> u64 {
    [file.path.clone(), file.index()]
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|found| found.len())
        .sum()
}
