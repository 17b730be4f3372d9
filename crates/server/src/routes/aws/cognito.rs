//! `AWSCognitoIdentityService` in AWS JSON 1.1 (docs/reference/cognito-identity.md, 1 to 3): from a request to its
//! operation, and whether the caller may have it performed.

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_core::audit::{AuditAction, AuditDraft, Grounds, Requester};
use daypass_core::iam::Key;
use serde_json::{Map, Value};

use super::Access::{Public, Signed};
use super::model::{OPERATIONS, Operation};
use super::operations::Call;
use super::validation::Violations;
use super::{authenticate, count, pool, sts};
use crate::error::{ApiError, Protocol};
use crate::installation::Embedded;
use crate::routes::body;
use crate::sigv4::Caller;

const TARGET_PREFIX: &str = "AWSCognitoIdentityService.";
const SERVICE: &str = "cognito-identity";

/// Answers one request.
pub async fn answer(
    embedded: &Embedded,
    mut by: Requester,
    parts: &Parts,
    body: &Bytes,
) -> Result<Response, ApiError> {
    let operation = find_operation(parts)?;
    let caller = match operation.access {
        Signed => Some(authenticate(embedded, parts, body, SERVICE, Protocol::Json).await?),
        Public => None,
    };
    // Not before it is known who asks: whoever signs nothing would use up the turns of those who do.
    count(embedded.rate_limits.operation(operation.name), Protocol::Json)?;
    let input = read_input(body)?;
    by.access_key_id = caller.as_ref().map(|caller| caller.access_key_id().clone());
    if let Some(caller) = &caller {
        authorize(embedded, caller, &by, operation, &input).await?;
    }
    validate(operation, &input)?;
    let answer = (operation.perform)(Call { embedded, by, input }).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], answer).into_response())
}

fn find_operation(parts: &Parts) -> Result<&'static Operation, ApiError> {
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = target.strip_prefix(TARGET_PREFIX).unwrap_or_default();
    let operation = OPERATIONS.iter().find(|operation| operation.name == name);
    operation.ok_or_else(ApiError::unknown_operation)
}

fn read_input(body: &Bytes) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::serialization(body::describe(&error)))
}

fn validate(operation: &Operation, input: &Map<String, Value>) -> Result<(), ApiError> {
    let mut violations = Violations::new(Protocol::Json);
    violations.check(operation.input, input)?;
    violations.finish()
}

/// The policy of the access key or of the role has to allow the operation on every pool that it is about.
async fn authorize(
    embedded: &Embedded,
    caller: &Caller,
    by: &Requester,
    operation: &Operation,
    input: &Map<String, Value>,
) -> Result<(), ApiError> {
    let action = format!("{SERVICE}:{}", operation.name);
    for pool in pool::of_operation(embedded, operation.about, input).await.map_err(ApiError::pool)? {
        let context = embedded.access.arrival(by.origin).with_all(Key::IdentityPoolArn, pool.as_deref());
        let resource = pool.as_deref().unwrap_or("*");
        let decided = match caller {
            Caller::Developer(key) => embedded.access.decide_developer(key, &action, resource, context),
            Caller::Session(opened) => embedded.access.decide(&opened.session, &action, resource, context),
        };
        if let Err(error) = decided {
            let mut draft = AuditDraft::by(AuditAction::ApiRequest, by);
            draft.identity_id = caller.identity_id().cloned();
            draft.resource = Some(format!("{action} on {resource}"));
            embedded
                .trail
                .refused(draft, Grounds::of(&error))
                .await
                .map_err(|error| ApiError::pool(error.into()))?;
            let arn = sts::caller_arn(embedded, caller);
            let message =
                format!("User: {arn} is not authorized to perform: {action} on resource: {resource}");
            return Err(ApiError::access_denied(message));
        }
    }
    Ok(())
}
