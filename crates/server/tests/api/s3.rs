//! The S3 endpoint of development, as whoever holds credentials reaches it.

use aws_sigv4::http_request::SignableBody;
use axum::Router;
use axum::body::Body;
use daypass::s3;
use daypass_core::clock::{Clock, SystemClock};
use daypass_core::ids::UserName;
use http::{HeaderName, HeaderValue, Request};
use tempfile::TempDir;

use crate::harness::{Answer, Credentials, Daypass, REGION, Signer, read};

const HOST: &str = "127.0.0.1:9401";
const FORMS: [Form; 2] = [Form::Header, Form::Presigned];

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Header,
    Presigned,
}

/// An endpoint with one bucket, and the key that may do everything there.
pub struct S3 {
    pub daypass: Daypass,
    router: Router,
    folder: TempDir,
}

impl S3 {
    pub async fn start() -> Self {
        Self::of(Daypass::start().await)
    }

    pub fn of(daypass: Daypass) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bucket")).unwrap();
        let router = s3::router(&daypass.embedded, &daypass.app.origins, folder.path()).unwrap();
        Self { daypass, router, folder }
    }

    pub async fn send(&self, request: Request<String>) -> Answer {
        read(self.router.clone(), request.map(Body::from)).await
    }

    fn holds(&self, key: &str) -> bool {
        self.folder.path().join("bucket").join(key).exists()
    }

    /// A request that has to succeed.
    async fn ask(&self, request: Request<String>) -> Answer {
        let answer = self.send(sign(&self.daypass.key, request, Form::Header)).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer
    }
}

pub async fn developer(daypass: &Daypass, name: &str, policy: &str) -> Credentials {
    let name = UserName::parse(name).unwrap();
    let (key, secret) = daypass.embedded.access_keys.create(&name, policy).await.unwrap();
    Credentials::of_developer(key.id.as_str(), secret.expose())
}

/// `s3s` reads the time from the system.
fn signer(credentials: &Credentials) -> Signer<'_> {
    Signer { credentials, region: REGION, service: "s3", at: SystemClock.now() }
}

pub fn request(method: &str, path: &str, body: &str) -> Request<String> {
    Request::builder().method(method).uri(path).header("host", HOST).body(body.to_owned()).unwrap()
}

fn sign(credentials: &Credentials, request: Request<String>, form: Form) -> Request<String> {
    sign_by(&signer(credentials), request, form)
}

fn sign_by(signer: &Signer<'_>, mut request: Request<String>, form: Form) -> Request<String> {
    match form {
        Form::Header => {
            let unsigned = HeaderValue::from_static("UNSIGNED-PAYLOAD");
            request.headers_mut().insert("x-amz-content-sha256", unsigned);
            signer.sign_over(request, SignableBody::UnsignedPayload)
        }
        Form::Presigned => signer.presign_over(request, SignableBody::UnsignedPayload, 600),
    }
}

pub fn signed(credentials: &Credentials, request: Request<String>) -> Request<String> {
    sign(credentials, request, Form::Header)
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.element("Code")), (status, code), "{answer:?}");
}

#[tokio::test]
async fn headers_that_were_not_signed_do_not_count() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/secret.txt", "of somebody else")).await;
    let added = [
        ("x-amz-copy-source", "/bucket/secret.txt"),
        ("x-amz-meta-role", "admin"),
        ("x-amz-website-redirect-location", "https://evil.example/"),
        ("x-amz-acl", "public-read"),
        ("x-amz-whatever", "comes"),
    ];
    for form in FORMS {
        for (name, value) in added {
            let mut put = sign(&s3.daypass.key, request("PUT", "/bucket/mine.txt", ""), form);
            put.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            let answer = s3.send(put).await;
            assert_refused(&answer, 403, "AccessDenied");
            let message = "There were headers present in the request which were not signed";
            assert_eq!((answer.element("Message"), answer.element("HeadersNotSigned")), (message, name));
            assert!(!s3.holds("mine.txt"), "{form:?} {name}");
        }
        let mut put = request("PUT", "/bucket/copy.txt", "");
        put.headers_mut().insert("x-amz-copy-source", HeaderValue::from_static("/bucket/secret.txt"));
        let answer = s3.send(sign(&s3.daypass.key, put, form)).await;
        assert_eq!(answer.status, 200, "{form:?} {answer:?}");
        let got = s3.send(sign(&s3.daypass.key, request("GET", "/bucket/copy.txt", ""), form)).await;
        assert_eq!(got.body, "of somebody else");
        s3.ask(request("DELETE", "/bucket/copy.txt", "")).await;
    }
}

#[tokio::test]
async fn a_signature_holds_for_this_host_region_and_service() {
    let s3 = S3::start().await;
    let key = &s3.daypass.key;
    for form in FORMS {
        let get = || request("GET", "/bucket/?list-type=2", "");
        assert_eq!(s3.send(sign(key, get(), form)).await.status, 200, "{form:?}");
        let malformed = match form {
            Form::Header => "AuthorizationHeaderMalformed",
            Form::Presigned => "AuthorizationQueryParametersError",
        };
        let elsewhere = sign_by(&Signer { service: "sts", ..signer(key) }, get(), form);
        assert_refused(&s3.send(elsewhere).await, 400, malformed);

        let elsewhere = sign_by(&Signer { region: "eu-west-1", ..signer(key) }, get(), form);
        let answer = s3.send(elsewhere).await;
        assert_refused(&answer, 400, malformed);
        assert_eq!(answer.element("Region"), "us-east-1", "SDKs sign again for it");

        let mut elsewhere = sign(key, get(), form);
        elsewhere.headers_mut().insert("host", HeaderValue::from_static("another.example"));
        assert_refused(&s3.send(elsewhere).await, 403, "SignatureDoesNotMatch");
    }
}

#[tokio::test]
async fn a_host_that_was_not_signed_does_not_count() {
    let s3 = S3::start().await;
    let list = request("GET", "/bucket/?list-type=2", "");
    let mut list = sign(&s3.daypass.key, list, Form::Presigned);
    let uri = list.uri().to_string().replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=accept");
    *list.uri_mut() = uri.parse().unwrap();
    list.headers_mut().insert("accept", HeaderValue::from_static("text/xml"));
    let answer = s3.send(list).await;
    assert_refused(&answer, 403, "AccessDenied");
    assert_eq!(answer.element("HeadersNotSigned"), "host");
}
