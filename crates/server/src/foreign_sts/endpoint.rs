//! One call of AssumeRoleWithWebIdentity at an STS that is not ours, and what its answer means
//! (docs/reference/cognito-identity.md, 7).

use std::sync::Arc;

use axum::http::{Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use daypass_core::credentials::session_token::Credentials;
use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::ground::ids::{AccessKeyId, RoleSessionName};
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError, Repeatable};
use daypass_core::ground::secret::Secret;

use crate::printable::printable;
use crate::xml::Elements;

/// Where the credentials stand in an answer.
const CREDENTIALS: &str = "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials";
/// Where an error stands: at AWS and at stores that speak its STS, and in the form of S3, which front ends of stores use.
const ERRORS: [&str; 2] = ["ErrorResponse/Error", "Error"];
/// How much of the STS's own words goes into the log, in characters.
const MAX_WORDS: usize = 300;

/// What the STS is asked for.
#[derive(Debug)]
pub struct Question<'a> {
    /// The role, by its ARN there.
    pub role_arn: &'a str,
    /// The name of the session.
    pub session_name: &'a RoleSessionName,
    /// Our token.
    pub token: &'a Secret,
    /// How long the session is to last.
    pub duration: SignedDuration,
}

/// Why there are no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub kind: Kind,
    /// What the STS said, or what happened, fit for the log.
    pub said: String,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The role is not there, or does not admit us.
    Role,
    /// The token is over, which was signed a moment ago.
    Clock,
    /// Our issuer is unknown there, or our audience, or our signature.
    Issuer,
    /// It could not ask our issuer for the keys.
    IssuerUnreachable,
    /// Anything else that asking again does not change.
    Other,
    /// It does not answer, or says that it cannot now.
    Unavailable,
}

/// An STS elsewhere.
pub struct Endpoint {
    /// Where it answers.
    pub url: Uri,
    /// The way there, with bounds for time and size.
    pub http: Arc<dyn ProviderHttp>,
}

impl Endpoint {
    /// Asks once for credentials; once more if nothing came back.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn assume(&self, question: &Question<'_>, now: Timestamp) -> Result<Credentials, Refusal> {
        let answer = self.http.send(self.request(question)).await.map_err(|error| no_answer(&error))?;
        let elements = std::str::from_utf8(answer.body()).ok().and_then(Elements::parse);
        if answer.status().is_success() {
            let credentials = elements.and_then(|elements| credentials(&elements, now));
            let said = format!("status {} without credentials", answer.status().as_u16());
            return credentials.ok_or(Refusal { kind: Kind::Other, said });
        }
        Err(refusal(&answer, elements.as_ref()))
    }

    /// The call is not signed, and asking twice only makes credentials that nobody gets.
    fn request(&self, question: &Question<'_>) -> Request<Bytes> {
        let duration = question.duration.as_secs().to_string();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "AssumeRoleWithWebIdentity")
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleArn", question.role_arn)
            .append_pair("RoleSessionName", question.session_name.as_str())
            .append_pair("WebIdentityToken", question.token.expose())
            .append_pair("DurationSeconds", &duration)
            .finish();
        Request::post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .extension(Repeatable)
            .body(Bytes::from(form))
            .expect("the URL was parsed, and the header is constant")
    }
}

fn credentials(elements: &Elements, now: Timestamp) -> Option<Credentials> {
    let text = |name: &str| elements.get(&format!("{CREDENTIALS}/{name}"));
    let secret = |name: &str| text(name).filter(|text| is_plain(text)).map(Secret::new);
    let expiration: Timestamp = text("Expiration")?.parse().ok()?;
    Some(Credentials {
        access_key_id: AccessKeyId::parse(text("AccessKeyId")?).ok()?,
        secret_access_key: secret("SecretAccessKey")?,
        session_token: secret("SessionToken")?,
        expiration: (expiration > now).then_some(expiration)?,
        packed_percent: None,
    })
}

/// Whether a text can travel in a header.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn no_answer(error: &ProviderHttpError) -> Refusal {
    let kind = match error {
        ProviderHttpError::TimedOut
        | ProviderHttpError::Unreachable(_)
        | ProviderHttpError::Resting
        | ProviderHttpError::OutOfFiles => Kind::Unavailable,
        ProviderHttpError::PrivateAddress { .. } | ProviderHttpError::AnswerTooLarge { .. } => Kind::Other,
    };
    Refusal { kind, said: error.to_string() }
}

fn refusal(answer: &Response<Bytes>, elements: Option<&Elements>) -> Refusal {
    let text = |name: &str| ERRORS.iter().find_map(|error| elements?.get(&format!("{error}/{name}")));
    let code = text("Code").unwrap_or_default();
    let said = words(answer.status(), code, text("Message").unwrap_or_default());
    Refusal { kind: kind(answer.status(), code), said }
}

/// By the code, or by the status where there is none: Ceph's errors are empty.
fn kind(status: StatusCode, code: &str) -> Kind {
    match code {
        "AccessDenied" | "AccessDeniedException" => Kind::Role,
        "ExpiredToken" | "ExpiredTokenException" => Kind::Clock,
        "InvalidIdentityToken" | "IDPRejectedClaim" => Kind::Issuer,
        "IDPCommunicationError" => Kind::IssuerUnreachable,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "SlowDown" | "ServiceUnavailable" => {
            Kind::Unavailable
        }
        _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Kind::Unavailable,
        "" if status == StatusCode::FORBIDDEN => Kind::Role,
        _ => Kind::Other,
    }
}

/// What the STS said, for the log: short and printable. A text that may repeat a token is left out.
fn words(status: StatusCode, code: &str, message: &str) -> String {
    let short = |text: &str| text.chars().take(MAX_WORDS).collect::<String>();
    let safe = |text: &str| if text.contains("eyJ") { "…".to_owned() } else { printable(&short(text)) };
    match (code, message) {
        ("", _) => format!("status {}", status.as_u16()),
        (code, "") => safe(code),
        (code, message) => format!("{}: {}", safe(code), safe(message)),
    }
}

#[cfg(test)]
mod tests;
