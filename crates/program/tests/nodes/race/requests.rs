//! How a question is put to a node, and what an answer says.

use std::net::SocketAddr;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::clock::{Clock, SystemClock};
use http::Request;
use serde_json::{Map, Value, json};

use super::history::{For, Login, Question, Refusal, User};
use super::issuer::Issuer;
use super::scene::{HeldSession, Shown, Task};
use crate::asking::{Answer, Backend, Unanswered, ask};
use crate::signer::{Credentials, Signer};

const PROVIDER: &str = "login.example.com";

/// The provider of the exchange, and what it calls people.
const FAKE: &str = "fake";

pub struct Requests<'a> {
    pub backend: &'a Backend,
    pub pool: &'a str,
    pub issuer: &'a Issuer,
}

/// What the developer calls somebody.
pub fn user_name(user: User) -> String {
    format!("{FAKE}:{}", name_at_fake(user))
}

fn name_at_fake(user: User) -> String {
    format!("user-{user}")
}

impl Requests<'_> {
    /// # Errors
    /// [`Unanswered`]
    pub fn put(&self, node: SocketAddr, task: &Task) -> Result<Answer, Unanswered> {
        match task {
            Task::Ask(Question::LogIn { want: For::Session, logins, .. }) => {
                ask(node, &begin_session(logins))
            }
            Task::Ask(question) => {
                let (operation, body) = self.operation(question);
                let is_public = ["GetId", "GetCredentialsForIdentity", "UnlinkIdentity"].contains(&operation);
                if is_public {
                    ask(node, &unsigned(operation, &body))
                } else {
                    self.backend.ask(node, operation, &body)
                }
            }
            Task::Show(held) => match &held.shown {
                Shown::Token(token) => {
                    let logins = json!({"cognito-identity.amazonaws.com": token});
                    let body = json!({"IdentityId": *held.ground.identity, "Logins": logins});
                    ask(node, &unsigned("GetCredentialsForIdentity", &body))
                }
                Shown::Credentials(credentials) => ask(node, &get_caller_identity(node, credentials)),
            },
            Task::Refresh(session) => ask(node, &refresh(session)),
            Task::Revoke(_) => unreachable!("no node is asked"),
        }
    }

    fn operation(&self, question: &Question) -> (&'static str, Value) {
        let mut body = match question {
            Question::LogIn { want: For::Credentials, .. } => json!({}),
            _ => json!({"IdentityPoolId": self.pool}),
        };
        let operation = match question {
            Question::LogIn { want, logins, identity } => {
                body["Logins"] = self.logins(logins);
                if let Some(id) = identity {
                    body["IdentityId"] = (**id).into();
                }
                match want {
                    For::Token => "GetOpenIdTokenForDeveloperIdentity",
                    For::Id => "GetId",
                    For::Credentials | For::Session => "GetCredentialsForIdentity",
                }
            }
            Question::Guest => "GetId",
            Question::Merge { source, destination } => {
                body["DeveloperProviderName"] = PROVIDER.into();
                body["SourceUserIdentifier"] = user_name(*source).into();
                body["DestinationUserIdentifier"] = user_name(*destination).into();
                "MergeDeveloperIdentities"
            }
            Question::Unlink { identity, login: Login::Developer(user) } => {
                body["DeveloperProviderName"] = PROVIDER.into();
                body["IdentityId"] = (**identity).into();
                body["DeveloperUserIdentifier"] = user_name(*user).into();
                "UnlinkDeveloperIdentity"
            }
            Question::Unlink { identity, login } => {
                let logins = self.logins(&[*login]);
                body = json!({"IdentityId": **identity, "Logins": logins, "LoginsToRemove": [self.issuer.key()]});
                "UnlinkIdentity"
            }
            Question::Delete(ids) => {
                let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
                body = json!({"IdentityIdsToDelete": ids});
                "DeleteIdentities"
            }
            Question::LookUp(user) => {
                body["DeveloperUserIdentifier"] = user_name(*user).into();
                body["MaxResults"] = 1.into();
                "LookupDeveloperIdentity"
            }
            Question::Revoke { .. } | Question::Use(_) | Question::Refresh(_) => {
                unreachable!("tasks of their own")
            }
        };
        (operation, body)
    }

    fn logins(&self, logins: &[Login]) -> Value {
        let login = |login: &Login| match *login {
            Login::Developer(user) => (PROVIDER.to_owned(), user_name(user).into()),
            Login::Public(user) => (self.issuer.key().to_owned(), self.issuer.login(user)),
        };
        logins.iter().map(login).collect::<Map<_, _>>().into()
    }
}

