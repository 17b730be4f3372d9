//! `GET /v1/providers`: what a login page may offer, and all it needs to start a login.

use axum::Json;
use axum::extract::State;
use daypass_core::provider::Provider;
use daypass_core::provider::definition::{Pkce, ProofKind};
use serde::Serialize;

use super::SharedApp;

#[derive(Serialize)]
pub struct Providers {
    providers: Vec<Offer>,
}

#[derive(Serialize)]
struct Offer {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
    client_id: String,
    scope: String,
    pkce: Pkce,
    accepts: Vec<ProofKind>,
}

pub async fn handle(State(app): SharedApp) -> Json<Providers> {
    Json(Providers { providers: app.broker.providers.values().map(|provider| offer(provider)).collect() })
}

fn offer(provider: &Provider) -> Offer {
    let authorize = provider.definition.authorize.as_ref();
    Offer {
        id: provider.id.clone(),
        name: provider.definition.name.clone(),
        authorization_endpoint: authorize.and_then(|authorize| authorize.url.as_literal()).map(str::to_owned),
        client_id: provider.client_id.clone(),
        scope: provider.definition.scopes.join(provider.definition.scope_separator.as_str()),
        pkce: provider.definition.pkce,
        accepts: provider.accepted_proofs(),
    }
}
