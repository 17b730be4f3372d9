//! The gate before the AWS API: what is not declared public is closed, and a signature covers all that a
//! request means.

use aws_sigv4::http_request::SignableBody;
use daypass::routes::aws::{Access, model, sts};
use daypass_core::clock::{Clock, SignedDuration, Timestamp};
use daypass_core::ids::{IdentityId, RoleName};
use daypass_core::store::{RevocationTarget, Store};
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, Credentials, Daypass, Signer, cognito_request, sts_request};

fn request() -> Request<String> {
    cognito_request("ListIdentityPools", &json!({"MaxResults": 1}))
}

/// A request that verifies, for a test to spoil.
fn signed(daypass: &Daypass) -> Request<String> {
    daypass.signer(&daypass.key).sign(request())
}

fn authorization(request: &mut Request<String>, from: &str, to: &str) {
    let text = request.headers()["authorization"].to_str().unwrap().to_owned();
    assert!(text.contains(from), "{text}");
    request.headers_mut().insert("authorization", text.replace(from, to).parse().unwrap());
}

#[tokio::test]
async fn the_public_operations_are_these_five() {
    let all = model::OPERATIONS.iter().chain(sts::ACTIONS);
    let public: Vec<&str> =
        all.filter(|operation| operation.access == Access::Public).map(|operation| operation.name).collect();
    let known = [
        "GetCredentialsForIdentity",
        "GetId",
        "GetOpenIdToken",
        "UnlinkIdentity",
        "AssumeRoleWithWebIdentity",
    ];
    assert_eq!(public, known);
    assert_eq!((model::OPERATIONS.len(), sts::ACTIONS.len()), (23, 2));
}

