//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 section 3.4): a device asks whether somebody has let it.
//! If so, it is the same exchange as that of a page's code, and begins a session.

use daypass_core::audit::Requester;
use daypass_core::broker::device_login::Allowed;
use daypass_core::broker::exchange::{ExchangeRequest, PresentedProof};
use daypass_core::broker::sessions::{NewSession, SignedIn};
use daypass_core::ground::secret::Secret;
use daypass_core::records::scope::Scope;
use daypass_core::token::dpop::KeyHolder;

use super::form::Form;
use crate::error::ApiError;
use crate::installation::App;

pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) async fn grant(
    app: &App,
    client: String,
    mut form: Form,
    key_holder: Option<KeyHolder>,
    by: &Requester,
) -> Result<SignedIn, ApiError> {
    let device_code = Secret::new(form.take("device_code")?);
    let options = form.exchange_options()?;
    let allowed = app.device_logins.poll(&client, device_code).await;
    let Allowed { code, device } = allowed.map_err(ApiError::device_poll)?;
    let new = NewSession { app: client, device, scope: Scope::default(), key_holder };
    let request = ExchangeRequest { presented: PresentedProof::LoginCode(code), options };
    app.sessions.begin(request, new, by).await.map_err(ApiError::device_exchange)
}
