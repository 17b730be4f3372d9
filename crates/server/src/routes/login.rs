//! `/login`: the hosted sign-in. A page with the configured providers, the way to each of them, and the way back to
//! the app with a one-time code. What it means stands in core's `broker/hosted_login.rs`.

mod cookie;
pub(super) mod device_pages;
mod marks;
pub mod pages;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use daypass_core::audit::Requester;
use daypass_core::broker::exchange::ExchangeError;
use daypass_core::broker::hosted_login::{AppLogin, LoginRequest, LostLogin, Resumed, is_encoded};
use daypass_core::ground::form;
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::{FlowSecrets, Provider, UnverifiedProof, VerifiedLogin};
use daypass_core::records::device_authorization::DeviceAuthorization;
use daypass_core::records::scope::Scope;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use self::cookie::LoginCookies;
use super::body;
use super::state::SharedApp;
use crate::error::{ApiError, Dialect, RequestFailure};
use crate::installation::App;

/// More than any honest request or answer needs.
const MAX_PARAMETERS: usize = 8 * 1024;

/// What providers call it when somebody chose not to sign in (RFC 6749 section 4.1.2.1, and their own words).
const CANCELLED: [&str; 5] =
    ["access_denied", "user_denied", "user_cancelled_login", "user_cancelled_authorize", "cancel"];

/// Everything outside RFC 3986's unreserved characters is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameter that names a device authorization.
pub(super) const DEVICE: &str = "device";

pub(super) type Parameters = BTreeMap<String, String>;

/// `GET /login`
pub async fn choose(State(app): SharedApp, id: Extension<RequestId>, uri: Uri) -> Response {
    match read_request(&app, &uri) {
        Ok(login) => pages::choose(&app, &login),
        Err(error) => pages::mistake(&app, &error, &id),
    }
}

/// `GET /login/{provider}`
pub async fn start(
    State(app): SharedApp,
    id: Extension<RequestId>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match go_to_provider(&app, &provider, &headers, &uri).await {
        Ok(response) => response,
        Err(error) => pages::mistake(&app, &error, &id),
    }
}

/// `GET /login/{provider}/callback`
pub async fn answer_in_query(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    finish(&app, &by, &provider, &headers, parameters(uri.query().unwrap_or_default().as_bytes())).await
}

/// `POST /login/{provider}/callback`, which some providers' own pages post to.
pub async fn answer_in_form(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = match body::read(body, MAX_PARAMETERS, Dialect::Problem).await {
        Ok(body) => parameters(&body),
        Err(error) => Err(error),
    };
    finish(&app, &by, &provider, &headers, answer).await
}

