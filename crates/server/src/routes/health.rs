//! `GET /healthz`: the process answers. `GET /readyz`: it can do its work.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use daypass_core::ids::RequestId;

use super::SharedApp;
use crate::error::{ApiError, Dialect};

pub async fn alive() -> &'static str {
    "ok\n"
}

pub async fn ready(State(app): SharedApp, Extension(id): Extension<RequestId>) -> Response {
    match app.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => ApiError::not_ready(&error).answer(Dialect::Problem, &id),
    }
}
