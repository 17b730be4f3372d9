//! Parameter Store and Secrets Manager: one operation of each. Sources: GetParameter in the AWS Systems Manager API Reference,
//! GetSecretValue in the AWS Secrets Manager API Reference.

use std::sync::Arc;

use async_trait::async_trait;
#[cfg(test)]
use aws_config::SdkConfig;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::secret::Secret;
use serde_json::{Value, json};

use super::aws_json::{Answer, AwsJson, Call, Service};
use super::{CURE, KmsKey, SecretReference, SecretStore, Secrets, kms};

/// Secrets in the AWS account that the environment leads to.
pub struct AwsSecrets(AwsJson);

/// What is asked for, where.
struct Question<'a> {
    keeper: Keeper,
    name: &'a str,
    /// The key within a secret that is JSON.
    key: Option<&'a str>,
    region: String,
}

/// Where secrets are kept at AWS.
#[derive(Clone, Copy)]
enum Keeper {
    ParameterStore,
    SecretsManager,
}

impl AwsSecrets {
    /// Finds credentials and Region as AWS SDKs do, when the first secret is asked for.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(AwsJson::new(clock))
    }

    /// Somewhere else, with credentials that are not looked for.
    #[cfg(test)]
    pub(super) fn at(url: &str, config: SdkConfig, clock: Arc<dyn Clock>) -> Self {
        Self(AwsJson::at(url, config, clock))
    }

    /// Has KMS make a master key, and answers it wrapped, in base64: what `{ file = …, kms = … }` leads to.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn make_master_key(&self, key: &KmsKey) -> Result<String, String> {
        kms::make(&self.0, key).await
    }

    async fn read_kept(&self, reference: &SecretReference) -> Result<Secret, String> {
        let region = self.0.region().await?;
        let question = Question::of(reference, region)?;
        let answer = self.0.ask(&question.call()).await?;
        if answer.is_success() { question.secret(&answer.body) } else { Err(question.refusal(&answer)) }
    }
}

#[async_trait]
impl SecretStore for AwsSecrets {
    async fn read(&self, reference: &SecretReference) -> Result<Secret, String> {
        let SecretReference::Wrapped { at, kms: key } = reference else {
            return self.read_kept(reference).await;
        };
        let wrapped = if at.is_remote() {
            self.read_kept(at).await?
        } else {
            Secrets::default().get(at).map_err(|error| error.to_string())?
        };
        kms::unwrap(&self.0, key, &wrapped).await
    }
}

impl Keeper {
    fn service(self) -> &'static Service {
        match self {
            Self::ParameterStore => &Service { endpoint_prefix: "ssm", variable: "AWS_ENDPOINT_URL_SSM" },
            Self::SecretsManager => {
                &Service { endpoint_prefix: "secretsmanager", variable: "AWS_ENDPOINT_URL_SECRETS_MANAGER" }
            }
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::ParameterStore => "AmazonSSM.GetParameter",
            Self::SecretsManager => "secretsmanager.GetSecretValue",
        }
    }
}

impl<'a> Question<'a> {
    fn of(reference: &'a SecretReference, region: Option<&str>) -> Result<Self, String> {
        let (keeper, name, key) = match reference {
            SecretReference::Ssm(name) => (Keeper::ParameterStore, &**name, None),
            SecretReference::SecretsManager(name) => match name.split_once('#') {
                Some((name, key)) => (Keeper::SecretsManager, name, Some(key)),
                None => (Keeper::SecretsManager, &**name, None),
            },
            SecretReference::File(_) | SecretReference::Env(_) | SecretReference::Wrapped { .. } => {
                return Err("it is not kept by AWS".into());
            }
        };
        let region = region_of_arn(name)
            .or(region)
            .ok_or_else(|| "no AWS Region is set: set AWS_REGION, or write the whole ARN".to_owned())?;
        Ok(Self { keeper, name, key, region: region.to_owned() })
    }

