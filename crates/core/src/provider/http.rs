//! The one thing that the provider engine needs of a network: send a request, get a bounded answer.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

/// Sends requests to identity providers.
///
/// An implementation follows no redirect, verifies TLS, and caps the time and the size of an answer:
/// the far end is not ours.
#[async_trait]
pub trait ProviderHttp: Send + Sync {
    /// Sends one request and reads the whole answer.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError>;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProviderHttpError {
    /// Not within the time allowed.
    #[error("timed out")]
    TimedOut,
    /// No connection, a broken one, or no valid certificate. The text names no URL.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The body exceeds the size allowed.
    #[error("the answer is too large")]
    AnswerTooLarge,
}
