//! The right to an object: every operation of S3 that is known. All others are closed to everybody.

use std::collections::BTreeSet;
use std::fs;

use aws_sigv4::http_request::SignableBody;
use axum::Router;
use axum::body::Body;
use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::AccessKeyId;
use http::{HeaderValue, Request};
use serde_json::json;
use tempfile::TempDir;

use super::developer;
use crate::harness::{Answer, Credentials, Daypass, Signer, allow, read};
use crate::s3::objects_in;

pub const DOORS: &[&str] = &[
    "s3 AbortMultipartUpload",
    "s3 CompleteMultipartUpload",
    "s3 CopyObject",
    "s3 CreateBucket",
    "s3 CreateMultipartUpload",
    "s3 DeleteBucket",
    "s3 DeleteBucketCors",
    "s3 DeleteBucketTagging",
    "s3 DeleteObject",
    "s3 DeleteObjectTagging",
    "s3 DeleteObjects",
    "s3 GetBucketAcl",
    "s3 GetBucketCors",
    "s3 GetBucketEncryption",
    "s3 GetBucketLifecycleConfiguration",
    "s3 GetBucketLocation",
    "s3 GetBucketLogging",
    "s3 GetBucketNotificationConfiguration",
    "s3 GetBucketOwnershipControls",
    "s3 GetBucketPolicy",
    "s3 GetBucketReplication",
    "s3 GetBucketRequestPayment",
    "s3 GetBucketTagging",
    "s3 GetBucketVersioning",
    "s3 GetBucketWebsite",
    "s3 GetObject",
    "s3 GetObjectAcl",
    "s3 GetObjectAttributes",
    "s3 GetObjectLockConfiguration",
    "s3 GetObjectTagging",
    "s3 GetPublicAccessBlock",
    "s3 HeadBucket",
    "s3 HeadObject",
    "s3 ListBuckets",
    "s3 ListMultipartUploads",
    "s3 ListObjectVersions",
    "s3 ListObjects",
    "s3 ListObjectsV2",
    "s3 ListParts",
    "s3 PutBucketAcl",
    "s3 PutBucketCors",
    "s3 PutBucketTagging",
    "s3 PutObject",
    "s3 PutObjectAcl",
    "s3 PutObjectTagging",
    "s3 UploadPart",
    "s3 UploadPartCopy",
];

const UPLOAD: &str = "uploadId=6f2c6f3e-98a1-4f33-9d6e-111111111111";

/// Of the document that removes `yours/a`.
const MD5_OF_DELETE: &str = "wNi1YMvdqzB94NSgCER4zg==";

/// A request of every operation, about what is not the asker's.
fn requests() -> Vec<(&'static str, &'static str, String, &'static str)> {
    let delete = "<Delete><Object><Key>yours/a</Key></Object></Delete>";
    let parts = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>";
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let cors = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>\
                </CORSConfiguration>";
    vec![
        ("ListBuckets", "GET", "/".into(), ""),
        ("CreateBucket", "PUT", "/new".into(), ""),
        ("DeleteBucket", "DELETE", "/empty".into(), ""),
        ("GetBucketLocation", "GET", "/bucket?location".into(), ""),
        ("HeadBucket", "HEAD", "/bucket".into(), ""),
        ("ListObjects", "GET", "/bucket?prefix=yours%2F".into(), ""),
        ("ListObjectsV2", "GET", "/bucket?list-type=2&prefix=yours%2F".into(), ""),
        ("GetObject", "GET", "/bucket/yours/a".into(), ""),
        ("HeadObject", "HEAD", "/bucket/yours/a".into(), ""),
        ("PutObject", "PUT", "/bucket/yours/b".into(), "text"),
        ("CopyObject", "PUT", "/bucket/mine/copy".into(), ""),
        ("DeleteObject", "DELETE", "/bucket/yours/a".into(), ""),
        ("DeleteObjects", "POST", "/bucket?delete".into(), delete),
        ("CreateMultipartUpload", "POST", "/bucket/yours/b?uploads".into(), ""),
        ("UploadPart", "PUT", format!("/bucket/yours/b?partNumber=1&{UPLOAD}"), "text"),
        ("UploadPartCopy", "PUT", format!("/bucket/mine/b?partNumber=1&{UPLOAD}"), ""),
        ("CompleteMultipartUpload", "POST", format!("/bucket/yours/b?{UPLOAD}"), parts),
        ("AbortMultipartUpload", "DELETE", format!("/bucket/yours/b?{UPLOAD}"), ""),
        ("ListParts", "GET", format!("/bucket/yours/b?{UPLOAD}"), ""),
        ("DeleteBucketCors", "DELETE", "/bucket?cors".into(), ""),
        ("DeleteBucketTagging", "DELETE", "/bucket?tagging".into(), ""),
        ("DeleteObjectTagging", "DELETE", "/bucket/yours/a?tagging".into(), ""),
        ("GetBucketAcl", "GET", "/bucket?acl".into(), ""),
        ("GetBucketCors", "GET", "/bucket?cors".into(), ""),
        ("GetBucketEncryption", "GET", "/bucket?encryption".into(), ""),
        ("GetBucketLifecycleConfiguration", "GET", "/bucket?lifecycle".into(), ""),
        ("GetBucketLogging", "GET", "/bucket?logging".into(), ""),
        ("GetBucketNotificationConfiguration", "GET", "/bucket?notification".into(), ""),
        ("GetBucketOwnershipControls", "GET", "/bucket?ownershipControls".into(), ""),
        ("GetBucketPolicy", "GET", "/bucket?policy".into(), ""),
        ("GetBucketReplication", "GET", "/bucket?replication".into(), ""),
        ("GetBucketRequestPayment", "GET", "/bucket?requestPayment".into(), ""),
        ("GetBucketTagging", "GET", "/bucket?tagging".into(), ""),
        ("GetBucketVersioning", "GET", "/bucket?versioning".into(), ""),
        ("GetBucketWebsite", "GET", "/bucket?website".into(), ""),
        ("GetObjectAcl", "GET", "/bucket/yours/a?acl".into(), ""),
        ("GetObjectAttributes", "GET", "/bucket/yours/a?attributes".into(), ""),
        ("GetObjectLockConfiguration", "GET", "/bucket?object-lock".into(), ""),
        ("GetObjectTagging", "GET", "/bucket/yours/a?tagging".into(), ""),
        ("GetPublicAccessBlock", "GET", "/bucket?publicAccessBlock".into(), ""),
        ("ListMultipartUploads", "GET", "/bucket?uploads".into(), ""),
        ("ListObjectVersions", "GET", "/bucket?versions&prefix=yours%2F".into(), ""),
        ("PutBucketAcl", "PUT", "/bucket?acl".into(), ""),
        ("PutBucketCors", "PUT", "/bucket?cors".into(), cors),
        ("PutBucketTagging", "PUT", "/bucket?tagging".into(), tags),
        ("PutObjectAcl", "PUT", "/bucket/yours/a?acl".into(), ""),
        ("PutObjectTagging", "PUT", "/bucket/yours/a?tagging".into(), tags),
    ]
}

