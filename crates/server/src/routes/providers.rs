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
    authorization_endpoint: String,
    client_id: String,
    scope: String,
    pkce: Pkce,
    accepts: Vec<ProofKind>,
}

pub async fn handle(State(app): SharedApp) -> Json<Providers> {
    Json(Providers { providers: app.broker.providers.values().map(offer).collect() })
}

fn offer(provider: &Provider) -> Offer {
    Offer {
        id: provider.id.clone(),
        name: provider.definition.name.clone(),
        authorization_endpoint: provider.definition.authorize.url.clone(),
        client_id: provider.client_id.clone(),
        scope: provider.definition.scopes.join(" "),
        pkce: provider.definition.pkce,
        accepts: provider.accepted_proofs(),
    }
}
