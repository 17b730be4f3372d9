//! `/device`: the pages at which somebody signs in for a device without a browser (RFC 8628 section 3.3). They type its code,
//! see what it is about, sign in at a provider by `/login`, and decide. What it means stands in core's
//! `broker/device_login.rs`.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use daypass_core::audit::Requester;
use daypass_core::broker::device_login::{Verdict, as_shown};
use daypass_core::ground::ids::RequestId;

use super::body;
use super::login::device_pages::{self, Waiting};
use super::login::{DEVICE, Parameters, address, of_device, parameters};
use super::state::SharedApp;
use crate::config::origin_of;
use crate::error::{ApiError, Dialect};
use crate::installation::App;
use crate::peers::share_of;

/// More than a code with its hyphen and blanks around it has, in characters.
const MAX_TYPED: usize = 20;
/// More than a code needs, or a decision.
const MAX_FORM: usize = 8 * 1024;

/// `GET /device`. A code in the address stands in the field, and is sent by the person alone: else a link would do it
/// (RFC 8628 section 5.4). Nothing else that whoever wrote the link has to say does.
pub async fn enter(id: Extension<RequestId>, uri: Uri) -> Response {
    match parameters(uri.query().unwrap_or_default().as_bytes()) {
        Ok(given) => {
            let user_code = given.get("user_code").and_then(|text| as_shown(text));
            device_pages::enter(&user_code.unwrap_or_default(), None, &id)
        }
        Err(error) => device_pages::enter("", Some(&error), &id),
    }
}

/// `POST /device`: a code was typed.
pub async fn find(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut form = match read_form(&app, &headers, body).await {
        Ok(form) => form,
        Err(error) => return device_pages::enter("", Some(&error), &by.request_id),
    };
    let typed = form.remove("user_code").unwrap_or_default();
    let whose = by.origin.source_ip.and_then(share_of);
    match app.device_logins.find(&typed, whose, &by).await.map_err(ApiError::device_decision) {
        Ok(found) => Redirect::to(&address("/device/login", &[(DEVICE, &found.id)])).into_response(),
        Err(error) => device_pages::enter(&as_typed(&typed), Some(&error), &by.request_id),
    }
}

/// What stands in the field again. A slip of the finger can be seen in it, and it holds nothing that no code looks like.
fn as_typed(typed: &str) -> String {
    typed.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(MAX_TYPED).collect()
}

/// `GET /device/login`: what a code is about, and where to sign in.
pub async fn review(State(app): SharedApp, id: Extension<RequestId>, uri: Uri) -> Response {
    let found = async {
        let mut given = parameters(uri.query().unwrap_or_default().as_bytes())?;
        of_device(&app, &given.remove(DEVICE).unwrap_or_default()).await
    };
    match found.await {
        Ok((authorization, login)) => {
            device_pages::review(&app, &Waiting::of(&app, &authorization, &login), &login)
        }
        Err(error) => device_pages::enter("", Some(&error), &id),
    }
}

/// `POST /device/decision`: whoever signed in has decided.
pub async fn decide(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match decision(&app, &headers, body, &by).await {
        Ok(page) => page,
        Err(error) => device_pages::enter("", Some(&error), &by.request_id),
    }
}

async fn decision(app: &App, headers: &HeaderMap, body: Body, by: &Requester) -> Result<Response, ApiError> {
    let mut form = read_form(app, headers, body).await?;
    let verdict = match form.get("verdict").map(String::as_str) {
        Some("allow") => Verdict::Allow,
        Some("deny") => Verdict::Deny,
        _ => return Err(ApiError::malformed_request("verdict must be allow or deny.")),
    };
    let question = form.remove("question").unwrap_or_default();
    let decided = app.device_logins.decide(&question, verdict, by).await;
    let authorization = decided.map_err(ApiError::device_decision)?;
    let login = app.login_flow.of_device(&authorization).map_err(ApiError::login_request)?;
    Ok(device_pages::done(login.app_name(), verdict))
}

/// The form of a page of ours: no other page sends one in somebody's name.
async fn read_form(app: &App, headers: &HeaderMap, body: Body) -> Result<Parameters, ApiError> {
    let own = origin_of(&app.login_flow.public_url);
    if headers.get(header::ORIGIN).is_none_or(|origin| origin.as_bytes() != own.as_bytes()) {
        return Err(ApiError::page_of_somebody_else());
    }
    parameters(&body::read(body, MAX_FORM, Dialect::Problem).await?)
}
