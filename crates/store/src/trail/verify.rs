//! Whether a trail is as it was written: each line follows the one before, no file is missing, and the heads are signed by the
//! installation's key and say what is there. Whoever changes a line and has the time to write every later one anew meets
//! the first head behind it; whoever takes away the end meets the newest head that the store has kept.

use std::fmt;
use std::fs::File;
use std::path::Path;

use daypass_core::audit::head_key::{HeadPublicKey, key_id_of};
use daypass_core::ground::clock::Timestamp;
use daypass_core::records::trail_head::TrailHead;

use super::folder::{Folder, TrailFile};
use super::line::{Beginning, Chain, Content, Dropped, Line, Missing, Note};
use super::reading::Forwards;
use super::trouble::TrailTrouble as Trouble;

/// A server signs far more often.
const LONGEST_UNSIGNED: u64 = 10_000;

/// So many faults are told; the first says where to look.
const MAX_FAULTS: usize = 100;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many files there are.
    pub files: usize,
    /// How many events are in them.
    pub events: u64,
    /// The first line that is there.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// How many heads the keys have signed.
    pub heads: u64,
    /// The newest of them.
    pub newest_head: Option<TrailHead>,
    /// Lines behind the newest head: nothing but the chain vouches for them yet.
    pub unsigned: u64,
    /// Up to which line, and when, the trail says that it was dropped.
    pub dropped: Option<(u64, Option<Timestamp>)>,
    /// What the trail itself says was torn, in words.
    pub noted: Vec<String>,
    /// What is wrong, the first hundred.
    pub faults: Vec<Fault>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the file.
    pub file: String,
    /// The line, or the last one before it.
    pub line: u64,
    /// What it is.
    pub what: What,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The line is none.
    NoLine,
    /// The line, or the link of the one before, was changed.
    Changed,
    /// Lines from this one on are missing, up to another.
    Missing {
        /// The first line that is there again.
        before: u64,
    },
    /// The line stands in the place of another.
    Displaced {
        /// The number of the line that belongs here.
        expected: u64,
    },
    /// A head that none of the keys has signed.
    ForgedHead,
    /// A head was signed that says something else: what is there was written anew, from some line on.
    Rewritten {
        /// The last line that a head vouches for.
        since: u64,
    },
    /// More lines than a server leaves without a head.
    Unsigned {
        /// How many.
        lines: u64,
    },
    /// The file is of another trail.
    OtherTrail,
    /// The file does not end as a file does that has another behind it.
    CutOff,
    /// The trail ends before a line that was signed.
    EndsBefore {
        /// That line.
        signed: u64,
    },
    /// A server found lines missing when it started, which had been signed.
    FoundMissing {
        /// The trail that they were of.
        trail: String,
        /// The last of them.
        until: u64,
    },
    /// The trail begins too late, and does not say what it dropped.
    BeginsTooLate,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what } = self;
        write!(f, "{file}, line {line}: ")?;
        match what {
            What::NoLine => write!(f, "this is no line of a trail"),
            What::Changed => write!(f, "it was changed, or the link of the line before was"),
            What::Missing { before } => write!(f, "from here on lines are missing, up to line {before}"),
            What::Displaced { expected } => write!(f, "it stands where line {expected} belongs"),
            What::ForgedHead => write!(f, "the head is signed by none of the keys"),
            What::Rewritten { since } => {
                write!(f, "what was signed here is not what is there: lines behind {since} were written anew")
            }
            What::Unsigned { lines } => write!(f, "{lines} lines before it are vouched for by no head"),
            What::OtherTrail => write!(f, "the file is of another trail"),
            What::CutOff => write!(f, "the file was cut off behind it"),
            What::EndsBefore { signed } => {
                write!(f, "the trail ends here, and a head was signed of line {signed}")
            }
            What::FoundMissing { trail, until } => {
                write!(
                    f,
                    "a server that started here missed what was signed up to line {until} of the trail {trail}"
                )
            }
            What::BeginsTooLate => {
                write!(f, "what was before is missing, and the trail does not say that it was dropped")
            }
        }
    }
}

/// Verifies the trail in a folder. Without keys, heads are not looked at; `signed` is the newest head that is known from
/// elsewhere. `progress` hears how many bytes are verified, and of how many.
///
/// # Errors
/// If files cannot be read.
pub fn verify(
    path: &Path,
    keys: &[HeadPublicKey],
    signed: Option<&TrailHead>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verified, Trouble> {
    let folder = Folder::at(path);
    let files = folder.files().map_err(Trouble::file(path))?;
    let opened = files.iter().map(|file| File::open(&file.path).map_err(Trouble::file(&file.path)));
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    let total = opened.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum();
    let mut check = Check { keys: keys.to_vec(), signed, ..Check::default() };
    let mut done = 0;
    for (file, open) in files.iter().zip(&opened) {
        let failed = |error| Trouble::file(&file.path)(error);
        done += check.file(file, open, &mut |bytes| progress(done + bytes, total)).map_err(failed)?;
    }
    Ok(check.finish(files.len()))
}

/// A head where it stands.
struct Head {
    file: String,
    line: u64,
    jws: String,
    /// The line before.
    before: (u64, Chain),
    /// The last line that a head vouched for before.
    since: u64,
}

#[derive(Default)]
struct Check<'a> {
    /// Those that were given, and those that they vouch for.
    keys: Vec<HeadPublicKey>,
    /// Where keys are vouched for, by others that may be vouched for further on.
    vouched: Vec<String>,
    /// Heads of keys that may be vouched for further on.
    of_others: Vec<Head>,
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
    dropped: Vec<Dropped>,
}

