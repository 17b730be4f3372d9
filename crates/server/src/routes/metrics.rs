//! `GET /metrics`: what a monitoring system asks about, for whoever shows the token of `[metrics]`.

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::secret::Secret;

use super::state::SharedApp;
use crate::error::{ApiError, Dialect};
use crate::metrics::CONTENT_TYPE;

/// Without a token in the configuration there is nothing at this path.
pub async fn handle(
    State(app): SharedApp,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
) -> Response {
    match &app.metrics_token {
        None => ApiError::not_found().answer(Dialect::Problem, &id),
        Some(token) if bearer(&headers).as_ref() != Some(token) => {
            let mut answer = ApiError::metrics_token_refused().answer(Dialect::Problem, &id);
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
            answer
        }
        Some(_) => {
            let keys = app.tokens.as_ref().map(|tokens| tokens.turns()).unwrap_or_default();
            app.metrics.stand(app.clock.now(), &keys, app.store.connections());
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics.text()).into_response()
        }
    }
}

/// RFC 6750 section 2.1.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim()))
}
