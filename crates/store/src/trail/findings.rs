//! What whoever verifies a trail finds, and in which words it is told.

use std::fmt;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::counting::counted;
use daypass_core::records::trail_head::TrailHead;

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
    /// The name of the key that signed it.
    pub signed_by: Option<String>,
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
    /// A head that none of the keys has signed, or one that signed no more.
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
    /// The trail ends before the line that the store says is its last.
    CutOffBefore {
        /// That line.
        last: u64,
    },
    /// Lines that had an end were put away: no loss of power does that alone.
    PutAway {
        /// How many.
        lines: u64,
        /// The file that has them now.
        kept_in: String,
    },
    /// The index of the file is not what is in the file.
    OtherIndex,
    /// A server found lines missing when it started, or others, which had been signed.
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
            What::ForgedHead => write!(f, "the head is signed by no key that signed here"),
            What::Rewritten { since } => {
                write!(f, "what was signed here is not what is there: lines behind {since} were written anew")
            }
            What::Unsigned { lines } => {
                write!(f, "no head vouches for {} before it", counted(*lines, "line", "lines"))
            }
            What::OtherTrail => write!(f, "the file is of another trail"),
            What::CutOff => write!(f, "the file was cut off behind it"),
            What::EndsBefore { signed } => {
                write!(f, "the trail ends here, and a head was signed of line {signed}")
            }
            What::CutOffBefore { last } => {
                write!(f, "the trail ends here, and the store says that it goes on up to line {last}")
            }
            What::PutAway { lines, kept_in } => {
                let lines = counted(*lines, "line", "lines");
                write!(f, "{kept_in} has {lines} that stood behind it, and had been changed")
            }
            What::OtherIndex => write!(
                f,
                "its index is not of what is in it, so answers may be incomplete: delete the .index file, and the \
                 next start makes it anew"
            ),
            What::FoundMissing { trail, until } => write!(
                f,
                "a server that started here did not find what was signed up to line {until} of the trail {trail}"
            ),
            What::BeginsTooLate => {
                write!(f, "what was before is missing, and no key has signed that it was dropped")
            }
        }
    }
}
