//! A line of the trail: its number, what it says, and its link of the chain.
//!
//! `{"n":7,…,"chain":"…"}`: the link is the SHA-256 of the link of the line before, 32 bytes, and of this line's own bytes up
//! to `,"chain"`, in base64url. Whoever changes a line, takes one out or puts one in has to write every later line anew.

use std::mem;
use std::ops::Range;

use aws_lc_rs::digest::{Context, SHA256};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use crate::records::audit_event::AuditEvent;

const NUMBER: &[u8] = b"{\"n\":";
const LINK: &[u8] = b",\"chain\":\"";
const END: &[u8] = b"\"}";
/// The numbers that lines have: JSON knows whole numbers up to there.
pub const NUMBERS: Range<u64> = 1..1 << 53;
/// The characters of 32 bytes.
const LINK_CHARS: usize = 43;

/// What an event begins with, and no note does.
const EVENT: &[u8] = b"\"time\":";

/// What a head begins with.
const HEAD: &[u8] = b"\"head\":";

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain([u8; 32]);

impl Chain {
    /// What the first line of all follows.
    pub const START: Self = Self([0; 32]);

    fn next(self, body: &[u8]) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(&self.0);
        hash.update(body);
        Self(hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// As they are.
    #[must_use]
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// As it stands in a line.
    #[must_use]
    pub fn text(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As it stands in a line.
    pub fn parse(text: &[u8]) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// What a line says that is no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A file begins.
    Trail(Beginning),
    /// The line before, signed, and by it every line before.
    Head(String),
    /// The keys that signed everything before, signed by the one that does now.
    Keys(String),
    /// The file ends.
    End(Ending),
    /// The oldest file goes: which it is, signed, because whoever could say this could take it away.
    Dropped(String),
    /// A line that was not whole was taken away: whoever wrote it was killed, or the power failed, before it was answered.
    Torn(Torn),
    /// Lines that were signed are not there, or are others.
    Missing(Missing),
}

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The trail's ID, drawn when it began.
    pub id: String,
    /// The last link of the file before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// The last line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {}

/// See [`Note::Torn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// How much it was.
    pub bytes: u64,
    /// How many lines of it had an end. Nothing that is torn by a kill or a loss of power has one.
    #[serde(default)]
    pub lines: u64,
    /// The file beside the trail that it was put into.
    pub kept_in: String,
}

/// See [`Note::Missing`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The ID of the trail that was there.
    pub trail: String,
    /// The line up to which it was signed.
    pub until: u64,
    /// That line's link.
    pub chain: String,
}

/// What a line says.
#[derive(Debug)]
pub enum Content {
    /// An event.
    Event(Box<AuditEvent>),
    /// Something about the trail itself.
    Note(Note),
}

/// A line as it stands in a file, without its line break.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its number.
    pub number: u64,
    /// Its link.
    pub chain: Chain,
    /// What the link vouches for.
    body: &'a [u8],
    /// The members between the number and the link.
    members: &'a [u8],
}

impl<'a> Line<'a> {
    /// Whether it has the form of one; what it says is another question.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let rest = text.strip_suffix(END)?;
        let (rest, link) = rest.split_at_checked(rest.len().checked_sub(LINK_CHARS)?)?;
        let body = rest.strip_suffix(LINK)?;
        let numbered = body.strip_prefix(NUMBER)?;
        let comma = numbered.iter().position(|byte| *byte == b',')?;
        let number = number(&numbered[..comma])?;
        Some(Self { number, chain: Chain::parse(link)?, body, members: &numbered[comma + 1..] })
    }

    /// Whether it stands behind a line with this link, unchanged.
    #[must_use]
    pub fn follows(&self, before: Chain) -> bool {
        before.next(self.body) == self.chain
    }

    /// Whether it is an event.
    #[must_use]
    pub fn is_event(&self) -> bool {
        self.members.starts_with(EVENT)
    }

    /// The head, if it is one.
    #[must_use]
    pub fn head(&self) -> Option<&'a str> {
        head_in(self.members)
    }

    /// The number that an event had before, which was kept in another form.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<i64> {
        const FROM: &str = ",\"from\":";
        let members = str::from_utf8(self.members).ok().filter(|_| self.is_event())?;
        members.rsplit_once(FROM)?.1.parse().ok()
    }

    /// What it says. `None` if that is nothing that a trail says.
    pub fn content(&self) -> Option<Content> {
        // Whatever is no text is no JSON, for other readers.
        let object = format!("{{{}}}", str::from_utf8(self.members).ok()?);
        if self.is_event() {
            serde_json::from_str(&object).ok().map(Content::Event)
        } else {
            serde_json::from_str(&object).ok().map(Content::Note)
        }
    }

    /// The event, if it is one.
    #[must_use]
    pub fn event(&self) -> Option<AuditEvent> {
        match self.content()? {
            Content::Event(event) => Some(*event),
            Content::Note(_) => None,
        }
    }
}

