//! What a provider's status says of its address, where it says nothing of the proof.

use ::http::{Response, StatusCode};
use bytes::Bytes;

use super::error::ProofError;
use super::template::Template;
use crate::login::jwks::status_told;

/// Whether the address itself is not there (any more), or leads elsewhere, where nobody follows. Where a value of the
/// login stands in its path, the status is about that: GitHub does not find another client's token.
pub(super) fn is_gone(status: StatusCode, url: &Template) -> bool {
    let is_ours = || url.names_in_path().next().is_none();
    status.is_redirection() || status == StatusCode::GONE || status == StatusCode::NOT_FOUND && is_ours()
}

/// What the operator has to know to mend the address.
pub(super) fn not_as_defined(url: &str, answer: &Response<Bytes>) -> ProofError {
    let told = status_told(answer.status(), answer.headers());
    ProofError::NotAsDefined(format!("{url} answers with {told}"))
}
