//! Requests that are signed in their query, such as the GetCallerIdentity URLs by which Vault and EKS learn who
//! somebody is.

use daypass_core::ground::clock::SignedDuration;
use http::{HeaderValue, Request};

use super::request;
use crate::harness::{Answer, Credentials, Daypass, HOST, Signer};

const WHO_AM_I: &str = "/?Action=GetCallerIdentity&Version=2011-06-15";

fn presign(daypass: &Daypass, credentials: &Credentials, expires: u64) -> Request<String> {
    let request = Request::get(WHO_AM_I).header("host", HOST).body(String::new()).unwrap();
    Signer { service: "sts", ..daypass.signer(credentials) }.presign(request, expires)
}

fn rewrite(request: &mut Request<String>, from: &str, to: &str) {
    let target = request.uri().to_string();
    assert!(target.contains(from), "{target}");
    *request.uri_mut() = target.replacen(from, to, 1).parse().unwrap();
}

async fn assert_refused(daypass: &Daypass, request: Request<String>, code: &str) -> Answer {
    let answer = daypass.send(request).await;
    answer.assert_sts_error(403, code);
    answer
}

#[tokio::test]
async fn a_presigned_url_says_who_signed_it() {
    let daypass = Daypass::start().await;
    let answer = daypass.send(presign(&daypass, &daypass.key, 60)).await;
    assert_eq!(answer.element("Arn"), "arn:aws:iam::000000000000:user/test", "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/xml");

    let session = daypass.credentials(&daypass.enter("ada").await).await;
    let answer = daypass.send(presign(&daypass, &session, 60)).await;
    let arn = "arn:aws:sts::000000000000:assumed-role/authenticated/CognitoIdentityCredentials";
    assert_eq!(answer.element("Arn"), arn, "{answer:?}");
}

#[tokio::test]
async fn the_headers_of_a_presigned_request_are_signed_too() {
    let daypass = Daypass::start().await;
    let signed = daypass.signer(&daypass.key).presign(request(), 60);
    assert_eq!(daypass.send(signed.clone()).await.status, 200);

    let mut changed = signed.clone();
    *changed.body_mut() = r#"{"MaxResults":2}"#.into();
    daypass.send(changed).await.assert_code("InvalidSignatureException");

    let mut added = presign(&daypass, &daypass.key, 60);
    added.headers_mut().insert("x-amz-meta", HeaderValue::from_static("added"));
    let answer = assert_refused(&daypass, added, "IncompleteSignature").await;
    assert_eq!(answer.element("Message"), "&apos;x-amz-meta&apos; must be among the SignedHeaders");
}

#[tokio::test]
async fn a_presigned_url_is_good_from_its_date_until_it_expires() {
    let daypass = Daypass::start().await;
    let request = presign(&daypass, &daypass.key, 3600);
    daypass.advance(-SignedDuration::from_mins(15));
    assert_eq!(daypass.send(request.clone()).await.status, 200);
    daypass.advance(-SignedDuration::from_secs(1));
    assert_refused(&daypass, request.clone(), "SignatureDoesNotMatch").await;
    daypass.advance(SignedDuration::from_mins(75) + SignedDuration::from_secs(1));
    assert_eq!(daypass.send(request.clone()).await.status, 200);
    daypass.advance(SignedDuration::from_secs(1));
    let answer = assert_refused(&daypass, request, "SignatureDoesNotMatch").await;
    let message = "Signature expired: 20260921T151320Z is now earlier than 20260921T151321Z";
    assert_eq!(answer.element("Message"), message);
}

#[tokio::test]
async fn a_presigned_url_lasts_a_week_at_most() {
    let daypass = Daypass::start().await;
    assert_eq!(daypass.send(presign(&daypass, &daypass.key, 604_800)).await.status, 200);
    for expires in [0, 604_801] {
        let request = presign(&daypass, &daypass.key, expires);
        assert_refused(&daypass, request, "IncompleteSignature").await;
    }
    for expires in ["-1", "1.5", "", "99999999999999999999", "%2B60", "060"] {
        let mut request = presign(&daypass, &daypass.key, 60);
        rewrite(&mut request, "X-Amz-Expires=60", &format!("X-Amz-Expires={expires}"));
        assert_refused(&daypass, request, "IncompleteSignature").await;
    }
}

