//! The profile, which anyone who holds an access token can read. Like the real one it says nothing about
//! which app the token was made for, and it reports trouble in three ways that a client must tell apart:
//! 401 with plain text, HTTP 200 with `errors`, and fields that are simply not there.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Sandbox;
use super::graphql::{Query, Type};
use super::ledger::Grant;
use super::params::Params;
use super::scope::Scope;

/// `email` can be asked for, and nobody has one.
const SCHEMA: Type = Type::Object(
    "Query",
    &[(
        "me",
        Type::Object(
            "Me",
            &[
                ("externalId", Type::Scalar),
                ("displayName", Type::Scalar),
                ("email", Type::Scalar),
                ("bitmoji", Type::Object("Bitmoji", &[("avatar", Type::Scalar), ("id", Type::Scalar)])),
            ],
        ),
    )],
);

/// `GET /v1/me?query=…`
pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    params: Result<Params, FormRejection>,
) -> Response {
    let Some(grant) = find_grant(&sandbox, &headers) else { return unauthorized() };
    let query = params.ok().and_then(|params| params.optional("query").ok().flatten().map(str::to_owned));
    answer(&sandbox, &grant, &query.unwrap_or_default())
}

/// `POST /v1/me` with `{"query": …}`
pub(super) async fn post(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(grant) = find_grant(&sandbox, &headers) else { return unauthorized() };
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    match serde_json::from_slice(&body) {
        Ok(Value::Object(request)) => {
            let query = request.get("query").and_then(Value::as_str);
            answer(&sandbox, &grant, query.unwrap_or_default())
        }
        _ => (StatusCode::BAD_REQUEST, "The body must be a JSON object with a query.\n").into_response(),
    }
}

fn find_grant(sandbox: &Sandbox, headers: &HeaderMap) -> Option<Arc<Grant>> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    let token = scheme.eq_ignore_ascii_case("Bearer").then_some(token)?;
    sandbox.grants.find_by_access_token(token)
}

fn unauthorized() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)];
    (StatusCode::UNAUTHORIZED, challenge, "Unauthorized: the access token is missing, unknown or expired.\n")
        .into_response()
}

/// HTTP 200 whatever the query comes to.
fn answer(sandbox: &Sandbox, grant: &Grant, query: &str) -> Response {
    let answer = match Query::parse(query, &SCHEMA) {
        Err(error) => json!({ "errors": [error_entry(&error.message(), error.code())] }),
        Ok(_) if !grant.person.is_demo_user => not_a_demo_user(),
        Ok(query) => json!({ "data": query.pick(&json!({ "me": profile(sandbox, grant) })) }),
    };
    Json(answer).into_response()
}

fn not_a_demo_user() -> Value {
    let error = error_entry("The user is not a demo user of this app.", "UNAUTHORIZED_USER");
    json!({ "data": { "me": null }, "errors": [error] })
}

fn error_entry(message: &str, code: &str) -> Value {
    json!({ "message": message, "extensions": { "code": code } })
}

/// Only what the person shares; a field that is not shared is absent, not null.
fn profile(sandbox: &Sandbox, grant: &Grant) -> Value {
    let person = grant.person;
    let fields = grant.scopes.iter().map(|scope| match scope {
        Scope::ExternalId => ("externalId", json!(person.external_id(&grant.client_id))),
        Scope::DisplayName => ("displayName", json!(person.name)),
        Scope::BitmojiAvatar => {
            let avatar = format!("{}{}", sandbox.public_url, person.avatar_path());
            ("bitmoji", json!({ "avatar": avatar, "id": person.bitmoji_id() }))
        }
    });
    Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect())
}
