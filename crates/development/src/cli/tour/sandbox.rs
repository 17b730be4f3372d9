//! Signing in at the sandbox without a browser, as the app of one's choice.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use aws_lc_rs::digest;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::random::{Random, SystemRandom};
use daypass_core::ground::secret::Secret;
use serde_json::{Value, json};

use super::client::{Http, text};
use crate::sandbox::Client;
use crate::up::Ready;

const SCOPE: &str = "https://auth.snapchat.com/oauth2/api/user.external_id";

/// An app registered at the sandbox.
pub struct App(Client);

impl App {
    /// Our own.
    #[must_use]
    pub fn daypass_demo(client_secret: Secret, ready: &Ready) -> Self {
        Self(Client::daypass_demo(client_secret, vec![format!("{}/", ready.server_url)]))
    }

    /// Another company's.
    #[must_use]
    pub fn other_games() -> Self {
        Self(Client::other_games())
    }
}

/// What an app holds when somebody came back to it.
pub struct Login {
    /// The authorization code.
    pub code: String,
    code_verifier: String,
    redirect_uri: String,
}

impl Login {
    /// The proof, as `POST /v1/exchange` takes it.
    #[must_use]
    pub fn proof(&self) -> Value {
        json!({"code": self.code, "code_verifier": self.code_verifier, "redirect_uri": self.redirect_uri})
    }
}

/// Has somebody sign in to an app, by the form of the consent page.
pub async fn sign_in(http: &Http, ready: &Ready, app: &App, person: &str) -> anyhow::Result<Login> {
    let random: &dyn Random = &SystemRandom;
    let code_verifier = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>());
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, code_verifier.as_bytes()));
    let redirect_uri = app.0.redirect_uris[0].clone();
    let form = BTreeMap::from([
        ("client_id", app.0.client_id.clone()),
        ("redirect_uri", redirect_uri.clone()),
        ("response_type", "code".into()),
        ("scope", SCOPE.into()),
        ("state", random.guid()),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256".into()),
        ("person", person.into()),
        ("share", SCOPE.into()),
        ("decision", "allow".into()),
    ]);
    let answer = http.post_form(&format!("{}/accounts/oauth2/auth", ready.sandbox_url), &form).await?;
    let location = answer.location.with_context(|| format!("the sandbox did not send {person} back"))?;
    let query = location.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code");
    let code = code.with_context(|| format!("the sandbox sent {person} back without a code"))?.1.into_owned();
    Ok(Login { code, code_verifier, redirect_uri })
}

/// Has somebody sign in to an app, and the app redeem the code: it then holds a bare access token.
pub async fn redeem(http: &Http, ready: &Ready, app: &App, person: &str) -> anyhow::Result<String> {
    let login = sign_in(http, ready, app, person).await?;
    let form = BTreeMap::from([
        ("grant_type", "authorization_code".into()),
        ("code", login.code),
        ("code_verifier", login.code_verifier),
        ("redirect_uri", login.redirect_uri),
        ("client_id", app.0.client_id.clone()),
        ("client_secret", app.0.client_secret.expose().to_owned()),
    ]);
    let answer = http.post_form(&format!("{}/accounts/oauth2/token", ready.sandbox_url), &form).await?;
    ensure!(answer.status == 200, "the sandbox refused to redeem a code: {}", answer.body);
    let body: Value = serde_json::from_str(&answer.body)?;
    text(&body, "/access_token")
}
