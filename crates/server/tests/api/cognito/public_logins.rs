//! Logins of public providers through the whole API: who is believed, which identity they lead to, and what
//! follows from them (docs/reference/cognito-identity.md, 4 and 9.1).

mod audit;
mod beside_developer;
mod get_id;
mod principal_tags;
mod refusals;
mod role_mapping;
mod tokens;
mod unlinking;

use serde_json::{Value, json};

use crate::harness::{Answer, Daypass};

const TWO_USERS: &str = "The identity is already linked to another login of the same provider.";

/// An installation whose pool takes guests and public logins.
async fn daypass() -> Daypass {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    daypass
}

async fn get_open_id_token(daypass: &Daypass, id: &Value, logins: &Value) -> Answer {
    daypass.public("GetOpenIdToken", json!({"IdentityId": id, "Logins": logins})).await
}

async fn get_credentials(daypass: &Daypass, id: &Value, logins: &Value) -> Answer {
    daypass.public("GetCredentialsForIdentity", json!({"IdentityId": id, "Logins": logins})).await
}

/// The operations that link logins to an identity which the caller names.
const LINKING: [&str; 2] = ["GetOpenIdToken", "GetCredentialsForIdentity"];

async fn link(daypass: &Daypass, operation: &str, id: &Value, logins: &Value) -> Answer {
    daypass.public(operation, json!({"IdentityId": id, "Logins": logins})).await
}

#[track_caller]
fn assert_forbidden(answer: &Answer, id: &Value) {
    let message = format!("Access to Identity '{}' is forbidden.", id.as_str().unwrap());
    answer.assert_exception("NotAuthorizedException", &message);
}

/// One login more in a map.
fn and(mut logins: Value, key: &str, token: impl Into<Value>) -> Value {
    logins[key] = token.into();
    logins
}
