//! The constraints of AWS's shapes (cognito-identity.md 1.3 and 2). Clients show the texts, so they have
//! AWS's form; of several violations the first is reported.

use crate::error::{ApiError, Dialect};

/// How a member has to look.
pub struct Rule {
    /// Least characters.
    pub min: usize,
    /// Most characters.
    pub max: usize,
    /// What characters may stand where.
    pub pattern: Option<Pattern>,
}

/// A pattern as AWS writes it, and what it means.
pub type Pattern = (&'static str, fn(&str) -> bool);

/// Checks the members of one request.
#[derive(Clone, Copy)]
pub struct Checker(pub Dialect);

impl Checker {
    /// A member that has to be there.
    pub fn required<T>(self, member: &str, value: Option<T>) -> Result<T, ApiError> {
        value.ok_or_else(|| self.violated("null", member, "Member must not be null"))
    }

    /// A text that keeps its rule.
    pub fn text(self, member: &str, value: String, rule: &Rule) -> Result<String, ApiError> {
        self.check(member, &value, rule)?;
        Ok(value)
    }

    /// A text that keeps its rule, if it is there.
    pub fn optional(
        self,
        member: &str,
        value: Option<String>,
        rule: &Rule,
    ) -> Result<Option<String>, ApiError> {
        value.map(|value| self.text(member, value, rule)).transpose()
    }

    /// Checks a text without taking it.
    pub fn check(self, member: &str, value: &str, rule: &Rule) -> Result<(), ApiError> {
        let length = value.chars().count();
        let constraint = if length < rule.min {
            format!("Member must have length greater than or equal to {}", rule.min)
        } else if length > rule.max {
            format!("Member must have length less than or equal to {}", rule.max)
        } else {
            match rule.pattern {
                Some((pattern, matches)) if !matches(value) => {
                    format!("Member must satisfy regular expression pattern: {pattern}")
                }
                _ => return Ok(()),
            }
        };
        Err(self.violated(&quoted(value), member, &constraint))
    }

    /// A secret text: its length is checked, and nothing of it is shown.
    pub fn secret(self, member: &str, value: &str, min: usize, max: usize) -> Result<(), ApiError> {
        if (min..=max).contains(&value.chars().count()) {
            return Ok(());
        }
        let constraint = format!(
            "Map value must satisfy constraint: [Member must have length less than or equal to {max}, \
             Member must have length greater than or equal to {min}]"
        );
        Err(self.violated("'***'", member, &constraint))
    }

    /// A number within bounds.
    pub fn number(self, member: &str, value: i64, min: i64, max: i64) -> Result<i64, ApiError> {
        let constraint = if value < min {
            format!("Member must have value greater than or equal to {min}")
        } else if value > max {
            format!("Member must have value less than or equal to {max}")
        } else {
            return Ok(value);
        };
        Err(self.violated(&format!("'{value}'"), member, &constraint))
    }

    /// A list or map of no more than `max` entries.
    pub fn at_most(self, member: &str, length: usize, max: usize) -> Result<(), ApiError> {
        if length <= max {
            return Ok(());
        }
        let constraint = format!("Member must have length less than or equal to {max}");
        Err(self.violated(&format!("'{length} entries'"), member, &constraint))
    }

    /// The refusal of a value.
    pub fn violated(self, value: &str, member: &str, constraint: &str) -> ApiError {
        let message = format!(
            "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}"
        );
        ApiError::validation(self.0, message)
    }
}

/// The value as it is shown, cut where it would swamp the message.
fn quoted(value: &str) -> String {
    const SHOWN: usize = 256;
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("'{}…'", &value[..end]),
        None => format!("'{value}'"),
    }
}
