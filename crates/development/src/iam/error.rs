//! Why a call about roles is refused: IAM's codes (AWS's model of IAM, version 2010-05-08) and, before the call, those of every
//! service in the Query protocol.

use axum::http::StatusCode;
use daypass_core::audit::Reason;
use daypass_core::iam::PolicyError;
use daypass_core::store::StoreError;
use daypass_server::sigv4::SignatureError;

#[derive(Debug, thiserror::Error)]
pub(super) enum IamError {
    #[error("The body of the request is too long, or did not arrive.")]
    Body,
    #[error("{0}")]
    Signature(#[from] SignatureError),
    #[error("The caller is not authorized to perform: {action} on resource: {resource}")]
    Denied { action: String, resource: String },
    #[error("Could not find operation {0}")]
    UnknownCall(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    MalformedPolicy(#[from] PolicyError),
    #[error("{0} cannot be found.")]
    NoSuchEntity(String),
    #[error("{0} already exists.")]
    AlreadyExists(String),
    #[error("Cannot delete entity, must delete policies first.")]
    StillHasPolicies,
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IamError {
    pub fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Body => (StatusCode::BAD_REQUEST, "ValidationError"),
            Self::Signature(error) => (StatusCode::FORBIDDEN, of_signature(error)),
            Self::Denied { .. } => (StatusCode::FORBIDDEN, "AccessDenied"),
            Self::UnknownCall(_) => (StatusCode::BAD_REQUEST, "InvalidAction"),
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "InvalidInput"),
            Self::MalformedPolicy(_) => (StatusCode::BAD_REQUEST, "MalformedPolicyDocument"),
            Self::NoSuchEntity(_) => (StatusCode::NOT_FOUND, "NoSuchEntity"),
            Self::AlreadyExists(_) => (StatusCode::CONFLICT, "EntityAlreadyExists"),
            Self::StillHasPolicies => (StatusCode::CONFLICT, "DeleteConflict"),
            Self::Failed(_) | Self::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceFailure"),
        }
    }
}

fn of_signature(error: &SignatureError) -> &'static str {
    match error {
        SignatureError::Missing => "MissingAuthenticationToken",
        SignatureError::Incomplete(_) | SignatureError::HeadersNotSigned(_) => "IncompleteSignature",
        SignatureError::UnknownKey => "InvalidClientTokenId",
        SignatureError::ExpiredSession => "ExpiredToken",
        SignatureError::Store(_)
        | SignatureError::Skewed(_)
        | SignatureError::WrongScope(_)
        | SignatureError::Payload(_)
        | SignatureError::Mismatch => "SignatureDoesNotMatch",
    }
}

impl Reason for IamError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Body | Self::UnknownCall(_) | Self::Invalid(_) => "malformed_request",
            Self::Signature(_) => "signature_refused",
            Self::Denied { .. } => "access_denied",
            Self::MalformedPolicy(_) => "policy_malformed",
            Self::NoSuchEntity(_) => "unknown_role",
            Self::AlreadyExists(_) => "role_exists",
            Self::StillHasPolicies => "role_has_policies",
            Self::Failed(_) => "roles_not_taken_up",
            Self::Store(error) => error.reason(),
        }
    }
}
