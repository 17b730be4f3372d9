//! `GET /v1/providers`: what a login page may offer, and all it needs to start a login, or to have a guest.

use axum::Json;
use axum::extract::State;
use daypass_core::login::provider::Provider;
use daypass_core::login::provider::definition::{Pkce, ProofKind};
use serde::Serialize;

use super::state::SharedApp;
use crate::installation::{App, Embedded, PublicPool};

/// What a login page may offer, and the pool that logins lead to.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Providers"))]
pub struct Listing {
    /// The pool that logins lead to.
    identity_pool_id: String,
    /// Its Region.
    region: String,
    /// Where the API of the pool answers: this server, or Amazon's.
    identity_pool_endpoint: String,
    /// Whether the pool gives anything without a login. Amazon's does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    guests: Option<bool>,
    /// Those that take any proof.
    providers: Vec<Offer>,
}

/// A provider, and what starts a login there.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Provider"))]
struct Offer {
    /// The `id` of its `[[provider]]`.
    id: String,
    /// What people call it.
    name: String,
    /// Where an app that speaks to the provider itself sends people.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
    /// Our client there.
    client_id: String,
    /// What to ask for there.
    scope: String,
    /// Whether its codes come with a `code_verifier`.
    #[cfg_attr(test, schemars(schema_with = "super::reference::schemas::pkce"))]
    pkce: Pkce,
    /// Where the browser goes to sign in there by the hosted login.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_url: Option<String>,
    /// How a proof shows that it was issued to our client, in a letter from `A` to `D`, or `N`: not at all.
    grade: String,
    /// The proofs that are taken.
    #[cfg_attr(test, schemars(schema_with = "super::reference::schemas::proof_kinds"))]
    accepts: Vec<ProofKind>,
    /// `true`: people are not to be offered it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

pub async fn handle(State(app): SharedApp) -> Json<Listing> {
    let providers = app.broker.providers.all();
    let PublicPool { id, endpoint } = &app.public_pool;
    Json(Listing {
        identity_pool_id: id.to_string(),
        region: id.region().to_owned(),
        identity_pool_endpoint: endpoint.clone(),
        guests: guests(&app).await,
        providers: providers.values().filter_map(|provider| offer(&app, provider)).collect(),
    })
}

/// Nobody is kept from a login by a store that does not answer this.
async fn guests(app: &App) -> Option<bool> {
    let Embedded { pools, pool_id, .. } = app.embedded.as_deref()?;
    let pool = pools.describe_pool(pool_id).await.ok()?;
    Some(pool.settings.allow_unauthenticated_identities && pool.roles.unauthenticated.is_some())
}

/// Nothing is offered that could not end well.
fn offer(app: &App, provider: &Provider) -> Option<Offer> {
    let authorize = provider.definition.authorize.as_ref();
    let accepts = app.broker.accepted_proofs(provider);
    if accepts.is_empty() {
        return None;
    }
    Some(Offer {
        id: provider.id.clone(),
        name: provider.definition.name.clone(),
        authorization_endpoint: authorize.and_then(|authorize| authorize.url.as_literal()).map(str::to_owned),
        client_id: provider.client_id.clone(),
        scope: provider.definition.scopes.join(provider.definition.scope_separator.as_str()),
        pkce: provider.definition.pkce,
        login_url: (provider.starts_by_redirect() && app.login_flow.can_end())
            .then(|| format!("{}/login/{}", app.login_flow.public_url, provider.id)),
        grade: provider.definition.grade().to_string(),
        accepts,
        hidden: app.login_flow.hidden_providers.contains(&provider.id),
    })
}
