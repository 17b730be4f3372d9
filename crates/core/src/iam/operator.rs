//! The condition operators: `ForAnyValue:StringLikeIfExists` taken apart. An operator outside the table
//! is refused when the policy is read, and so are combinations whose meaning people get wrong.

use super::arn::ArnPattern;
use super::context::Context;
use super::error::PolicyError;
use super::glob::Case;
use super::key::Document;
use super::template::{Template, Wildcards};
use super::truth::Truth;
use super::value::{Decimal, Network, Relation, parse_bool, parse_instant};
use crate::ground::clock::Timestamp;

/// A condition operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `Null`: whether the key is absent.
    Null,
    Compare {
        quantifier: Quantifier,
        comparison: Comparison,
        /// `…NotEquals` and its kin.
        negated: bool,
        /// `…IfExists`: holds if the key is absent.
        if_exists: bool,
    },
}

/// How many of a key's values must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// No prefix: the key has one value, and that one.
    Single,
    /// `ForAnyValue:`, which an absent key never passes.
    Any,
    /// `ForAllValues:`, which an absent key always passes.
    All,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Text(Wildcards, Case),
    Number(Relation),
    Date(Relation),
    Bool,
    Address,
    Arn,
}

/// A value in a policy, compiled for its operator.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Text(Template, Case),
    Number(Relation, Decimal),
    Date(Relation, Timestamp),
    Bool(bool),
    Address(Network),
    Arn(ArnPattern),
}

const EQUALS: Comparison = Comparison::Text(Wildcards::Literal, Case::Exact);
const EQUALS_IGNORING_CASE: Comparison = Comparison::Text(Wildcards::Literal, Case::Ignored);
const LIKE: Comparison = Comparison::Text(Wildcards::Active, Case::Exact);

/// Every comparison, and whether its name negates it. `ArnEquals` takes wildcards, as it does in IAM.
const COMPARISONS: &[(&str, Comparison, bool)] = &[
    ("StringEquals", EQUALS, false),
    ("StringNotEquals", EQUALS, true),
    ("StringEqualsIgnoreCase", EQUALS_IGNORING_CASE, false),
    ("StringNotEqualsIgnoreCase", EQUALS_IGNORING_CASE, true),
    ("StringLike", LIKE, false),
    ("StringNotLike", LIKE, true),
    ("NumericEquals", Comparison::Number(Relation::Equal), false),
    ("NumericNotEquals", Comparison::Number(Relation::Equal), true),
    ("NumericLessThan", Comparison::Number(Relation::Less), false),
    ("NumericLessThanEquals", Comparison::Number(Relation::LessOrEqual), false),
    ("NumericGreaterThan", Comparison::Number(Relation::Greater), false),
    ("NumericGreaterThanEquals", Comparison::Number(Relation::GreaterOrEqual), false),
    ("DateEquals", Comparison::Date(Relation::Equal), false),
    ("DateNotEquals", Comparison::Date(Relation::Equal), true),
    ("DateLessThan", Comparison::Date(Relation::Less), false),
    ("DateLessThanEquals", Comparison::Date(Relation::LessOrEqual), false),
    ("DateGreaterThan", Comparison::Date(Relation::Greater), false),
    ("DateGreaterThanEquals", Comparison::Date(Relation::GreaterOrEqual), false),
    ("Bool", Comparison::Bool, false),
    ("IpAddress", Comparison::Address, false),
    ("NotIpAddress", Comparison::Address, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotLike", Comparison::Arn, true),
];

impl Operator {
    pub(super) fn parse(name: &str) -> Result<Self, PolicyError> {
        if name == "Null" {
            return Ok(Self::Null);
        }
        let (quantifier, rest) = Quantifier::strip_from(name);
        let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
        let (_, comparison, negated) =
            *COMPARISONS.iter().find(|(known, ..)| *known == base).ok_or_else(unknown_operator)?;
        if if_exists && quantifier != Quantifier::Single {
            return Err(PolicyError::new(
                "a set operator takes no IfExists: for an absent key ForAllValues: holds and ForAnyValue: fails anyway",
            ));
        }
        Ok(Self::Compare { quantifier, comparison, negated, if_exists })
    }
}

impl Quantifier {
    fn strip_from(name: &str) -> (Self, &str) {
        if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Self::Any, rest)
        } else if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Self::All, rest)
        } else {
            (Self::Single, name)
        }
    }
}

