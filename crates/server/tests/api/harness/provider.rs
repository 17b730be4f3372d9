//! The way to the provider: to the sandbox's router in this process, or to whatever broken answer a test
//! asked for.

use std::sync::Mutex;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use http::{Request, Response};
use tower::ServiceExt;

/// The token endpoint's path.
pub const TOKEN: &str = "/accounts/oauth2/token";
/// The profile's path.
pub const PROFILE: &str = "/v1/me";

/// What one endpoint answers in place of the sandbox.
#[derive(Clone, Copy)]
pub struct BrokenAnswer {
    pub path: &'static str,
    pub answer: fn() -> Result<Response<Bytes>, ProviderHttpError>,
}

pub struct Provider {
    sandbox: Router,
    broken: Mutex<Option<BrokenAnswer>>,
}

impl Provider {
    pub fn new(sandbox: Router) -> Self {
        Self { sandbox, broken: Mutex::default() }
    }

    pub fn break_with(&self, broken: BrokenAnswer) {
        *self.broken.lock().unwrap() = Some(broken);
    }

    pub fn mend(&self) {
        *self.broken.lock().unwrap() = None;
    }
}

#[async_trait]
impl ProviderHttp for Provider {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let broken = *self.broken.lock().unwrap();
        if let Some(broken) = broken.filter(|broken| broken.path == request.uri().path()) {
            return (broken.answer)();
        }
        let response = self.sandbox.clone().oneshot(request.map(Body::from)).await.unwrap();
        let (parts, body) = response.into_parts();
        Ok(Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap()))
    }
}