impl Check<'_> {
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
                Some(line) if first => self.first_line(file, &line),
                Some(line) => self.line(&line),
            }
            first = false;
        }
        if !lines.rest().is_empty() {
            // What is being written, or was when somebody was killed, is answered to nobody.
            self.found.noted.push(format!("{}: the last line is not whole", self.file));
        }
        Ok(length)
    }

    /// The first line of a file says which link it follows, for whoever has not got the file before.
    fn first_line(&mut self, file: &TrailFile, line: &Line<'_>) {
        let Some(Content::Note(Note::Trail(beginning))) = line.content() else {
            self.fault(line.number, What::NoLine);
            return self.line(line);
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
        self.line(line);
    }

    fn line(&mut self, line: &Line<'_>) {
        let (number, chain) = self.before.unwrap_or((line.number - 1, Chain::START));
        if line.number > number + 1 {
            self.fault(number + 1, What::Missing { before: line.number });
        } else if line.number <= number {
            self.fault(line.number, What::Displaced { expected: number + 1 });
        } else if !line.follows(chain) {
            self.fault(line.number, What::Changed);
        }
        self.before = Some((line.number, line.chain));
        // Those that were taken over were written at once, before anybody signed.
        self.found.unsigned += u64::from(!line.is_taken_over());
        if let Some(signed) = self.signed.filter(|signed| signed.n == line.number)
            && signed.chain != line.chain.text()
        {
            self.fault(line.number, What::Rewritten { since: self.since });
        }
        if line.is_event() {
            self.found.events += 1;
            return;
        }
        match line.content() {
            Some(Content::Note(note)) => self.note(note, line.number, (number, chain)),
            _ => self.fault(line.number, What::NoLine),
        }
    }

    fn note(&mut self, note: Note, line: u64, before: (u64, Chain)) {
        match note {
            Note::Head(jws) => {
                let (file, since) = (self.file.clone(), self.since);
                self.head(Head { file, line, jws, before, since });
            }
            Note::Keys(jws) => self.vouched.push(jws),
            Note::End(_) => self.ended = true,
            Note::Dropped(dropped) => self.dropped.push(dropped),
            Note::Torn(torn) => {
                let said =
                    format!("line {line}: {} bytes were torn, and are in {}", torn.bytes, torn.kept_in);
                self.found.noted.push(said);
            }
            Note::Missing(Missing { trail, until, .. }) => {
                self.fault(line, What::FoundMissing { trail, until });
            }
            Note::Trail(_) => {}
        }
    }

    fn head(&mut self, head: Head) {
        if self.keys.is_empty() {
            return;
        }
        self.check_unsigned(head.line);
        self.found.unsigned = 0;
        self.since = head.before.0;
        if self.keys.iter().any(|key| key_id_of(&head.jws).as_ref() == Some(&key.kid)) {
            self.signed(&head);
        } else {
            self.of_others.push(head);
        }
    }

    /// Holds what a head says against what stands before it.
    fn signed(&mut self, head: &Head) {
        let Some(said) = self.keys.iter().find_map(|key| key.verify(&head.jws)) else {
            return self.fault_in(head.file.clone(), head.line, What::ForgedHead);
        };
        let (number, chain) = head.before;
        let is_of_this_trail = self.trail.as_ref() == Some(&said.trail);
        if !is_of_this_trail || (said.n, &*said.chain) != (number, &*chain.text()) {
            self.fault_in(head.file.clone(), head.line, What::Rewritten { since: head.since });
        } else if self.found.newest_head.as_ref().is_none_or(|newest| newest.n < said.n) {
            self.found.newest_head = Some(said);
        }
        self.found.heads += 1;
    }

    /// Believes whom those vouch for who are believed, and then their heads.
    fn believe(&mut self) {
        while let Some((at, keys)) = self.vouched.iter().enumerate().find_map(|(at, jws)| {
            self.keys.iter().find_map(|key| key.vouched_for(jws)).map(|keys| (at, keys))
        }) {
            self.vouched.remove(at);
            self.keys.extend(keys);
        }
        for head in std::mem::take(&mut self.of_others) {
            self.signed(&head);
        }
        self.found.faults.sort_by_key(|fault| fault.line);
    }

    fn check_unsigned(&mut self, line: u64) {
        let lines = self.found.unsigned;
        if !self.keys.is_empty() && lines > LONGEST_UNSIGNED {
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
        let last = self.before.map_or(0, |(line, _)| line);
        self.found.last = last;
        self.check_unsigned(last);
        self.check_beginning();
        self.believe();
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
        let Some(previous) = beginning.previous else { return };
        let named =
            self.dropped.iter().find(|dropped| dropped.last + 1 == file.first && dropped.chain == previous);
        if let Some(dropped) = named {
            self.found.dropped = Some((dropped.last, dropped.until));
        } else {
            self.file = file.name();
            self.fault(file.first, What::BeginsTooLate);
        }
    }
}