async fn go_to_provider(
    app: &App,
    provider: &str,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, ApiError> {
    let provider = find_provider(app, provider)?;
    let login = match device_in(uri)? {
        Some(id) => of_device(app, &id).await?.1,
        None => read_request(app, uri)?,
    };
    let started = app.login_flow.start(&provider, &login).map_err(ApiError::login_request)?;
    let cookies = LoginCookies::of(&app.login_flow.public_url);
    let mut response = Redirect::to(&started.location).into_response();
    for cookie in cookies.keep(headers, &started, provider.answers_by_form_post()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn finish(
    app: &Arc<App>,
    by: &Requester,
    provider: &str,
    headers: &HeaderMap,
    answer: Result<Parameters, ApiError>,
) -> Response {
    let resumed = match answer {
        Ok(answer) => resume(app, provider, headers, answer).await,
        Err(error) => Err(error),
    };
    let Returned { provider, login, secrets, answer } = match resumed {
        Ok(returned) => returned,
        Err(error) => return pages::mistake(app, &error, &by.request_id),
    };
    let state = answer.get("state").cloned().unwrap_or_default();
    let resumed = Resumed { login: login.clone(), secrets };
    let mut response = match sign_in(app, by, &provider, resumed, answer).await {
        Ok((signed_in, code)) => match &login.request().device {
            Some(device) => ask(app, &device.authorization, &provider, &signed_in, &code, by).await,
            None => hand_over(app, &login, &code),
        },
        Err(error) => pages::failure(app, &provider, &login, &error, &by.request_id),
    };
    let cookies = LoginCookies::of(&app.login_flow.public_url);
    let ended = cookies.forget(&state, provider.answers_by_form_post());
    response.headers_mut().append(header::SET_COOKIE, ended);
    response
}

/// A login that came back, and what with.
struct Returned {
    provider: Arc<Provider>,
    login: AppLogin,
    secrets: FlowSecrets,
    answer: Parameters,
}

async fn resume(
    app: &App,
    provider: &str,
    headers: &HeaderMap,
    answer: Parameters,
) -> Result<Returned, ApiError> {
    let provider = find_provider(app, provider)?;
    let lost = || ApiError::lost_login(LostLogin::Lost);
    let state = answer.get("state").filter(|state| is_encoded(state)).ok_or_else(lost)?;
    if answer.get("iss").is_some_and(|issuer| !provider.may_be_issuer(issuer)) {
        return Err(lost());
    }
    let cookies = LoginCookies::of(&app.login_flow.public_url);
    let sealed = cookies.find(headers, state, provider.answers_by_form_post()).ok_or_else(lost)?;
    let resumed = app.login_flow.resume(&provider, state, &sealed).await;
    let Resumed { login, secrets } = resumed.map_err(ApiError::lost_login)?;
    Ok(Returned { provider, login, secrets, answer })
}

/// Has the provider confirm its answer.
async fn sign_in(
    app: &App,
    by: &Requester,
    provider: &Arc<Provider>,
    resumed: Resumed,
    answer: Parameters,
) -> Result<(VerifiedLogin, Secret), ApiError> {
    let callback = app.login_flow.callback(provider);
    let proof = read_answer(provider, callback, resumed.secrets, answer);
    app.broker.sign_in(provider, proof, &resumed.login, by).await.map_err(ApiError::exchange)
}

/// The proof in an answer. The words of an error are the provider's, or those of whoever made up the address:
/// neither page nor trail repeats them.
fn read_answer(
    provider: &Provider,
    callback: String,
    secrets: FlowSecrets,
    answer: Parameters,
) -> Result<UnverifiedProof, ExchangeError> {
    let error = answer.get("error").or(answer.get("openid.mode").filter(|mode| *mode == "cancel"));
    match error {
        Some(error) if CANCELLED.contains(&error.as_str()) => Err(ExchangeError::Cancelled),
        Some(_) => Err(ExchangeError::FailedAtProvider),
        None => provider.proof_of_answer(answer, secrets, callback).ok_or(ExchangeError::FailedAtProvider),
    }
}

/// Gives the app its code: by a redirect, or by a message to the window that opened this one.
fn hand_over(app: &App, login: &AppLogin, code: &Secret) -> Response {
    let response = app_response(login, &[("code", code.expose()), ("iss", &app.login_flow.public_url)]);
    if login.request().popup {
        return pages::message(login, &response);
    }
    Redirect::to(&address(&login.request().redirect_uri, &response)).into_response()
}

/// Asks whoever signed in whether a device may have the login.
async fn ask(
    app: &App,
    authorization: &str,
    provider: &Provider,
    signed_in: &VerifiedLogin,
    code: &Secret,
    by: &Requester,
) -> Response {
    match of_device(app, authorization).await {
        Ok((authorization, login)) => {
            let question = app.device_logins.question(&authorization.id, signed_in, code);
            let person = device_pages::Person { provider: &provider.definition.name, user: signed_in.user() };
            device_pages::ask(&device_pages::Waiting::of(app, &authorization, &login), person, question)
        }
        Err(error) => device_pages::enter("", Some(&error), &by.request_id),
    }
}

/// What an app hears, its own state included.
fn app_response<'a>(login: &'a AppLogin, members: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let state = login.request().state.as_deref().map(|state| ("state", state));
    members.iter().copied().chain(state).collect()
}

/// An address with these parameters. Redirect URIs have no fragment, but perhaps a query.
pub(super) fn address(base: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)))
        .collect();
    format!("{base}{}{}", if base.contains('?') { '&' } else { '?' }, pairs.join("&"))
}

