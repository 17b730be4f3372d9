//! Every path on one page. A path that does not stand here does not exist; whether an AWS operation needs
//! a signature stands in [`aws::model::OPERATIONS`] and [`aws::sts::ACTIONS`].

pub mod aws;
mod body;
mod cookies;
mod device;
pub(crate) mod dialect;
mod exchange;
pub(crate) mod health;
mod link;
mod login;
mod metrics;
mod oauth;
mod page;
mod providers;
#[cfg(test)]
pub(crate) mod reference;
pub mod sdk;
mod session_cookie;
mod sessions;
mod state;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use daypass_core::audit::Requester;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::Random;
use tower_http::cors::{AllowCredentials, AllowHeaders, Any, CorsLayer};

pub use self::dialect::dialect_of;
use self::state::{SharedApp, SharedEmbedded};
use crate::error::{ApiError, Dialect, RequestFailure};
use crate::every_request;
use crate::installation::{App, Embedded};
use crate::listen::{NoPlace, asks_for_life};
use crate::secrets;

/// Pages beside the API: one at `/`, where the AWS API answers too, and the files that it needs.
pub struct Pages {
    /// The page at `/`.
    pub home: Home,
    /// Its files.
    pub files: Router,
}

type Home = (HeaderMap, &'static str);

/// The server's paths.
pub fn router(app: Arc<App>) -> Router {
    router_of(app, None)
}

/// The same with pages beside them.
pub fn router_with(app: Arc<App>, pages: Pages) -> Router {
    router_of(app, Some(pages))
}

fn router_of(app: Arc<App>, pages: Option<Pages>) -> Router {
    // A browser's preflight ends up in the fallback of its path, which must stand before the layer that
    // answers it: one that is set afterwards replaces the layer's.
    // A refusal stands within that layer too, or a page could not read it.
    let places = middleware::from_fn_with_state(app.clone(), turn_away);
    let broker = Router::new()
        .route("/v1/exchange", post(exchange::handle))
        .route("/v1/link", post(link::handle))
        .route("/v1/providers", get(providers::handle))
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(middleware::from_fn_with_state(app.refresher.clone(), secrets::keep_fresh))
        .layer(places.clone())
        .layer(cors_for_apps(&app));
    let sessions = Router::new()
        .route("/oauth2/token", post(oauth::token::handle))
        .route("/oauth2/device_authorization", post(oauth::device_authorization::handle))
        .route("/oauth2/revoke", post(oauth::revoke::handle))
        .route("/v1/sessions", get(sessions::list).delete(sessions::end_all))
        .route("/v1/sessions/{id}", delete(sessions::end_one))
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(middleware::from_fn_with_state(app.refresher.clone(), secrets::keep_fresh))
        .layer(places.clone())
        .layer(cors_for_apps(&app));
    // A GET that has an effect is no HEAD: whoever looks ahead must not spend a login.
    let never = method_not_allowed;
    let login = Router::new()
        .route("/login", get(login::choose))
        .route("/oauth2/authorize", get(oauth::authorize::handle))
        .route("/login/{provider}", get(login::start).head(never))
        .route(
            "/login/{provider}/callback",
            get(login::answer_in_query).head(never).post(login::answer_in_form),
        )
        .route("/login/style.css", get(login::pages::style))
        .route("/login/popup.js", get(login::pages::popup_script))
        .route("/device", get(device::enter).post(device::find))
        .route("/device/login", get(device::review))
        .route("/device/decision", post(device::decide))
        .route_layer(middleware::from_fn_with_state(app.refresher.clone(), secrets::keep_fresh))
        .layer(places.clone())
        .layer(middleware::map_response(login::pages::harden));
    let sdk = Router::new()
        .route("/sdk/{*path}", get(sdk::handle))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(places.clone())
        .layer(cors_for_documents());
    let metadata = Router::new()
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata::authorization_server));
    let documents = Router::new()
        .route("/.well-known/openid-configuration", get(oauth::metadata::openid_provider))
        .route("/.well-known/jwks.json", get(oauth::metadata::jwk_set))
        .route("/.well-known/jwks_uri", get(oauth::metadata::jwk_set))
        .merge(if app.login_flow.can_end() { metadata } else { Router::new() })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(places.clone())
        .layer(cors_for_documents());
    let operations = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::handle))
        .layer(places);
    let embedded = app.embedded.clone().map(|it| embedded(it, &app, pages)).unwrap_or_default();
    // Nobody is sent to a provider whose answer could not be taken, and no session begins that nobody would find again.
    let lasting = login.merge(sessions).merge(sdk);
    let lasting = if app.login_flow.can_end() { lasting } else { Router::new() };

    broker
        .merge(lasting)
        .merge(documents)
        .merge(operations)
        .with_state(app.clone())
        .merge(embedded)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app, every_request::name_limit_and_log))
}

