//! Reading a provider's answers. They are somebody else's words: every value is checked for what it is
//! before it is used, and none of it is repeated to a client.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::definition::{Condition, Expectation, Pointer, Subject, SubjectType};
use super::{ProofError, unavailable};
use crate::secret::Secret;

/// Longer external IDs leave no room for the provider's name within the 1,024 characters of a developer
/// user identifier.
const MAX_SUBJECT_CHARS: usize = 512;
const MAX_NAME_CHARS: usize = 256;
const MAX_URL_CHARS: usize = 2048;

/// The access token in the answer of a token endpoint (RFC 6749 sections 5.1 and 5.2).
pub(super) fn access_token(answer: &Response<Bytes>) -> Result<Secret, ProofError> {
    let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
    if answer.status() == StatusCode::OK {
        return body
            .as_ref()
            .and_then(|body| body.get("access_token")?.as_str())
            .filter(|token| !token.is_empty())
            .map(Secret::new)
            .ok_or(ProofError::AnswerMalformed("the token answer has no access_token"));
    }
    let error = body.as_ref().and_then(|body| body.get("error")?.as_str()).unwrap_or_default();
    Err(match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => unavailable(answer.status()),
        status if status.is_server_error() => unavailable(status),
        status if !status.is_client_error() => {
            ProofError::AnswerMalformed("the token endpoint answered with an unexpected status")
        }
        _ if matches!(error, "invalid_client" | "unauthorized_client" | "unsupported_grant_type") => {
            ProofError::Misconfigured(error.to_owned())
        }
        _ => ProofError::Refused,
    })
}

/// Whether the answer is a success by the definition's own conditions.
pub(super) fn check_success(conditions: &[Condition], answer: &Value) -> Result<(), ProofError> {
    let failed = conditions.iter().find(|condition| !holds(condition, answer));
    failed.map_or(Ok(()), |_| Err(ProofError::ReportedErrors { code: graphql_error_code(answer) }))
}

fn holds(condition: &Condition, answer: &Value) -> bool {
    let found = answer.pointer(condition.at.as_str());
    match condition.is {
        Expectation::AbsentOrEmpty => match found {
            None | Some(Value::Null) => true,
            Some(Value::Array(items)) => items.is_empty(),
            Some(_) => false,
        },
    }
}

/// `errors[0].extensions.code`, if it is a plain word that a log can bear.
fn graphql_error_code(answer: &Value) -> Option<String> {
    let code = answer.pointer("/errors/0/extensions/code")?.as_str()?;
    let plain = (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    plain.then(|| code.to_owned())
}

/// The external ID, byte for byte: it may hold `+`, `/` and `=`.
pub(super) fn subject(wanted: &Subject, answer: &Value) -> Result<String, ProofError> {
    let found = answer.pointer(wanted.at.as_str());
    let text = match wanted.r#type {
        SubjectType::String => found.and_then(Value::as_str),
    };
    text.filter(|text| is_clean(text, MAX_SUBJECT_CHARS)).map(str::to_owned).ok_or(ProofError::SubjectMissing)
}

/// A name, or nothing if what stands there cannot be one.
pub(super) fn display_text(at: Option<&Pointer>, answer: &Value) -> Option<String> {
    let text = answer.pointer(at?.as_str())?.as_str()?;
    is_clean(text, MAX_NAME_CHARS).then(|| text.to_owned())
}

/// A picture's URL, or nothing if what stands there cannot be one.
pub(super) fn display_url(at: Option<&Pointer>, answer: &Value) -> Option<String> {
    let text = answer.pointer(at?.as_str())?.as_str()?;
    let web = text.starts_with("https://") || text.starts_with("http://");
    (web && is_clean(text, MAX_URL_CHARS)).then(|| text.to_owned())
}

fn is_clean(text: &str, max_chars: usize) -> bool {
    !text.is_empty() && text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}
