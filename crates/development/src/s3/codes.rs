//! Codes of S3 that `s3s` does not know (S3 API Reference, "List of error codes").

use std::borrow::Cow;

use axum::http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// An error with a code that `s3s` does not know the status of.
pub(super) fn with_code(code: &str, status: StatusCode, message: impl Into<Cow<'static, str>>) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(status);
    error
}
