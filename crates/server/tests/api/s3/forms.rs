//! Uploads by form: whose they are, the fields say, and what they may be, the policy that was signed.

use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::clock::SignedDuration;

use super::*;

/// A form that somebody signed.
struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// For one key, for five minutes.
    fn new(credentials: &Credentials, key: &str) -> Self {
        Self::with(credentials, key, json!(["eq", "$key", key]))
    }

    fn with(credentials: &Credentials, key: &str, condition: serde_json::Value) -> Self {
        let at = SystemClock.now();
        let day = at.strftime("%Y%m%d").to_string();
        let instant = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let credential = format!("{}/{day}/{REGION}/s3/aws4_request", credentials.access_key_id);
        let mut said = vec![
            ("x-amz-algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential".to_owned(), credential),
            ("x-amz-date".to_owned(), instant),
        ];
        said.extend(
            credentials.session_token.clone().map(|token| ("x-amz-security-token".to_owned(), token)),
        );
        let mut conditions: Vec<_> = said.iter().map(|(name, value)| json!({name.as_str(): value})).collect();
        conditions.extend([json!({"bucket": "bucket"}), condition]);
        let expiration = (at + SignedDuration::from_mins(5)).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
        let policy = json!({"expiration": expiration, "conditions": conditions}).to_string();
        let policy = BASE64_STANDARD.encode(policy);
        let secret = &credentials.secret_access_key;
        let signing_key = generate_signing_key(secret, SystemTime::from(at), REGION, "s3");
        let signature = calculate_signature(signing_key, policy.as_bytes());
        let mut fields = vec![("key".to_owned(), key.to_owned()), ("policy".to_owned(), policy)];
        fields.extend(said);
        fields.push(("x-amz-signature".to_owned(), signature));
        Self { fields }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.insert(0, (name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    fn to(&self, path: &str) -> Request<String> {
        let part = |(name, value): &(String, String)| {
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields: String = self.fields.iter().map(part).collect();
        let file = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"me.txt\"\r\n\r\nby form\r\n--B--\r\n";
        let mut request = request("POST", path, &(fields + file));
        let form = HeaderValue::from_static("multipart/form-data; boundary=B");
        request.headers_mut().insert("content-type", form);
        request
    }
}

#[tokio::test]
async fn a_form_puts_what_was_signed_where_it_was_signed_for() {
    let s3 = S3::start().await;
    let answer = s3.send(Form::new(&s3.daypass.key, "a").to("/bucket")).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(s3.ask(request("GET", "/bucket/a", "")).await.body, "by form");
    let named = Form::with(&s3.daypass.key, "mine/${filename}", json!(["starts-with", "$key", "mine/"]));
    assert_eq!(s3.send(named.to("/bucket")).await.status, 204);
    assert_eq!(s3.ask(request("GET", "/bucket/mine/me.txt", "")).await.body, "by form");
}

#[tokio::test]
async fn a_form_opens_nothing_else() {
    let s3 = S3::of(super::with_generous_role().await);
    let before = s3.names();
    let (key, ada) = (&s3.daypass.key, super::session(&s3.daypass, "ada").await);
    let reader = developer(&s3.daypass, "reader", &allow("s3:GetObject")).await;
    let form = || Form::new(key, "a");
    let of_ada = || Form::new(&ada, "a");
    let forger = Credentials::of_developer(&key.access_key_id, "a guess");
    s3.objects.ensure("other").unwrap();
    let odd = [
        ("another key", form().set("key", "b"), "/bucket"),
        ("another bucket", form(), "/other"),
        ("a field that nobody signed for", form().set("x-amz-meta-a", "b"), "/bucket"),
        ("tags that nobody signed for", form().set("tagging", "<Tagging/>"), "/bucket"),
        ("no signature", form().without("x-amz-signature"), "/bucket"),
        ("no credential", form().without("x-amz-credential"), "/bucket"),
        ("no policy", form().without("policy"), "/bucket"),
        ("a signature of old", form().without("x-amz-signature").set("signature", "x"), "/bucket"),
        ("somebody who may only read", Form::new(&reader, "a"), "/bucket"),
        ("a guess", Form::new(&forger, "a"), "/bucket"),
        ("a session without its token", of_ada().without("x-amz-security-token"), "/bucket"),
        ("a token of somebody else's", of_ada().set("x-amz-security-token", "other"), "/bucket"),
        ("a checksum of another file", checked(key, "AAAAAA=="), "/bucket"),
    ];
    for (what, form, path) in odd {
        let answer = s3.send(form.to(path)).await;
        assert!(answer.status.is_client_error(), "{what}: {answer:?}");
        assert!(!answer.body.contains(&key.secret_access_key), "{what}: {answer:?}");
        assert_eq!(s3.names(), before, "{what}");
    }
    assert_eq!(s3.send(of_ada().to("/bucket")).await.status, 204);
}

fn checked(key: &Credentials, value: &str) -> Form {
    Form::with(key, "a", json!({"x-amz-checksum-crc32": value})).set("x-amz-checksum-crc32", value)
}
