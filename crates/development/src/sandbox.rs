//! The sandbox identity provider: a stand-in, in memory, for Snapchat's OAuth 2.0 service and its
//! GraphQL profile, so that a whole login can be walked on one machine and in tests. It is as strict
//! as the real one wherever a broker could get a login wrong: exact redirect URIs, PKCE, codes that
//! work once and for one client, IDs that differ for each app, errors inside HTTP 200.
//!
//! Anyone who reaches it may sign in as anyone, so it is served on the loopback interface only, and
//! only by the commands for development. It sets no cookie: on 127.0.0.1 other ports would see it.

mod authorize;
mod client;
mod client_auth;
mod grants;
mod graphql;
mod ledger;
mod me;
mod oauth_error;
mod pages;
mod params;
mod people;
mod return_address;
mod scope;
mod token;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::{get, post};
use daypass_core::ground::clock::Clock;
use daypass_core::ground::random::Random;
use tower_http::cors::{Any, CorsLayer};

pub use client::{
    Client, DAYPASS_DEMO_CLIENT_ID, OTHER_GAMES_CLIENT_ID, OTHER_GAMES_CLIENT_SECRET,
    OTHER_GAMES_REDIRECT_URI,
};
pub use people::{PEOPLE, Person};
pub use scope::Scope;

use grants::Grants;

/// Larger than any honest request, small enough that nobody fills memory with one.
const BODY_LIMIT: usize = 64 * 1024;

/// What differs from one sandbox to the next.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where the sandbox is reached, without a slash at the end. The URLs of avatars begin with it.
    pub public_url: String,
    /// The app under development. The other company's is always [`Client::other_games`].
    pub our_client: Client,
}

/// The sandbox as a router, ready to be served on a loopback address.
pub fn router(config: SandboxConfig, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Router {
    let sandbox = Arc::new(Sandbox {
        public_url: config.public_url,
        clients: [config.our_client, Client::other_games()],
        grants: Grants::new(clock, random),
    });
    Router::new()
        .route("/accounts/oauth2/auth", get(authorize::ask).post(authorize::decide))
        .route("/accounts/oauth2/token", post(token::issue))
        .route("/accounts/oauth2/revoke", post(token::revoke))
        .route("/v1/me", get(me::get).post(me::post).layer(open_to_browsers()))
        .route("/", get(pages::front))
        .route("/sandbox.json", get(pages::description))
        .route("/style.css", get(pages::style))
        .route("/avatars/{file}", get(pages::avatar))
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::map_response(harden))
        .with_state(sandbox)
}

struct Sandbox {
    public_url: String,
    clients: [Client; 2],
    grants: Grants,
}

impl Sandbox {
    fn client(&self, client_id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.client_id == client_id)
    }
}

/// Apps that live in the browser call the profile from their own origin. The bearer token is the only
/// credential, so any origin may.
fn open_to_browsers() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
}

/// Codes travel in addresses and tokens in bodies: no answer is cached, and no page tells the next one
/// where the visitor came from.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
