//! People who sign in at the sandbox by its consent form, at our app or at another company's.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::secret::Secret;
use daypass_development::sandbox::{Client, Scope};
use http::Request;
use serde_json::{Value, json};

use super::answer::{Answer, read};
use super::{CLIENT_SECRET, Daypass, REDIRECT_URI, TOKEN};

/// What makes a login a login.
pub const EXTERNAL_ID: &[Scope] = &[Scope::ExternalId];

/// What an app holds when somebody came back to it.
#[derive(Debug, Clone)]
pub struct Login {
    pub code: String,
    pub code_verifier: String,
    pub redirect_uri: String,
}

impl Login {
    /// The body of an exchange.
    pub fn proof(&self) -> Value {
        json!({"provider": "snapchat", "code": self.code, "code_verifier": self.code_verifier,
            "redirect_uri": self.redirect_uri})
    }

    /// The same with one more member, or with another value of one.
    pub fn proof_with(&self, member: &str, value: impl Into<Value>) -> Value {
        let mut proof = self.proof();
        proof[member] = value.into();
        proof
    }
}

impl Daypass {
    /// Somebody signs in to our app and shares everything.
    pub async fn sign_in(&self, person: &str) -> Login {
        self.sign_in_to(&ours(), person, &Scope::ALL).await
    }

    pub async fn sign_in_to(&self, client: &Client, person: &str, shared: &[Scope]) -> Login {
        let code_verifier = BASE64_URL_SAFE_NO_PAD.encode(self.random().bytes::<32>());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, code_verifier.as_bytes()));
        let redirect_uri = client.redirect_uris[0].clone();
        let all = Scope::ALL.map(Scope::url).join(" ");
        let mut form = vec![
            ("client_id", client.client_id.as_str()),
            ("redirect_uri", &redirect_uri),
            ("response_type", "code"),
            ("scope", &all),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("person", person),
            ("decision", "allow"),
        ];
        form.extend(shared.iter().map(|scope| ("share", scope.url())));
        let answer = self.ask_sandbox("/accounts/oauth2/auth", &form).await;
        let (_, query) = answer.header("location").split_once('?').unwrap();
        let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
        let code = code.unwrap_or_else(|| panic!("{answer:?}")).1.into_owned();
        Login { code, code_verifier, redirect_uri }
    }

    /// The bare access token that an app holds after it redeemed somebody's code.
    pub async fn access_token(&self, client: &Client, person: &str) -> String {
        let login = self.sign_in_to(client, person, EXTERNAL_ID).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &login.code),
            ("code_verifier", &login.code_verifier),
            ("redirect_uri", &login.redirect_uri),
            ("client_id", &client.client_id),
            ("client_secret", client.client_secret.expose()),
        ];
        let answer = self.ask_sandbox(TOKEN, &form).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn ask_sandbox(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        read(self.sandbox.clone(), request.body(Body::from(body)).unwrap()).await
    }
}

pub fn ours() -> Client {
    Client::daypass_demo(Secret::new(CLIENT_SECRET), vec![REDIRECT_URI.into()])
}
