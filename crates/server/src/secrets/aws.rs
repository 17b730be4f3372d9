//! Parameter Store and Secrets Manager: one operation of each, in AWS JSON 1.1, signed with AWS's signer and with the
//! credentials that every AWS SDK would find. The SDKs of both services would be most of what there is to compile
//! (`docs/decisions/0012-secrets-without-their-sdks.md`). Sources: GetParameter in the AWS Systems Manager API Reference,
//! GetSecretValue in the AWS Secrets Manager API Reference.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::http::{Request, StatusCode};
use daypass_core::ground::clock::Clock;
use daypass_core::ground::secret::Secret;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{CURE, SecretReference, SecretStore};
use crate::provider_http::Pool;

/// One attempt at one secret.
const ATTEMPT: Duration = Duration::from_secs(3);
/// What to do when nothing answers.
pub(super) const NO_WAY: &str =
    "a function in a VPC needs a NAT gateway or an interface endpoint to reach it";

/// Secrets in the AWS account that the environment leads to.
pub struct AwsSecrets {
    clock: Arc<dyn Clock>,
    connected: OnceCell<Connection>,
    /// Where the services are, if the environment says that they are elsewhere (AWS SDKs and Tools Reference
    /// Guide, "Service-specific endpoints").
    endpoint: Box<dyn Fn(Service) -> Option<String> + Send + Sync>,
}

struct Connection {
    config: SdkConfig,
    pool: Pool,
}

/// What is asked for, where.
struct Question<'a> {
    service: Service,
    name: &'a str,
    /// The key within a secret that is JSON.
    key: Option<&'a str>,
    region: String,
    endpoint: Option<String>,
}

#[derive(Clone, Copy)]
enum Service {
    ParameterStore,
    SecretsManager,
}

impl AwsSecrets {
    /// Finds credentials and Region as AWS SDKs do, when the first secret is asked for.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
        let endpoint =
            move |service: Service| variable(service.variable()).or_else(|| variable("AWS_ENDPOINT_URL"));
        Self { clock, connected: OnceCell::new(), endpoint: Box::new(endpoint) }
    }

    /// Somewhere else, with credentials that are not looked for.
    #[cfg(test)]
    pub(super) fn at(url: &str, config: SdkConfig, clock: Arc<dyn Clock>) -> Self {
        let url = url.to_owned();
        let connected = OnceCell::new_with(Some(connection(config, clock.clone()).unwrap()));
        Self { clock, connected, endpoint: Box::new(move |_| Some(url.clone())) }
    }

    async fn connection(&self) -> Result<&Connection, String> {
        let connect = async || {
            let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
            connection(config, self.clock.clone())
        };
        self.connected.get_or_try_init(connect).await
    }
}

fn connection(config: SdkConfig, clock: Arc<dyn Clock>) -> Result<Connection, String> {
    let make = || {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(ATTEMPT)
            .pool_idle_timeout(Duration::from_secs(4))
            .build()
    };
    let pool = Pool::new(Box::new(make), clock);
    Ok(Connection { config, pool: pool.map_err(|error| format!("TLS cannot be set up: {error}"))? })
}

#[async_trait]
impl SecretStore for AwsSecrets {
    async fn read(&self, reference: &SecretReference) -> Result<Secret, String> {
        let connection = self.connection().await?;
        let region = connection.config.region().map(AsRef::as_ref);
        let mut question = Question::of(reference, region)?;
        question.endpoint = (self.endpoint)(question.service);
        let now = SystemTime::from(self.clock.now());
        let (status, answer) = match connection.ask(&question, now).await {
            Ok((status, _)) if is_worth_repeating(status) => connection.ask(&question, now).await?,
            // A question that does nothing can be asked twice, and a connection may have been closed.
            Err(_) => connection.ask(&question, now).await?,
            answered => answered?,
        };
        if status == StatusCode::OK {
            question.secret(&answer)
        } else {
            Err(question.refusal(status, &answer))
        }
    }
}

