//! Reading a provider's answers. They are somebody else's words: every value is checked for what it is
//! before it is used, and none of it is repeated to a client.

use std::collections::BTreeMap;

use ::http::Response;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use bytes::Bytes;
use serde_json::Value;

use super::definition::{Comparison, Condition, Decode, Exchange};
use super::error::{ProofError, unavailable};
use super::picture::is_clean;
use super::pointer::{self, Pointer, Subject, ValueType};
use super::status::{is_gone, not_as_defined};
use crate::ground::secret::Secret;
use crate::login::jwks::is_passing;

/// Longer external IDs leave no room for the provider's name within the 1,024 characters of a developer
/// user identifier.
const MAX_SUBJECT_CHARS: usize = 512;
const MAX_NAME_CHARS: usize = 256;

/// What stands between the parts of an external ID that several values make together.
const PART_SEPARATOR: char = ':';

/// A body as the definition says it is written.
pub(super) fn body(bytes: &[u8], how: Decode) -> Result<Value, ProofError> {
    let malformed = ProofError::AnswerMalformed("the answer is not written as the definition says");
    let text =
        std::str::from_utf8(bytes).map_err(|_| ProofError::AnswerMalformed("the answer is not UTF-8"))?;
    // Servers on Windows begin with a byte order mark, which a reader may ignore (RFC 8259 section 8.1).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match how {
        Decode::Json => serde_json::from_str(text).ok().or_else(|| payload(text)).ok_or(malformed),
        Decode::Jsonp => serde_json::from_str(within_call(text)).map_err(|_| malformed),
        Decode::Form => Ok(read_form(text)),
    }
}

/// What a signed answer says (OpenID Connect Core 1.0 section 5.3.2), which no JSON can be taken for. It comes by TLS from
/// where the definition says, as every answer does, so that its signature would tell us nothing new.
fn payload(jwt: &str) -> Option<Value> {
    let (_, rest) = jwt.trim().split_once('.')?;
    let (payload, _) = rest.split_once('.')?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The argument of `callback( {…} );`, or the whole text if it is no call.
fn within_call(text: &str) -> &str {
    let text = text.trim().trim_end_matches(';').trim_end();
    let argument = text.strip_suffix(')').and_then(|text| text.split_once('('));
    argument.map_or(text, |(_, argument)| argument.trim())
}

/// `name=value&…` as an object of texts; of two values of one name none counts.
fn read_form(text: &str) -> Value {
    let mut members: BTreeMap<String, Option<String>> = BTreeMap::new();
    for pair in text.trim().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let [name, value] = [name, value].map(form_decode);
        members.entry(name).and_modify(|known| *known = None).or_insert(Some(value));
    }
    members.into_iter().filter_map(|(name, value)| Some((name, Value::String(value?)))).collect()
}

fn form_decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// The answer of a token endpoint (RFC 6749 sections 5.1 and 5.2).
pub(super) fn token_answer<'a>(
    exchange: &Exchange,
    answer: &Response<Bytes>,
    shown: impl Iterator<Item = &'a Secret>,
) -> Result<Value, ProofError> {
    if answer.status().is_success() {
        let answered = body(answer.body(), exchange.decode)?;
        // Some providers report errors with status 200.
        if let Some(error) = token_error(exchange, &answered) {
            return Err(error);
        }
        check_success(&exchange.success, &answered, shown)?;
        return Ok(answered);
    }
    let error = body(answer.body(), exchange.decode).ok().and_then(|body| token_error(exchange, &body));
    Err(match (answer.status(), error) {
        (status, _) if is_passing(status) => unavailable(status),
        (status, None) if is_gone(status, &exchange.url) => not_as_defined(&exchange.url.outline(), answer),
        (status, _) if !status.is_client_error() => {
            ProofError::AnswerMalformed("the token endpoint answered with an unexpected status")
        }
        (_, error) => error.unwrap_or(ProofError::Refused),
    })
}

/// The error of an answer, if it has one: the operator's mistake, or a no to the code.
fn token_error(exchange: &Exchange, answered: &Value) -> Option<ProofError> {
    let own_word = exchange.client_errors.as_ref().and_then(|errors| {
        let found = answered.pointer(errors.at.as_str())?.as_str()?;
        errors.are.iter().find(|word| *word == found)
    });
    if let Some(word) = own_word {
        return Some(ProofError::Misconfigured(word.clone()));
    }
    let ours =
        ["invalid_client", "unauthorized_client", "unsupported_grant_type", "incorrect_client_credentials"];
    let error = answered.get("error")?.as_str().filter(|error| !error.is_empty())?;
    Some(if ours.contains(&error) {
        ProofError::Misconfigured(error.to_owned())
    } else {
        ProofError::Refused
    })
}

