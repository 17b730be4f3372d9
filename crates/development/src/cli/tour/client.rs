//! What an app does on the wire, with nothing but HTTP and AWS's own signer.

use std::collections::BTreeMap;
use std::time::SystemTime;

use anyhow::{Context, ensure};
use aws_credential_types::Credentials as SignerCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::clock::{Clock, SystemClock};
use serde_json::{Map, Value};

use crate::up::Ready;

/// An HTTP client that follows no redirect: where one leads is what the app wants to know.
pub struct Http(reqwest::Client);

/// An answer, read whole.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Where it sends the browser.
    pub location: Option<String>,
    /// Its body, as text.
    pub body: String,
}

/// Temporary credentials.
pub struct Credentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The key that requests are signed with.
    pub secret_access_key: String,
    /// What says whose they are.
    pub session_token: String,
}

impl Http {
    /// A client without cookies.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?))
    }

    /// Posts a form.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn post_form(&self, url: &str, form: &BTreeMap<&str, String>) -> anyhow::Result<Answer> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.0.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
        read(request).await
    }

    /// Posts JSON, perhaps for an operation of AWS.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn post_json(
        &self,
        url: &str,
        content_type: &str,
        target: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<(u16, Value)> {
        let mut request = self.0.post(url).header("content-type", content_type).body(body.to_string());
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let answer = read(request).await?;
        Ok((answer.status, serde_json::from_str(&answer.body)?))
    }
}

async fn read(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let answer = request.send().await?;
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(Answer { status: answer.status().as_u16(), location, body: answer.text().await? })
}

/// S3 in path style.
pub struct S3<'a> {
    /// What sends requests.
    pub http: &'a Http,
    /// Where S3 answers.
    pub endpoint: &'a str,
    /// The Region that signatures are for.
    pub region: &'a str,
}

impl S3<'_> {
    /// Sends a signed request. `path` is encoded already.
    pub async fn send(
        &self,
        credentials: &Credentials,
        method: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.endpoint);
        let mut request = self.http.0.request(method.parse()?, &url).body(body.to_owned());
        for (name, value) in self.signature(credentials, method, &url, body)? {
            request = request.header(name, value);
        }
        read(request).await
    }

    fn signature(
        &self,
        credentials: &Credentials,
        method: &str,
        url: &str,
        body: &str,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = SignerCredentials::new(
            &credentials.access_key_id,
            &credentials.secret_access_key,
            Some(credentials.session_token.clone()),
            None,
            "tour",
        );
        let identity = identity.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("s3")
            .time(SystemTime::from(SystemClock.now()))
            .settings(settings)
            .build()?
            .into();
        let request =
            SignableRequest::new(method, url, std::iter::empty(), SignableBody::Bytes(body.as_bytes()))?;
        let (instructions, _) = sign(request, &params)?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// AssumeRoleWithWebIdentity with the role of everybody who logged in.
pub async fn assume_role(http: &Http, ready: &Ready, token: &str) -> anyhow::Result<Credentials> {
    let form = BTreeMap::from([
        ("Action", "AssumeRoleWithWebIdentity".to_owned()),
        ("Version", "2011-06-15".to_owned()),
        ("RoleArn", ready.role_arn.clone()),
        ("RoleSessionName", "tour".to_owned()),
        ("WebIdentityToken", token.to_owned()),
        ("DurationSeconds", "900".to_owned()),
    ]);
    let answer = http.post_form(&ready.server_url, &form).await?;
    ensure!(
        answer.status == 200,
        "AssumeRoleWithWebIdentity was answered {}: {}",
        answer.status,
        answer.body
    );
    let field = |name: &str| {
        let (_, rest) = answer.body.split_once(&format!("<{name}>")).unwrap_or_default();
        let value = rest.split('<').next().filter(|value| !value.is_empty());
        value.map(str::to_owned).with_context(|| format!("the answer has no {name}"))
    };
    Ok(Credentials {
        access_key_id: field("AccessKeyId")?,
        secret_access_key: field("SecretAccessKey")?,
        session_token: field("SessionToken")?,
    })
}

/// The claims of a token, for people to see. Nothing is verified.
pub fn claims(token: &str) -> anyhow::Result<Map<String, Value>> {
    let payload = token.split('.').nth(1).context("the token has no payload")?;
    Ok(serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload)?)?)
}

/// The text that an answer has at a JSON pointer.
///
/// # Errors
/// If there is none.
pub fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("the answer has no {pointer}"))
}
