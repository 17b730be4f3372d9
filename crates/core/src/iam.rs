//! IAM policies, evaluated: may this session do this to that resource, and who may take on a role.
//!
//! Documents are read once, [`Policy::parse`] and [`TrustPolicy::parse`], and whatever Daypass could not
//! honour exactly is refused there, with the place and the cure. Afterwards they are only asked, which
//! neither fails nor does any I/O.
//!
//! What cannot be known, above all a variable or a value that the request does not have, is carried as
//! a third truth value: an Allow takes hold only if everything in it certainly matches, a Deny unless
//! something in it certainly does not. So a gap in the knowledge about a request never lets it through.
//!
//! One thing is as in IAM and needs care when policies are written: a condition on an absent *key* is no
//! gap but an answer. It fails for plain operators and holds for negated ones and for `…IfExists`.

mod arn;
mod condition;
mod context;
mod error;
mod glob;
mod json;
mod key;
mod operator;
mod request;
mod statement;
mod template;
mod trust;
mod truth;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use context::{Arrival, Context, Origin};
pub use error::PolicyError;
#[cfg(test)]
pub(crate) use key::{Document, known_to};
pub use key::{Key, TagName, UnfilledName};
pub use request::{Decision, Request};
pub use trust::{COGNITO_IDENTITY, TrustPolicy, TrustRequest};
pub use value::Network;

use statement::{Statement, decide, parse_document, parse_identity_statement};

/// A policy that says what somebody may do: a role's own, one given along when the role is taken on, or that
/// of a developer's access keys.
#[derive(Debug, Clone)]
pub struct Policy(Vec<Statement>);

impl Policy {
    /// Reads and compiles a policy document.
    ///
    /// # Errors
    /// [`PolicyError`] if anything in it is unknown, ambiguous or malformed.
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        parse_document(json, parse_identity_statement).map(Self)
    }

    /// The condition keys that it asks for and that are never filled in: statements that do allow nothing.
    #[must_use]
    pub fn unfilled_keys(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(Statement::unfilled).collect()
    }

    /// Whether a condition asks where requests come from: [`Key::SourceIp`] or [`Key::SecureTransport`].
    #[must_use]
    pub fn asks_for_origin(&self) -> bool {
        self.0.iter().any(Statement::asks_for_origin)
    }
}

/// Decides about a request of a session.
///
/// The role's policies are taken together. If session policies were given when the role was taken on,
/// they too are taken together, and both sides must allow the request: a session policy takes rights
/// away and never adds one. An empty list of them therefore allows nothing.
pub fn evaluate(
    role_policies: &[Policy],
    session_policies: Option<&[Policy]>,
    request: &Request<'_>,
) -> Decision {
    let union = |policies: &[Policy]| decide(policies.iter().flat_map(|policy| &policy.0), request);
    let by_role = union(role_policies);
    session_policies.map_or(by_role, |policies| by_role.max(union(policies)))
}