#[tokio::test]
async fn what_was_changed_in_a_presigned_url_is_refused() {
    let daypass = Daypass::start().await;
    let changes = [
        ("X-Amz-Date=20260921T141320Z", "X-Amz-Date=20260921T141321Z"),
        ("X-Amz-Expires=60", "X-Amz-Expires=61"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("Action=GetCallerIdentity", "Action=GetCallerIdentity&More=1"),
        ("us-east-1", "eu-west-1"),
        ("%2Fsts%2F", "%2Fcognito-identity%2F"),
    ];
    for (from, to) in changes {
        let mut request = presign(&daypass, &daypass.key, 60);
        rewrite(&mut request, from, to);
        assert_refused(&daypass, request, "SignatureDoesNotMatch").await;
    }
    let mut request = presign(&daypass, &daypass.key, 60);
    request.headers_mut().insert("host", HeaderValue::from_static("another.example"));
    assert_refused(&daypass, request, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn a_presigned_url_without_one_of_its_parts_is_refused() {
    let daypass = Daypass::start().await;
    for name in ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"] {
        let mut request = presign(&daypass, &daypass.key, 60);
        rewrite(&mut request, &format!("X-Amz-{name}="), &format!("X-Other-{name}="));
        let answer = assert_refused(&daypass, request, "IncompleteSignature").await;
        let message = format!(
            "AWS query-string parameters must include &apos;X-Amz-{name}&apos;. Re-examine the query-string parameters."
        );
        assert_eq!(answer.element("Message"), message);
    }
    let spoils = [
        ("=AWS4-HMAC-SHA256", "=AWS4-ECDSA-P256-SHA256"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=x-absent"),
        ("%2Faws4_request", ""),
        ("X-Amz-Date=2026", "X-Amz-Date=2025"),
    ];
    for (from, to) in spoils {
        let mut request = presign(&daypass, &daypass.key, 60);
        rewrite(&mut request, from, to);
        assert_refused(&daypass, request, "IncompleteSignature").await;
    }
}

#[tokio::test]
async fn a_parameter_of_a_signature_that_stands_there_twice_is_refused() {
    let daypass = Daypass::start().await;
    let names =
        ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"];
    let session = daypass.credentials(&daypass.enter("ada").await).await;
    for name in names {
        let mut request = presign(&daypass, &session, 60);
        rewrite(&mut request, "Version=", &format!("X%2DAmz-{name}=60&Version="));
        let answer = daypass.send(request).await;
        let refused = (answer.status.as_u16(), answer.element("Code"));
        assert_eq!(refused, (403, "IncompleteSignature"), "{name}: {answer:?}");
        assert_eq!(answer.element("Message"), format!("&apos;X-Amz-{name}&apos; stands there twice"));
    }
}

#[tokio::test]
async fn two_signatures_are_refused() {
    let daypass = Daypass::start().await;
    let signer = Signer { service: "sts", ..daypass.signer(&daypass.key) };
    let twice = signer.sign(presign(&daypass, &daypass.key, 60));
    let answer = assert_refused(&daypass, twice, "IncompleteSignature").await;
    let message = "A request is signed in its Authorization header or in its query, not both";
    assert_eq!(answer.element("Message"), message);
}

#[tokio::test]
async fn a_session_token_beside_the_query_is_refused() {
    let daypass = Daypass::start().await;
    let session = daypass.credentials(&daypass.enter("ada").await).await;
    let token = session.session_token.clone().unwrap();
    let bare = Credentials { session_token: None, ..session };

    let mut request = presign(&daypass, &bare, 60);
    request.headers_mut().insert("x-amz-security-token", token.parse().unwrap());
    assert_refused(&daypass, request, "IncompleteSignature").await;

    let mut request = presign(&daypass, &bare, 60);
    rewrite(&mut request, "Version=", &format!("X-Amz-Security-Token={token}&Version="));
    assert_refused(&daypass, request, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn a_payload_that_a_presigned_url_declares_unsigned_is_refused() {
    let daypass = Daypass::start().await;
    let target = format!("{WHO_AM_I}&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD");
    let request = Request::get(target).header("host", HOST).body(String::new()).unwrap();
    let signer = Signer { service: "sts", ..daypass.signer(&daypass.key) };
    let answer = assert_refused(&daypass, signer.presign(request, 60), "SignatureDoesNotMatch").await;
    assert_eq!(answer.element("Message"), "This service needs the hash of the whole body to be signed");
}