    fn call(&self) -> Call<'_> {
        let (service, operation) = (self.keeper.service(), self.keeper.operation());
        Call { service, operation, region: &self.region, body: self.body() }
    }

    fn body(&self) -> Value {
        match self.keeper {
            Keeper::ParameterStore => json!({"Name": self.name, "WithDecryption": true}),
            Keeper::SecretsManager => json!({"SecretId": self.name}),
        }
    }

    fn secret(&self, answer: &Value) -> Result<Secret, String> {
        let place = match self.keeper {
            Keeper::ParameterStore => "/Parameter/Value",
            Keeper::SecretsManager => "/SecretString",
        };
        let text = answer.pointer(place).and_then(Value::as_str);
        let text = text.ok_or("it is not text; store it as text")?;
        let member = self.key.map(|key| member(text, key)).transpose()?;
        let text = member.as_deref().unwrap_or(text).trim();
        if text.is_empty() { Err("it is empty".into()) } else { Ok(Secret::new(text)) }
    }

    /// What AWS said, and what to do about it.
    fn refusal(&self, answer: &Answer) -> String {
        let (status, kind, said) = (answer.status, answer.kind(), self.without_name(&answer.message()));
        let region = &self.region;
        match kind {
            "AccessDeniedException" => {
                format!("access denied in {region}: {}. AWS says: {said}", self.permission())
            }
            "ParameterNotFound" | "ResourceNotFoundException" => {
                format!(
                    "there is none of the name that is written there in {region}; check name, Region and account; {CURE}"
                )
            }
            "InvalidKeyId" | "DecryptionFailure" | "KMSAccessDeniedException" => {
                format!(
                    "it cannot be decrypted in {region}: the role needs kms:Decrypt on its key. AWS says: {said}"
                )
            }
            "UnrecognizedClientException" | "ExpiredTokenException" | "InvalidSignatureException" => {
                format!("AWS does not accept the credentials ({kind}) in {region}: {said}")
            }
            _ => format!("AWS answered {status} {kind} in {region}: {said}"),
        }
    }

    /// What AWS says, in which it likes to repeat what it was asked for.
    fn without_name(&self, said: &str) -> String {
        let bare = self.name.trim_start_matches('/');
        if bare.is_empty() { said.to_owned() } else { said.replace(bare, "NAME") }
    }

    /// An ARN says itself what it is; any other name could be the secret.
    fn permission(&self) -> String {
        let (action, kind) = match self.keeper {
            Keeper::ParameterStore => ("ssm:GetParameter", "parameter/"),
            Keeper::SecretsManager => ("secretsmanager:GetSecretValue", "secret:"),
        };
        let resource = if region_of_arn(self.name).is_some() {
            self.name.to_owned()
        } else {
            // Secrets Manager adds a hyphen and six characters to the name.
            let (prefix, region) = (self.keeper.service().endpoint_prefix, &self.region);
            let suffix = if matches!(self.keeper, Keeper::SecretsManager) { "-??????" } else { "" };
            format!("arn:aws:{prefix}:{region}:ACCOUNT:{kind}NAME{suffix}")
        };
        format!(
            "the role needs {action} on {resource}, and kms:Decrypt on its key if that is one of your own"
        )
    }
}

/// Of `arn:aws:ssm:eu-west-1:111122223333:parameter/name`, the Region.
fn region_of_arn(name: &str) -> Option<&str> {
    let mut parts = name.split(':');
    (parts.next() == Some("arn")).then(|| parts.nth(2)).flatten().filter(|region| !region.is_empty())
}

fn member(text: &str, key: &str) -> Result<String, String> {
    let json: Value = serde_json::from_str(text)
        .map_err(|_| "it is not JSON, and so has no key such as is written behind #")?;
    let found = json[key].as_str().map(str::to_owned);
    found.ok_or_else(|| "it has no key with text of the name that is written behind #".into())
}
