//! The dialect of a request that did not reach its route.

use axum::extract::Request;

use super::aws;
use crate::error::Dialect;

/// How a request is answered if it fails before its route is reached.
pub fn dialect_of(request: &Request) -> Dialect {
    if request.uri().path().starts_with("/oauth2/") { Dialect::OAuth } else { aws::dialect_of(request) }
}
