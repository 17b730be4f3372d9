//! `GET /oauth2/authorize` (RFC 6749 section 4.1.1, RFC 7636 section 4.3): the hosted login under the standard's names.
//! `provider` says which provider it is to be; without it the person chooses.

use axum::extract::{Extension, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use daypass_core::broker::hosted_login::{AppLogin, LoginRequest, LoginRequestError};
use daypass_core::ground::ids::RequestId;
use daypass_core::records::scope::Scope;

use super::super::login::{self, Parameters, pages};
use super::super::state::SharedApp;
use crate::error::ApiError;
use crate::installation::App;

pub async fn handle(State(app): SharedApp, id: Extension<RequestId>, uri: Uri) -> Response {
    match read(&app, &uri) {
        Ok(Wanted { login, provider: None }) => pages::choose(&app, &login),
        Ok(Wanted { login, provider: Some(provider) }) => {
            Redirect::to(&login::start_path(&provider, &login)).into_response()
        }
        Err(Refusal::ToApp(address)) => Redirect::to(&address).into_response(),
        Err(Refusal::ToPerson(error)) => pages::mistake(&app, &error, &id),
    }
}

struct Wanted {
    login: AppLogin,
    provider: Option<String>,
}

/// Who hears of a mistake (RFC 6749 section 4.1.2.1): the app, if it is known where that is.
enum Refusal {
    ToApp(String),
    ToPerson(ApiError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::ToPerson(error)
    }
}

fn read(app: &App, uri: &Uri) -> Result<Wanted, Refusal> {
    let mut given = login::parameters(uri.query().unwrap_or_default().as_bytes())?;
    let mut take = |name: &str| given.remove(name).filter(|value| !value.is_empty());
    let request = LoginRequest {
        app: take("client_id").unwrap_or_default(),
        redirect_uri: take("redirect_uri").unwrap_or_default(),
        state: take("state"),
        code_challenge: take("code_challenge").unwrap_or_default(),
        scope: take("scope").map(Scope::from).unwrap_or_default(),
        nonce: take("nonce"),
        popup: false,
        device: None,
    };
    let provider = take("provider");
    let popup = check(&mut given);
    let (redirect_uri, state) = (request.redirect_uri.clone(), request.state.clone());
    let to_app = |mistake| Refusal::ToApp(refusal(app, &redirect_uri, state.as_deref(), mistake));
    let checked = app.login_flow.check(LoginRequest { popup: popup == Ok(true), ..request });
    let login = match checked {
        Ok(login) => login,
        Err(error @ (LoginRequestError::UnknownApp | LoginRequestError::RedirectUriNotRegistered)) => {
            return Err(ApiError::login_request(error).into());
        }
        Err(error) => return Err(to_app(("invalid_request", &format!("{error}.")))),
    };
    popup.map_err(to_app)?;
    if provider.as_ref().is_some_and(|id| app.broker.providers.get(id).is_none()) {
        return Err(to_app(("invalid_request", "provider: there is no such provider.")));
    }
    Ok(Wanted { login, provider })
}

type Mistake<'a> = (&'a str, &'a str);

/// Checks what is the same for every app, and answers whether the code is to come as a message.
fn check(given: &mut Parameters) -> Result<bool, Mistake<'static>> {
    let mut take = |name: &str| given.remove(name).filter(|value| !value.is_empty());
    if take("response_type").as_deref() != Some("code") {
        return Err(("unsupported_response_type", "response_type must be code."));
    }
    if take("code_challenge_method").as_deref() != Some("S256") {
        return Err(("invalid_request", "code_challenge_method must be S256."));
    }
    let prompt = take("prompt").unwrap_or_default();
    let prompts = |wanted| prompt.split(' ').any(|prompt| prompt == wanted);
    if prompts("none") {
        // Nobody is signed in at the broker itself (OpenID Connect Core 1.0, section 3.1.2.6).
        return Err(("login_required", "Whoever signs in is asked by their provider."));
    }
    if prompts("login") || take("max_age").is_some() {
        // The app would believe that the person had just shown who they are (section 3.1.2.1).
        return Err((
            "invalid_request",
            "The provider decides when people show anew who they are: leave prompt and max_age out.",
        ));
    }
    if take("request").or(take("request_uri")).is_some() {
        return Err(("request_not_supported", "Parameters stand in the query, and in no request object."));
    }
    if take("dpop_jkt").is_some() {
        // The code would have to be refused to every other key (RFC 9449 section 10).
        return Err(("invalid_request", "A code is bound by PKCE, and to no key: leave dpop_jkt out."));
    }
    match take("response_mode").as_deref() {
        None | Some("query") => Ok(false),
        Some("web_message") => Ok(true),
        Some(_) => Err(("invalid_request", "response_mode must be query or web_message.")),
    }
}

/// The address at the app that tells it of a mistake.
fn refusal(app: &App, redirect_uri: &str, state: Option<&str>, (error, description): Mistake<'_>) -> String {
    let mut members = vec![
        ("error", error),
        ("error_description", description),
        ("iss", app.login_flow.public_url.as_str()),
    ];
    members.extend(state.map(|state| ("state", state)));
    login::address(redirect_uri, &members)
}
