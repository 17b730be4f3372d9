//! Conditional requests (RFC 9110, 13.1 and 13.2.2): which conditions count, in which order, and what follows.

use axum::http::{HeaderMap, HeaderName};
use daypass_core::ground::clock::Timestamp;
use s3s::dto::{self, ETagCondition};
use s3s::{S3Error, S3Result, s3_error};

use super::disk::{DiskError, Object, OnlyIf};
use super::moment::moment;

/// The conditions of a request about what is there.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub matches: Option<ETagCondition>,
    pub none_match: Option<ETagCondition>,
    pub modified_since: Option<dto::Timestamp>,
    pub unmodified_since: Option<dto::Timestamp>,
}

/// The condition that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmet {
    /// By its name.
    Failed(&'static str),
    /// The client has the object already.
    NotModified,
}

impl Conditions {
    /// Whether an object meets them.
    ///
    /// # Errors
    /// The one that it does not meet.
    pub fn check(&self, object: &Object) -> Result<(), Unmet> {
        match (&self.matches, &self.unmodified_since) {
            (Some(wanted), _) if !is(wanted, object) => return Err(Unmet::Failed("If-Match")),
            // It counts only where there is no If-Match.
            (None, Some(instant)) if is_modified(object, instant) => {
                return Err(Unmet::Failed("If-Unmodified-Since"));
            }
            _ => (),
        }
        match (&self.none_match, &self.modified_since) {
            (Some(unwanted), _) if is(unwanted, object) => Err(Unmet::NotModified),
            (None, Some(instant)) if !is_modified(object, instant) => Err(Unmet::NotModified),
            _ => Ok(()),
        }
    }

    /// The same for the source of a copy, which nobody has already.
    ///
    /// # Errors
    /// If it does not meet them.
    pub fn check_source(&self, object: &Object) -> S3Result<()> {
        self.check(object).map_err(|unmet| match unmet {
            Unmet::Failed(condition) => DiskError::ConditionFailed(condition).into(),
            Unmet::NotModified => {
                S3Error::from(DiskError::ConditionFailed("x-amz-copy-source-If-None-Match"))
            }
        })
    }
}

fn is(condition: &ETagCondition, object: &Object) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == object.etag)
}

/// Dates of HTTP have seconds, so that is how exactly it is known.
fn is_modified(object: &Object, since: &dto::Timestamp) -> bool {
    let seconds = |instant: Timestamp| instant.as_second();
    moment(since).is_none_or(|since| seconds(object.modified) > seconds(since))
}

/// A condition that `s3s` does not read of a copy.
///
/// # Errors
/// If it is none.
pub(super) fn condition(headers: &HeaderMap, name: &HeaderName) -> S3Result<Option<ETagCondition>> {
    let value = headers.get(name).map(|value| ETagCondition::parse_http_header(value.as_bytes()));
    value.transpose().map_err(|_| s3_error!(InvalidArgument, "{name} must be an entity tag, or *."))
}

/// What a request asks of a key that it writes to.
///
/// # Errors
/// If it asks for what S3 does not do.
pub(super) fn only_if(
    matches: Option<ETagCondition>,
    none_match: Option<&ETagCondition>,
) -> S3Result<OnlyIf> {
    if none_match.is_some_and(|unwanted| !unwanted.is_any()) {
        return Err(s3_error!(NotImplemented, "If-None-Match of a write must be *."));
    }
    let matches =
        matches.map(|wanted| wanted.as_etag().map_or_else(String::new, |etag| etag.value().to_owned()));
    Ok(OnlyIf { matches, is_free: none_match.is_some() })
}
