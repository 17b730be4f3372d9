//! The one thing that the provider engine needs of a network: send a request, get a bounded answer.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};

/// Sends requests to identity providers.
///
/// An implementation follows no redirect, verifies TLS, and caps the time and the size of an answer:
/// the far end is not ours.
#[async_trait]
pub trait ProviderHttp: Send + Sync {
    /// Sends one request and reads the whole answer. Of its headers only the target of a redirect is kept, without a
    /// query.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError>;
}

/// Marks a request, among its extensions, that may be sent a second time: it only asks, and asking twice does
/// what asking once does. Whatever redeems or uses up something goes without.
#[derive(Debug, Clone, Copy)]
pub struct Repeatable;

/// Whose host is asked, among the extensions of a request: the provider's ID in the configuration. A request for the keys of an
/// issuer has none, because several providers may share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedProvider(pub Arc<str>);

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderHttpError {
    /// Not within the time allowed.
    #[error("timed out")]
    TimedOut,
    /// No connection, a broken one, or no valid certificate. The text names no URL.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// Nothing was sent: the last requests to this host all failed, and it is given a rest.
    #[error("not asked: it did not answer the last requests")]
    Resting,
    /// Nothing was sent: the host is not on the public internet, and the operator does not allow it.
    #[error("{host} has a private address; if it is yours, add it to allow_private of [network]")]
    PrivateAddress {
        /// The host, as the URL names it.
        host: String,
    },
    /// Nothing was sent: this process has as many files and sockets open as the system lets it.
    #[error(
        "no file descriptor is left for a connection; raise the limit of open files (LimitNOFILE= under systemd)"
    )]
    OutOfFiles,
    /// The body exceeds the size allowed.
    #[error("the answer has more than {limit} bytes")]
    AnswerTooLarge {
        /// The size allowed.
        limit: usize,
        /// What the answer began with, for whoever needs no body.
        status: StatusCode,
    },
}
