//! Text with policy variables in it: `${key}`, `${key, 'default'}`, and the escapes `${*}`, `${?}`,
//! `${$}`. What is put in place of a variable is literal text, never a pattern and never another
//! variable: otherwise whoever chooses a tag named `*` would choose their own rights.

use super::context::Context;
use super::error::PolicyError;
use super::glob::{self, Case, Glob, Piece, Pieces};
use super::key::{Document, Key};
use super::truth::Truth;

/// What `*` and `?` mean where the text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    Active,
    Literal,
}

/// Compiled text, to be compared with a value of a request.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// The common case, which is matched without being filled in first.
    Fixed(Glob),
    Variable(Vec<Part>),
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    Fixed(Piece<Box<str>>),
    Variable(Variable),
}

#[derive(Debug, Clone)]
pub(super) struct Variable {
    key: Key,
    /// What stands in for an absent value. Literal text too, and never empty.
    default: Option<Box<str>>,
}

impl Template {
    pub(super) fn parse(text: &str, wildcards: Wildcards, document: Document) -> Result<Self, PolicyError> {
        let mut parts = Parts::default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(inside) = rest.strip_prefix("${") {
                rest = parts.push_variable(inside, document)?;
            } else {
                parts.push_char(c, wildcards);
                rest = &rest[c.len_utf8()..];
            }
        }
        Ok(parts.finish())
    }

    /// Compares with a value. With a variable that has no value the answer is `Unknown`, unless no
    /// value whatever could make the text match.
    pub(super) fn matches(&self, text: &str, case: Case, context: &Context) -> Truth {
        let parts = match self {
            Self::Fixed(glob) => return glob.matches(text, case).into(),
            Self::Variable(parts) => parts,
        };
        let mut complete = true;
        let pieces: Vec<Piece<&str>> = parts
            .iter()
            .map(|part| {
                part.fill_in(context).unwrap_or_else(|| {
                    complete = false;
                    Piece::AnyRun
                })
            })
            .collect();
        match glob::matches(&pieces, text, case) {
            false => Truth::No,
            true if complete => Truth::Yes,
            true => Truth::Unknown,
        }
    }

    /// The keys of its variables.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let parts = match self {
            Self::Fixed(_) => &[],
            Self::Variable(parts) => &**parts,
        };
        parts.iter().filter_map(|part| match part {
            Part::Fixed(_) => None,
            Part::Variable(variable) => Some(&variable.key),
        })
    }

    /// The pattern, if the request has no say in it.
    pub(super) fn as_fixed(&self) -> Option<&Glob> {
        match self {
            Self::Fixed(glob) => Some(glob),
            Self::Variable(_) => None,
        }
    }
}

impl Part {
    /// The piece to match, or `None` for a variable without a value.
    fn fill_in<'a>(&'a self, context: &'a Context) -> Option<Piece<&'a str>> {
        Some(match self {
            Self::Fixed(Piece::Literal(text)) => Piece::Literal(text),
            Self::Fixed(Piece::AnyRun) => Piece::AnyRun,
            Self::Fixed(Piece::AnyChar) => Piece::AnyChar,
            Self::Variable(variable) => Piece::Literal(variable.value(context)?),
        })
    }
}

impl Variable {
    fn parse(inside: &str, document: Document) -> Result<Self, PolicyError> {
        let (name, default) = match inside.split_once(',') {
            Some((name, default)) => (name, Some(parse_default(default)?)),
            None => (inside, None),
        };
        let key = Key::parse(name, document)?;
        if key.is_multivalued() {
            let problem =
                format!("{name:?} has several values and cannot stand for one; compare it with ForAnyValue:");
            return Err(PolicyError::new(problem));
        }
        Ok(Self { key, default })
    }

    /// The text to put in place. An empty value counts as none: with an empty tag,
    /// `home/${aws:PrincipalTag/team}*` would open everything under `home/`. Several values name nothing,
    /// and are not absent either; nor is one that is not known.
    fn value<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        if context.is_unknown(&self.key) {
            return None;
        }
        match context.values(&self.key) {
            [value] if !value.is_empty() => Some(value),
            [] | [_] => self.default.as_deref(),
            _ => None,
        }
    }
}

/// The text between the quotes. An empty default is refused for the reason for which an empty value
/// counts as none.
fn parse_default(text: &str) -> Result<Box<str>, PolicyError> {
    let quoted = text.trim_start_matches(' ').strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match quoted {
        Some(default) if !default.is_empty() && !default.contains('\'') => Ok(default.into()),
        _ => Err(PolicyError::new(
            "a default is written ${key, 'text'}, with at least one character and no quote in it",
        )),
    }
}

#[derive(Default)]
struct Parts {
    done: Vec<Part>,
    fixed: Pieces,
    variable: bool,
}

impl Parts {
    fn push_char(&mut self, c: char, wildcards: Wildcards) {
        match wildcards {
            Wildcards::Active => self.fixed.push_pattern(c),
            Wildcards::Literal => self.fixed.push_literal(c),
        }
    }

