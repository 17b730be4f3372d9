//! What objects are made of: bytes that nobody can guess, so that no store saves any, and of which each object has
//! others, so that one in the place of another is found.

use std::io::{Read, Write};
use std::ops::Range;

use aws_lc_rs::rand;

use crate::Outcome;

/// A prime, so that what is repeated lies at no boundary of anybody's blocks.
const REPEATED: usize = 1_048_573;
/// What lies between the beginnings of two objects.
const STRIDE: u64 = 7_919;
/// How much is read at a time.
const READ: usize = 256 * 1024;

pub(super) struct Stuff(Vec<u8>);

/// The content of an object.
pub(super) type Span = Range<u64>;

/// What an object with a number is made of.
pub(super) fn span(number: u64, length: u64) -> Span {
    number * STRIDE..number * STRIDE + length
}

/// The part of a content that lies at a place in it.
pub(super) fn part(of: &Span, place: Span) -> Span {
    of.start + place.start..(of.start + place.end).min(of.end)
}

pub(super) fn length(of: &Span) -> u64 {
    of.end - of.start
}

impl Stuff {
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing is to be repeated here, only to be unlike anything else"
    )]
    pub fn new() -> Outcome<Self> {
        let mut bytes = vec![0; REPEATED];
        rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Writes a content.
    pub fn write(&self, span: Span, to: &mut impl Write) -> Outcome<()> {
        let mut at = span.start;
        while at < span.end {
            let piece = self.at(at..span.end)?;
            to.write_all(piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Reads as much as a content is long, and compares.
    pub fn compare(&self, span: Span, from: &mut impl Read) -> Outcome<()> {
        let (mut buffer, mut at) = (vec![0; READ], span.start);
        while at < span.end {
            let wanted = self.at(at..span.end)?;
            let read = &mut buffer[..wanted.len().min(READ)];
            from.read_exact(read)?;
            if *read != wanted[..read.len()] {
                return Err(format!(
                    "a store answered other bytes than it was given, at {}",
                    at - span.start
                )
                .into());
            }
            at += read.len() as u64;
        }
        Ok(())
    }

    /// Some bytes at the beginning of what is asked for.
    fn at(&self, span: Span) -> Outcome<&[u8]> {
        let place = usize::try_from(span.start)? % REPEATED;
        let length = usize::try_from(length(&span))?.min(REPEATED - place);
        Ok(&self.0[place..place + length])
    }
}

#[cfg(test)]
mod tests {
    use super::{REPEATED, Stuff, span};

    #[test]
    fn what_was_written_is_what_is_expected_and_nothing_else_is() {
        let (stuff, length) = (Stuff::new().unwrap(), REPEATED as u64 + 5_000);
        let mut written = Vec::new();
        stuff.write(span(3, length), &mut written).unwrap();
        assert_eq!(written.len() as u64, length);
        stuff.compare(span(3, length), &mut &written[..]).unwrap();
        assert!(stuff.compare(span(2, length), &mut &written[..]).is_err());
        written[REPEATED + 7] ^= 1;
        assert!(stuff.compare(span(3, length), &mut &written[..]).is_err());
        assert!(stuff.compare(span(3, length + 1), &mut &written[..]).is_err());
    }
}
