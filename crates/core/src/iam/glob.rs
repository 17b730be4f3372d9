//! Patterns with `*` and `?`, matched without ever going back further than the last `*`: the work is
//! at most text × pattern, whatever somebody hides in a session policy.

/// One step of a pattern. `S` is the owned text of a compiled pattern, or the borrowed text of one
/// whose variables were filled in for this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<S> {
    /// This text and no other, wildcard characters included.
    Literal(S),
    /// `*`: any characters, also none.
    AnyRun,
    /// `?`: any one character.
    AnyChar,
}

/// Whether `É` and `é` are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Ignored,
}

/// A pattern without variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(Vec<Piece<Box<str>>>);

impl Glob {
    /// Reads `*` and `?` as wildcards and everything else as itself.
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = Pieces::default();
        text.chars().for_each(|c| pieces.push_pattern(c));
        Self(pieces.finish())
    }

    pub(super) fn from_pieces(pieces: Vec<Piece<Box<str>>>) -> Self {
        Self(pieces)
    }

    pub(super) fn matches(&self, text: &str, case: Case) -> bool {
        matches(&self.0, text, case)
    }

    /// The one text that this matches, if there are no wildcards in it.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// Gathers pieces, with neighbouring characters in one literal.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    done: Vec<Piece<Box<str>>>,
    literal: String,
}

impl Pieces {
    pub(super) fn push_literal(&mut self, c: char) {
        self.literal.push(c);
    }

    pub(super) fn push_pattern(&mut self, c: char) {
        match c {
            '*' => self.push_piece(Piece::AnyRun),
            '?' => self.push_piece(Piece::AnyChar),
            _ => self.push_literal(c),
        }
    }

    fn push_piece(&mut self, piece: Piece<Box<str>>) {
        self.end_literal();
        self.done.push(piece);
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.done.push(Piece::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    pub(super) fn finish(mut self) -> Vec<Piece<Box<str>>> {
        self.end_literal();
        self.done
    }
}

/// How far a match has come: the pattern and the text that are still to be matched.
type Progress<'p, 't, S> = (&'p [Piece<S>], &'t str);

/// Whether the pattern describes the whole text.
pub(super) fn matches<S: AsRef<str>>(pattern: &[Piece<S>], text: &str, case: Case) -> bool {
    let (mut todo, mut rest) = (pattern, text);
    // Where to go on after a dead end: behind the last `*`, which then swallows one character more. An
    // earlier `*` need not: its part was found as far left as can be, which leaves the most to the rest.
    let mut retry: Option<Progress<'_, '_, S>> = None;
    loop {
        let next = match todo.split_first() {
            None if rest.is_empty() => return true,
            None => None,
            Some((Piece::AnyRun, [])) => return true,
            Some((Piece::AnyRun, after)) => {
                retry = Some((after, rest));
                retry
            }
            Some((piece, after)) => strip(piece, rest, case).map(|rest| (after, rest)),
        };
        let next = next.or_else(|| {
            let (after, text) = retry?;
            retry = tail(text).map(|shorter| (after, shorter));
            retry
        });
        let Some(next) = next else { return false };
        (todo, rest) = next;
    }
}

/// The text without the piece at its start.
fn strip<'t, S: AsRef<str>>(piece: &Piece<S>, text: &'t str, case: Case) -> Option<&'t str> {
    match (piece, case) {
        (Piece::Literal(literal), Case::Exact) => text.strip_prefix(literal.as_ref()),
        (Piece::Literal(literal), Case::Ignored) => strip_ignoring_case(literal.as_ref(), text),
        (Piece::AnyChar, _) => tail(text),
        (Piece::AnyRun, _) => Some(text),
    }
}

fn strip_ignoring_case<'t>(literal: &str, text: &'t str) -> Option<&'t str> {
    let mut rest = text.chars();
    literal
        .chars()
        .all(|wanted| rest.next().is_some_and(|found| wanted.to_lowercase().eq(found.to_lowercase())))
        .then_some(rest.as_str())
}

/// The text without its first character.
fn tail(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glob(pattern: &str, text: &str) -> bool {
        Glob::parse(pattern).matches(text, Case::Exact)
    }

    #[test]
    fn a_pattern_describes_the_whole_text() {
        assert!(glob("a*c", "abc") && glob("a*c", "ac") && glob("*", "") && glob("", ""));
        assert!(!glob("a*c", "abcd") && !glob("b", "abc") && !glob("", "a"));
    }

    #[test]
    fn a_question_mark_is_one_character_not_one_byte() {
        assert!(glob("?", "é") && glob("a?c", "a€c") && glob("?*", "🦀"));
        assert!(!glob("?", "") && !glob("??", "é"));
    }

    #[test]
    fn a_run_goes_across_slashes_colons_and_lines() {
        assert!(glob("a/*/z", "a/b/c:d\n/z"));
    }

    #[test]
    fn case_is_ignored_beyond_ascii_when_it_is_ignored() {
        let ignoring = |pattern: &str, text| Glob::parse(pattern).matches(text, Case::Ignored);
        assert!(ignoring("GetObj*", "getOBJECT") && ignoring("É", "é"));
        assert!(!glob("É", "é") && !ignoring("ab", "a"));
    }

    /// A matcher that tries every length for every `*` needs longer than the universe has for this one.
    #[test]
    fn an_adversarial_pattern_costs_no_more_than_text_times_pattern() {
        let pattern = "*a".repeat(1_000) + "*b";
        assert!(!glob(&pattern, &"a".repeat(2_000)));
        assert!(glob(&pattern, &("a".repeat(2_000) + "b")));
        let one_long_part = "*".to_owned() + &"a".repeat(1_000) + "b";
        assert!(!glob(&one_long_part, &"a".repeat(5_000)));
    }

    /// Row by row: which prefixes of the text the pattern read so far describes.
    fn oracle(pattern: &str, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut described = vec![false; text.len() + 1];
        described[0] = true;
        for wanted in pattern.chars() {
            let before = described.clone();
            described[0] = wanted == '*' && before[0];
            for end in 1..=text.len() {
                described[end] = match wanted {
                    '*' => before[end] || described[end - 1],
                    '?' => before[end - 1],
                    c => before[end - 1] && text[end - 1] == c,
                };
            }
        }
        described[text.len()]
    }

    proptest! {
        #[test]
        fn agrees_with_the_oracle(pattern in "[ab*?é]{0,10}", text in "[abé]{0,12}") {
            prop_assert_eq!(glob(&pattern, &text), oracle(&pattern, &text));
        }

        #[test]
        fn agrees_with_the_oracle_on_patterns_that_nearly_match(
            text in "[ab]{0,12}",
            at in 0_usize..12,
            what in "[*?ab]{0,3}",
        ) {
            let at = at.min(text.len());
            let pattern = format!("*{}{what}{}", &text[..at], &text[(at + 1).min(text.len())..]);
            prop_assert_eq!(glob(&pattern, &text), oracle(&pattern, &text));
        }
    }
}
