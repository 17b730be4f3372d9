//! Signing requests as an SDK does, with AWS's own signer.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as SignerCredentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use daypass_core::ground::clock::Timestamp;
use http::{HeaderName, HeaderValue, Request, Uri};

/// A developer access key, or temporary credentials.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

impl Credentials {
    pub fn of_developer(access_key_id: &str, secret_access_key: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            session_token: None,
        }
    }
}

/// Signs requests to one service at one instant.
pub struct Signer<'a> {
    pub credentials: &'a Credentials,
    pub service: &'a str,
    pub region: &'a str,
    pub at: Timestamp,
}

impl Signer<'_> {
    /// Signs a request with all the headers that it has.
    pub fn sign(&self, request: Request<String>) -> Request<String> {
        let body = request.body().clone();
        self.sign_over(request, SignableBody::Bytes(body.as_bytes()))
    }

    /// Signs a request over a hash of the signer's choice.
    pub fn sign_over(&self, request: Request<String>, body: SignableBody<'_>) -> Request<String> {
        self.sign_as(request, body, SigningSettings::default())
    }

    /// Signs a request in its query, for so many seconds.
    pub fn presign(&self, request: Request<String>, expires: u64) -> Request<String> {
        let body = request.body().clone();
        self.presign_over(request, SignableBody::Bytes(body.as_bytes()), expires)
    }

    /// The same over a hash of the signer's choice.
    pub fn presign_over(
        &self,
        request: Request<String>,
        body: SignableBody<'_>,
        expires: u64,
    ) -> Request<String> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(expires));
        self.sign_as(request, body, settings)
    }

    fn sign_as(
        &self,
        mut request: Request<String>,
        body: SignableBody<'_>,
        settings: SigningSettings,
    ) -> Request<String> {
        let identity = SignerCredentials::new(
            &self.credentials.access_key_id,
            &self.credentials.secret_access_key,
            self.credentials.session_token.clone(),
            None,
            "test",
        );
        let identity = identity.into();
        let mut settings = settings;
        // S3's paths are signed as they are.
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::from(self.at))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let uri = request.uri().to_string();
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        for (name, value) in instructions.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        if !instructions.params().is_empty() {
            *request.uri_mut() = with_parameters(request.uri(), instructions.params());
        }
        request
    }
}

fn with_parameters(uri: &Uri, parameters: &[(&str, Cow<'_, str>)]) -> Uri {
    let mut query = form_urlencoded::Serializer::new(uri.query().unwrap_or_default().to_owned());
    query.extend_pairs(parameters);
    format!("{}?{}", uri.path(), query.finish()).parse().unwrap()
}
