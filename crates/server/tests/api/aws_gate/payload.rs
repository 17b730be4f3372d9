//! What is signed is the body that came, and not one that is declared to be something else.

use aws_sigv4::http_request::SignableBody;
use http::{HeaderValue, Request};

use super::request;
use crate::harness::Daypass;

const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SHA256_OF_THE_BODY: &str = "5d327dabe3dd761d0a1fd5ac1ad275322fd6e1d88a5d361c1750ac453ec177b9";
const WHOLE: &str = "This service needs the hash of the whole body to be signed";

fn declare(mut request: Request<String>, hash: &'static str) -> Request<String> {
    request.headers_mut().insert("x-amz-content-sha256", HeaderValue::from_static(hash));
    request
}

async fn assert_refused(declared: &'static str, body: SignableBody<'_>, message: &str) {
    let daypass = Daypass::start().await;
    let request = daypass.signer(&daypass.key).sign_over(declare(request(), declared), body);
    daypass.send(request).await.assert_exception("InvalidSignatureException", message);
}

#[tokio::test]
async fn a_payload_that_is_declared_unsigned_is_refused() {
    assert_refused("UNSIGNED-PAYLOAD", SignableBody::UnsignedPayload, WHOLE).await;
}

#[tokio::test]
async fn a_payload_that_is_signed_in_chunks_is_refused() {
    let declared = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    assert_refused(declared, SignableBody::StreamingSignedPayloadTrailer, WHOLE).await;
}

#[tokio::test]
async fn the_hash_of_another_body_is_refused() {
    let message = "The provided 'x-amz-content-sha256' does not match what was computed";
    assert_refused(SHA256_OF_NOTHING, SignableBody::Bytes(b""), message).await;
}

#[tokio::test]
async fn a_body_in_chunks_is_refused() {
    let daypass = Daypass::start().await;
    for coding in ["aws-chunked", "gzip, AWS-Chunked"] {
        let mut request = request();
        request.headers_mut().insert("content-encoding", HeaderValue::from_static(coding));
        let answer = daypass.send(daypass.signer(&daypass.key).sign(request)).await;
        let message = "This service does not take 'aws-chunked' bodies";
        answer.assert_exception("InvalidSignatureException", message);
    }
}

#[tokio::test]
async fn the_hash_of_the_body_may_be_declared_if_it_is_signed() {
    let daypass = Daypass::start().await;
    let signer = daypass.signer(&daypass.key);
    let answer = daypass.send(signer.sign(declare(request(), SHA256_OF_THE_BODY))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = daypass.send(declare(signer.sign(request()), SHA256_OF_THE_BODY)).await;
    let message = "'x-amz-content-sha256' must be among the SignedHeaders";
    answer.assert_exception("IncompleteSignatureException", message);
}
