//! What is too old, or too much, goes: whole files, from the old end. The trail says what went before it goes, so that whoever
//! verifies it knows what to miss.

use std::fs;
use std::io::ErrorKind;

use daypass_core::ground::clock::Timestamp;
use daypass_core::store::Retention;

use super::appender::Appender;
use super::folder::TrailFile;
use super::line::{Dropped, Line, Note, members};
use super::reading::Backwards;
use super::search;
use super::trouble::TrailTrouble as Trouble;

/// Drops the files that need not be kept, and answers their names. The one that is written is kept.
pub(super) fn drop_surplus(
    appender: &mut Appender,
    keep: &Retention,
    now: Timestamp,
) -> Result<Vec<String>, Trouble> {
    let folder = appender.folder().clone();
    let files = folder.files().map_err(Trouble::file(folder.path()))?;
    let mut surplus = Vec::new();
    let mut size = files.iter().map(size_of).sum::<u64>();
    for file in files.iter().take(files.len().saturating_sub(1)) {
        let failed = |error| Trouble::file(&file.path)(error);
        let until = search::newest(file).map_err(failed)?;
        let is_too_old =
            keep.age.is_some_and(|age| until.is_none_or(|until| now.duration_since(until) > age));
        let is_too_much = keep.bytes.is_some_and(|bytes| size > bytes);
        if !is_too_old && !is_too_much {
            break;
        }
        size -= size_of(file);
        surplus.push((file, dropped(file, until).map_err(failed)?));
    }
    if surplus.is_empty() {
        return Ok(Vec::new());
    }
    appender.append(|_| surplus.iter().map(|(_, note)| members(&Note::Dropped(note.clone()))).collect())?;
    for (file, _) in &surplus {
        for path in [file.index(), file.path.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(Trouble::file(&path))?,
            }
        }
    }
    Ok(surplus.iter().map(|(file, _)| file.name()).collect())
}

/// What the trail says of a file that goes.
fn dropped(file: &TrailFile, until: Option<Timestamp>) -> std::io::Result<Dropped> {
    let open = fs::File::open(&file.path)?;
    let mut lines = Backwards::from_end(&open)?;
    let last = lines.next()?.and_then(|line| Line::parse(line).map(|line| (line.number, line.chain.text())));
    let (last, chain) = last.unwrap_or_else(|| (file.first, String::new()));
    Ok(Dropped { first: file.first, last, chain, until })
}

/// With its index.
fn size_of(file: &TrailFile) -> u64 {
    [file.path.clone(), file.index()]
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|found| found.len())
        .sum()
}
