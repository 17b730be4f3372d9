//! Which pages may ask, as browsers tell where they come from.

use axum::http::{HeaderMap, header};

use crate::error::ApiError;
use crate::installation::App;

/// A browser tells where a page comes from. Pages of others are turned away even where the browser would
/// only hide the answer from them.
pub(super) fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    if app.origins.contains(origin) { Ok(()) } else { Err(ApiError::origin_not_allowed()) }
}

/// The same of one app's pages: what is issued for an app is not for pages of another, which a person may trust less.
pub(super) fn check_page_of(app: &App, client: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(header::ORIGIN) {
        Some(origin) if !app.origins.is_page_of(client, origin) => Err(ApiError::page_of_another_app()),
        _ => Ok(()),
    }
}
