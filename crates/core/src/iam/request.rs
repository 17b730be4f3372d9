//! What is asked of a policy, and what it answers.

use super::context::Context;

/// What somebody asks to do.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `s3:GetObject`.
    pub action: &'a str,
    /// The ARN of what it is done to. Where that is no single resource, as when buckets are listed, the
    /// ARN of all of them, `arn:aws:s3:::*`; or `*` for an operation of a service that has no resource for it,
    /// which a policy covers by `*` alone.
    pub resource: &'a str,
    /// What else is known.
    pub context: &'a Context,
}

/// The answer. Ordered by severity: where several must agree, the greatest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub enum Decision {
    /// Some statement allows it and none denies it.
    Allowed,
    /// No statement speaks about it, or none with certainty.
    NotAllowed,
    /// A statement denies it, whatever others say.
    ExplicitlyDenied,
}
