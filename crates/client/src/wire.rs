//! What is asked of the broker, and what its answers are: OAuth 2.0's token and revocation endpoints (RFC 6749, RFC 7009),
//! its metadata (RFC 8414), and the list of sessions.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::answer::{Answer, Listed, Listing, Metadata, Refusal};
use crate::error::Error;
use crate::name::SessionName;
use crate::secret::Secret;
use crate::session::Session;

/// How long a connection may take.
const TO_CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take.
const TO_ANSWER: Duration = Duration::from_secs(10);
/// More than any answer takes.
const MAX_ANSWER: usize = 1024 * 1024;
/// So much of the broker's own words is repeated.
const MAX_WORDS: usize = 200;
/// What a refresh token that counts for nothing is called at the routes that are no OAuth.
const REFUSED: &str = "refresh_token_refused";
const FORM: &str = "application/x-www-form-urlencoded";

/// Why the token endpoint gave nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The session is over, for this reason.
    Over(String),
    /// It may be asked again, with the same token; and when, if it says so. An answer that was lost may have been a yes.
    Temporary { why: String, wish: Option<u64>, lost: bool },
    /// Asking again does not help.
    Final(Error),
}

/// The way to one broker. What it takes to speak TLS is loaded when it is needed: most credentials come from the file.
#[derive(Debug)]
pub(crate) struct Wire {
    name: SessionName,
    http: OnceLock<Client>,
}

impl Wire {
    pub(crate) fn to(name: SessionName) -> Self {
        Self { name, http: OnceLock::new() }
    }

    /// Asks for a session. `now` is before the question, so that no credentials are believed longer than they live.
    pub(crate) async fn token(&self, form: &[(&str, &str)], now: u64) -> Result<Session, Failure> {
        let mut form = form.to_vec();
        form.extend([("client_id", self.name.app()), ("credentials", "true")]);
        let answer = self.post("oauth2/token", &form).await?;
        let answer: Answer = self.read(answer).await?;
        Ok(answer.session(now))
    }

