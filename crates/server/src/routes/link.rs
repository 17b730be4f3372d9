//! `POST /v1/link`: two logins in, one identity and its token out.

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use daypass_core::audit::Requester;

use super::body;
use super::exchange::{NOT_AT_LINK, answer, read_link};
use super::page::check_origin;
use super::state::SharedApp;
use crate::error::{ApiError, Dialect};
use crate::installation::App;

/// Two proofs.
const MAX_BODY: usize = 128 * 1024;

pub async fn handle(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    let linked = link(&app, &by, request).await;
    app.metrics.exchanged(linked.as_ref().map_or_else(ApiError::code, |_| "ok"));
    linked.unwrap_or_else(|error| error.answer(Dialect::Problem, &by.request_id))
}

async fn link(app: &App, by: &Requester, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let body = body::json(&parts.headers, body, MAX_BODY, &NOT_AT_LINK).await?;
    let request = read_link(app, &parts, body, by).await?;
    let linked = app.broker.link(request, by).await;
    Ok(answer(&linked.map_err(ApiError::exchange)?, None))
}