/// The operations that a source knows: the texts before the arrows of the one match on them.
pub fn operations(source: &str) -> BTreeSet<String> {
    let (_, arms) = source.split_once("match operation {").unwrap();
    let (arms, _) = arms.split_once("_ => return Ok(None)").unwrap();
    let patterns = arms.lines().filter_map(|line| line.split_once("=>")).map(|(pattern, _)| pattern);
    patterns
        .flat_map(|pattern| pattern.split('"').skip(1).step_by(2))
        .map(|name| format!("s3 {name}"))
        .collect()
}

/// A folder of buckets, and S3 over it.
struct Endpoint {
    root: TempDir,
    router: Router,
}

impl Endpoint {
    fn new(daypass: &Daypass) -> Self {
        let root = TempDir::new().unwrap();
        for folder in ["bucket/yours", "bucket/mine", "empty"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("bucket/yours/a"), "an object").unwrap();
        let router = objects_in(root.path()).router(&daypass.embedded, &daypass.app.origins);
        Self { root, router }
    }

    /// Everything in the buckets.
    fn names(&self) -> BTreeSet<String> {
        let mut folders = vec![self.root.path().to_owned()];
        let mut names = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                }
                names.insert(entry.path().to_string_lossy().into_owned());
            }
        }
        names
    }

    async fn ask(&self, request: Request<String>) -> Answer {
        read(self.router.clone(), request.map(Body::from)).await
    }
}

fn request(operation: &str, method: &str, uri: &str, body: &str) -> Request<String> {
    let mut request = without_source(method, uri, body);
    if matches!(operation, "CopyObject" | "UploadPartCopy") {
        request.headers_mut().insert("x-amz-copy-source", SOURCE);
    }
    if operation == "DeleteObjects" {
        request.headers_mut().insert("content-md5", HeaderValue::from_static(MD5_OF_DELETE));
    }
    request
}

/// Of a batch, each key is refused by itself.
fn refuses_the_key(operation: &str, answer: &Answer) -> bool {
    operation == "DeleteObjects"
        && answer.status == 200
        && answer.body.contains("<Code>AccessDenied</Code>")
        && !answer.body.contains("<Deleted>")
}

/// What somebody adds to a request that somebody else signed.
const SOURCE: HeaderValue = HeaderValue::from_static("/bucket/yours/a");

fn without_source(method: &str, uri: &str, body: &str) -> Request<String> {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "127.0.0.1:9401")
        .header("content-length", body.len())
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    request.body(body.to_owned()).unwrap()
}

