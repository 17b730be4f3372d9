//! AWS KMS as the place of a master key: the key lies wherever a secret may lie, wrapped under a KMS key, and is unwrapped when
//! it is read. Whoever has the file, or a backup of it, has nothing. Sources: Decrypt and GenerateDataKeyWithoutPlaintext in the
//! AWS KMS API Reference.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::secret::Secret;
use serde_json::{Value, json};

use super::aws_json::{Answer, AwsJson, Call, Service};

const KMS: Service = Service { endpoint_prefix: "kms", variable: "AWS_ENDPOINT_URL_KMS" };

/// The length of a master key.
const KEY_BYTES: usize = 32;

/// A KMS key, by its ARN or that of an alias: a name alone would be another key in another Region or account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KmsKey(String);

impl KmsKey {
    /// Reads an ARN.
    #[must_use]
    pub fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let [_, _, _, region, account, resource] = parts[..] else { return None };
        let is_word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte))
        };
        let is_key = ["key/", "alias/"].iter().any(|kind| resource.strip_prefix(kind).is_some_and(is_word));
        let is_name = |text: &str| is_word(text) && !text.contains('/');
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_kms = parts[0] == "arn" && is_name(parts[1]) && parts[2] == "kms" && is_name(region);
        (is_kms && is_account && is_key).then(|| Self(arn.to_owned()))
    }

    fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl fmt::Display for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the key was wrapped for. KMS unwraps it with the same only, writes it into CloudTrail, and policies can ask for it.
fn encryption_context() -> Value {
    json!({"daypass": "master-key"})
}

/// Unwraps a master key, in base64 before and after.
///
/// # Errors
/// In words for the operator, without the key.
pub(super) async fn unwrap(aws: &AwsJson, key: &KmsKey, wrapped: &Secret) -> Result<Secret, String> {
    let blob: String = wrapped.expose().split_ascii_whitespace().collect();
    if BASE64_STANDARD.decode(&blob).is_err() {
        return Err(format!("{NOT_WRAPPED}: it is not base64"));
    }
    let body = json!({"CiphertextBlob": blob, "EncryptionContext": encryption_context(), "KeyId": key.0});
    let answer = ask(aws, key, "TrentService.Decrypt", body).await?;
    if !answer.is_success() {
        return Err(refusal(key, "kms:Decrypt", &answer));
    }
    let plain = answer.body["Plaintext"].as_str().filter(|plain| !plain.is_empty()).ok_or(NO_KEY)?;
    match BASE64_STANDARD.decode(plain) {
        Ok(key) if key.len() == KEY_BYTES => Ok(Secret::new(plain)),
        Ok(key) => {
            Err(format!("{NOT_WRAPPED}: it has {} bytes, and a master key has {KEY_BYTES}", key.len()))
        }
        Err(_) => Err(NO_KEY.to_owned()),
    }
}

/// Has KMS make a master key, and answers it wrapped, in base64. Nobody has seen it then.
///
/// # Errors
/// In words for the operator.
pub(super) async fn make(aws: &AwsJson, key: &KmsKey) -> Result<String, String> {
    let body = json!({"EncryptionContext": encryption_context(), "KeyId": key.0, "NumberOfBytes": KEY_BYTES});
    let answer = ask(aws, key, "TrentService.GenerateDataKeyWithoutPlaintext", body).await?;
    if !answer.is_success() {
        return Err(refusal(key, "kms:GenerateDataKeyWithoutPlaintext", &answer));
    }
    let blob = answer.body["CiphertextBlob"].as_str().filter(|blob| !blob.is_empty());
    Ok(blob.ok_or(NO_KEY)?.to_owned())
}

async fn ask(aws: &AwsJson, key: &KmsKey, operation: &'static str, body: Value) -> Result<Answer, String> {
    aws.ask(&Call { service: &KMS, operation, region: key.region(), body }).await
}

const NO_KEY: &str = "KMS answered without a key";
const NOT_WRAPPED: &str =
    "what is there is no master key that `daypass master-key create` had wrapped under this KMS key";

/// What KMS said, and what to do about it.
fn refusal(key: &KmsKey, action: &str, answer: &Answer) -> String {
    let (kind, said, region) = (answer.kind(), answer.message(), key.region());
    match kind {
        "AccessDeniedException" => format!(
            "access denied in {region}: the role needs {action} on {key}, with kms:EncryptionContext:daypass = \
             \"master-key\" if its policy asks for one. AWS says: {said}"
        ),
        "NotFoundException" => {
            format!("there is no KMS key {key} in {region}; check Region, account and name. AWS says: {said}")
        }
        "IncorrectKeyException" | "InvalidCiphertextException" => format!("{NOT_WRAPPED} ({kind})"),
        "DisabledException" | "KMSInvalidStateException" | "KeyUnavailableException" => {
            format!("{key} cannot be used ({kind}): enable it, or cancel its deletion. AWS says: {said}")
        }
        "ThrottlingException" => {
            format!("KMS has too much to do in {region} ({said}): start again, or have its quota raised")
        }
        "UnrecognizedClientException" | "ExpiredTokenException" | "InvalidSignatureException" => {
            format!("AWS does not accept the credentials ({kind}) in {region}: {said}")
        }
        _ => format!("KMS answered {} {kind} in {region}: {said}", answer.status),
    }
}
