//! Single operations of AWS's services in AWS JSON 1.1, signed with AWS's signer and with the credentials that every AWS SDK
//! would find. Their SDKs would be most of what there is to compile (`docs/decisions/0012-secrets-without-their-sdks.md`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::http::{Request, StatusCode};
use daypass_core::ground::clock::Clock;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::printable::printable;
use crate::provider_http::Pool;

/// One attempt at one question.
const ATTEMPT: Duration = Duration::from_secs(3);
/// More than any answer has: a secret of Secrets Manager, which is the longest, has 64 KiB (its API Reference, PutSecretValue).
const MAX_BYTES: usize = 256 << 10;
/// What to do when nothing answers.
pub(super) const NO_WAY: &str =
    "a function in a VPC needs a NAT gateway or an interface endpoint to reach it";

/// A service.
#[derive(Debug)]
pub(super) struct Service {
    /// What its endpoint begins with, and what requests to it are signed for.
    pub(super) endpoint_prefix: &'static str,
    /// The variable that says that it is elsewhere (AWS SDKs and Tools Reference Guide, "Service-specific endpoints").
    pub(super) variable: &'static str,
}

/// A question to a service, of those that do nothing, or whose answer alone is what they do: it may be asked twice.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) service: &'static Service,
    /// `x-amz-target`.
    pub(super) operation: &'static str,
    pub(super) region: &'a str,
    pub(super) body: Value,
}

/// What a service answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        self.status == StatusCode::OK
    }

    /// The name of the error, without the namespace that some services put in front.
    pub(super) fn kind(&self) -> &str {
        let kind = self.body["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        if kind.bytes().all(|byte| byte.is_ascii_graphic()) { kind } else { "" }
    }

    /// What AWS says of an error.
    pub(super) fn message(&self) -> String {
        printable(
            ["message", "Message"].iter().find_map(|name| self.body[*name].as_str()).unwrap_or_default(),
        )
    }

    fn is_of_the_moment(&self) -> bool {
        let of_too_many =
            self.status == StatusCode::TOO_MANY_REQUESTS || self.kind() == "ThrottlingException";
        self.status.is_server_error() || of_too_many
    }
}

/// The AWS account that the environment leads to.
pub(super) struct AwsJson {
    clock: Arc<dyn Clock>,
    connected: OnceCell<Connection>,
    endpoint: Endpoint,
    told_of_clear_text: AtomicBool,
}

/// Where a service is, if it is elsewhere.
type Endpoint = Box<dyn Fn(&Service) -> Option<String> + Send + Sync>;

struct Connection {
    config: SdkConfig,
    pool: Pool,
}

impl AwsJson {
    /// Finds credentials and Region as AWS SDKs do, when the first question is asked.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|url| !url.is_empty());
        let endpoint =
            move |service: &Service| variable(service.variable).or_else(|| variable("AWS_ENDPOINT_URL"));
        Self {
            clock,
            connected: OnceCell::new(),
            endpoint: Box::new(endpoint),
            told_of_clear_text: AtomicBool::default(),
        }
    }

    /// Somewhere else, with credentials that are not looked for.
    #[cfg(test)]
    pub(super) fn at(url: &str, config: SdkConfig, clock: Arc<dyn Clock>) -> Self {
        let url = url.to_owned();
        let connected = OnceCell::new_with(Some(connection(config, clock.clone()).unwrap()));
        let endpoint: Endpoint = Box::new(move |_| Some(url.clone()));
        Self { clock, connected, endpoint, told_of_clear_text: AtomicBool::default() }
    }

    /// The Region that the environment names.
    ///
    /// # Errors
    /// In words for the operator.
    pub(super) async fn region(&self) -> Result<Option<&str>, String> {
        Ok(self.connection().await?.config.region().map(AsRef::as_ref))
    }

    /// Asks, and once more if it was of the moment that there was no answer.
    ///
    /// # Errors
    /// In words for the operator. What a service refuses is an answer.
    pub(super) async fn ask(&self, call: &Call<'_>) -> Result<Answer, String> {
        let connection = self.connection().await?;
        let url = self.url(call);
        let now = SystemTime::from(self.clock.now());
        match connection.ask(call, &url, now).await {
            Ok(answer) if answer.is_of_the_moment() => connection.ask(call, &url, now).await,
            // A connection may have been closed.
            Err(_) => connection.ask(call, &url, now).await,
            answered => answered,
        }
    }

    fn url(&self, call: &Call<'_>) -> String {
        if let Some(endpoint) = (self.endpoint)(call.service) {
            if endpoint.starts_with("http://") && !self.told_of_clear_text.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "{endpoint}, as the environment says: what secrets are can be read on the way"
                );
            }
            return format!("{}/", endpoint.trim_end_matches('/'));
        }
        // The partitions with names of their own (AWS General Reference, "AWS service endpoints").
        let domain = if call.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{}.{}.{domain}/", call.service.endpoint_prefix, call.region)
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

impl Connection {
    async fn ask(&self, call: &Call<'_>, url: &str, now: SystemTime) -> Result<Answer, String> {
        let request = self.signed(call, url, now).await?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| {
            let error = error.without_url();
            let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
            format!("{host} {what} ({error}); {NO_WAY}")
        };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = self.pool.client().execute(request).await.map_err(failed)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(format!(
                    "{host} answers more than any secret is: it is not the service that it is taken for"
                ));
            }
            body.extend_from_slice(&chunk);
        }
        // What is no JSON says nothing; the status says enough.
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
    }

    async fn signed(&self, call: &Call<'_>, url: &str, now: SystemTime) -> Result<Request<Vec<u8>>, String> {
        let provider = self.config.credentials_provider().ok_or(NO_CREDENTIALS)?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials.map_err(|error| format!("{NO_CREDENTIALS} ({error})"))?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(call.region)
            .name(call.service.endpoint_prefix)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let body = call.body.to_string().into_bytes();
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", call.operation)];
        let signable = SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(&body))
            .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
        let request = headers
            .into_iter()
            .fold(Request::post(url), |request, (name, value)| request.header(name, value));
        let mut request = request.body(body).map_err(|error| format!("{url} is no endpoint: {error}"))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

const NO_CREDENTIALS: &str = "there are no AWS credentials; on Lambda and in containers the role gives them, elsewhere the \
                              environment or AWS's own configuration files";