/// The paths of the embedded pool: the AWS API, and pages beside it.
fn embedded(embedded: Arc<Embedded>, app: &Arc<App>, pages: Option<Pages>) -> Router {
    let (home, files) = pages.map(|pages| (pages.home, pages.files)).unzip();
    let places = middleware::from_fn_with_state(app.clone(), turn_away);
    let aws = Router::new()
        .route("/", get(root).post(aws::handle).layer(Extension(home)))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(places.clone())
        .layer(cors_for_aws());
    aws.with_state(embedded).merge(files.unwrap_or_default().layer(places))
}

/// Browsers call the AWS API from any page, as they call Amazon's (docs/reference/cognito-identity.md, 1.2).
/// Nothing here goes by cookies, so an origin has no authority to lend. The headers are echoed, because `*`
/// does not stand for `Authorization` (Fetch, "CORS-non-wildcard request-header name").
fn cors_for_aws() -> CorsLayer {
    let exposed = ["x-amzn-requestid", "x-amzn-errortype", "x-amzn-errormessage", "date", "retry-after"];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(Duration::from_hours(48))
}

/// The broker answers the pages of registered apps only, and takes cookies from those that have one.
fn cors_for_apps(app: &App) -> CorsLayer {
    let cookie_apps = app.cookie_apps.clone();
    let with_cookies = AllowCredentials::predicate(move |origin, _| cookie_apps.have_page(origin));
    let ours = ["dpop", session_cookie::HEADER].map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(app.origins.allowed())
        .allow_credentials(with_cookies)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(
            [header::CONTENT_TYPE, header::AUTHORIZATION].into_iter().chain(ours).collect::<Vec<_>>(),
        )
        .expose_headers(
            ["x-amzn-requestid", "retry-after", "date", "dpop-nonce"].map(HeaderName::from_static),
        )
        .max_age(Duration::from_mins(10))
}

fn cors_for_documents() -> CorsLayer {
    CorsLayer::new().allow_origin(Any).allow_methods([Method::GET]).expose_headers([header::RETRY_AFTER])
}

/// Refuses, before it costs anything, what the listener has no place for, and whoever comes too often.
async fn turn_away(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if asks_for_life(path) {
        return next.run(request).await;
    }
    let Err(failure) = may_come_in(&app, &by, &request) else { return next.run(request).await };
    let dialect = dialect_of(&request);
    let error = ApiError::of_request(dialect, failure);
    if is_for_people(path) {
        return login::pages::mistake(&app, &error, &by.request_id);
    }
    error.answer(dialect, &by.request_id)
}

/// Who is sent away together is not to come back together.
fn may_come_in(app: &App, by: &Requester, request: &Request) -> Result<(), RequestFailure> {
    if request.extensions().get::<NoPlace>().is_some() {
        app.metrics.refused_early();
        let retry_after = time_to_come_back(&*app.random);
        return Err(RequestFailure::ServerBusy { retry_after });
    }
    Ok(app.rate_limits.address(by.origin.source_ip)?)
}

/// Whether a browser shows what is at a path.
fn is_for_people(path: &str) -> bool {
    let mut below = ["/login", "/device"].into_iter().filter_map(|pages| path.strip_prefix(pages));
    path == "/oauth2/authorize" || below.any(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// When whoever finds no place is welcome again.
#[must_use]
pub fn time_to_come_back(random: &dyn Random) -> SignedDuration {
    let [share] = random.bytes();
    SignedDuration::from_secs(1 + i64::from(share % 8))
}

/// STS, if the query names an action; else a page, where there is one.
async fn root(
    State(embedded): SharedEmbedded,
    Extension(by): Extension<Requester>,
    Extension(home): Extension<Option<Home>>,
    request: Request,
) -> Response {
    if aws::names_action(request.uri()) {
        // An action has an effect: to look ahead is not to ask for it.
        if request.method() == Method::HEAD {
            return method_not_allowed(Extension(by.request_id)).await;
        }
        return aws::handle(State(embedded), Extension(by), request).await;
    }
    match home {
        Some(page) => page.into_response(),
        None => not_found(Extension(by.request_id)).await,
    }
}

async fn not_found(Extension(id): Extension<RequestId>) -> Response {
    ApiError::not_found().answer(Dialect::Problem, &id)
}

async fn method_not_allowed(Extension(id): Extension<RequestId>) -> Response {
    ApiError::method_not_allowed().answer(Dialect::Problem, &id)
}
