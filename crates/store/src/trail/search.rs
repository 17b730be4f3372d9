//! Answers questions: the last line that was written is always among those that are looked at.

use std::fs::File;
use std::io::ErrorKind;

use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::records::audit_event::AuditEvent;
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::store::{EventPosition, KeptEvent, Page};

use super::folder::{Folder, TrailFile};
use super::index;
use super::line::{Content, Line, Note};
use super::reading::{Backwards, Forwards, line_at, place_after};

/// Events are kept in the order of their decisions, whose instants differ from that by less: requests take their time,
/// and clocks are set.
const DISORDER: SignedDuration = SignedDuration::from_hours(1);

/// The events that answer a question, the one kept last first.
pub(super) fn page(
    folder: &Folder,
    question: &AuditQuestion,
    page: &Page<EventPosition>,
) -> std::io::Result<Vec<KeptEvent>> {
    let mut found = Found { question, page, events: Vec::new() };
    let files = folder.files()?;
    for file in files.iter().rev().filter(|file| page.after.is_none_or(|after| file.first < after.0)) {
        if found.is_full() {
            break;
        }
        // What is too old goes while somebody reads.
        let looked_at = unless_gone(look_into(file, Some(file) == files.last(), &mut found))?;
        if looked_at == Some(Looked::NothingOlder) {
            break;
        }
    }
    Ok(found.events)
}

/// The events behind one, the one kept first first.
pub(super) fn after(folder: &Folder, page: &Page<EventPosition>) -> std::io::Result<Vec<KeptEvent>> {
    let after = page.after.map_or(0, |after| after.0);
    let files = folder.files()?;
    // The last file that begins before has what comes next, or ends before it.
    let first = files.partition_point(|file| file.first <= after).saturating_sub(1);
    let mut events = Vec::new();
    for file in &files[first.min(files.len())..] {
        let Some(lines) = unless_gone(File::open(&file.path))? else { continue };
        let mut lines_of_file = Forwards::from(&lines, place_after(&lines, after)?);
        while events.len() < page.limit
            && let Some((_, line)) = lines_of_file.next()?
        {
            events.extend(Line::parse(line).and_then(|line| kept(&line)));
        }
    }
    Ok(events)
}