fn unsigned(operation: &str, body: &Value) -> Request<String> {
    Request::post("/")
        .header("host", "localhost")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityService.{operation}"))
        .body(body.to_string())
        .unwrap()
}

fn form(path: &str, host: &str, members: &[(&str, &str)]) -> Request<String> {
    Request::post(path)
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish())
        .unwrap()
}

fn begin_session(logins: &[Login]) -> Request<String> {
    let [Login::Developer(user)] = logins else { unreachable!("somebody whom the exchange knows") };
    let members = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "web"),
        ("subject_token", &name_at_fake(*user)),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_issuer", FAKE),
    ];
    form("/oauth2/token", "localhost", &members)
}

fn refresh(HeldSession { refresh_token, .. }: &HeldSession) -> Request<String> {
    let token = refresh_token.lock().unwrap();
    form(
        "/oauth2/token",
        "localhost",
        &[("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", &token)],
    )
}

fn get_caller_identity(node: SocketAddr, credentials: &Credentials) -> Request<String> {
    let members = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
    let signer = Signer { credentials, service: "sts", region: "eu-west-1", at: SystemClock.now() };
    signer.sign(form("/", &node.to_string(), &members))
}

/// Why a node refuses, if it does not just fail to ask somebody else.
pub fn refusal(task: &Task, answer: &Answer) -> Option<Refusal> {
    let message = answer.body["message"].as_str().unwrap_or_default();
    let is_of_a_session = answer.body["code"] == "refresh_token_refused"
        && ["revoked", "login_unlinked", "expired", "identity_gone"]
            .map(Value::from)
            .contains(&answer.body["reason"]);
    let is_of_credentials = answer.body.as_str().is_some_and(|text| text.contains("ExpiredToken"));
    Some(match answer.exception() {
        Some("ExternalServiceException") => return None,
        None if is_of_a_session || is_of_credentials => Refusal::Lapsed,
        Some("ResourceNotFoundException" | "NotAuthorizedException")
            if matches!(task, Task::Show(_))
                && (message.starts_with("Identity ") || message.starts_with("Access to Identity")) =>
        {
            Refusal::Lapsed
        }
        Some("ResourceNotFoundException") if message.starts_with("Identity ") => Refusal::NoSuchIdentity,
        Some("ResourceNotFoundException") if message.starts_with("Developer user") => Refusal::NoSuchUser,
        Some("NotAuthorizedException") if message.starts_with("Access to Identity") => Refusal::Disabled,
        Some("NotAuthorizedException") if message.starts_with("Logins don't match") => {
            Refusal::NotAmongItsLogins
        }
        Some("ResourceConflictException") if message.contains("another login of the same provider") => {
            Refusal::TwoUsersOfOneProvider
        }
        Some("DeveloperUserAlreadyRegisteredException" | "ResourceConflictException") => {
            Refusal::OfAnotherIdentity
        }
        _ => panic!("{answer:?}"),
    })
}

/// A part of a token: its head or its claims.
pub fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The credentials of an answer.
pub fn credentials(answer: &Answer) -> Credentials {
    let text = |name: &str| answer.body["Credentials"][name].as_str().unwrap().to_owned();
    Credentials {
        access_key_id: text("AccessKeyId"),
        secret_access_key: text("SecretKey"),
        session_token: Some(text("SessionToken")),
    }
}
