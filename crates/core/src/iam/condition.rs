//! One line of a `Condition`: an operator, a key and the values to compare with. The values of a line
//! are alternatives (for a negated operator, none of them may match); the lines of a statement must
//! all hold.

use std::iter;

use super::context::Context;
use super::error::PolicyError;
use super::json::{Json, Object};
use super::key::{Document, Key};
use super::operator::{Operand, Operator, Quantifier};
use super::template::Template;
use super::truth::Truth;
use super::value::parse_bool;

/// A compiled line of a condition.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) operator: Operator,
    pub(super) key: Key,
    /// What the key's values are compared with. Empty for `Null`.
    pub(super) operands: Vec<Operand>,
    /// For `Null`: whether the key must be absent.
    absent: bool,
}

/// Whether this has the form of a `Condition` member at all: operators with keys with values.
pub(super) fn check_form(json: Json) -> Result<(), PolicyError> {
    for (operator, keys) in json.into_object()?.into_members()? {
        for (key, values) in
            keys.into_object().and_then(Object::into_members).map_err(|error| error.within(&operator))?
        {
            values.into_texts().map_err(|error| error.within(&key).within(&operator))?;
        }
    }
    Ok(())
}

/// Reads the value of the `Condition` member.
pub(super) fn parse_condition(json: Json, document: Document) -> Result<Vec<Line>, PolicyError> {
    let mut lines = Vec::new();
    for (operator, keys) in json.into_object()?.into_members()? {
        lines.extend(parse_operator(&operator, keys, document).map_err(|error| error.within(operator))?);
    }
    Ok(lines)
}

fn parse_operator(name: &str, keys: Json, document: Document) -> Result<Vec<Line>, PolicyError> {
    let operator = Operator::parse(name)?;
    let mut lines: Vec<Line> = Vec::new();
    for (key, values) in keys.into_object()?.into_members()? {
        let line = Line::parse(operator, &key, values, document).map_err(|error| error.within(&key))?;
        if lines.iter().any(|earlier| earlier.key == line.key) {
            return Err(PolicyError::new("stands there twice, in different case; keep one").within(key));
        }
        lines.push(line);
    }
    Ok(lines)
}

impl Line {
    fn parse(operator: Operator, key: &str, values: Json, document: Document) -> Result<Self, PolicyError> {
        let key = Key::parse(key, document)?;
        let values = values.into_texts()?;
        let (operands, absent) = match operator {
            Operator::Null => (Vec::new(), parse_absence(&values)?),
            Operator::Compare { quantifier: Quantifier::Single, .. } if key.is_multivalued() => {
                let problem = "the key has several values; put ForAnyValue: before the operator";
                return Err(PolicyError::new(problem));
            }
            Operator::Compare { comparison, .. } => {
                let operands = values.iter().map(|value| comparison.operand(value, document));
                (operands.collect::<Result<_, _>>()?, false)
            }
        };
        Ok(Self { operator, key, operands, absent })
    }

    /// Whether the line holds for a request.
    pub(super) fn holds(&self, context: &Context) -> Truth {
        if context.is_unknown(&self.key) {
            return Truth::Unknown;
        }
        let values = context.values(&self.key);
        let Operator::Compare { quantifier, negated, if_exists, .. } = self.operator else {
            return (values.is_empty() == self.absent).into();
        };
        let passes = |value: &String| self.passes(value, negated, context);
        match (quantifier, values) {
            (Quantifier::Single, []) => (if_exists || negated).into(),
            (Quantifier::Single, [value]) => passes(value),
            (Quantifier::Single, _) => Truth::Unknown,
            (Quantifier::Any, values) => Truth::any(values.iter().map(passes)),
            (Quantifier::All, values) => Truth::all(values.iter().map(passes)),
        }
    }

    fn passes(&self, value: &str, negated: bool, context: &Context) -> Truth {
        let matched = Truth::any(self.operands.iter().map(|operand| operand.matches(value, context)));
        if negated { matched.not() } else { matched }
    }

    /// The key that it is about, and those of its variables.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let variables = self.operands.iter().filter_map(Operand::template).flat_map(Template::keys);
        iter::once(&self.key).chain(variables)
    }

    /// Whether the line only ever holds for a request that has a value for the key.
    pub(super) fn demands_presence_of(&self, key: &Key) -> bool {
        self.operator == Operator::Null && !self.absent && self.key == *key
    }

    fn is_for_all_values(&self) -> bool {
        matches!(self.operator, Operator::Compare { quantifier: Quantifier::All, .. })
    }
}

/// Refuses what would grant something to a request that lacks the key: `ForAllValues:` holds for all of
/// no values, so in an Allow it must not stand alone.
pub(super) fn refuse_vacuous_grants(lines: &[Line]) -> Result<(), PolicyError> {
    let vacuous = |line: &&Line| {
        line.is_for_all_values()
            && line.key.unfilled_name().is_none()
            && !lines.iter().any(|other| other.demands_presence_of(&line.key))
    };
    match lines.iter().find(vacuous) {
        None => Ok(()),
        Some(_) => Err(PolicyError::new(
            "ForAllValues: holds for a request without the key; in an Allow add \"Null\": {\"<the key>\": \"false\"}",
        )),
    }
}

fn parse_absence(values: &[String]) -> Result<bool, PolicyError> {
    match values {
        [value] => parse_bool(value),
        _ => None,
    }
    .ok_or_else(|| PolicyError::new("Null takes one value: true (the key is absent) or false"))
}