fn unknown_operator() -> PolicyError {
    let names: Vec<_> = COMPARISONS.iter().map(|(name, ..)| *name).collect();
    PolicyError::new(format!(
        "unknown operator; known are Null, {}, with IfExists behind or ForAnyValue: or ForAllValues: before them",
        names.join(", ")
    ))
}

impl Comparison {
    /// Compiles a value of the policy.
    pub(super) fn operand(self, text: &str, document: Document) -> Result<Operand, PolicyError> {
        let unreadable = |wanted: &str| PolicyError::new(format!("{text:?} is not {wanted}"));
        Ok(match self {
            Self::Text(wildcards, case) => Operand::Text(Template::parse(text, wildcards, document)?, case),
            Self::Number(relation) => Operand::Number(
                relation,
                Decimal::parse(text).ok_or_else(|| unreadable("a decimal number, like 10 or -0.5"))?,
            ),
            Self::Date(relation) => Operand::Date(
                relation,
                parse_instant(text).ok_or_else(|| unreadable("an instant, like 2026-11-23T08:30:00Z"))?,
            ),
            Self::Bool => Operand::Bool(parse_bool(text).ok_or_else(|| unreadable("true or false"))?),
            Self::Address => Operand::Address(
                Network::parse(text)
                    .ok_or_else(|| unreadable("a network, like 203.0.113.0/24 or 2001:db8::/32"))?,
            ),
            Self::Arn => Operand::Arn(ArnPattern::parse(text, document)?),
        })
    }
}

impl Operand {
    /// The text that may have variables in it.
    pub(super) fn template(&self) -> Option<&Template> {
        match self {
            Self::Text(template, _) => Some(template),
            Self::Arn(pattern) => pattern.resource(),
            Self::Number(..) | Self::Date(..) | Self::Bool(_) | Self::Address(_) => None,
        }
    }

    /// Compares with one value of a request. A value that cannot be read is neither equal nor unequal.
    pub(super) fn matches(&self, value: &str, context: &Context) -> Truth {
        let known = match self {
            Self::Text(template, case) => return template.matches(value, *case, context),
            Self::Arn(pattern) => return pattern.matches(value, context),
            Self::Number(relation, number) => {
                Decimal::parse(value).map(|value| relation.holds(value.cmp(number)))
            }
            Self::Date(relation, instant) => {
                parse_instant(value).map(|value| relation.holds(value.cmp(instant)))
            }
            Self::Bool(wanted) => parse_bool(value).map(|value| value == *wanted),
            Self::Address(network) => value.parse().ok().map(|address| network.contains(address)),
        };
        known.map_or(Truth::Unknown, Truth::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart() {
        assert_eq!(
            Operator::parse("ForAnyValue:StringNotLike").unwrap(),
            Operator::Compare {
                quantifier: Quantifier::Any,
                comparison: LIKE,
                negated: true,
                if_exists: false
            }
        );
        assert_eq!(
            Operator::parse("BoolIfExists").unwrap(),
            Operator::Compare {
                quantifier: Quantifier::Single,
                comparison: Comparison::Bool,
                negated: false,
                if_exists: true
            }
        );
    }

    #[test]
    fn unknown_operators_and_combinations_are_refused() {
        for name in [
            "",
            "StringLik",
            "stringLike",
            "BinaryEquals",
            "NotBool",
            "IfExists",
            "NullIfExists",
            "ForAnyValue:",
            "ForAnyValue:Null",
            "ForAnyValues:StringLike",
            "ForAllValues:ForAnyValue:StringLike",
            "StringLikeIfExistsIfExists",
        ] {
            let refusal = Operator::parse(name).unwrap_err().to_string();
            assert!(
                refusal.starts_with("document: unknown operator; known are Null, StringEquals,"),
                "{name}"
            );
        }
        assert!(Operator::parse("ForAllValues:StringLikeIfExists").is_err());
        assert!(Operator::parse("ForAnyValue:StringLikeIfExists").is_err());
    }

    #[test]
    fn values_that_do_not_fit_their_operator_are_refused() {
        for (operator, value) in [
            ("NumericEquals", "ten"),
            ("NumericEquals", "${aws:EpochTime}"),
            ("DateLessThan", "tomorrow"),
            ("Bool", "yes"),
            ("IpAddress", "10.0.0.0/99"),
            ("ArnLike", "role/*"),
            ("StringLike", "${aws:usernme}"),
        ] {
            let Operator::Compare { comparison, .. } = Operator::parse(operator).unwrap() else { panic!() };
            assert!(comparison.operand(value, Document::Identity).is_err(), "{operator} {value}");
        }
    }
}
