//! The requests that are measured: a signed `GetOpenIdTokenForDeveloperIdentity`, and an exchange.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::Outcome;
use crate::http::{Connection, Response};
use crate::server::Server;

const TARGET: &str = "AWSCognitoIdentityService.GetOpenIdTokenForDeveloperIdentity";
const JSON: &str = "application/x-amz-json-1.1";

/// A developer's backend: holds the developer key and asks for tokens of its users.
pub(crate) struct Developer {
    url: String,
    region: String,
    pool_id: String,
    provider: String,
    credentials: Credentials,
}

impl Developer {
    pub(crate) fn of(server: &Server) -> Outcome<Self> {
        let file = std::fs::read_to_string(server.says("aws_shared_credentials_file")?)?;
        let key = |name| setting(&file, name).ok_or_else(|| format!("the written profile has no {name}"));
        let (key_id, secret) = (key("aws_access_key_id")?, key("aws_secret_access_key")?);
        Ok(Self {
            url: format!("{}/", server.says("server_url")?),
            region: server.says("region")?.to_owned(),
            pool_id: server.says("identity_pool_id")?.to_owned(),
            provider: server.says("developer_provider")?.to_owned(),
            credentials: Credentials::new(key_id, secret, None, None, "daypass-bench"),
        })
    }

    pub(crate) fn connect(&self) -> Outcome<Connection> {
        Connection::open(&self.url)
    }

    /// Asks for a token of `user`.
    pub(crate) fn token_for(&self, connection: &mut Connection, user: &str) -> Outcome<Vec<u8>> {
        let body =
            format!(r#"{{"IdentityPoolId":"{}","Logins":{{"{}":"{user}"}}}}"#, self.pool_id, self.provider);
        let mut headers = vec![
            ("content-type".to_owned(), JSON.to_owned()),
            ("x-amz-target".to_owned(), TARGET.to_owned()),
        ];
        headers.extend(self.signature(&headers, body.as_bytes())?);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        connection.post("/", &headers, body.as_bytes())?.success()
    }

    #[expect(clippy::disallowed_methods, reason = "a signature is as old as the server's real clock says")]
    fn signature(&self, headers: &[(String, String)], body: &[u8]) -> Outcome<Vec<(String, String)>> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("cognito-identity")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new("POST", &self.url, headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        let (signed, _) = instructions.into_parts();
        Ok(signed.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
    }
}

/// The value of `name = value` in a file of the AWS profile's form.
fn setting<'a>(file: &'a str, name: &str) -> Option<&'a str> {
    let mut settings = file.lines().filter_map(|line| line.split_once('='));
    settings.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}

/// An app that holds an access token of the sandbox, and exchanges it over and over.
pub(crate) struct App {
    url: String,
    body: Vec<u8>,
}

impl App {
    /// Logs `person` in at the sandbox, without a browser.
    pub(crate) fn logged_in(server: &Server, person: &str) -> Outcome<Self> {
        let token = implicit_token(server, person)?;
        let body = format!(r#"{{"provider":"snapchat-token","access_token":"{token}"}}"#);
        Ok(Self { url: server.says("server_url")?.to_owned(), body: body.into_bytes() })
    }

    pub(crate) fn connect(&self) -> Outcome<Connection> {
        Connection::open(&self.url)
    }

    pub(crate) fn exchange(&self, connection: &mut Connection) -> Outcome<Vec<u8>> {
        connection.post("/v1/exchange", &[("content-type", "application/json")], &self.body)?.success()
    }
}

/// The form post of the sandbox's consent page, for an access token in the fragment of the answer's address.
fn implicit_token(server: &Server, person: &str) -> Outcome<String> {
    const SCOPE: &str = "https%3A%2F%2Fauth.snapchat.com%2Foauth2%2Fapi%2Fuser.external_id";
    const CLIENT_ID: &str = "6d1f0a52-5f3e-4c5e-9d57-0a6f2f9b7c01";
    let redirect_uri = format!("{}/", server.says("server_url")?);
    let form = format!(
        "response_type=token&client_id={CLIENT_ID}&redirect_uri={redirect_uri}&scope={SCOPE}&share={SCOPE}&state=bench&person={person}&decision=allow"
    );
    let mut connection = Connection::open(server.says("sandbox_url")?)?;
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = connection.post("/accounts/oauth2/auth", &headers, form.as_bytes())?;
    access_token(&answer).ok_or_else(|| format!("the sandbox answered {} to a login", answer.status).into())
}

fn access_token(answer: &Response) -> Option<String> {
    let (_, fragment) = answer.header("location")?.split_once('#')?;
    let token = fragment.split('&').find_map(|part| part.strip_prefix("access_token="))?;
    Some(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::setting;

    #[test]
    fn a_setting_is_read_with_or_without_spaces() {
        let file = "[daypass]\naws_access_key_id = AKIA\naws_secret_access_key=a=b\n";
        assert_eq!(setting(file, "aws_access_key_id"), Some("AKIA"));
        assert_eq!(setting(file, "aws_secret_access_key"), Some("a=b"));
        assert_eq!(setting(file, "region"), None);
    }
}