    /// Asks for the next token and credentials. Whoever lost the answer asks the same again, and gets the same: once at
    /// once, and then as after any failure.
    pub(crate) async fn refresh(&self, token: &Secret, now: u64) -> Result<Session, Failure> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
        match self.token(&form, now).await {
            Err(Failure::Temporary { lost: true, .. }) => self.token(&form, now).await,
            answer => answer,
        }
    }

    /// Ends the session of a token.
    pub(crate) async fn revoke(&self, token: &Secret) -> Result<(), Failure> {
        let form = [("token", token.expose()), ("client_id", self.name.app())];
        self.post("oauth2/revoke", &form).await.map(drop)
    }

    /// Ends all sessions of whoever has the token. If it does not count any more, theirs is over.
    pub(crate) async fn revoke_all(&self, token: &Secret) -> Result<(), Failure> {
        let request = self.http()?.delete(self.address("v1/sessions")).bearer_auth(token.expose());
        self.send(request).await.map(drop)
    }

    /// The sessions of whoever has the token.
    pub(crate) async fn sessions(&self, token: &Secret) -> Result<Vec<Listed>, Failure> {
        let request = self.http()?.get(self.address("v1/sessions")).bearer_auth(token.expose());
        let answer = self.send(request).await?;
        Ok(self.read::<Listing>(answer).await?.sessions)
    }

    /// Has the broker confirm that it is the one of this address (RFC 8414 section 3.3).
    pub(crate) async fn confirm(&self) -> Result<(), Failure> {
        let document = self.document(".well-known/oauth-authorization-server").await;
        let Metadata { issuer } = document.map_err(|failure| match failure {
            Failure::Final(Error::Refused { why, .. }) => Failure::Final(self.foreign(why)),
            failure => failure,
        })?;
        if issuer.trim_end_matches('/') == self.name.url() {
            return Ok(());
        }
        let why = format!("it calls itself {}; use that address", shown(&issuer));
        Err(Failure::Final(self.foreign(why)))
    }

    /// A JSON document of the broker, whatever stands in it.
    pub(crate) async fn document<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let request = self.http()?.get(self.address(path));
        self.read(self.send(request).await?).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Response, Failure> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http()?.post(self.address(path)).header(CONTENT_TYPE, FORM).body(body);
        self.send(request).await
    }

    /// Sends a request, and tells a refusal from an answer.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(|error| self.unsent(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, wish) = (answer.status(), wish(&answer));
        let refusal = body(answer).await.ok().and_then(|body| serde_json::from_slice(&body).ok());
        Err(self.refusal(status, refusal.unwrap_or_default(), wish))
    }

    fn refusal(&self, status: StatusCode, refusal: Refusal, wish: Option<u64>) -> Failure {
        let Refusal { error, error_description, reason, detail, code } = refusal;
        let words = [error_description, detail, error.clone()].into_iter().find(|words| !words.is_empty());
        let why = format!("it answered {}: {}", status.as_u16(), shown(&words.unwrap_or_default()));
        let why = why.trim_end_matches([':', ' ']).to_owned();
        // A proxy in between may answer 401 and 403, too, which says nothing of the session.
        if error == "invalid_grant" || code == REFUSED {
            return Failure::Over(reason.unwrap_or_default());
        }
        match (error.as_str(), status) {
            ("invalid_client" | "unauthorized_client", _) => {
                Failure::Final(Error::UnknownApp(self.name.clone()))
            }
            (_, status) if may_pass(status) => Failure::Temporary { why, wish, lost: false },
            (_, StatusCode::NOT_FOUND) => Failure::Final(self.foreign(why)),
            _ => Failure::Final(Error::Refused { url: self.name.url().into(), why }),
        }
    }

    async fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T, Failure> {
        let body = body(answer).await.map_err(|error| temporary(&error))?;
        // Its words could repeat what stands in the answer.
        let unread = |_| Failure::Final(self.foreign("its answer cannot be read".into()));
        serde_json::from_slice(&body).map_err(unread)
    }

    /// A failure before there was an answer. Whether tokens go without TLS is for whoever sits there to say.
    fn unsent(&self, error: &reqwest::Error) -> Failure {
        match temporary(error) {
            Failure::Temporary { why, .. } if why.contains(NO_TLS) => {
                Failure::Final(self.foreign("nobody speaks TLS there: is it http://?".into()))
            }
            failure => failure,
        }
    }

    fn foreign(&self, why: String) -> Error {
        Error::Foreign { url: self.name.url().into(), why }
    }

    fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.name.url())
    }

    fn http(&self) -> Result<&Client, Failure> {
        if self.http.get().is_none() {
            let _ = self.http.set(client(&self.name).map_err(|error| temporary(&error))?);
        }
        Ok(self.http.get().expect("it was set before"))
    }
}

fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
}

/// No redirects: a token goes to the broker that it is of, and nowhere else.
fn client(name: &SessionName) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(TO_CONNECT)
        .timeout(TO_ANSWER);
    let builder = if name.is_local() { builder.no_proxy() } else { builder.https_only(true) };
    builder.build()
}

/// The body, or as much of it as makes it too long to be read.
async fn body(mut answer: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            break;
        }
    }
    Ok(body)
}

fn wish(answer: &Response) -> Option<u64> {
    answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// What rustls says where the first bytes of the answer are none of TLS.
const NO_TLS: &str = "InvalidContentType";

/// A failure on the way. Where the way leads stands in the error around it.
fn temporary(error: &reqwest::Error) -> Failure {
    let why = if error.is_timeout() {
        "there was no answer in time".to_owned()
    } else {
        let causes =
            std::iter::successors(error.source(), |cause: &&dyn std::error::Error| (*cause).source());
        causes.last().map_or("the connection broke off".to_owned(), ToString::to_string)
    };
    Failure::Temporary { why, wish: None, lost: !error.is_connect() && !error.is_builder() }
}

/// Words of somebody else's, which a terminal must not obey.
fn shown(text: &str) -> String {
    text.chars().take(MAX_WORDS).map(|c| if is_shown(c) { c } else { '\u{FFFD}' }).collect()
}

fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
