//! Whether a trail is as it was written: each line follows the one before, no file is missing, and the heads are signed by the
//! installation's key and say what is there. Whoever changes a line and has the time to write every later one anew meets
//! the first head behind it; whoever takes away the end meets the newest head that the store has kept.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::mem;
use std::os::unix::fs::FileExt;
use std::path::Path;

use daypass_core::audit::head_key::{HeadPublicKey, dropped_as_anybody_says, key_id_of};
use daypass_core::ground::counting::counted;
use daypass_core::records::trail_head::{TrailDropped, TrailHead};

use super::findings::{Fault, Verified, What};
use super::folder::{Folder, TrailFile, open_to_read};
use super::index::{self, Entries};
use super::reading::Forwards;
use super::trouble::TrailTrouble as Trouble;
use daypass_core::records::trail_line::{Beginning, Chain, Content, Line, Missing, Note};

/// A server signs after a thousand; where there is none, commands write lines that wait for one.
const LONGEST_UNSIGNED: u64 = 10_000;

/// So often everything is looked at anew, because files were dropped meanwhile.
const ATTEMPTS: usize = 10;

/// So many faults are told; the first says where to look.
const MAX_FAULTS: usize = 100;

/// Whose heads are believed.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Those of now. Without one, heads are not looked at.
    pub current: Vec<HeadPublicKey>,
    /// Those that signed before, as long as none of the first has, and behind its last head: servers change over to a new key one
    /// after the other. In between the trail has itself say who signed before.
    pub before: Vec<HeadPublicKey>,
}

impl From<Vec<HeadPublicKey>> for Keys {
    fn from(current: Vec<HeadPublicKey>) -> Self {
        Self { current, before: Vec::new() }
    }
}

/// Verifies the trail in a folder. `signed` is the newest head that is known from elsewhere. `progress` hears how many bytes
/// are verified, and of how many.
///
/// # Errors
/// If files cannot be read.
pub fn verify(
    path: &Path,
    keys: &Keys,
    signed: Option<&TrailHead>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verified, Trouble> {
    let folder = Folder::at(path);
    let mut attempts = 0..ATTEMPTS;
    loop {
        let check = Check { keys: keys.clone(), signed, ..Check::default() };
        match check.all(&folder, progress) {
            // What is too old goes meanwhile; the trail says so at its end.
            Err(Trouble::File { error, .. })
                if error.kind() == ErrorKind::NotFound && attempts.next().is_some() => {}
            verified => return verified,
        }
    }
}

/// Whether the index of a file is this. One that cannot be read is none.
fn is_index(file: &TrailFile, made: &[u8]) -> bool {
    let same = || {
        let open = open_to_read(&file.index())?;
        let mut found = vec![0; made.len()];
        let has_length = open.metadata()?.len() == made.len() as u64;
        open.read_exact_at(&mut found, 0).map(|()| has_length && found == made)
    };
    same().unwrap_or(false)
}

/// A head, or something else that is signed, where it stands.
struct Signed {
    file: String,
    line: u64,
    jws: String,
    /// The line before.
    before: (u64, Chain),
    /// The last line that a head vouched for before.
    since: u64,
}

impl Signed {
    /// Whether it says the place where it stands.
    fn is_of(&self, trail: Option<&String>, said: &TrailHead) -> bool {
        let (number, chain) = self.before;
        trail == Some(&said.trail) && (said.n, &*said.chain) == (number, &*chain.text())
    }
}

#[derive(Default)]
struct Check<'a> {
    /// Those that were given.
    keys: Keys,
    /// The last head of one of those of now.
    signed_at: Option<u64>,
    /// Those that are vouched for, each with the line before which it signed.
    vouched: Vec<(u64, HeadPublicKey)>,
    /// Where keys are vouched for, by others that may be vouched for further on.
    vouching: Vec<Signed>,
    /// Heads of keys that may be vouched for further on.
    of_others: Vec<Signed>,
    signed: Option<&'a TrailHead>,
    found: Verified,
    trail: Option<String>,
    /// The file and the line before, with its link.
    file: String,
    before: Option<(u64, Chain)>,
    /// Whether the line before was the last of a file.
    ended: bool,
    /// The last line that a head vouches for, whoever signed it.
    since: u64,
    /// What has to be named as dropped.
    beginning: Option<(TrailFile, Beginning)>,
    dropped: Vec<Signed>,
    /// The number that the last event had before it was taken over, until there is one that was not.
    taken_over: Option<i64>,
    /// The index of the file, if there is one to compare.
    index: Option<Entries>,
}

