//! Somebody acts for a person: an actor shows its own login and the person's, and gets what the person would get, under
//! both names and for a short time (RFC 8693 section 1.1, delegation). No session begins. What rests on the person's
//! session ends with it.

use std::sync::Arc;

use super::{RefreshError, Sessions, note};
use crate::audit::{AuditAction, AuditDraft, Reason, Requester};
use crate::broker::developer_pool::ExchangeOptions;
use crate::broker::exchange::{ExchangeError, ExchangeRequest, Exchanged, PresentedProof};
use crate::ground::ids::{ActorId, SignInSessionId};
use crate::ground::secret::Secret;
use crate::login::provider::{Provider, UnverifiedProof, VerifiedLogin};
use crate::records::sign_in_session::{EndReason, SignInSession};
use crate::store::StoreError;
use crate::token::acting::ACTING_FOR;
use crate::token::openid_token::TokenError;

/// What an actor asks for.
#[derive(Debug)]
pub struct ActRequest {
    /// The app whose people it acts for.
    pub app: String,
    /// The provider that vouches for the actor, by its ID in the configuration.
    pub actor_provider: String,
    /// The actor's ID token.
    pub actor_token: Secret,
    /// For whom.
    pub subject: Subject,
    /// Whether it wants credentials, too.
    pub credentials: bool,
}

/// What shows for whom somebody acts.
#[derive(Debug)]
pub enum Subject {
    /// An ID token of ours, which the app got for whoever signed in there.
    IdToken(Secret),
    /// Something that a provider handed out.
    OfProvider(Box<PresentedProof>),
}

/// Why nobody may act.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The actor's token did not become a login.
    #[error("the actor's token: {0}")]
    ActorToken(ExchangeError),
    /// Whoever it is may not act for people of this app.
    #[error("this login is no actor for people of the app")]
    NotAnActor,
    /// The person's proof did not become a login, or the pool refuses.
    #[error(transparent)]
    Subject(ExchangeError),
    /// The ID token of ours is not believed.
    #[error(transparent)]
    IdToken(#[from] TokenError),
    /// It is for another app.
    #[error("the ID token is for another app")]
    OfAnotherApp,
    /// It was issued in no session, by which alone it could be known whether the person is still signed in.
    #[error("the ID token names no session")]
    OfNoSession,
    /// The person's session is over, or the pool refuses.
    #[error(transparent)]
    Session(#[from] RefreshError),
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Session(error.into())
    }
}

impl Reason for ActError {
    fn reason(&self) -> &'static str {
        match self {
            Self::ActorToken(error) | Self::Subject(error) => error.reason(),
            Self::NotAnActor => "actor_refused",
            Self::IdToken(error) => error.reason(),
            Self::OfAnotherApp => "token_of_another_app",
            Self::OfNoSession => "token_of_no_session",
            Self::Session(error) => error.reason(),
        }
    }
}

impl Sessions {
    /// Hands out to an actor what a person would get. Of the two, the actor is looked at first: who is none spends no proof of
    /// anybody's.
    ///
    /// # Errors
    /// [`ActError`]. The refusal is in the audit trail.
    pub async fn act(&self, request: ActRequest, by: &Requester) -> Result<Exchanged, ActError> {
        let ActRequest { app, actor_provider, actor_token, subject, credentials } = request;
        let mut draft = AuditDraft::by(AuditAction::Exchange, by);
        let actor = match self.actor(&app, &actor_provider, actor_token, &mut draft).await {
            Ok(actor) => actor,
            Err(error) => return self.broker.trail.conclude(draft, Err(error)).await,
        };
        let options = self.options_of_actor(actor, credentials);
        match subject {
            Subject::OfProvider(presented) => {
                let exchanged =
                    self.broker.exchange(ExchangeRequest { presented: *presented, options }, by).await;
                exchanged.map_err(ActError::Subject)
            }
            Subject::IdToken(token) => self.act_in_session(&app, &token, options, by).await,
        }
    }

    async fn actor(
        &self,
        app: &str,
        provider: &str,
        token: Secret,
        draft: &mut AuditDraft,
    ) -> Result<ActorId, ActError> {
        let provider = self.providers_of_actors().into_iter().find(|known| known.id == provider);
        let provider = provider.ok_or(ActError::ActorToken(ExchangeError::UnknownProvider))?;
        draft.provider = Some(provider.id.clone());
        let proof = UnverifiedProof::IdToken { token, nonce: None };
        let login = self.broker.verify(&provider, proof, draft).await.map_err(ActError::ActorToken)?;
        self.actors.find(&login, app).cloned().ok_or(ActError::NotAnActor)
    }

    /// The providers that an actor may come from.
    #[must_use]
    pub fn providers_of_actors(&self) -> Vec<Arc<Provider>> {
        let mut providers = self.broker.providers.of_actors();
        providers.retain(|provider| self.actors.come_from(&provider.id));
        providers
    }

    fn options_of_actor(&self, actor: ActorId, credentials: bool) -> ExchangeOptions {
        ExchangeOptions {
            credentials,
            token_duration: Some(self.broker.max_token_duration.min(ACTING_FOR)),
            actor: Some(actor),
            ..ExchangeOptions::default()
        }
    }

    async fn act_in_session(
        &self,
        app: &str,
        id_token: &Secret,
        options: ExchangeOptions,
        by: &Requester,
    ) -> Result<Exchanged, ActError> {
        let mut draft = AuditDraft::by(AuditAction::Exchange, by);
        draft.actor.clone_from(&options.actor);
        let looked_at = self.broker.clock.now();
        let (session, login) = match self.session_of(app, id_token, &mut draft).await {
            Ok(found) => found,
            Err(error) => return self.broker.trail.conclude(draft, Err(error)).await,
        };
        let options = ExchangeOptions { session: Some(session.id.clone()), ..options };
        let issued = self.renew(&session, (&login, looked_at), options, draft, by).await?;
        Ok(Exchanged { login, asked: None, issued })
    }

    /// The session that an ID token was issued in, if it goes on.
    async fn session_of(
        &self,
        app: &str,
        id_token: &Secret,
        draft: &mut AuditDraft,
    ) -> Result<(SignInSession, VerifiedLogin), ActError> {
        self.keep_up().await?;
        let id = self.session_named(app, id_token)?;
        let over = |reason| ActError::Session(RefreshError::Over(reason));
        let session = self.store.find_sign_in_session(&id).await?;
        let session = session.filter(|session| session.app == app);
        let session = session.ok_or_else(|| over(EndReason::Expired))?;
        let login = self.login_of(&session)?;
        note(draft, &session, &login);
        if let Some(reason) = session.over_at(self.broker.clock.now()) {
            return Err(over(reason));
        }
        self.check_not_revoked(&session).await?;
        self.check_provider(&session)?;
        Ok((session, login))
    }

    fn session_named(&self, app: &str, id_token: &Secret) -> Result<SignInSessionId, ActError> {
        let ours = self.id_tokens.as_ref().ok_or(TokenError::BadSignature)?;
        let claims = ours.issuer.verify_id_token(id_token, self.broker.clock.now())?;
        if claims.aud != app {
            return Err(ActError::OfAnotherApp);
        }
        claims.sid.ok_or(ActError::OfNoSession)
    }
}
