//! Reading request bodies: no more of them than a route takes, and no longer than an honest client needs.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Dialect, RequestFailure};

/// A client has so long to send its body: half of what a request may take, so that it hears whose fault it was.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// The whole body, if it is not too long, comes in time, and is one.
pub async fn read(body: Body, limit: usize, dialect: Dialect) -> Result<Bytes, ApiError> {
    let failed = |failure| ApiError::of_request(dialect, failure);
    match tokio::time::timeout(TIME_LIMIT, to_bytes(body, limit)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_long(&error) => Err(failed(RequestFailure::BodyTooLarge { limit })),
        Ok(Err(_)) => Err(failed(RequestFailure::BodyBroken)),
        Err(_) => Err(failed(RequestFailure::BodyTooSlow)),
    }
}

/// Whether a body ended at our limit. Any other error of a body is its sender's: it broke off, or its chunks are none.
fn is_too_long(error: &axum::Error) -> bool {
    error.source().is_some_and(<dyn Error + 'static>::is::<LengthLimitError>)
}

/// A JSON body of a `/v1` route, of whose type it may not take every member. Asking for the content type makes a browser ask us
/// first, too (Fetch, "CORS-preflight request").
pub async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    not_here: &[&str],
) -> Result<T, ApiError> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::not_json());
    }
    serde_json::from_slice(&read(body, limit, Dialect::Problem).await?)
        .map_err(|error| ApiError::malformed_request(without(&describe(&error), not_here)))
}

/// serde names every member of the type in place of one that it does not know, and says where that stands.
fn without(description: &str, not_here: &[&str]) -> String {
    let listed = description.split_once(", expected one of ");
    let Some((what, (members, place))) =
        listed.and_then(|(what, rest)| Some((what, rest.rsplit_once(" at line ")?)))
    else {
        return description.to_owned();
    };
    let is_here = |member: &&str| !not_here.contains(&member.trim_matches('`'));
    let here: Vec<&str> = members.split(", ").filter(is_here).collect();
    format!("{what}, expected one of {} at line {place}", here.join(", "))
}

/// What is wrong with a JSON text, without repeating any of its values: they may be secrets.
pub fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let shape = ["missing field", "unknown field", "duplicate field"];
    if shape.iter().any(|known| text.starts_with(known)) {
        return text;
    }
    let what = if error.is_data() { "a member has the wrong type" } else { "the body is not valid JSON" };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    async fn refusal_of(body: Body) -> u16 {
        let refusal = read(body, 8, Dialect::Problem).await.unwrap_err();
        let id = daypass_core::ground::ids::RequestId::generate(
            daypass_core::ground::clock::Timestamp::UNIX_EPOCH,
            &daypass_core::ground::random::SystemRandom,
        );
        refusal.answer(Dialect::Problem, &id).status().as_u16()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_none_is_not_one_that_is_too_large() {
        assert_eq!(read(Body::from("12345678"), 8, Dialect::Problem).await.unwrap(), "12345678");
        assert_eq!(refusal_of(Body::from("123456789")).await, 413);
        let broken = || stream::iter([Ok("1"), Err(std::io::Error::other("the connection was reset"))]);
        assert_eq!(refusal_of(Body::from_stream(broken())).await, 400);
        let hanging = stream::pending::<Result<Bytes, Infallible>>();
        assert_eq!(refusal_of(Body::from_stream(hanging)).await, 408);
    }
}