impl Check<'_> {
    fn all(mut self, folder: &Folder, progress: &mut dyn FnMut(u64, u64)) -> Result<Verified, Trouble> {
        let files = folder.files().map_err(Trouble::file(folder.path()))?;
        let total =
            files.iter().filter_map(|file| fs::metadata(&file.path).ok()).map(|found| found.len()).sum();
        let mut done = 0;
        for (number, file) in files.iter().enumerate() {
            let failed = |error| Trouble::file(&file.path)(error);
            let open = file.read().map_err(failed)?;
            // The one that is written has none.
            let has_index = number + 1 < files.len() && file.index().symlink_metadata().is_ok();
            self.index = (has_index && index::fits(&open).map_err(failed)?).then(Entries::default);
            let faults = self.found.faults.len();
            done += self.file(file, &open, &mut |bytes| progress(done + bytes, total)).map_err(failed)?;
            let made = self.index.take().map(Entries::written);
            // Where lines are not as they were, their index is not either.
            let is_sound = self.ended && self.found.faults.len() == faults;
            if has_index && is_sound && !made.is_some_and(|made| is_index(file, &made)) {
                self.fault(self.last(), What::OtherIndex);
            }
        }
        Ok(self.finish(files.len()))
    }

    /// Verifies a file, and answers how long it is.
    fn file(&mut self, file: &TrailFile, open: &File, progress: &mut dyn FnMut(u64)) -> std::io::Result<u64> {
        if let Some((line, _)) = self.before.filter(|_| !self.ended) {
            self.fault(line, What::CutOff);
        }
        self.file = file.name();
        self.ended = false;
        if let Some((line, _)) = self.before.filter(|(line, _)| file.first > line + 1) {
            self.fault(line + 1, What::Missing { before: file.first });
        }
        let mut lines = Forwards::from(open, 0);
        let (mut first, mut length) = (true, 0);
        while let Some((begins, text)) = lines.next()? {
            length = begins + text.len() as u64 + 1;
            progress(length);
            match Line::parse(text) {
                None => self.fault(self.before.map_or(file.first, |(line, _)| line + 1), What::NoLine),
                Some(line) if first => self.first_line(file, &line, begins),
                Some(line) => self.line(&line, begins),
            }
            first = false;
        }
        if lines.has_rest() && self.ended {
            self.fault(self.last() + 1, What::NoLine);
        } else if lines.has_rest() {
            // What is being written, or was when somebody was killed, is answered to nobody.
            self.found.noted.push(format!("{}: the last line is not whole", self.file));
        }
        Ok(length)
    }

    /// The first line of a file says which link it follows, for whoever has not got the file before.
    fn first_line(&mut self, file: &TrailFile, line: &Line<'_>, begins: u64) {
        let Some(Content::Note(Note::Trail(beginning))) = line.content() else {
            self.fault(line.number, What::NoLine);
            return self.line(line, begins);
        };
        if *self.trail.get_or_insert_with(|| beginning.id.clone()) != beginning.id {
            self.fault(line.number, What::OtherTrail);
        }
        let previous = beginning.previous.as_deref().map(str::as_bytes).and_then(Chain::parse);
        match self.before {
            None => {
                self.found.first = file.first;
                self.before = Some((file.first - 1, previous.unwrap_or(Chain::START)));
                self.beginning = Some((file.clone(), beginning));
            }
            // A file that is missing was told: this one goes on where it says.
            Some((number, _)) if file.first > number + 1 => {
                self.before = Some((file.first - 1, previous.unwrap_or(Chain::START)));
            }
            Some(_) => {}
        }
        self.line(line, begins);
    }

    fn line(&mut self, line: &Line<'_>, begins: u64) {
        let (number, chain) = self.before.unwrap_or((line.number - 1, Chain::START));
        if line.number > number + 1 {
            self.fault(number + 1, What::Missing { before: line.number });
        } else if line.number <= number {
            self.fault(line.number, What::Displaced { expected: number + 1 });
        } else if !line.follows(chain) {
            self.fault(line.number, What::Changed);
        }
        self.before = Some((line.number, line.chain));
        self.found.unsigned += u64::from(!self.is_taken_over(line));
        if let Some(signed) = self.signed.filter(|signed| signed.n == line.number)
            && signed.chain != line.chain.text()
        {
            self.fault(line.number, What::Rewritten { since: self.since });
        }
        self.add_to_index(line, begins);
        if line.is_event() {
            self.found.events += 1;
            return;
        }
        match line.content() {
            Some(Content::Note(note)) => self.note(note, line.number, (number, chain)),
            _ => self.fault(line.number, What::NoLine),
        }
    }

    /// Whether it is one of the events that were taken over before anybody signed, and before there were others. Nobody else
    /// can say of theirs that they were.
    fn is_taken_over(&mut self, line: &Line<'_>) -> bool {
        let is_alone = self.found.heads == 0 && self.of_others.is_empty();
        if !line.is_event() || !is_alone {
            return false;
        }
        let is_first = self.found.events == 0;
        let from = line.taken_over_from();
        let is_next = from.is_some_and(|from| is_first || self.taken_over.is_some_and(|last| from > last));
        self.taken_over = from.filter(|_| is_next);
        is_next
    }

    fn add_to_index(&mut self, line: &Line<'_>, begins: u64) {
        if let Some(index) = &mut self.index {
            index.add(line, line.event().as_ref(), begins);
        }
    }

    fn note(&mut self, note: Note, line: u64, before: (u64, Chain)) {
        let signed = |jws| Signed { file: self.file.clone(), line, jws, before, since: self.since };
        match note {
            Note::Head(jws) => {
                let head = signed(jws);
                self.head(head);
            }
            Note::Keys(jws) => {
                let keys = signed(jws);
                self.vouching.push(keys);
            }
            Note::Dropped(jws) => {
                let dropped = signed(jws);
                self.dropped.push(dropped);
            }
            Note::End(_) => self.ended = true,
            Note::Torn(torn) => {
                if torn.lines > 0 {
                    self.fault(line, What::PutAway { lines: torn.lines, kept_in: torn.kept_in.clone() });
                }
                let said = format!(
                    "line {line}: {} torn off, kept in {}",
                    counted(torn.bytes, "byte", "bytes"),
                    torn.kept_in
                );
                self.found.noted.push(said);
            }
            Note::Missing(Missing { trail, until, .. }) => {
                self.fault(line, What::FoundMissing { trail, until });
            }
            Note::Trail(_) => {}
        }
    }

    fn head(&mut self, head: Signed) {
        if self.keys.current.is_empty() {
            return;
        }
        self.check_unsigned(head.line);
        self.found.unsigned = 0;
        self.since = head.before.0;
        let kid = key_id_of(&head.jws);
        if self.keys.current.iter().any(|key| kid.as_ref() == Some(&key.kid)) {
            self.signed_at = Some(head.line);
        }
        if self.keys_at(head.line).any(|key| kid.as_ref() == Some(&key.kid)) {
            self.signed(&head);
        } else {
            self.of_others.push(head);
        }
    }

    /// The keys that are believed at a line.
    fn keys_at(&self, line: u64) -> impl Iterator<Item = &HeadPublicKey> {
        let vouched = self.vouched.iter().filter(move |(before, _)| line < *before).map(|(_, key)| key);
        let before = self.keys.before.iter().filter(|_| self.signed_at.is_none());
        self.keys.current.iter().chain(before).chain(vouched)
    }

    /// The same, when all heads are known: a key of before signs behind the last one of now, too, as far as the store has kept that.
    fn keys_in_the_end(&self, signed: &Signed) -> impl Iterator<Item = &HeadPublicKey> {
        let is_kept = self.signed.is_none_or(|kept| signed.before.0 <= kept.n);
        let is_behind = self.signed_at.is_some_and(|last| signed.line > last);
        let before = self.keys.before.iter().filter(move |_| is_kept && is_behind);
        self.keys_at(signed.line).chain(before)
    }

    /// Holds what a head says against what stands before it.
    fn signed(&mut self, head: &Signed) {
        let Some(said) = self.keys_in_the_end(head).find_map(|key| key.verify(&head.jws)) else {
            return self.fault_in(head.file.clone(), head.line, What::ForgedHead);
        };
        if !head.is_of(self.trail.as_ref(), &said) {
            self.fault_in(head.file.clone(), head.line, What::Rewritten { since: head.since });
        } else if self.found.newest_head.as_ref().is_none_or(|newest| newest.n < said.n) {
            self.found.newest_head = Some(said);
            self.found.signed_by = key_id_of(&head.jws);
        }
        self.found.heads += 1;
    }

    /// Believes whom those vouch for who are believed, and then their heads.
    fn believe(&mut self) {
        while let Some((at, said)) = self.vouching.iter().enumerate().find_map(|(at, keys)| {
            self.keys_at(keys.line).find_map(|key| key.vouched_for(&keys.jws)).map(|said| (at, said))
        }) {
            let place = self.vouching.remove(at);
            if place.is_of(self.trail.as_ref(), &said.before) {
                self.vouched.extend(said.keys.into_iter().map(|key| (place.line, key)));
            } else {
                self.fault_in(place.file, place.line, What::Rewritten { since: place.since });
            }
        }
        for head in mem::take(&mut self.of_others) {
            self.signed(&head);
        }
    }

    /// The last line so far.
    fn last(&self) -> u64 {
        self.before.map_or(0, |(line, _)| line)
    }

    fn check_unsigned(&mut self, line: u64) {
        let lines = self.found.unsigned;
        if !self.keys.current.is_empty() && lines > LONGEST_UNSIGNED {
            self.fault(line, What::Unsigned { lines });
        }
    }

    fn fault(&mut self, line: u64, what: What) {
        self.fault_in(self.file.clone(), line, what);
    }

    fn fault_in(&mut self, file: String, line: u64, what: What) {
        if self.found.faults.len() < MAX_FAULTS {
            self.found.faults.push(Fault { file, line, what });
        }
    }

    fn finish(mut self, files: usize) -> Verified {
        self.found.files = files;
        let last = self.last();
        self.found.last = last;
        self.check_unsigned(last);
        self.believe();
        self.check_beginning();
        self.found.faults.sort_by_key(|fault| fault.line);
        if let Some(signed) = self.signed {
            let is_other = self.trail.as_ref().is_some_and(|trail| *trail != signed.trail);
            if is_other {
                self.fault(last, What::OtherTrail);
            } else if signed.n > last {
                self.fault(last, What::EndsBefore { signed: signed.n });
            }
        }
        self.found
    }

    /// What is before the first file was dropped, and the trail says so.
    fn check_beginning(&mut self) {
        let Some((file, beginning)) = self.beginning.take() else { return };
        // The first line of all follows nothing, and no other does.
        if file.first == 1 && beginning.previous.is_none() {
            return;
        }
        let previous = beginning.previous.unwrap_or_default();
        let dropped = mem::take(&mut self.dropped);
        let mut dropped = dropped.iter().filter_map(|dropped| self.said_to_be_dropped(dropped));
        let is_said = |dropped: &TrailDropped| {
            let is_of_this_trail = self.trail.as_ref() == Some(&dropped.trail);
            is_of_this_trail && dropped.last + 1 == file.first && dropped.chain == previous
        };
        if let Some(dropped) = dropped.find(is_said) {
            self.found.dropped = Some((dropped.last, dropped.until));
        } else {
            self.file = file.name();
            self.fault(file.first, What::BeginsTooLate);
        }
    }

    /// What a note says was dropped, if it is signed by whom it must be.
    fn said_to_be_dropped(&self, dropped: &Signed) -> Option<TrailDropped> {
        if self.keys.current.is_empty() {
            return dropped_as_anybody_says(&dropped.jws);
        }
        self.keys_in_the_end(dropped).find_map(|key| key.dropped(&dropped.jws))
    }
}
