//! Token exchange with an `actor_token` (RFC 8693 section 1.1): an agent or a service acts for a person. The person is not
//! there, so nothing is given that is for them alone: no session, and no ID token, which would say that they are.

use axum::http::HeaderMap;
use daypass_core::audit::Requester;
use daypass_core::broker::exchange::Exchanged;
use daypass_core::broker::sessions::acting::{ActRequest, Subject};
use daypass_core::ground::secret::Secret;

use super::super::session_cookie;
use super::form::Form;
use super::token_exchange::{self, Requested, TYPE};
use crate::error::ApiError;
use crate::installation::App;

const NO_ACTOR: &str = "actor_token is of nobody who could be an actor: its `iss` is the issuer of no provider that an [[actor]] names, or of several.";

/// Whether somebody wants to act. Whoever does with another grant would get what is the person's.
pub(super) fn is_asked_for(form: &Form) -> bool {
    form.has("actor_token") || form.has("actor_token_type")
}

/// What belongs to sessions does not go with it: nothing is passed over that somebody could rely on.
pub(super) fn check_with(grant_type: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    if grant_type != token_exchange::GRANT_TYPE {
        return Err(ApiError::malformed_form(format!(
            "actor_token goes with grant_type={}.",
            token_exchange::GRANT_TYPE
        )));
    }
    if headers.contains_key("dpop") || headers.contains_key(session_cookie::HEADER) {
        return Err(ApiError::malformed_form(
            "DPoP and Daypass-App go with a session, and an actor has none.",
        ));
    }
    Ok(())
}

pub(super) async fn grant(
    app: &App,
    client: String,
    mut form: Form,
    by: &Requester,
) -> Result<(Exchanged, Requested), ApiError> {
    let requested = token_exchange::requested(&mut form)?;
    if requested == Requested::IdToken {
        return Err(ApiError::scope_of_actor());
    }
    let actor_token = Secret::new(form.take("actor_token")?);
    if !matches!(form.take("actor_token_type")?.strip_prefix(TYPE), Some("id_token" | "jwt")) {
        return Err(ApiError::malformed_form(format!(
            "actor_token_type must be {TYPE}id_token or {TYPE}jwt."
        )));
    }
    if form.scope().is_some_and(|scope| scope.openid) {
        return Err(ApiError::scope_of_actor());
    }
    if form.has("identity_id") || form.has("device") {
        return Err(ApiError::malformed_form(
            "identity_id and device go with a session, and an actor has none.",
        ));
    }
    let providers = app.sessions.providers_of_actors();
    let actor_provider = token_exchange::provider_of(&providers, &actor_token);
    let actor_provider = actor_provider.ok_or_else(|| ApiError::malformed_form(NO_ACTOR))?;
    let request = ActRequest {
        app: client,
        actor_provider,
        actor_token,
        subject: subject_of_actor(app, &mut form)?,
        credentials: form.credentials()?,
    };
    Ok((app.sessions.act(request, by).await.map_err(ApiError::acting)?, requested))
}

/// For whom somebody acts: an ID token of ours shows it, or a token of the person's provider.
fn subject_of_actor(app: &App, form: &mut Form) -> Result<Subject, ApiError> {
    let ours = |token: &str| {
        token_exchange::issuer_of(token).is_some_and(|issuer| issuer == app.login_flow.public_url)
    };
    if !form.has("subject_issuer") && form.get("subject_token").is_some_and(ours) {
        let token = form.take("subject_token")?;
        return match form.take("subject_token_type")?.strip_prefix(TYPE) {
            Some("id_token" | "jwt") => Ok(Subject::IdToken(Secret::new(token))),
            _ => Err(ApiError::malformed_form(format!(
                "subject_token_type must be {TYPE}id_token: the ID token of the app."
            ))),
        };
    }
    token_exchange::subject(app, form).map(|presented| Subject::OfProvider(Box::new(presented)))
}