/// Signs at the machine's own time, which s3s reads.
fn sign(daypass: &Daypass, credentials: &Credentials, request: Request<String>) -> Request<String> {
    signer(daypass, credentials).sign_over(request, SignableBody::UnsignedPayload)
}

fn signer<'a>(daypass: &Daypass, credentials: &'a Credentials) -> Signer<'a> {
    Signer { service: "s3", at: SystemClock.now(), ..daypass.signer(credentials) }
}

/// Requests of whoever may everything, in either form: signed for another Region, for another service, and with the source
/// of a copy that they did not sign.
fn odd_signatures(
    daypass: &Daypass,
    method: &str,
    uri: &str,
    whole: &Request<String>,
) -> Vec<(&'static str, Request<String>, u16)> {
    let here = || signer(daypass, &daypass.key);
    let (region, service) = (Signer { region: "eu-west-1", ..here() }, Signer { service: "sts", ..here() });
    let unsigned = SignableBody::UnsignedPayload;
    let mut odd = Vec::new();
    for (who, signer) in [("a signer for another Region", region), ("a signer for another service", service)]
    {
        odd.push((who, signer.sign_over(whole.clone(), unsigned.clone()), 400));
        odd.push((who, signer.presign_over(whole.clone(), unsigned.clone(), 600), 400));
    }
    let bare = || without_source(method, uri, whole.body());
    for mut signed in
        [here().sign_over(bare(), unsigned.clone()), here().presign_over(bare(), unsigned.clone(), 600)]
    {
        signed.headers_mut().insert("x-amz-copy-source", SOURCE);
        odd.push(("whoever adds a source that was not signed", signed, 403));
    }
    odd
}

#[tokio::test]
async fn no_object_is_reached_by_who_has_no_right_to_it() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let own_folder = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/mine/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket",
            "Condition": {"StringLike": {"s3:prefix": "mine/*"}}}
    ]});
    let own_folder = developer(&daypass, "mine", &own_folder.to_string()).await;
    let no_s3 = developer(&daypass, "pools", &allow("cognito-identity:*")).await;
    let disabled = developer(&daypass, "former", ALLOW_ALL).await;
    let id = AccessKeyId::parse(&disabled.access_key_id).unwrap();
    daypass.embedded.access_keys.set_enabled(&id, false).await.unwrap();
    let forger = Credentials::of_developer(&daypass.key.access_key_id, "a guess");
    let person = daypass.credentials(&daypass.enter("ada").await).await;
    let of_guest = json!({"IdentityId": daypass.guest(daypass.pool_id()).await});
    let guest = daypass.public("GetCredentialsForIdentity", of_guest).await.credentials();
    let (whole, deleted_id) = super::almighty(&daypass).await;
    let half = Credentials { session_token: None, ..super::almighty(&daypass).await.0 };
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [deleted_id]})).await;

    let endpoint = Endpoint::new(&daypass);
    let before = endpoint.names();
    let known: BTreeSet<_> = requests().iter().map(|(name, ..)| format!("s3 {name}")).collect();
    assert_eq!(known, DOORS.iter().map(ToString::to_string).collect());
    for (operation, method, uri, body) in requests() {
        let plain = || request(operation, method, &uri, body);
        let unsigned = endpoint.ask(plain()).await;
        assert_eq!(unsigned.status, 403, "nobody at {operation}: {unsigned:?}");
        for (who, credentials, status) in [
            ("somebody with another folder", &own_folder, 403),
            ("a developer of pools", &no_s3, 403),
            ("the bearer of a disabled key", &disabled, 403),
            ("the bearer of a key's ID", &forger, 403),
            ("somebody without rights here", &person, 403),
            ("a guest", &guest, 403),
            ("a session of a deleted identity", &whole, 400),
            ("a session without its token", &half, 403),
        ] {
            let answer = endpoint.ask(sign(&daypass, credentials, plain())).await;
            let is_refused = answer.status == status || refuses_the_key(operation, &answer);
            assert!(is_refused, "{who} at {operation}: {answer:?}");
            assert!(!answer.body.contains("an object"), "{who} at {operation}: {answer:?}");
        }
    }
    for (operation, method, uri, body) in requests() {
        for (who, odd, status) in
            odd_signatures(&daypass, method, &uri, &request(operation, method, &uri, body))
        {
            let answer = endpoint.ask(odd).await;
            assert_eq!(answer.status, status, "{who} at {operation}: {answer:?}");
            assert!(!answer.body.contains("an object"), "{who} at {operation}: {answer:?}");
        }
    }
    assert_eq!(endpoint.names(), before, "a refused request changes nothing");

    for (operation, method, uri, body) in requests() {
        let answer = endpoint.ask(sign(&daypass, &daypass.key, request(operation, method, &uri, body))).await;
        let refused = answer.status == 403 || answer.body.contains("AccessDenied");
        assert!(!refused, "whoever may everything may {operation}: {answer:?}");
    }
}
