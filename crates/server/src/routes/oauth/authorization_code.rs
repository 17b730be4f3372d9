//! `grant_type=authorization_code` (RFC 6749 section 4.1.3, RFC 7636 section 4.5): a one-time code of the hosted login. It
//! is the same exchange as that of `login_code` at `/v1/exchange`, and begins a session.

use daypass_core::audit::Requester;
use daypass_core::broker::exchange::{ExchangeRequest, PresentedProof};
use daypass_core::broker::login_code::LoginCode;
use daypass_core::broker::sessions::{NewSession, SignedIn};
use daypass_core::ground::secret::Secret;
use daypass_core::records::scope::Scope;
use daypass_core::token::dpop::KeyHolder;

use super::super::exchange::check_verifier;
use super::form::Form;
use crate::error::ApiError;
use crate::installation::App;

pub(super) const GRANT_TYPE: &str = "authorization_code";

pub(super) async fn grant(
    app: &App,
    client: String,
    mut form: Form,
    key_holder: Option<KeyHolder>,
    by: &Requester,
) -> Result<SignedIn, ApiError> {
    let code = LoginCode {
        app: client.clone(),
        redirect_uri: Some(form.take("redirect_uri")?),
        code_verifier: check_verifier(form.take("code_verifier")?)?,
        code: Secret::new(form.take("code")?),
    };
    let options = form.exchange_options()?;
    let new = NewSession { app: client, device: form.device()?, scope: Scope::default(), key_holder };
    let request = ExchangeRequest { presented: PresentedProof::LoginCode(code), options };
    app.sessions.begin(request, new, by).await.map_err(ApiError::exchange)
}
