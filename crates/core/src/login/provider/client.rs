//! A provider as this installation is registered there: its definition and the operator's client.

use std::sync::Arc;

use aws_lc_rs::hmac;
use serde_json::Value;

use super::apple::AppleKey;
use super::definition::{Binding, ClientName, Definition, NamedClient, ProofKind};
use super::error::ProofError;
use super::identifier::Identifier;
use super::template::{Name, Values};
use crate::ground::clock::SignedDuration;
use crate::ground::hex;
use crate::ground::secret::Secret;

/// How often a provider is asked whether a login still stands, unless the operator says otherwise.
pub const RECHECK: SignedDuration = SignedDuration::from_hours(24);

/// A provider that this installation accepts logins of.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its ID in the configuration, part of every developer user identifier.
    pub id: String,
    /// How to talk to it.
    pub definition: Arc<Definition>,
    /// The block of the catalogue that it begins with, if it begins with one.
    pub catalogue: Option<String>,
    /// Whether it vouches for actors alone, and nobody signs in by it.
    pub only_actors: bool,
    /// The client that the operator registered there.
    pub client_id: String,
    /// Other clients of the same app there, such as those of its phone apps: tokens issued to them count too.
    pub other_client_ids: Vec<String>,
    /// The number of the app, at providers that know it beside the client ID.
    pub app_id: Option<String>,
    /// The client's secret, if it has one. At Apple it is a private key.
    pub client_secret: Option<Secret>,
    /// What else Apple's client secret is made of.
    pub apple: Option<AppleKey>,
    /// The operator's word that tokens issued to anybody's app may sign people in here.
    pub accept_unbound_access_tokens: bool,
    /// How its people are named in the pool.
    pub identifier: Identifier,
    /// How long its yes to an access token is repeated without asking again. A token that it revokes meanwhile
    /// still signs in.
    pub cache_verified: Option<SignedDuration>,
    /// How often it is asked whether a login still stands that a session rests on, if it gave a refresh token.
    pub recheck: SignedDuration,
}

impl Provider {
    /// The kinds of proof that [`Engine::verify`](super::Engine::verify) does not turn away at the door.
    #[must_use]
    pub fn accepted_proofs(&self) -> Vec<ProofKind> {
        self.definition.accept.iter().copied().filter(|kind| self.admits(*kind).is_ok()).collect()
    }

    /// Whether access tokens sign in here that may have been issued to anybody's app.
    #[must_use]
    pub fn takes_unbound_tokens(&self) -> bool {
        matches!(self.definition.binding, Binding::None) && self.admits(ProofKind::AccessToken).is_ok()
    }

    pub(super) fn admits(&self, kind: ProofKind) -> Result<(), ProofError> {
        let accepted = self.definition.accept.contains(&kind);
        match (kind, &self.definition.binding) {
            _ if !accepted => Err(ProofError::KindNotAccepted(kind)),
            (ProofKind::AccessToken, Binding::None) if !self.accept_unbound_access_tokens => {
                Err(ProofError::UnboundAccessToken)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn values(&self) -> Values {
        let mut values = Values::default();
        values.set(Name::ClientId, Secret::new(self.client_id.clone()));
        if let Some(secret) = &self.client_secret {
            values.set(Name::ClientSecret, secret.clone());
        }
        values
    }

    /// The secret, where something is confirmed with it.
    pub(super) fn secret(&self) -> Result<&Secret, ProofError> {
        self.client_secret
            .as_ref()
            .ok_or_else(|| ProofError::Misconfigured("client_secret is missing".into()))
    }

    pub(super) fn with_token(&self, mut values: Values, token: &Secret) -> Values {
        if let Some(secret) = &self.client_secret {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
            let proof = hmac::sign(&key, token.expose().as_bytes());
            values.set(Name::AppsecretProof, Secret::new(hex::encode(proof.as_ref())));
        }
        values.set(Name::Token, token.clone());
        values
    }

    pub(super) fn client_ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.client_id).chain(&self.other_client_ids).map(String::as_str)
    }

    /// The client of ours that an answer names.
    pub(super) fn check_client(&self, named: &NamedClient, answer: &Value) -> Result<String, ProofError> {
        let found = match (answer.pointer(named.at.as_str()), named.is) {
            (Some(Value::String(text)), _) => Some(text.clone()),
            (Some(Value::Number(number)), ClientName::ClientId | ClientName::AppId) => {
                number.as_u64().map(|number| number.to_string())
            }
            (None, ClientName::PoolApp) if !answer.is_object() => {
                return Err(ProofError::AnswerMalformed("the answer is not a JSON object"));
            }
            _ => None,
        };
        let ours = |found: &String| match named.is {
            ClientName::ClientId | ClientName::PoolApp => self.client_ids().any(|id| id == found),
            ClientName::AppId => self.app_id.as_ref() == Some(found),
        };
        found.filter(ours).ok_or(ProofError::AnotherClient)
    }
}
