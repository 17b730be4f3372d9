//! The requests that are measured. All of them are made before the measuring begins: a window holds nothing but
//! sending them and reading the answers.

use std::thread;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Value, json};

use crate::Outcome;
use crate::http::{Connection, Response};
use crate::server::Server;

const TARGET_PREFIX: &str = "AWSCognitoIdentityService.";

/// A request that is ready to be sent.
pub(crate) struct Request {
    method: &'static str,
    path: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// An operation of the identity pool API, unsigned.
    pub(crate) fn json(operation: &str, input: &Value) -> Self {
        let target = ("x-amz-target".to_owned(), format!("{TARGET_PREFIX}{operation}"));
        let headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()), target];
        Self { method: "POST", path: "/", headers, body: input.to_string().into_bytes() }
    }

    /// A page.
    pub(crate) fn get(path: &'static str) -> Self {
        Self { method: "GET", path, headers: Vec::new(), body: Vec::new() }
    }

    /// A login, exchanged by an app that is no page.
    pub(crate) fn exchange(input: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { method: "POST", path: "/v1/exchange", headers, body: input.to_string().into_bytes() }
    }

    /// An action of STS, unsigned. Its parameters are the texts of `input`.
    pub(crate) fn query(action: &str, input: &Value) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", "2011-06-15");
        for (name, value) in input.as_object().into_iter().flatten() {
            form.append_pair(name, value.as_str().unwrap_or_default());
        }
        let form_type = "application/x-www-form-urlencoded";
        Self {
            method: "POST",
            path: "/",
            headers: vec![("content-type".to_owned(), form_type.to_owned())],
            body: form.finish().into_bytes(),
        }
    }

    /// Sends it, and answers the body of what came back, which has to be a success.
    pub(crate) fn send(&self, connection: &mut Connection) -> Outcome<Vec<u8>> {
        self.answer(connection)?.success()
    }

    /// Sends it, whatever the answer.
    pub(crate) fn answer(&self, connection: &mut Connection) -> Outcome<Response> {
        connection.request(self.method, self.path, &self.headers(), &self.body)
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Sends it, and answers whether it was served and not sent away.
    pub(crate) fn is_served(&self, connection: &mut Connection) -> Outcome<bool> {
        match self.answer(connection)?.status {
            200 => Ok(true),
            503 => Ok(false),
            status => Err(format!("the server answered with status {status}").into()),
        }
    }
}

/// Sends requests over some connections that stay open. The requests are dealt out to them like cards, and each
/// waits for an answer before it sends the next. The answers come in the order of the requests.
pub(crate) fn send_all(url: &str, requests: &[Request], connections: usize) -> Outcome<Vec<Vec<u8>>> {
    let client = |first: usize| -> Outcome<Vec<(usize, Vec<u8>)>> {
        let mut connection = Connection::open(url)?;
        let mine = requests.iter().enumerate().skip(first).step_by(connections);
        mine.map(|(number, request)| Ok((number, request.send(&mut connection)?))).collect()
    };
    let mut answers = thread::scope(|scope| {
        let clients: Vec<_> = (0..connections).map(|first| scope.spawn(move || client(first))).collect();
        clients.into_iter().try_fold(Vec::new(), |mut answers, client| -> Outcome<_> {
            answers.extend(client.join().map_err(|_| "a client panicked")??);
            Ok(answers)
        })
    })?;
    answers.sort_unstable_by_key(|(number, _)| *number);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// Sends so many requests, the same ones over and over, and forgets the answers.
pub(crate) fn repeat(url: &str, requests: &[Request], count: usize, connections: usize) -> Outcome<()> {
    let client = |first: usize| -> Outcome<()> {
        let mut connection = Connection::open(url)?;
        let mine = requests.iter().cycle().take(count).skip(first).step_by(connections);
        mine.map(|request| request.send(&mut connection)).try_for_each(|answer| answer.map(drop))
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..connections).map(|first| scope.spawn(move || client(first))).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })
}

/// A developer's backend: holds the developer key and asks for tokens of its users.
#[derive(Clone)]
pub(crate) struct Developer {
    pub(crate) url: String,
    pub(crate) pool_id: String,
    pub(crate) provider: String,
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
}

impl Developer {
    pub(crate) fn of(server: &Server) -> Outcome<Self> {
        let profile = std::fs::read_to_string(server.says("aws_shared_credentials_file")?)?;
        Ok(Self {
            url: format!("{}/", server.says("server_url")?),
            region: server.says("region")?.to_owned(),
            pool_id: server.says("identity_pool_id")?.to_owned(),
            provider: server.says("developer_provider")?.to_owned(),
            credentials: credentials_in(&profile)?,
        })
    }

    /// What asks for a token of `user`.
    pub(crate) fn token_request(&self, user: &str) -> Outcome<Request> {
        let input = json!({"IdentityPoolId": self.pool_id, "Logins": {self.provider.clone(): user}});
        self.signed("cognito-identity", Request::json("GetOpenIdTokenForDeveloperIdentity", &input))
    }

    /// Signs a request to `service`.
    #[expect(clippy::disallowed_methods, reason = "a signature is as old as the server's real clock says")]
    pub(crate) fn signed(&self, service: &str, mut request: Request) -> Outcome<Request> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new("POST", &self.url, headers, SignableBody::Bytes(&request.body))?;
        let (signed, _) = sign(signable, &parameters)?.into_parts().0.into_parts();
        let added = signed.iter().map(|header| (header.name().to_owned(), header.value().to_owned()));
        request.headers.extend(added);
        Ok(request)
    }
}

/// The key in an AWS profile.
pub(crate) fn credentials_in(profile: &str) -> Outcome<Credentials> {
    let key = |name| setting(profile, name).ok_or_else(|| format!("the profile has no {name}"));
    let (key_id, secret) = (key("aws_access_key_id")?, key("aws_secret_access_key")?);
    Ok(Credentials::new(key_id, secret, None, None, "daypass-bench"))
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