#[tokio::test]
async fn every_other_operation_is_closed_to_whoever_does_not_sign() {
    let daypass = Daypass::start().await;
    let closed = model::OPERATIONS.iter().filter(|operation| operation.access == Access::Signed);
    for operation in closed {
        let answer = daypass.public(operation.name, json!({})).await;
        answer.assert_exception("MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    for action in sts::ACTIONS.iter().filter(|action| action.access == Access::Signed) {
        let answer = daypass.sts(&[("Action", action.name)]).await;
        answer.assert_sts_error(403, "MissingAuthenticationToken");
        assert_eq!(answer.element("Message"), "Missing Authentication Token");
    }
}

#[tokio::test]
async fn an_operation_that_does_not_exist_is_not_one() {
    let daypass = Daypass::start().await;
    for target in ["AWSCognitoIdentityService.Nothing", "GetId", "Other.GetId", ""] {
        let mut request = request();
        request.headers_mut().insert("x-amz-target", target.parse().unwrap());
        daypass.send(request).await.assert_code("UnknownOperationException");
    }
    daypass.sts(&[("Action", "GetSessionToken")]).await.assert_sts_error(400, "InvalidAction");
    daypass.sts(&[]).await.assert_sts_error(400, "InvalidAction");
}

#[tokio::test]
async fn a_signed_request_passes() {
    let daypass = Daypass::start().await;
    let answer = daypass.send(signed(&daypass)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn the_holder_of_another_secret_is_refused() {
    let daypass = Daypass::start().await;
    let forger = Credentials::of_developer(&daypass.key.access_key_id, "another secret");
    let answer = daypass.signed_by(&forger, "ListIdentityPools", json!({"MaxResults": 1})).await;
    answer.assert_code("InvalidSignatureException");
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let daypass = Daypass::start().await;
    for id in ["AKIAAAAAAAAAAAAAAAAA", "ASIAAAAAAAAAAAAAAAAA", "not-a-key"] {
        let stranger = Credentials::of_developer(id, &daypass.key.secret_access_key);
        let answer = daypass.signed_by(&stranger, "ListIdentityPools", json!({"MaxResults": 1})).await;
        let message = "The security token included in the request is invalid.";
        answer.assert_exception("UnrecognizedClientException", message);
    }
}

#[tokio::test]
async fn what_was_changed_after_signing_is_refused() {
    let daypass = Daypass::start().await;
    let changes: [fn(&mut Request<String>); 6] = [
        |request| *request.body_mut() = json!({"MaxResults": 2}).to_string(),
        |request| *request.uri_mut() = "/?changed=1".parse().unwrap(),
        |request| set(request, "x-amz-target", "AWSCognitoIdentityService.CreateIdentityPool"),
        |request| set(request, "content-type", "application/json"),
        |request| set(request, "host", "another.example"),
        |request| set(request, "x-amz-date", "20260921T141321Z"),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut request = signed(&daypass);
        change(&mut request);
        let answer = daypass.send(request).await;
        assert_eq!(answer.json()["__type"], "InvalidSignatureException", "change {number}: {answer:?}");
    }
}

fn set(request: &mut Request<String>, name: &'static str, value: &'static str) {
    assert_ne!(request.headers_mut().insert(name, HeaderValue::from_static(value)).unwrap(), value);
}

#[tokio::test]
async fn a_target_that_was_not_signed_is_refused() {
    let daypass = Daypass::start().await;
    let mut request = request();
    let target = request.headers_mut().remove("x-amz-target").unwrap();
    let mut request = daypass.signer(&daypass.key).sign(request);
    request.headers_mut().insert("x-amz-target", target);
    let answer = daypass.send(request).await;
    answer.assert_exception("IncompleteSignatureException", "'x-amz-target' must be among the SignedHeaders");
}

#[tokio::test]
async fn a_signature_is_good_for_fifteen_minutes_either_way() {
    let daypass = Daypass::start().await;
    let request = signed(&daypass);
    daypass.advance(SignedDuration::from_mins(15));
    assert_eq!(daypass.send(request.clone()).await.status, 200);
    daypass.advance(SignedDuration::from_secs(1));
    daypass.send(request.clone()).await.assert_code("InvalidSignatureException");
    daypass.advance(-SignedDuration::from_mins(30) - SignedDuration::from_secs(2));
    daypass.send(request.clone()).await.assert_code("InvalidSignatureException");
    daypass.advance(SignedDuration::from_secs(1));
    assert_eq!(daypass.send(request).await.status, 200);
}

#[tokio::test]
async fn the_day_of_the_scope_is_that_of_the_request() {
    let daypass = Daypass::start().await;
    let mut request = signed(&daypass);
    authorization(&mut request, "/20260921/", "/20260920/");
    daypass.send(request).await.assert_code("IncompleteSignatureException");
}

#[tokio::test]
async fn a_header_that_stands_there_twice_is_refused() {
    let daypass = Daypass::start().await;
    for name in ["authorization", "x-amz-date"] {
        let mut request = signed(&daypass);
        let value = request.headers()[name].clone();
        request.headers_mut().append(name, value);
        let answer = daypass.send(request).await;
        let message = format!("'{name}' stands there twice");
        answer.assert_exception("IncompleteSignatureException", &message);
    }
    for name in ["host", "x-amz-target", "content-type"] {
        let mut request = signed(&daypass);
        let value = request.headers()[name].clone();
        request.headers_mut().append(name, value);
        daypass.send(request).await.assert_code("InvalidSignatureException");
    }
}

#[tokio::test]
async fn signed_headers_that_are_not_there_are_refused() {
    let daypass = Daypass::start().await;
    for absent in ["SignedHeaders=x-absent;", "SignedHeaders=;", "SignedHeaders=not a header;"] {
        let mut request = signed(&daypass);
        authorization(&mut request, "SignedHeaders=", absent);
        daypass.send(request).await.assert_code("IncompleteSignatureException");
    }
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let daypass = Daypass::start().await;
    let mut request = signed(&daypass);
    request.headers_mut().remove("host");
    daypass.send(request).await.assert_code("IncompleteSignatureException");

    let mut request = signed(&daypass);
    request.headers_mut().remove("host");
    authorization(&mut request, ";host", "");
    daypass.send(request).await.assert_code("IncompleteSignatureException");
}

#[tokio::test]
async fn a_signature_for_another_service_is_refused() {
    let daypass = Daypass::start().await;
    let request = Signer { service: "s3", ..daypass.signer(&daypass.key) }.sign(request());
    let message = "Credential should be scoped to correct service: 'cognito-identity'";
    daypass.send(request).await.assert_exception("IncompleteSignatureException", message);

    let request = daypass.signer(&daypass.key).sign(sts_request(&[("Action", "GetCallerIdentity")]));
    daypass.send(request).await.assert_sts_error(403, "IncompleteSignature");
}

#[tokio::test]
async fn a_payload_that_is_declared_unsigned_is_refused() {
    let daypass = Daypass::start().await;
    let mut request = request();
    request.headers_mut().insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
    let request = daypass.signer(&daypass.key).sign_over(request, SignableBody::UnsignedPayload);
    daypass.send(request).await.assert_code("InvalidSignatureException");
}

#[tokio::test]
async fn headers_that_are_no_signature_are_refused() {
    let daypass = Daypass::start().await;
    let spoils = [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("/aws4_request", "/aws3_request"),
        ("/us-east-1/", "/"),
        ("Signature=", "Signature=0, Signature="),
        ("Signature=", "Sign="),
        ("SignedHeaders=", "Headers="),
        ("Credential=", "Key="),
    ];
    for (from, to) in spoils {
        let mut request = signed(&daypass);
        authorization(&mut request, from, to);
        daypass.send(request).await.assert_code("IncompleteSignatureException");
    }
    for (name, value) in [("authorization", "Bearer token"), ("x-amz-date", "yesterday")] {
        let mut request = signed(&daypass);
        set(&mut request, name, value);
        daypass.send(request).await.assert_code("IncompleteSignatureException");
    }
}

#[tokio::test]
async fn a_request_without_a_date_is_refused() {
    let daypass = Daypass::start().await;
    let mut request = signed(&daypass);
    request.headers_mut().remove("x-amz-date");
    authorization(&mut request, ";x-amz-date", "");
    let message = "the X-Amz-Date header is missing";
    daypass.send(request).await.assert_exception("IncompleteSignatureException", message);
}

async fn session(daypass: &Daypass) -> (Credentials, Value) {
    let entered = daypass.enter("ada").await;
    (daypass.credentials(&entered).await, entered["identity_id"].clone())
}

async fn list_pools(daypass: &Daypass, credentials: &Credentials) -> Answer {
    daypass.signed_by(credentials, "ListIdentityPools", json!({"MaxResults": 1})).await
}

#[tokio::test]
async fn a_session_does_what_its_role_allows() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    assert_eq!(list_pools(&daypass, &credentials).await.status, 200);

    let input = json!({"IdentityPoolName": "mine", "AllowUnauthenticatedIdentities": true});
    let answer = daypass.signed_by(&credentials, "CreateIdentityPool", input).await;
    answer.assert_code("AccessDeniedException");
    let message = "User: arn:aws:sts::000000000000:assumed-role/authenticated/CognitoIdentityCredentials is not \
                   authorized to perform: cognito-identity:CreateIdentityPool on resource: *";
    assert_eq!(answer.body, json!({"__type": "AccessDeniedException", "Message": message}).to_string());
}

#[tokio::test]
async fn the_refusal_names_the_pool_that_was_asked_for() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    let input = json!({"IdentityPoolId": daypass.pool_id(), "MaxResults": 1});
    let answer = daypass.signed_by(&credentials, "ListIdentities", input).await;
    let arn = format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{}", daypass.pool_id());
    let message = answer.json()["Message"].as_str().unwrap().to_owned();
    assert!(message.ends_with(&format!("cognito-identity:ListIdentities on resource: {arn}")), "{message}");
}

#[tokio::test]
async fn an_expired_session_is_refused() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    daypass.advance(SignedDuration::from_secs(3599));
    assert_eq!(list_pools(&daypass, &credentials).await.status, 200);
    daypass.advance(SignedDuration::from_secs(1));
    let message = "The security token included in the request is expired";
    list_pools(&daypass, &credentials).await.assert_exception("ExpiredTokenException", message);
}

