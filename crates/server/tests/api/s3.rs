//! The S3 endpoint of development, as whoever holds credentials reaches it.

mod bodies;
mod conditions;
mod forms;
mod reread;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_sigv4::http_request::SignableBody;
use axum::Router;
use axum::body::Body;
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::UserName;
use daypass_core::ground::random::SystemRandom;
use daypass_development::s3::Objects;
use http::{HeaderName, HeaderValue, Request};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Answer, Credentials, Daypass, REGION, Signer, allow, read};

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
    objects: Objects,
    router: Router,
    folder: TempDir,
}

impl S3 {
    pub async fn start() -> Self {
        Self::of(Daypass::start().await)
    }

    pub fn of(daypass: Daypass) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects_in(folder.path());
        objects.ensure("bucket").unwrap();
        let router = objects.router(&daypass.embedded, &daypass.app.origins);
        Self { daypass, objects, router, folder }
    }

    /// Takes up the configuration that it had at the start, as `up` does at SIGHUP.
    async fn reread(&mut self) {
        self.daypass.reread(|_| {}, "").await.unwrap();
        self.router = self.objects.router(&self.daypass.embedded, &self.daypass.app.origins);
    }

    pub async fn send(&self, request: Request<String>) -> Answer {
        read(self.router.clone(), request.map(Body::from)).await
    }

    async fn holds(&self, key: &str) -> bool {
        let head = request("HEAD", &format!("/bucket/{key}"), "");
        self.send(signed(&self.daypass.key, head)).await.status == 200
    }

    /// The files that are kept.
    fn names(&self) -> BTreeSet<PathBuf> {
        let (mut folders, mut names) = (vec![self.folder.path().to_owned()], BTreeSet::new());
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() { folders.push(path) } else { assert!(names.insert(path)) }
            }
        }
        names
    }

    /// A request that has to succeed.
    async fn ask(&self, request: Request<String>) -> Answer {
        let answer = self.send(sign(&self.daypass.key, request, Form::Header)).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer
    }
}

/// The buckets of a folder. `s3s` reads the time from the system.
pub fn objects_in(folder: &Path) -> Objects {
    Objects::in_folder(folder, Arc::new(SystemClock), Arc::new(SystemRandom)).unwrap()
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
    let mut request = Request::builder().method(method).uri(path).header("host", HOST);
    if !body.is_empty() || method == "PUT" {
        request = request.header("content-length", body.len());
    }
    request.body(body.to_owned()).unwrap()
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
            assert!(!s3.holds("mine.txt").await, "{form:?} {name}");
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
async fn a_delimiter_or_a_range_stops_nothing() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/a%C3%A9b.txt", "0123456789")).await;
    s3.ask(request("PUT", "/bucket/a/plain.txt", "0123456789")).await;
    s3.ask(request("PUT", "/bucket/empty.txt", "")).await;
    for list in ["", "list-type=2&"] {
        for (delimiter, prefix) in
            [("%C3%A9", "a\u{e9}"), ("a%C3%A9", "a\u{e9}"), ("/plain", "a/plain"), ("%2F", "a/")]
        {
            let listed = s3.ask(request("GET", &format!("/bucket/?{list}delimiter={delimiter}"), "")).await;
            let grouped = format!("<CommonPrefixes><Prefix>{prefix}</Prefix>");
            assert!(listed.body.contains(&grouped), "{delimiter}: {listed:?}");
        }
        let all = s3.ask(request("GET", &format!("/bucket/?{list}delimiter="), "")).await;
        assert!(all.body.contains("<Key>a/plain.txt</Key>"), "an empty one is none: {all:?}");
    }
    for (range, status, body) in [
        ("bytes=-9223372036854775809", 206, "0123456789"),
        ("bytes=-18446744073709551615", 206, "0123456789"),
        ("bytes=-11", 206, "0123456789"),
        ("bytes=-10", 206, "0123456789"),
        ("bytes=-3", 206, "789"),
        ("bytes=2-3", 206, "23"),
        ("bytes=0-0,2-3", 200, "0123456789"),
        ("bytes=3-2", 200, "0123456789"),
        ("lines=1-2", 200, "0123456789"),
    ] {
        for form in FORMS {
            let mut get = request("GET", "/bucket/a/plain.txt", "");
            get.headers_mut().insert("range", HeaderValue::from_static(range));
            let answer = s3.send(sign(&s3.daypass.key, get, form)).await;
            assert_eq!((answer.status.as_u16(), &*answer.body), (status, body), "{range} {form:?}");
        }
    }
    for (path, range, expected) in
        [("empty.txt", "bytes=-1", 416), ("empty.txt", "bytes=0-", 416), ("none.txt", "bytes=-1", 404)]
    {
        let mut get = request("GET", &format!("/bucket/{path}"), "");
        get.headers_mut().insert("range", HeaderValue::from_static(range));
        assert_eq!(s3.send(signed(&s3.daypass.key, get)).await.status, expected, "{path} {range}");
    }
}

