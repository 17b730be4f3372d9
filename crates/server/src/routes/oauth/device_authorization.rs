//! `POST /oauth2/device_authorization` (RFC 8628 section 3.1): an app on a device without a browser begins. It shows a code,
//! and asks at `/oauth2/token` until somebody has typed it at [`/device`](super::super::device) and let it.

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use daypass_core::audit::Requester;
use daypass_core::broker::device_login::{Begun, NewDevice};
use serde::Serialize;

use super::super::exchange::count_app;
use super::super::page::{check_origin, check_page_of};
use super::super::state::SharedApp;
use super::form::Form;
use crate::error::{ApiError, Dialect};
use crate::installation::App;
use crate::peers::share_of;

/// What a device shows, and what it asks with.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "DeviceAuthorization"))]
pub(in crate::routes) struct Answer<'a> {
    /// What the device asks with at `/oauth2/token`.
    device_code: &'a str,
    /// What the person types.
    user_code: &'a str,
    /// Where they type it.
    verification_uri: &'a str,
    /// The same with the code in the field, for a QR code.
    verification_uri_complete: &'a str,
    /// Seconds until both codes end.
    expires_in: i64,
    /// Seconds to wait between two questions.
    interval: u32,
}

pub async fn handle(
    State(app): SharedApp,
    Extension(by): Extension<Requester>,
    request: Request,
) -> Response {
    match begin(&app, &by, request).await {
        Ok(begun) => answer(&app, &begun),
        Err(error) => error.answer(Dialect::OAuth, &by.request_id),
    }
}

async fn begin(app: &App, by: &Requester, request: Request) -> Result<Begun, ApiError> {
    let (parts, body) = request.into_parts();
    check_origin(app, &parts.headers)?;
    let mut form = Form::read(&parts.headers, body).await?;
    let client = form.client(app)?;
    check_page_of(app, &client, &parts.headers)?;
    count_app(app, &client, Dialect::OAuth)?;
    let new = NewDevice { app: client, scope: form.scope().unwrap_or_default(), device: form.device()? };
    let whose = by.origin.source_ip.and_then(share_of);
    app.device_logins.begin(new, whose, by).await.map_err(ApiError::device_begin)
}

fn answer(app: &App, begun: &Begun) -> Response {
    let page = format!("{}/device", app.login_flow.public_url);
    let body = Answer {
        device_code: begun.device_code.expose(),
        user_code: &begun.user_code,
        verification_uri: &page,
        verification_uri_complete: &format!("{page}?user_code={}", begun.user_code),
        expires_in: begun.ends_at.as_second() - app.clock.now().as_second(),
        interval: begun.interval,
    };
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}