/// The access token of a token answer.
pub(super) fn access_token(at: &Pointer, answer: &Value) -> Result<Secret, ProofError> {
    let token = answer.pointer(at.as_str()).and_then(Value::as_str).filter(|token| !token.is_empty());
    token.map(Secret::new).ok_or(ProofError::AnswerMalformed("the token answer has no access_token"))
}

/// The refresh token of a token answer, beside the access token, if there is one.
pub(super) fn refresh_token(access_token: &Pointer, answer: &Value) -> Option<Secret> {
    let (parent, _) = access_token.as_str().rsplit_once('/')?;
    let token = answer.pointer(parent)?.get("refresh_token")?.as_str()?;
    Some(token).filter(|token| !token.is_empty()).map(Secret::new)
}

/// Whether the answer says no to the proof by the definition's own conditions.
pub(super) fn check_refused(conditions: &[Condition], answer: &Value) -> Result<(), ProofError> {
    let refused = conditions.iter().any(|condition| holds(condition, answer));
    if refused { Err(ProofError::Refused) } else { Ok(()) }
}

/// Whether the answer is a success by the definition's own conditions. What was `shown` to the provider is not
/// repeated, even where it says that this is its error code.
pub(super) fn check_success<'a>(
    conditions: &[Condition],
    answer: &Value,
    shown: impl Iterator<Item = &'a Secret>,
) -> Result<(), ProofError> {
    if conditions.iter().all(|condition| holds(condition, answer)) {
        return Ok(());
    }
    let mut secrets = shown.map(Secret::expose).filter(|secret| !secret.is_empty());
    let code = reported_code(answer).filter(|code| !secrets.any(|secret| code.contains(secret)));
    Err(ProofError::ReportedErrors { code })
}

fn holds(condition: &Condition, answer: &Value) -> bool {
    let found = answer.pointer(condition.at.as_str()).filter(|value| !value.is_null());
    match &condition.is {
        Comparison::AbsentOrEmpty => found.is_none_or(|value| value.as_array().is_some_and(Vec::is_empty)),
        Comparison::Present => found.is_some(),
        Comparison::Equal(wanted) => found == Some(wanted),
        Comparison::AbsentOr(wanted) => found.is_none_or(|value| value == wanted),
        Comparison::Greater(least) => found.and_then(Value::as_i64).is_some_and(|value| value > *least),
    }
}

/// The provider's own code, where one of the usual places holds a plain word that a log can bear.
fn reported_code(answer: &Value) -> Option<String> {
    let places = ["/errors/0/extensions/code", "/error/code", "/errcode", "/resultcode", "/ret", "/error"];
    let code = places.iter().find_map(|place| match answer.pointer(place)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })?;
    let plain = (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    plain.then_some(code)
}

/// The external ID. Of several parts none may hold what stands between them, so that no two people can ever
/// have one ID.
pub(super) fn subject(wanted: &Subject, answer: &Value) -> Result<String, ProofError> {
    let parts: Option<Vec<String>> = wanted.0.iter().map(|part| value(part, answer)).collect();
    let parts = parts.ok_or(ProofError::SubjectMissing)?;
    let ambiguous = parts.len() > 1 && parts.iter().any(|part| part.contains(PART_SEPARATOR));
    let whole = parts.join(&PART_SEPARATOR.to_string());
    if ambiguous || !is_clean(&whole, MAX_SUBJECT_CHARS) {
        return Err(ProofError::SubjectMissing);
    }
    Ok(whole)
}

/// A value in the one form that it has: strings byte for byte, numbers as their digits. A number that went
/// through floating point, or that is written with a fraction or an exponent, is nobody's.
pub(super) fn value(wanted: &pointer::Value, answer: &Value) -> Option<String> {
    let found = answer.pointer(wanted.at.as_str())?;
    let text = match wanted.r#type {
        ValueType::String | ValueType::Digits => found.as_str()?.to_owned(),
        ValueType::Integer => found.as_u64()?.to_string(),
        ValueType::TextOrInteger => text_or_integer(found)?,
    };
    let text = match &wanted.strip_prefix {
        Some(prefix) => text.strip_prefix(prefix.as_str())?.to_owned(),
        None => text,
    };
    let digits = wanted.r#type != ValueType::Digits || text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && is_clean(&text, MAX_SUBJECT_CHARS)).then_some(text)
}

fn text_or_integer(found: &Value) -> Option<String> {
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A name, or nothing if what stands there cannot be one.
pub(super) fn display_text(at: &[Pointer], answer: &Value) -> Option<String> {
    let mut texts = at.iter().filter_map(|at| answer.pointer(at.as_str())?.as_str());
    texts.find(|text| is_clean(text, MAX_NAME_CHARS)).map(str::to_owned)
}