fn is_worth_repeating(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

impl Connection {
    async fn ask(&self, question: &Question<'_>, now: SystemTime) -> Result<(StatusCode, Value), String> {
        let request = self.signed(question, now).await?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| {
            let error = error.without_url();
            let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
            format!("{host} {what} ({error}); {NO_WAY}")
        };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = self.pool.client().execute(request).await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        // What is no JSON says nothing; the status says enough.
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    async fn signed(&self, question: &Question<'_>, now: SystemTime) -> Result<Request<Vec<u8>>, String> {
        let provider = self.config.credentials_provider().ok_or(NO_CREDENTIALS)?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials.map_err(|error| format!("{NO_CREDENTIALS} ({error})"))?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&question.region)
            .name(question.service.endpoint_prefix())
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let (url, body) = (question.url(), question.body().to_string().into_bytes());
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", question.service.operation())];
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(&body))
            .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
        let request = headers
            .into_iter()
            .fold(Request::post(&url), |request, (name, value)| request.header(name, value));
        let mut request = request.body(body).map_err(|error| format!("{url} is no endpoint: {error}"))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

const NO_CREDENTIALS: &str = "there are no AWS credentials; on Lambda and in containers the role gives them, elsewhere the \
                              environment or AWS's own configuration files";

impl Service {
    fn endpoint_prefix(self) -> &'static str {
        match self {
            Self::ParameterStore => "ssm",
            Self::SecretsManager => "secretsmanager",
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::ParameterStore => "AmazonSSM.GetParameter",
            Self::SecretsManager => "secretsmanager.GetSecretValue",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::ParameterStore => "AWS_ENDPOINT_URL_SSM",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }
}

impl<'a> Question<'a> {
    fn of(reference: &'a SecretReference, region: Option<&str>) -> Result<Self, String> {
        let (service, name, key) = match reference {
            SecretReference::Ssm(name) => (Service::ParameterStore, &**name, None),
            SecretReference::SecretsManager(name) => match name.split_once('#') {
                Some((name, key)) => (Service::SecretsManager, name, Some(key)),
                None => (Service::SecretsManager, &**name, None),
            },
            SecretReference::File(_) | SecretReference::Env(_) => return Err("it is not kept by AWS".into()),
        };
        let region = region_of_arn(name)
            .or(region)
            .ok_or_else(|| "no AWS Region is set: set AWS_REGION, or write the whole ARN".to_owned())?;
        Ok(Self { service, name, key, region: region.to_owned(), endpoint: None })
    }

    fn url(&self) -> String {
        if let Some(endpoint) = &self.endpoint {
            return format!("{}/", endpoint.trim_end_matches('/'));
        }
        // The partitions with names of their own (AWS General Reference, "AWS service endpoints").
        let domain = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{}.{}.{domain}/", self.service.endpoint_prefix(), self.region)
    }

    fn body(&self) -> Value {
        match self.service {
            Service::ParameterStore => json!({"Name": self.name, "WithDecryption": true}),
            Service::SecretsManager => json!({"SecretId": self.name}),
        }
    }

    fn secret(&self, answer: &Value) -> Result<Secret, String> {
        let place = match self.service {
            Service::ParameterStore => "/Parameter/Value",
            Service::SecretsManager => "/SecretString",
        };
        let text = answer.pointer(place).and_then(Value::as_str);
        let text = text.ok_or("it is not text; store it as text")?;
        let member = self.key.map(|key| member(text, key)).transpose()?;
        let text = member.as_deref().unwrap_or(text).trim();
        if text.is_empty() { Err("it is empty".into()) } else { Ok(Secret::new(text)) }
    }

    /// What AWS said, and what to do about it.
    fn refusal(&self, status: StatusCode, answer: &Value) -> String {
        let kind = answer["__type"].as_str().unwrap_or_default();
        let kind = kind.rsplit('#').next().unwrap_or_default();
        let said = self.without_name(answer);
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
    fn without_name(&self, answer: &Value) -> String {
        let said = ["message", "Message"].iter().find_map(|name| answer[*name].as_str()).unwrap_or_default();
        let bare = self.name.trim_start_matches('/');
        if bare.is_empty() { said.to_owned() } else { said.replace(bare, "NAME") }
    }

    /// An ARN says itself what it is; any other name could be the secret.
    fn permission(&self) -> String {
        let (action, kind) = match self.service {
            Service::ParameterStore => ("ssm:GetParameter", "parameter/"),
            Service::SecretsManager => ("secretsmanager:GetSecretValue", "secret:"),
        };
        let resource = if region_of_arn(self.name).is_some() {
            self.name.to_owned()
        } else {
            // Secrets Manager adds a hyphen and six characters to the name.
            let (prefix, region) = (self.service.endpoint_prefix(), &self.region);
            let suffix = if matches!(self.service, Service::SecretsManager) { "-??????" } else { "" };
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
