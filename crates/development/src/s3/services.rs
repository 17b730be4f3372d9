//! What answers a request that the gate let in.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use daypass_core::ground::clock::Clock;
use s3s::service::S3Service;
use tower::ServiceExt;

/// The largest document; `s3s` reads it whole before it does anything.
pub(super) const LARGEST_DOCUMENT: usize = 8 << 20;

/// What stands behind the gate.
#[derive(Clone)]
pub(super) struct Services {
    /// Verifies the signature of a request, unless it bears none, and asks whether it is permitted.
    pub s3: S3Service,
    /// Tells when signatures are over. `s3s` reads the machine's own.
    pub clock: Arc<dyn Clock>,
}

/// The answer of a service.
pub(super) async fn ask(service: S3Service, request: Request<Body>) -> Response {
    match service.oneshot(request).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(error) => {
            tracing::error!(?error, "the S3 service failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