async fn assert_revoked(target: fn(&Value) -> RevocationTarget) {
    let daypass = Daypass::start().await;
    let (credentials, identity_id) = session(&daypass).await;
    let now: Timestamp = daypass.clock.now();
    daypass.store.revoke_sessions(&target(&identity_id), now).await.unwrap();
    list_pools(&daypass, &credentials).await.assert_code("ExpiredTokenException");

    daypass.advance(SignedDuration::from_secs(1));
    let (later, _) = session(&daypass).await;
    assert_eq!(list_pools(&daypass, &later).await.status, 200);
}

#[tokio::test]
async fn a_revoked_session_is_refused_and_a_later_one_is_not() {
    assert_revoked(|id| RevocationTarget::Identity(IdentityId::parse(id.as_str().unwrap()).unwrap())).await;
    assert_revoked(|_| RevocationTarget::Role(RoleName::parse("authenticated").unwrap())).await;
}

#[tokio::test]
async fn parts_of_two_sessions_make_none() {
    let daypass = Daypass::start().await;
    let (ada, _) = session(&daypass).await;
    let grace = daypass.credentials(&daypass.enter("grace").await).await;

    let mixed = Credentials { session_token: grace.session_token.clone(), ..ada.clone() };
    list_pools(&daypass, &mixed).await.assert_code("UnrecognizedClientException");
    let mixed = Credentials { secret_access_key: grace.secret_access_key, ..ada.clone() };
    list_pools(&daypass, &mixed).await.assert_code("InvalidSignatureException");
    let bare = Credentials { session_token: None, ..ada.clone() };
    list_pools(&daypass, &bare).await.assert_code("UnrecognizedClientException");
    let of_developer = Credentials { session_token: ada.session_token, ..daypass.key.clone() };
    list_pools(&daypass, &of_developer).await.assert_code("UnrecognizedClientException");
}

#[tokio::test]
async fn a_session_token_that_was_not_signed_is_refused() {
    let daypass = Daypass::start().await;
    let (credentials, _) = session(&daypass).await;
    let token = credentials.session_token.clone().unwrap();
    let bare = Credentials { session_token: None, ..credentials };
    let mut request = daypass.signer(&bare).sign(request());
    request.headers_mut().insert("x-amz-security-token", token.parse().unwrap());
    let message = "'x-amz-security-token' must be among the SignedHeaders";
    daypass.send(request).await.assert_exception("IncompleteSignatureException", message);
}