/// What the last event of all tells, or that there is none.
pub(super) fn last_event<T>(
    folder: &Folder,
    tell: impl FnOnce(Option<&Line<'_>>) -> T,
) -> std::io::Result<T> {
    for file in folder.files()?.iter().rev() {
        let open = File::open(&file.path)?;
        let mut lines = Backwards::from_end(&open)?;
        while let Some(line) = lines.next()? {
            if let Some(line) = Line::parse(line).filter(Line::is_event) {
                return Ok(tell(Some(&line)));
            }
        }
    }
    Ok(tell(None))
}

/// The newest head, if there is one.
pub(super) fn newest_head(folder: &Folder) -> std::io::Result<Option<String>> {
    for file in folder.files()?.iter().rev() {
        let open = File::open(&file.path)?;
        let mut lines = Backwards::from_end(&open)?;
        while let Some(line) = lines.next()? {
            let content = Line::parse(line).filter(|line| !line.is_event()).and_then(|line| line.content());
            if let Some(Content::Note(Note::Head(jws))) = content {
                return Ok(Some(jws));
            }
        }
    }
    Ok(None)
}

/// When the newest event of a file happened.
pub(super) fn newest(file: &TrailFile) -> std::io::Result<Option<Timestamp>> {
    newest_in(&File::open(&file.path)?)
}

fn newest_in(file: &File) -> std::io::Result<Option<Timestamp>> {
    let mut lines = Backwards::from_end(file)?;
    while let Some(line) = lines.next()? {
        if let Some(time) = time_of(line) {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

fn oldest_in(file: &File) -> std::io::Result<Option<Timestamp>> {
    let mut lines = Forwards::from(file, 0);
    while let Some((_, line)) = lines.next()? {
        if let Some(time) = time_of(line) {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

/// What a look into a file says of those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    Whole,
    NothingOlder,
}

struct Found<'a> {
    question: &'a AuditQuestion,
    page: &'a Page<EventPosition>,
    events: Vec<KeptEvent>,
}

impl Found<'_> {
    fn is_full(&self) -> bool {
        self.events.len() >= self.page.limit
    }

    fn take(&mut self, text: &[u8]) {
        let Some(line) = Line::parse(text) else { return };
        if self.page.after.is_some_and(|after| line.number >= after.0) {
            return;
        }
        self.events.extend(kept(&line).filter(|kept| self.question.matches(&kept.event)));
    }

    /// Whether everything before an event of this time is too old.
    fn is_too_old(&self, time: Timestamp) -> bool {
        self.question.since.is_some_and(|since| time.duration_since(since) < -DISORDER)
    }

    /// Whether everything behind an event of this time is too new.
    fn is_too_new(&self, time: Timestamp) -> bool {
        self.question.until.is_some_and(|until| time.duration_since(until) > DISORDER)
    }
}

fn look_into(file: &TrailFile, is_written: bool, found: &mut Found<'_>) -> std::io::Result<Looked> {
    let open = File::open(&file.path)?;
    if newest_in(&open)?.is_some_and(|time| found.is_too_old(time)) {
        return Ok(Looked::NothingOlder);
    }
    if oldest_in(&open)?.is_some_and(|time| found.is_too_new(time)) {
        return Ok(Looked::Whole);
    }
    if !is_written
        && let Some(hash) = index::hash_of(found.question)
        && let Some(starts) = starts(file, &open, hash)?
    {
        for start in starts {
            if found.is_full() {
                break;
            }
            if let Some(line) = line_at(&open, start)? {
                found.take(&line);
            }
        }
        return Ok(Looked::Whole);
    }
    look_through(&open, found)
}

/// Where an index says to look.
fn starts(file: &TrailFile, open: &File, hash: u64) -> std::io::Result<Option<Vec<u64>>> {
    let mut lines = Backwards::from_end(open)?;
    let last = lines.next()?.and_then(Line::parse).map(|line| line.chain.text());
    Ok(last.and_then(|last| index::find(file, &last, hash)))
}

fn look_through(open: &File, found: &mut Found<'_>) -> std::io::Result<Looked> {
    let needle = needle(found.question).map(|needle| memchr::memmem::Finder::new(&needle).into_owned());
    let mut lines = Backwards::from_end(open)?;
    while !found.is_full()
        && let Some(line) = lines.next()?
    {
        if needle.as_ref().is_none_or(|needle| needle.find(line).is_some()) {
            found.take(line);
        }
        if time_of(line).is_some_and(|time| found.is_too_old(time)) {
            return Ok(Looked::NothingOlder);
        }
    }
    Ok(Looked::Whole)
}

/// What stands in the line of every answer, so that no other has to be read.
fn needle(question: &AuditQuestion) -> Option<Vec<u8>> {
    use daypass_core::records::audit_event::AuditSubject as About;
    let quoted = |text: &str| serde_json::to_vec(text).expect("a text is plain data");
    let about = question.about.as_ref().map(|about| match about {
        About::Identity(id) => quoted(id.as_str()),
        About::AccessKey(id) => quoted(id.as_str()),
        About::DeveloperUser(user) => quoted(user),
        About::Request(id) => quoted(id.as_str()),
    });
    let address = || question.address.map(|address| quoted(&address.to_canonical().to_string()));
    let provider = || question.provider.as_deref().map(quoted);
    let action = || question.action.map(|action| quoted(action.name()));
    about.or_else(address).or_else(provider).or_else(action)
}

/// When an event happened, without reading the rest of it.
fn time_of(line: &[u8]) -> Option<Timestamp> {
    const TIME: &[u8] = b"\"time\":\"";
    let start = line.iter().take(32).position(|byte| *byte == b',')? + 1;
    let text = line[start..].strip_prefix(TIME)?;
    let end = memchr::memchr(b'"', text)?;
    str::from_utf8(&text[..end]).ok()?.parse().ok()
}

fn kept(line: &Line<'_>) -> Option<KeptEvent> {
    let event: AuditEvent = line.event()?;
    Some(KeptEvent { position: EventPosition(line.number), event })
}

fn unless_gone<T>(read: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