/// What `s3s` is not to verify is verified, and permitted, all the same.
#[tokio::test]
async fn a_range_that_is_dropped_opens_nothing() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/a", "a secret")).await;
    let stranger = developer(&s3.daypass, "stranger", &allow("s3:PutObject")).await;
    for form in FORMS {
        for method in ["GET", "HEAD"] {
            let mut get = request(method, "/bucket/a", "");
            get.headers_mut().insert("range", HeaderValue::from_static("bytes=0-0,2-3"));
            assert_eq!(s3.send(sign(&stranger, get.clone(), form)).await.status, 403, "{form:?} {method}");
            let mut signed = sign(&s3.daypass.key, get.clone(), form);
            *signed.uri_mut() = signed.uri().to_string().replace("/bucket/a", "/bucket/b").parse().unwrap();
            assert_eq!(s3.send(signed).await.status, 403, "{form:?} {method}");
            assert_eq!(s3.send(get).await.status, 403, "{form:?} {method}");
        }
    }
}

/// Nothing but the policy opens what else can be read, though there be a range, or a date, that nobody can read.
#[tokio::test]
async fn what_is_dropped_opens_no_other_operation() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/a", "a secret")).await;
    let stranger = developer(&s3.daypass, "stranger", &allow("s3:PutObject")).await;
    let unreadable = [("range", "bytes=0-0,2-3"), ("if-modified-since", "yesterday")];
    let of_bucket =
        ["", "list-type=2", "uploads", "versions", "location", "cors", "tagging", "acl", "policy"];
    let of_bucket = of_bucket.map(|query| format!("/bucket?{query}"));
    let of_object =
        ["", "tagging", "acl", "attributes", "uploadId=x"].map(|query| format!("/bucket/a?{query}"));
    for path in of_bucket.iter().chain(&of_object).map(String::as_str).chain(["/"]) {
        for ((name, value), form) in unreadable.into_iter().flat_map(|it| FORMS.map(|form| (it, form))) {
            let mut get = request("GET", path, "");
            get.headers_mut().insert(name, HeaderValue::from_static(value));
            get.headers_mut().insert("x-amz-object-attributes", HeaderValue::from_static("ETag"));
            let answer = s3.send(sign(&stranger, get, form)).await;
            assert_refused(&answer, 403, "AccessDenied");
        }
    }
    let mut list = request("GET", "/bucket?list-type=2", "");
    list.headers_mut().insert("range", HeaderValue::from_static("bytes=0-0,2-3"));
    assert_eq!(s3.ask(list).await.element("Key"), "a");
}

#[tokio::test]
async fn a_key_has_up_to_1024_bytes() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/short.txt", "short")).await;
    let longest = "k".repeat(1_024);
    s3.ask(request("PUT", &format!("/bucket/{longest}"), "long")).await;
    assert_eq!(s3.ask(request("GET", &format!("/bucket/{longest}"), "")).await.body, "long");
    let before = s3.names();
    let longer = format!("/bucket/{longest}k");
    let complete = format!("{longer}?uploadId=00000000-0000-0000-0000-000000000000");
    let part = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>";
    for too_long in [
        request("PUT", &longer, "longer"),
        copy("/bucket/short.txt", &longer),
        request("POST", &format!("{longer}?uploads"), ""),
        request("POST", &complete, part),
    ] {
        assert_refused(&s3.send(signed(&s3.daypass.key, too_long)).await, 400, "KeyTooLongError");
    }
    assert_eq!(s3.names(), before);
}

/// A request that copies an object.
fn copy(from: &'static str, to: &str) -> Request<String> {
    let mut copy = request("PUT", to, "");
    copy.headers_mut().insert("x-amz-copy-source", HeaderValue::from_static(from));
    copy
}

#[tokio::test]
async fn a_key_is_no_path() {
    let s3 = S3::start().await;
    let keys = ["a", "a/", "a/b", "a//b", "/a", ".", "..", "a/../b", "%01", "%2541", "a+b"];
    for key in keys {
        s3.ask(request("PUT", &format!("/bucket/{key}"), &format!("of {key}"))).await;
    }
    for key in keys {
        let answer = s3.ask(request("GET", &format!("/bucket/{key}"), "")).await;
        assert_eq!(answer.body, format!("of {key}"));
    }
    for (method, status) in [("GET", 404), ("HEAD", 404), ("DELETE", 204)] {
        for prefix in ["a/b/", "a/.", "a/.."] {
            let answer =
                s3.send(signed(&s3.daypass.key, request(method, &format!("/bucket/{prefix}"), ""))).await;
            assert_eq!(answer.status, status, "{method} {prefix}");
        }
    }
    let of_prefix = copy("/bucket/a/b/", "/bucket/copy");
    assert_refused(&s3.send(signed(&s3.daypass.key, of_prefix)).await, 404, "NoSuchKey");
    let nowhere = request("PUT", "/no-bucket/a", "another");
    assert_refused(&s3.send(signed(&s3.daypass.key, nowhere)).await, 404, "NoSuchBucket");
}

