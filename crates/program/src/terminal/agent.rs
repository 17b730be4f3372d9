//! `daypass agent`: temporary credentials for programs on this machine, by the protocol that containers have them by
//! ("Container credential provider", AWS SDKs and Tools Reference Guide). Who knows the token gets them, and the token is
//! in a file that only its owner reads; pages in a browser know neither.

mod token;

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use clap::Args;
use daypass_client::{Daypass, Error, Home, Session, let_go_of_keyring};
use daypass_server::cli::signals::Signals;
use daypass_server::cli::{print, tell};
use daypass_server::listen::{Stop, listen};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::token::Token;
use super::credentials::timestamp;
use super::which::Which;

const PATH: &str = "/credentials";

/// Whose credentials, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9410)]
    port: u16,
}

/// What answers.
struct Agent {
    daypass: Daypass,
    token: Token,
    hosts: [String; 2],
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let daypass = arguments.which.find()?;
    let port = arguments.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
        format!(
            "cannot listen on 127.0.0.1:{port}: end what does, or choose another --port (0 takes a free one)"
        )
    })?;
    let port = listener.local_addr()?.port();
    let token = Token::make(&Home::of_environment()?, port)?;
    print(&variables(port, &token))?;
    let hosts = ["127.0.0.1", "localhost"].map(|host| format!("{host}:{port}"));
    let agent = Arc::new(Agent { daypass, token, hosts });
    let router = Router::new().route(PATH, any(answer)).with_state(agent.clone());
    let (stop, stopped) = Stop::channel();
    let listening = tokio::spawn(listen(listener, router, stopped));
    let looked = signals.unless_ended(agent.daypass.session()).await;
    if let Some(Err(error)) = &looked {
        tell(&format!("There is nothing to hand out yet: {error}."));
    }
    drop(agent);
    if looked.is_some() {
        signals.end().await;
    }
    // Whoever waits for a keyring is not waited for.
    let_go_of_keyring();
    let _ = stop.send(true);
    let _ = listening.await;
    Ok(())
}

/// What a shell is told: the same as long as the port is.
fn variables(port: u16, token: &Token) -> String {
    format!(
        "export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:{port}{PATH}\n\
         export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE={}",
        quoted(&token.path().display().to_string())
    )
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

async fn answer(State(agent): State<Arc<Agent>>, method: Method, headers: HeaderMap) -> Response {
    let mut answer = match agent.refusal(&method, &headers) {
        Some(refused) => refused.into_response(),
        None => agent.credentials().await,
    };
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A status, a code and words, in the form that SDKs look for.
struct Refused(StatusCode, &'static str, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        (status, Json(json!({"code": code, "message": message}))).into_response()
    }
}

impl Agent {
    /// Why a request gets nothing. A page that has its own name lead to this machine asks under that name; one that asks
    /// without more ado has no token, and may not ask for leave to send one.
    fn refusal(&self, method: &Method, headers: &HeaderMap) -> Option<Refused> {
        if !one(headers, &header::HOST).is_some_and(|host| self.hosts.iter().any(|known| known == host)) {
            return Some(Refused(
                StatusCode::FORBIDDEN,
                "WrongHost",
                "this is 127.0.0.1, and no other host".into(),
            ));
        }
        if method != Method::GET {
            let cure = "credentials are asked for by GET".into();
            return Some(Refused(StatusCode::METHOD_NOT_ALLOWED, "WrongMethod", cure));
        }
        let is_ours = one(headers, &header::AUTHORIZATION).is_some_and(|token| self.token.is(token));
        (!is_ours).then(|| Refused(StatusCode::UNAUTHORIZED, "WrongToken", WRONG_TOKEN.into()))
    }

    async fn credentials(&self) -> Response {
        let session = match self.daypass.session().await {
            Ok(session) => session,
            Err(error) => return failure(&error).into_response(),
        };
        match document(&session) {
            Ok(document) => Json(document).into_response(),
            Err(error) => {
                Refused(StatusCode::INTERNAL_SERVER_ERROR, "Failed", error.to_string()).into_response()
            }
        }
    }
}

const WRONG_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE has to name the file of this `daypass agent`, which is \
                           made anew at each start";

/// A header that stands there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
}

fn document(session: &Session) -> anyhow::Result<Value> {
    let credentials = session.credentials();
    Ok(json!({
        "AccessKeyId": credentials.access_key_id(),
        "SecretAccessKey": credentials.secret_access_key(),
        "Token": credentials.session_token(),
        "Expiration": timestamp(session.expires_at())?.to_string(),
    }))
}

/// Clients try 5xx again, and tell of others at once.
fn failure(error: &Error) -> Refused {
    let (status, code) = match error {
        Error::NotSignedIn(_) | Error::Over { .. } | Error::Damaged { .. } | Error::KeyGone(_) => {
            (StatusCode::FORBIDDEN, "NotSignedIn")
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, "Unavailable"),
    };
    Refused(status, code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        assert_eq!(quoted("/home/ada/.local/state/daypass/t"), "/home/ada/.local/state/daypass/t");
        assert_eq!(
            quoted("/Users/ada/Library/Application Support"),
            "'/Users/ada/Library/Application Support'"
        );
        assert_eq!(quoted("/a'b$(c)"), r"'/a'\''b$(c)'");
    }
}