fn find_provider(app: &App, id: &str) -> Result<Arc<Provider>, ApiError> {
    app.broker.providers.get(id).ok_or_else(ApiError::unknown_login_provider)
}

/// The device authorization that a login is to be for, if it is: nothing else stands beside it then.
fn device_in(uri: &Uri) -> Result<Option<String>, ApiError> {
    let mut given = parameters(uri.query().unwrap_or_default().as_bytes())?;
    let device = given.remove(DEVICE).filter(|id| !id.is_empty());
    if device.is_some() && !given.is_empty() {
        return Err(ApiError::malformed_request(
            "device stands alone: what is asked for, the device has said.",
        ));
    }
    Ok(device)
}

/// The device authorization of an ID, and the login that it waits for.
pub(super) async fn of_device(app: &App, id: &str) -> Result<(DeviceAuthorization, AppLogin), ApiError> {
    let authorization = app.device_logins.open(id).await.map_err(ApiError::device_decision)?;
    let login = app.login_flow.of_device(&authorization).map_err(ApiError::login_request)?;
    Ok((authorization, login))
}

/// What an app asks for, checked.
fn read_request(app: &App, uri: &Uri) -> Result<AppLogin, ApiError> {
    let mut given = parameters(uri.query().unwrap_or_default().as_bytes())?;
    // RFC 6749 section 3.1: a parameter without a value is as good as absent.
    let mut take = |name: &str| given.remove(name).filter(|value| !value.is_empty());
    let wanted = [("response_type", "code"), ("code_challenge_method", "S256")];
    for (name, expected) in wanted {
        if take(name).is_some_and(|value| value != expected) {
            return Err(ApiError::malformed_request(format!("{name} must be {expected}, or be left out.")));
        }
    }
    let popup = match take("response_mode").as_deref() {
        None | Some("query") => false,
        Some("web_message") => true,
        Some(_) => {
            return Err(ApiError::malformed_request("response_mode must be query or web_message."));
        }
    };
    let request = LoginRequest {
        app: take("app").unwrap_or_default(),
        redirect_uri: take("redirect_uri").unwrap_or_default(),
        state: take("state"),
        code_challenge: take("code_challenge").unwrap_or_default(),
        scope: take("scope").map(Scope::from).unwrap_or_default(),
        nonce: take("nonce"),
        popup,
        device: None,
    };
    app.login_flow.check(request).map_err(ApiError::login_request)
}

pub(super) fn parameters(text: &[u8]) -> Result<Parameters, ApiError> {
    if text.len() > MAX_PARAMETERS {
        return Err(ApiError::of_request(
            Dialect::Problem,
            RequestFailure::BodyTooLarge { limit: MAX_PARAMETERS },
        ));
    }
    form::read(text).ok_or_else(|| ApiError::malformed_request("A parameter stands there twice."))
}

/// The path of a login at a provider, with what the app asked for.
pub(super) fn start_path(provider: &str, login: &AppLogin) -> String {
    let request = login.request();
    if let Some(device) = &request.device {
        return address(&format!("/login/{provider}"), &[(DEVICE, &device.authorization)]);
    }
    let mut wishes = vec![
        ("app", request.app.as_str()),
        ("redirect_uri", &request.redirect_uri),
        ("code_challenge", &request.code_challenge),
    ];
    wishes.extend(request.state.as_deref().map(|state| ("state", state)));
    let scope = request.scope.to_string();
    wishes.extend((request.scope != Scope::default()).then_some(("scope", &*scope)));
    wishes.extend(request.nonce.as_deref().map(|nonce| ("nonce", nonce)));
    wishes.extend(request.popup.then_some(("response_mode", "web_message")));
    address(&format!("/login/{provider}"), &wishes)
}