#[tokio::test]
async fn an_upload_is_not_completed_with_parts_that_are_not_there() {
    let s3 = S3::start().await;
    let begun = s3.ask(request("POST", "/bucket/film?uploads", "")).await;
    let path = format!("/bucket/film?uploadId={}", begun.element("UploadId"));
    s3.ask(request("PUT", &format!("{path}&partNumber=1"), "a film")).await;
    let etag = "4bb9c7ebce490264f7903f3b8c1bdbf3";
    let part = |number: i32| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    let complete = |parts: String| {
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        signed(&s3.daypass.key, request("POST", &path, &body))
    };
    for parts in [part(2), part(1) + &part(2), part(-1), part(0)] {
        assert_refused(&s3.send(complete(parts)).await, 400, "InvalidPart");
    }
    let other = part(1).replace('4', "5");
    assert_refused(&s3.send(complete(other)).await, 400, "InvalidPart");
    let of_nothing = copy("/bucket/nothing", &format!("{path}&partNumber=2"));
    assert_refused(&s3.send(signed(&s3.daypass.key, of_nothing)).await, 404, "NoSuchKey");
    assert_eq!(s3.send(complete(part(1))).await.status, 200, "it goes on");
    assert_eq!(s3.ask(request("GET", "/bucket/film", "")).await.body, "a film");
}

/// An installation where whoever logged in may do everything.
async fn with_generous_role() -> Daypass {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.json").display().to_string();
    std::fs::write(&policy, allow("*")).unwrap();
    let role = format!("[[role]]\nname = \"owner\"\npolicy = {policy:?}\n");
    let daypass = Daypass::start().with_tables(&role).await;
    let roles = json!({"authenticated": "arn:aws:iam::000000000000:role/owner"});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles});
    daypass.call("SetIdentityPoolRoles", input).await;
    daypass
}

/// Credentials of somebody who logged in.
async fn session(daypass: &Daypass, person: &str) -> Credentials {
    daypass.credentials(&daypass.enter(person).await).await
}

#[tokio::test]
async fn an_upload_is_for_whoever_may_write_the_key() {
    let s3 = S3::of(with_generous_role().await);
    let (ada, renewed) = (session(&s3.daypass, "ada").await, session(&s3.daypass, "ada").await);
    assert_ne!(ada.access_key_id, renewed.access_key_id);
    let reader = developer(&s3.daypass, "reader", &allow("s3:GetObject")).await;
    let begun = s3.send(signed(&ada, request("POST", "/bucket/film?uploads", ""))).await;
    let id = begun.element("UploadId").to_owned();
    assert_eq!(id.len(), 12 + 32, "{begun:?}");
    let part = || request("PUT", &format!("/bucket/film?partNumber=1&uploadId={id}"), "a film");
    let list = || request("GET", &format!("/bucket/film?uploadId={id}"), "");
    let abort = || request("DELETE", &format!("/bucket/film?uploadId={id}"), "");
    let stored = s3.send(signed(&renewed, part())).await;
    assert_eq!(stored.status, 200, "the credentials of the next hour: {stored:?}");
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        stored.header("etag").replace('"', "&quot;")
    );
    let complete = || request("POST", &format!("/bucket/film?uploadId={id}"), &parts);
    let all = || request("GET", "/bucket?uploads", "");
    let mut copy = part();
    copy.headers_mut().insert("x-amz-copy-source", HeaderValue::from_static("/bucket/film"));
    for theirs in [part(), copy, list(), abort(), complete(), all()] {
        assert_refused(&s3.send(signed(&reader, theirs)).await, 403, "AccessDenied");
    }
    let of_another_key = |request: Request<String>| {
        let (mut head, body) = request.into_parts();
        head.uri = head.uri.to_string().replace("/film", "/another").parse().unwrap();
        Request::from_parts(head, body)
    };
    for odd in [part(), list(), abort(), complete()].map(of_another_key) {
        assert_refused(&s3.send(signed(&ada, odd)).await, 404, "NoSuchUpload");
    }
    assert!(s3.send(signed(&renewed, list())).await.body.contains("<PartNumber>1</PartNumber>"));
    assert!(s3.send(signed(&s3.daypass.key, all())).await.body.contains(&id));
    let completed = s3.send(signed(&renewed, complete())).await;
    assert_eq!(completed.status, 200, "{completed:?}");
    assert_eq!(s3.send(signed(&ada, request("GET", "/bucket/film", ""))).await.body, "a film");
    for gone in [part(), list(), abort(), complete()] {
        assert_refused(&s3.send(signed(&ada, gone)).await, 404, "NoSuchUpload");
    }
    for odd in ["", "..", "%2E%2E%2Fx", &id.to_uppercase()] {
        let list = request("GET", &format!("/bucket/film?uploadId={odd}"), "");
        assert_ne!(s3.send(signed(&ada, list)).await.status, 200, "{odd}");
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
