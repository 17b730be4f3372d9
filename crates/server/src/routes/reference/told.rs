//! Refusals as clients hear them.

use std::collections::BTreeMap;

use axum::body::to_bytes;
use axum::http::header;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::SystemRandom;
use futures::FutureExt;
use serde_json::Value;

use super::operation::Operation;
use super::refusals::{REQUEST, Refusals, Speech};
use crate::error::{ApiError, Dialect};

/// A refusal as a client hears it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    pub status: u16,
    pub media_type: String,
    /// The standard's name, where it is told so.
    pub error: Option<String>,
    pub code: String,
}

/// What an operation refuses for one kind of reason.
pub(super) fn told(operation: &Operation, refusals: &Refusals) -> Vec<Told> {
    let speech = refusals.speech.unwrap_or(operation.speech);
    // What befalls a request before its route is reached is told by its path.
    let plain = if operation.path.starts_with("/oauth2/") { Dialect::OAuth } else { Dialect::Problem };
    let mut all: Vec<Told> = match speech {
        Speech::Problem => errors(refusals, Dialect::Problem),
        Speech::OAuth => errors(refusals, Dialect::OAuth),
        Speech::Page if refusals.is_of(&REQUEST) => [errors(refusals, plain), pages(refusals)].concat(),
        Speech::Page => pages(refusals),
    };
    all.sort();
    all.dedup();
    all
}

fn errors(refusals: &Refusals, dialect: Dialect) -> Vec<Told> {
    (refusals.errors)(dialect).iter().map(|error| as_told(error, dialect)).collect()
}

fn pages(refusals: &Refusals) -> Vec<Told> {
    let page = |error: &ApiError| Told { media_type: "text/html".into(), ..as_told(error, Dialect::Problem) };
    (refusals.errors)(Dialect::Problem).iter().map(page).collect()
}

/// Asks the error itself.
fn as_told(error: &ApiError, dialect: Dialect) -> Told {
    let answer = error.answer(dialect, &RequestId::generate(Timestamp::UNIX_EPOCH, &SystemRandom));
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).now_or_never().unwrap().unwrap();
    let body: BTreeMap<String, Value> = serde_json::from_slice(&body).unwrap();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    Told {
        status: parts.status.as_u16(),
        media_type: parts.headers[header::CONTENT_TYPE].to_str().unwrap().to_owned(),
        error: text("error"),
        code: text("code").unwrap(),
    }
}
