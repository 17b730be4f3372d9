//! Answers questions: the last line that was written is always among those that are looked at.

use std::fs::File;
use std::io::ErrorKind;

use daypass_core::ground::ids::RequestId;
use daypass_core::records::audit_event::{AuditEvent, AuditOutcome};
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::store::{EventPosition, KeptEvent, Page};
use serde::Serialize;

use super::folder::{Folder, TrailFile};
use super::index::{self, Index};
use super::reading::{Backwards, Forwards, line_at, place_after};
use daypass_core::records::trail_line::{Content, FollowedChain, Line, Note};

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
        unless_gone(look_into(file, Some(file) == files.last(), &mut found))?;
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
    // A line that was read, and is not there any more, is missing, unless it was dropped.
    let is_there = after > 0 && files.first().is_some_and(|file| file.first <= after);
    let mut chain = FollowedChain::behind(is_there.then(|| after - 1));
    for file in &files[first.min(files.len())..] {
        if events.len() >= page.limit {
            break;
        }
        let Some(lines) = unless_gone(file.read())? else {
            // It was dropped meanwhile.
            chain.break_off();
            continue;
        };
        // From the last line that was read: what comes next has to follow it.
        let mut lines_of_file = Forwards::from(&lines, place_after(&lines, after.saturating_sub(1))?);
        while events.len() < page.limit
            && let Some((_, text)) = lines_of_file.next()?
        {
            let Some(line) = Line::parse(text) else { continue };
            chain.follow(&line);
            let event = if line.number > after { kept(&line) } else { None };
            events.extend(event.map(|event| KeptEvent { damaged: chain.take_damaged(), ..event }));
        }
    }
    Ok(events)
}

/// How far events were taken over that were kept in another form before.
#[derive(Debug, Default)]
pub(crate) struct LastTakenOver {
    /// The last one: the number that it had before, and the request that it is about.
    pub(crate) event: Option<(i64, RequestId)>,
    /// Whether there are events behind it that were not taken over.
    pub(crate) has_gone_on: bool,
}

/// Finds how far events were taken over.
pub(super) fn taken_over_last(folder: &Folder) -> std::io::Result<LastTakenOver> {
    let mut found = LastTakenOver::default();
    for file in folder.files()?.iter().rev() {
        let Some(open) = unless_gone(file.read())? else { break };
        let mut lines = Backwards::from_end(&open)?;
        while let Some(line) = lines.next()? {
            let Some(line) = Line::parse(line).filter(Line::is_event) else { continue };
            if let (Some(from), Some(event)) = (line.taken_over_from(), line.event()) {
                return Ok(LastTakenOver { event: Some((from, event.request_id)), ..found });
            }
            found.has_gone_on = true;
        }
    }
    Ok(found)
}

/// What a note says, the last one that says any of it.
pub(super) fn last_note<T>(folder: &Folder, says: impl Fn(&Note) -> Option<T>) -> std::io::Result<Option<T>> {
    for file in folder.files()?.iter().rev() {
        let open = file.read()?;
        let mut lines = Backwards::from_end(&open)?;
        while let Some(line) = lines.next()? {
            let content = Line::parse(line).filter(|line| !line.is_event()).and_then(|line| line.content());
            if let Some(Content::Note(note)) = content
                && let Some(said) = says(&note)
            {
                return Ok(Some(said));
            }
        }
    }
    Ok(None)
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
}

fn look_into(file: &TrailFile, is_written: bool, found: &mut Found<'_>) -> std::io::Result<()> {
    let open = file.read()?;
    let index = if is_written { None } else { Index::open(file, &open)? };
    let Some(index) = index else { return look_through(&open, found) };
    if !index.span.is_some_and(|span| span.may_answer(found.question)) {
        return Ok(());
    }
    let starts = index::hash_of(found.question).and_then(|hash| index.find(hash));
    let Some(starts) = starts else { return look_through(&open, found) };
    for start in starts {
        if found.is_full() {
            break;
        }
        if let Some(line) = line_at(&open, start)? {
            found.take(&line);
        }
    }
    Ok(())
}

fn look_through(open: &File, found: &mut Found<'_>) -> std::io::Result<()> {
    let needle = needle(found.question).map(|needle| memchr::memmem::Finder::new(&needle).into_owned());
    let mut lines = Backwards::from_end(open)?;
    while !found.is_full()
        && let Some(line) = lines.next()?
    {
        if needle.as_ref().is_none_or(|needle| needle.find(line).is_some()) {
            found.take(line);
        }
    }
    Ok(())
}

/// What stands in the line of every answer, so that no other has to be read.
fn needle(question: &AuditQuestion) -> Option<Vec<u8>> {
    use daypass_core::records::audit_event::AuditSubject as About;
    fn quoted(said: impl Serialize) -> Vec<u8> {
        serde_json::to_vec(&said).expect("it is plain data")
    }
    let about = question.about.as_ref().map(|about| match about {
        About::Identity(id) => quoted(id.as_str()),
        About::AccessKey(id) => quoted(id.as_str()),
        About::DeveloperUser(user) => quoted(user),
        About::Request(id) => quoted(id.as_str()),
    });
    let address = || question.address.map(|address| quoted(address.to_canonical().to_string()));
    let provider = || question.provider.as_deref().map(quoted);
    let action = || question.action.map(quoted);
    // Most are allowed, and are found as soon without.
    let refused = || question.outcome.filter(|outcome| *outcome == AuditOutcome::Refused).map(quoted);
    about.or_else(address).or_else(provider).or_else(action).or_else(refused)
}

fn kept(line: &Line<'_>) -> Option<KeptEvent> {
    let event: AuditEvent = line.event()?;
    Some(KeptEvent { position: EventPosition(line.number), event, damaged: 0 })
}

fn unless_gone<T>(read: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