/// The number of a line, in the one form that it is written in.
fn number(digits: &[u8]) -> Option<u64> {
    let is_written_so = digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0');
    let number = str::from_utf8(digits).ok().filter(|_| is_written_so)?.parse().ok()?;
    NUMBERS.contains(&number).then_some(number)
}

/// The members of what a line is to say.
pub fn members(said: &impl Serialize) -> Vec<u8> {
    let mut object = serde_json::to_vec(said).expect("it is plain data");
    object.pop();
    object.remove(0);
    object
}

/// The head, if a line of these members is one.
#[must_use]
pub fn head_in(members: &[u8]) -> Option<&str> {
    str::from_utf8(members.strip_prefix(HEAD)?.strip_prefix(b"\"")?.strip_suffix(b"\"")?).ok()
}

/// The link of a line of these members behind the one with the link `before`.
#[must_use]
pub fn link(number: u64, members: &[u8], before: Chain) -> Chain {
    write(&mut Vec::new(), number, members, before)
}

/// Writes a line behind the one with the link `before`, and answers its own.
pub fn write(to: &mut Vec<u8>, number: u64, members: &[u8], before: Chain) -> Chain {
    let start = to.len();
    to.extend_from_slice(NUMBER);
    to.extend_from_slice(number.to_string().as_bytes());
    to.push(b',');
    to.extend_from_slice(members);
    let chain = before.next(&to[start..]);
    to.extend_from_slice(LINK);
    to.extend_from_slice(chain.text().as_bytes());
    to.extend_from_slice(END);
    to.push(b'\n');
    chain
}

/// The chain, as far as it was read.
#[derive(Debug, Default)]
pub struct FollowedChain {
    /// The last line, and its link where that was read.
    last: Option<(u64, Option<Chain>)>,
    damaged: u64,
}

impl FollowedChain {
    /// Behind a line that was there.
    #[must_use]
    pub fn behind(number: Option<u64>) -> Self {
        Self { last: number.map(|number| (number, None)), damaged: 0 }
    }

    /// Reads on.
    pub fn follow(&mut self, line: &Line<'_>) {
        self.damaged += match self.last {
            // What is no line is missing as well.
            Some((number, _)) if line.number > number + 1 => line.number - number - 1,
            Some((_, Some(link))) if !line.follows(link) => 1,
            _ => 0,
        };
        self.last = Some((line.number, Some(line.chain)));
    }

    /// Has what comes next follow nothing.
    pub fn break_off(&mut self) {
        self.last = None;
    }

    /// How many lines are missing, or are not as they were written, since this was asked before.
    pub fn take_damaged(&mut self) -> u64 {
        mem::take(&mut self.damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_and_a_changed_one_does_not_follow() {
        let note = Note::Torn(Torn { bytes: 7, lines: 0, kept_in: "x\",\"chain\":\"".into() });
        let mut text = Vec::new();
        let chain = write(&mut text, 12, &members(&note), Chain::START);
        let text = text.strip_suffix(b"\n").unwrap();
        let line = Line::parse(text).unwrap();
        assert_eq!((line.number, line.chain), (12, chain));
        assert!(line.follows(Chain::START) && !line.follows(chain) && !line.is_event());
        assert!(matches!(line.content(), Some(Content::Note(read)) if read == note));
        for at in 0..text.len() {
            let mut changed = text.to_vec();
            changed[at] ^= 1;
            let line = Line::parse(&changed).filter(|line| line.follows(Chain::START));
            // The last character of a link has bits that stand for nothing, and are refused.
            assert!(line.is_none(), "{at}");
        }
        for end in 0..text.len() {
            assert!(Line::parse(&text[..end]).is_none(), "{end}");
        }
        let text = str::from_utf8(text).unwrap();
        for number in ["0", "012", "+12", "1.2e1", "", "9007199254740992", "18446744073709551615"] {
            let other = text.replace("\"n\":12,", &format!("\"n\":{number},"));
            assert!(Line::parse(other.as_bytes()).is_none(), "{other}");
        }
    }

    /// As docs/audit-trail.md says it, for whoever checks it with a program of their own.
    #[test]
    fn the_first_link_is_the_hash_of_32_zeros_and_the_line() {
        let mut text = Vec::new();
        let chain = write(&mut text, 1, b"\"end\":{}", Chain::START);
        let hash = aws_lc_rs::digest::digest(&SHA256, &[&[0; 32], &b"{\"n\":1,\"end\":{}"[..]].concat());
        assert_eq!(chain.text(), BASE64_URL_SAFE_NO_PAD.encode(hash));
        assert_eq!(text, format!("{{\"n\":1,\"end\":{{}},\"chain\":\"{}\"}}\n", chain.text()).as_bytes());
    }
}
