//! Why a policy is refused. Whoever wrote the policy reads this, so it says where and names the cure.

use std::fmt;

/// A policy document that Daypass does not take, because it could not keep what the document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// Counted from one, as people do.
    statement: Option<usize>,
    /// The members that lead to the problem, outermost first.
    path: Vec<String>,
    problem: String,
}

impl PolicyError {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { statement: None, path: Vec::new(), problem: problem.into() }
    }

    /// The same problem, seen from the member around it.
    pub(super) fn within(mut self, member: impl Into<String>) -> Self {
        self.path.insert(0, member.into());
        self
    }

    pub(super) fn in_statement(self, number: usize) -> Self {
        Self { statement: Some(number), ..self }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.join(".");
        match (self.statement, path.as_str()) {
            (None, "") => write!(f, "document: {}", self.problem),
            (None, path) => write!(f, "{path}: {}", self.problem),
            (Some(number), "") => write!(f, "statement {number}: {}", self.problem),
            (Some(number), path) => write!(f, "statement {number}, {path}: {}", self.problem),
        }
    }
}

impl std::error::Error for PolicyError {}
