//! The gate before the AWS API: what is not declared public is closed, and a signature covers all that a
//! request means.

mod payload;
mod presigned;
mod sessions;

use daypass_core::ground::clock::SignedDuration;
use daypass_server::routes::aws::{Access, model, sts};
use http::{HeaderValue, Request};
use serde_json::json;

use crate::harness::{Credentials, Daypass, Signer, cognito_request, sts_request};

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
    let operations = model::OPERATIONS.iter().map(|operation| (operation.name, operation.access));
    let actions = sts::ACTIONS.iter().map(|action| (action.name, action.access));
    let public: Vec<&str> = operations
        .chain(actions)
        .filter_map(|(name, access)| (access == Access::Public).then_some(name))
        .collect();
    let known = [
        "GetCredentialsForIdentity",
        "GetId",
        "GetOpenIdToken",
        "UnlinkIdentity",
        "AssumeRoleWithWebIdentity",
    ];
    assert_eq!(public, known);
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
    for absent in ["SignedHeaders=a-header;", "SignedHeaders=;", "SignedHeaders=not a header;"] {
        let mut request = signed(&daypass);
        authorization(&mut request, "SignedHeaders=", absent);
        daypass.send(request).await.assert_code("IncompleteSignatureException");
    }
}

#[tokio::test]
async fn signed_headers_are_written_in_one_way_only() {
    let daypass = Daypass::start().await;
    for (from, to) in
        [(";host;", ";Host;"), (";host;", ";host;host;"), (";host;x-amz-date", ";x-amz-date;host")]
    {
        let mut request = signed(&daypass);
        authorization(&mut request, from, to);
        daypass.send(request).await.assert_code("IncompleteSignatureException");
    }
}

#[tokio::test]
async fn a_repeated_header_is_signed_with_all_its_values() {
    let daypass = Daypass::start().await;
    let with = |value: &'static str, mut request: Request<String>| {
        request.headers_mut().append("my-header", HeaderValue::from_bytes(value.as_bytes()).unwrap());
        request
    };
    let once = daypass.signer(&daypass.key).sign(with("one", request()));
    let twice = daypass.signer(&daypass.key).sign(with("  two   words ", with("one", request())));
    assert_eq!(daypass.send(twice).await.status, 200);
    daypass.send(with("two", once.clone())).await.assert_code("InvalidSignatureException");
    let mut unreadable = once;
    unreadable.headers_mut().append("my-header", HeaderValue::from_bytes(b"\xff").unwrap());
    daypass.send(unreadable).await.assert_code("IncompleteSignatureException");
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
    daypass.send(request).await.assert_exception("InvalidSignatureException", message);

    let request = daypass.signer(&daypass.key).sign(sts_request(&[("Action", "GetCallerIdentity")]));
    daypass.send(request).await.assert_sts_error(403, "SignatureDoesNotMatch");
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

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_in_the_words_of_the_protocol() {
    let daypass = Daypass::start().await;
    let long = |mut request: Request<String>| {
        *request.body_mut() = "x".repeat(576 * 1024 + 1);
        request
    };
    let answer = daypass.send(long(request())).await;
    let found = (answer.status.as_u16(), answer.json()["__type"].clone());
    assert_eq!(found, (413, json!("RequestEntityTooLargeException")), "{answer:?}");
    assert_eq!(answer.header("x-amzn-errortype"), "RequestEntityTooLargeException:");
    daypass.send(long(sts_request(&[]))).await.assert_sts_error(413, "RequestEntityTooLarge");
}

#[tokio::test]
async fn each_refusal_has_the_code_of_its_protocol() {
    let daypass = Daypass::start().await;
    let action = || sts_request(&[("Action", "GetCallerIdentity")]);
    let sts = |credentials| Signer { service: "sts", ..daypass.signer(credentials) };
    daypass.send(action()).await.assert_sts_error(403, "MissingAuthenticationToken");

    let stranger = Credentials::of_developer("AKIAAAAAAAAAAAAAAAAA", "secret");
    let answer = daypass.send(sts(&stranger).sign(action())).await;
    answer.assert_sts_error(403, "InvalidClientTokenId");
    assert_eq!(answer.element("Message"), "The security token included in the request is invalid.");

    let forger = Credentials::of_developer(&daypass.key.access_key_id, "secret");
    daypass.send(sts(&forger).sign(action())).await.assert_sts_error(403, "SignatureDoesNotMatch");

    let mut spoilt = sts(&daypass.key).sign(action());
    authorization(&mut spoilt, "Signature=", "Sign=");
    daypass.send(spoilt).await.assert_sts_error(403, "IncompleteSignature");

    let late = sts(&daypass.key).sign(action());
    daypass.advance(SignedDuration::from_secs(901));
    let answer = daypass.send(late).await;
    answer.assert_sts_error(403, "SignatureDoesNotMatch");
    let message = "Signature expired: 20260921T141320Z is now earlier than 20260921T141321Z \
                   (20260921T142821Z - 15 min.)";
    assert_eq!(answer.element("Message"), message);
}