    /// Reads what follows `${` and hands back what follows its `}`.
    fn push_variable<'t>(&mut self, text: &'t str, document: Document) -> Result<&'t str, PolicyError> {
        let (inside, rest) = text
            .split_once('}')
            .ok_or_else(|| PolicyError::new("`${` without its `}`; a plain dollar sign is written ${$}"))?;
        match inside {
            "*" => self.fixed.push_literal('*'),
            "?" => self.fixed.push_literal('?'),
            "$" => self.fixed.push_literal('$'),
            _ => {
                let variable = Variable::parse(inside, document)
                    .map_err(|error| error.within(format!("variable ${{{inside}}}")))?;
                self.end_fixed();
                self.done.push(Part::Variable(variable));
                self.variable = true;
            }
        }
        Ok(rest)
    }

    fn end_fixed(&mut self) {
        let fixed = std::mem::take(&mut self.fixed).finish();
        self.done.extend(fixed.into_iter().map(Part::Fixed));
    }

    fn finish(mut self) -> Template {
        if !self.variable {
            return Template::Fixed(Glob::from_pieces(self.fixed.finish()));
        }
        self.end_fixed();
        Template::Variable(self.done)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(value: &str) -> Context {
        Context::empty().with(Key::principal_tag("t"), value)
    }

    fn matches(template: &str, text: &str, context: &Context) -> Truth {
        Template::parse(template, Wildcards::Active, Document::Identity).unwrap().matches(
            text,
            Case::Exact,
            context,
        )
    }

    #[test]
    fn a_substituted_value_is_literal_text() {
        for value in ["*", "?", "a*", "${aws:userid}", "${*}", "$", "}", "\\"] {
            let context = tag(value).with(Key::UserId, "somebody");
            assert_eq!(matches("x/${aws:PrincipalTag/t}/*", &format!("x/{value}/o"), &context), Truth::Yes);
            for other in ["x/a/o", "x/ab/o", "x/somebody/o", "x//o"] {
                assert_eq!(
                    matches("x/${aws:PrincipalTag/t}/*", other, &context),
                    Truth::No,
                    "{value} {other}"
                );
            }
        }
    }

    #[test]
    fn escapes_are_the_characters_themselves() {
        let nothing = Context::empty();
        assert_eq!(matches("a${*}${?}${$}{b}", "a*?${b}", &nothing), Truth::Yes);
        assert_eq!(matches("a${*}", "ab", &nothing), Truth::No);
        assert_eq!(matches("a${?}", "ab", &nothing), Truth::No);
        assert_eq!(matches("5$ a$", "5$ a$", &nothing), Truth::Yes);
    }

    #[test]
    fn a_missing_value_leaves_the_answer_open_only_where_a_value_could_matter() {
        let nothing = Context::empty();
        assert_eq!(matches("x/${aws:PrincipalTag/t}/*", "x/a/o", &nothing), Truth::Unknown);
        assert_eq!(matches("x/${aws:PrincipalTag/t}/*", "y/a/o", &nothing), Truth::No);
        assert_eq!(matches("${aws:PrincipalTag/t}*", "anything", &tag("")), Truth::Unknown);
    }

    #[test]
    fn a_default_is_literal_text_in_place_of_an_absent_value() {
        let template = "x/${aws:PrincipalTag/t, 'all*'}/*";
        assert_eq!(matches(template, "x/all*/o", &Context::empty()), Truth::Yes);
        assert_eq!(matches(template, "x/allies/o", &Context::empty()), Truth::No);
        assert_eq!(matches(template, "x/all*/o", &tag("red")), Truth::No);
        assert_eq!(matches(template, "x/red/o", &tag("red")), Truth::Yes);
        assert_eq!(matches(template, "x/all*/o", &tag("")), Truth::Yes);
    }

    #[test]
    fn several_values_name_nothing_and_are_not_absent() {
        let twice = tag("red").with(Key::principal_tag("T"), "blue");
        for text in ["x/red/o", "x/blue/o", "x/all/o"] {
            assert_eq!(matches("x/${aws:PrincipalTag/t}/*", text, &twice), Truth::Unknown);
            assert_eq!(matches("x/${aws:PrincipalTag/t, 'all'}/*", text, &twice), Truth::Unknown);
        }
    }

    #[test]
    fn malformed_and_unknown_variables_are_refused() {
        for (text, problem) in [
            ("a${", "without its `}`"),
            ("a${aws:userid", "without its `}`"),
            ("${}", "unknown key \"\""),
            ("${ aws:userid}", "unknown key"),
            ("${aws:usernme}", "unknown key \"aws:usernme\""),
            ("${${aws:userid}}", "unknown key \"${aws:userid\""),
            ("${**}", "unknown key"),
            ("${aws:userid,}", "a default is written"),
            ("${aws:userid, default}", "a default is written"),
            ("${aws:userid, ''}", "a default is written"),
            ("${aws:userid, '}", "a default is written"),
            ("${aws:userid, 'a'b'}", "a default is written"),
            ("${aws:userid, 'a}b'}", "a default is written"),
            ("${cognito-identity.amazonaws.com:amr}", "has several values"),
        ] {
            let refusal =
                Template::parse(text, Wildcards::Active, Document::Identity).unwrap_err().to_string();
            assert!(refusal.contains(problem), "{text}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_value_only_it_fits_its_place(value in "\\PC{1,8}", other in "\\PC{0,8}") {
            let context = tag(&value);
            let expected = Truth::from(value == other);
            prop_assert_eq!(matches("x${aws:PrincipalTag/t}y", &format!("x{other}y"), &context), expected);
        }

        #[test]
        fn no_text_makes_the_parser_stumble(text in "[${}*?,' a:/é]{0,24}") {
            let _ = Template::parse(&text, Wildcards::Active, Document::Identity);
        }
    }
}
