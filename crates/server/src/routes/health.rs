//! `GET /healthz`: the process answers. `GET /readyz`: it can do its work.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use daypass_core::ground::ids::RequestId;

use super::state::SharedApp;
use crate::error::{ApiError, Dialect};
use crate::installation::App;
use crate::listen::Stop;

pub async fn alive() -> &'static str {
    "ok\n"
}

pub async fn ready(
    State(app): SharedApp,
    Extension(id): Extension<RequestId>,
    stop: Option<Extension<Stop>>,
) -> Response {
    if stop.is_some_and(|Extension(stop)| stop.is_given()) {
        return ApiError::stopping().answer(Dialect::Problem, &id);
    }
    match readiness(&app).await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => error.answer(Dialect::Problem, &id),
    }
}

async fn readiness(app: &App) -> Result<(), ApiError> {
    app.store.ping().await.map_err(|error| ApiError::not_ready(&error))?;
    if let Some(tokens) = &app.tokens {
        tokens.keep_up().await.map_err(|error| ApiError::not_ready(&error))?;
        app.signing_readiness.ask(tokens).await.map_err(|error| ApiError::signer_not_ready(&error))?;
    }
    app.broker.pool.ready().await.map_err(|error| ApiError::pool_not_ready(&error))
}
