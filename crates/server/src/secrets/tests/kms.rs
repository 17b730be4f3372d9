//! A stub of KMS, which wraps by writing down what it was asked with, and master keys that it wrapped.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use super::{placed, store_at};
use crate::secrets::{AT_START, AwsSecrets, KmsKey, SecretReference, SecretStore, Secrets};

const KEY: &str = "arn:aws:kms:ap-south-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "arn:aws:kms:ap-south-1:111122223333:alias/daypass/other";
const MASTER_KEY: [u8; 32] = [7; 32];

type Asked = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// What KMS does about every request before it does anything: nothing, or how it refuses, so many times.
#[derive(Clone, Default)]
struct Kms {
    asked: Asked,
    refuses: Arc<Mutex<(usize, &'static str)>>,
}

impl Kms {
    async fn start(&self) -> AwsSecrets {
        let router = Router::new().route("/", post(answer)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        store_at(&url)
    }

    fn refuse(&self, times: usize, kind: &'static str) {
        *self.refuses.lock().unwrap() = (times, kind);
    }

    fn refuses(&self) -> Option<&'static str> {
        let mut refuses = self.refuses.lock().unwrap();
        refuses.0 = refuses.0.checked_sub(1)?;
        Some(refuses.1)
    }
}

async fn answer(State(kms): State<Kms>, request: Request) -> (StatusCode, String) {
    let (parts, body) = request.into_parts();
    let body: Value = serde_json::from_slice(&axum::body::to_bytes(body, 4096).await.unwrap()).unwrap();
    let target = parts.headers["x-amz-target"].to_str().unwrap().to_owned();
    kms.asked.lock().unwrap().push((parts.headers, body.clone()));
    let refused = |kind: &str| {
        let said = json!({"__type": format!("com.amazonaws.kms#{kind}"), "message": "so it is"});
        (StatusCode::BAD_REQUEST, said.to_string())
    };
    if let Some(kind) = kms.refuses() {
        return refused(kind);
    }
    let answer = match &*target {
        "TrentService.GenerateDataKeyWithoutPlaintext" => {
            assert_eq!(body["NumberOfBytes"], 32);
            json!({"CiphertextBlob": wrap(&body, &MASTER_KEY), "KeyId": KEY})
        }
        "TrentService.Decrypt" => {
            let blob = BASE64_STANDARD.decode(body["CiphertextBlob"].as_str().unwrap()).unwrap();
            let Ok(blob) = serde_json::from_slice::<Value>(&blob) else {
                return refused("InvalidCiphertextException");
            };
            if blob["EncryptionContext"] != body["EncryptionContext"] {
                return refused("InvalidCiphertextException");
            }
            if blob["KeyId"] != body["KeyId"] {
                return refused("IncorrectKeyException");
            }
            json!({"KeyId": KEY, "Plaintext": blob["Plaintext"], "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})
        }
        "AmazonSSM.GetParameter" => {
            json!({"Parameter": {"Value": wrapped(KEY, &MASTER_KEY), "Type": "String"}})
        }
        other => panic!("{other}"),
    };
    (StatusCode::OK, answer.to_string())
}

fn wrap(asked: &Value, plain: &[u8]) -> String {
    let blob = json!({
        "KeyId": asked["KeyId"],
        "EncryptionContext": asked["EncryptionContext"],
        "Plaintext": BASE64_STANDARD.encode(plain),
    });
    BASE64_STANDARD.encode(blob.to_string())
}

fn wrapped(key: &str, plain: &[u8]) -> String {
    wrap(&json!({"KeyId": key, "EncryptionContext": {"daypass": "master-key"}}), plain)
}

fn reference(at: SecretReference, key: &str) -> SecretReference {
    SecretReference::Wrapped { at: Box::new(at), kms: KmsKey::parse(key).unwrap() }
}

/// What a file is unwrapped to that holds this.
async fn unwrapped(store: &AwsSecrets, text: &str, key: &str) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let reference = [reference(SecretReference::File(file.path().to_owned()), key)];
    let fetched = Secrets::fetch(placed(&reference), store, AT_START).await;
    let secrets = fetched.map_err(|error| error.to_string())?;
    Ok(secrets.get(&reference[0]).unwrap().expose().to_owned())
}

#[tokio::test]
async fn a_key_that_kms_made_is_unwrapped_by_a_signed_question_with_its_context() {
    let kms = Kms::default();
    let store = kms.start().await;
    let made = store.make_master_key(&KmsKey::parse(KEY).unwrap()).await.unwrap();
    let plain = unwrapped(&store, &format!("{made}\n"), KEY).await.unwrap();
    assert_eq!(plain, BASE64_STANDARD.encode(MASTER_KEY));

    let asked = kms.asked.lock().unwrap().clone();
    let [(_, make), (headers, unwrap)] = &asked[..] else { panic!("{asked:?}") };
    let context = json!({"daypass": "master-key"});
    assert_eq!(*make, json!({"EncryptionContext": context, "KeyId": KEY, "NumberOfBytes": 32}));
    assert_eq!(*unwrap, json!({"CiphertextBlob": made, "EncryptionContext": context, "KeyId": KEY}));
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    let signature = headers["authorization"].to_str().unwrap();
    assert!(signature.contains("/ap-south-1/kms/aws4_request"), "the Region of the ARN: {signature}");
}

#[tokio::test]
async fn a_wrapped_key_may_lie_wherever_a_secret_may() {
    let store = Kms::default().start().await;
    let reference = reference(SecretReference::Ssm("/daypass/master-key".into()), KEY);
    assert_eq!(store.read(&reference).await.unwrap().expose(), BASE64_STANDARD.encode(MASTER_KEY));
    assert_eq!(reference.to_string(), format!("{{ ssm = \"/daypass/master-key\", kms = \"{KEY}\" }}"));
}

#[tokio::test]
async fn every_refusal_of_kms_is_told_with_its_cure_and_no_key() {
    let kms = Kms::default();
    let store = kms.start().await;
    let good = wrapped(KEY, &MASTER_KEY);
    for (kind, cure) in [
        ("AccessDeniedException", "the role needs kms:Decrypt on arn:aws:kms:"),
        ("NotFoundException", "check Region, account and name"),
        ("DisabledException", "enable it, or cancel its deletion"),
        ("KMSInvalidStateException", "enable it, or cancel its deletion"),
        ("ThrottlingException", "have its quota raised"),
        ("ExpiredTokenException", "AWS does not accept the credentials"),
        ("DependencyTimeoutException", "KMS answered 400 Bad Request DependencyTimeoutException"),
    ] {
        kms.refuse(2, kind);
        let told = unwrapped(&store, &good, KEY).await.unwrap_err();
        kms.refuse(0, "");
        assert!(told.starts_with("[0] key: ") && told.contains(cure), "{kind}: {told}");
        assert!(told.contains("ap-south-1") && !told.contains(&good), "{told}");
    }
}

/// Whoever is in its place answers what they like.
#[tokio::test]
async fn nothing_of_what_something_else_answers_is_obeyed_or_kept_without_an_end() {
    let long = "x".repeat(300 << 10);
    let said = json!({"__type": "Kind\u{1b}[2J", "message": "gone\r\u{1b}[1A\nmaster_key is well\u{202e}"});
    for (answer, expected) in [
        (long, "answers more than any secret is"),
        (said.to_string(), "in ap-south-1: gone\u{FFFD}\u{FFFD}[1A\u{FFFD}master_key is well\u{FFFD}"),
    ] {
        let router = Router::new().route("/", post(async || (StatusCode::BAD_REQUEST, answer)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = store_at(&format!("http://{}", listener.local_addr().unwrap()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let told = unwrapped(&store, &wrapped(KEY, &MASTER_KEY), KEY).await.unwrap_err();
        assert!(told.contains(expected), "{told:?}");
    }
}

#[tokio::test]
async fn what_was_wrapped_for_something_else_is_no_master_key() {
    let kms = Kms::default();
    let store = kms.start().await;
    let elsewhere = wrap(&json!({"KeyId": KEY, "EncryptionContext": {"app": "x"}}), &MASTER_KEY);
    for (text, reason) in [
        (wrapped(OTHER, &MASTER_KEY), "IncorrectKeyException"),
        (elsewhere, "InvalidCiphertextException"),
        (BASE64_STANDARD.encode("anything"), "InvalidCiphertextException"),
        ("hunter2!".into(), "it is not base64"),
    ] {
        let told = unwrapped(&store, &text, KEY).await.unwrap_err();
        assert!(told.contains("no master key that `daypass master-key create`"), "{told}");
        assert!(told.contains(reason) && !told.contains(&text), "{told}");
    }
    for (key, reason) in [(&[7; 16][..], "it has 16 bytes"), (&[7; 64], "it has 64 bytes")] {
        let told = unwrapped(&store, &wrapped(KEY, key), KEY).await.unwrap_err();
        assert!(told.contains("no master key that") && told.contains(reason), "{told}");
    }
    let told = unwrapped(&store, &wrapped(KEY, b""), KEY).await.unwrap_err();
    assert!(told.contains("KMS answered without a key"), "{told}");
    assert_eq!(
        unwrapped(&store, &wrapped(OTHER, &MASTER_KEY), OTHER).await.unwrap(),
        BASE64_STANDARD.encode(MASTER_KEY)
    );
}

#[tokio::test]
async fn too_much_to_do_for_a_moment_is_not_the_end() {
    let kms = Kms::default();
    let store = kms.start().await;
    kms.refuse(1, "ThrottlingException");
    assert!(unwrapped(&store, &wrapped(KEY, &MASTER_KEY), KEY).await.is_ok());
    assert_eq!(kms.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_kms_that_does_not_answer_is_told_with_the_cure() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = store_at(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let told = unwrapped(&store, &wrapped(KEY, &MASTER_KEY), KEY).await.unwrap_err();
    assert!(told.contains("cannot be reached") && told.contains("interface endpoint"), "{told}");
}

#[test]
fn a_kms_key_has_an_arn_in_which_region_and_account_stand() {
    for arn in [KEY, OTHER, "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd"] {
        assert_eq!(KmsKey::parse(arn).unwrap().to_string(), arn);
    }
    for none in [
        "",
        "alias/daypass",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:grant/1",
        "arn:aws:kms:eu-west-1:111122223333:key/",
        "arn:aws:kms:eu-west-1::key/a",
        "arn:aws:kms::111122223333:key/a",
        "arn:aws:kms:eu-west-1.evil.example:111122223333:key/a",
        "arn:aws:s3:eu-west-1:111122223333:key/a",
        "arn:aws:kms:eu-west-1:111122223333:key/a:b",
        "arn:aws:kms:eu-west-1:111122223333:key/a\n",
    ] {
        assert_eq!(KmsKey::parse(none), None, "{none}");
    }
}
