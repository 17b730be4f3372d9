//! Sessions of people who signed in at an app: they begin with a login, go on with each refresh, and end. What becomes of
//! one whose refresh token is shown, [`SignInSession::shown`] decides; here the store is asked, the pool renews what it
//! gave, and the trail hears of it.

pub mod acting;
mod devices;
mod upstream;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::audit::{AuditAction, AuditDraft, Grounds, Reason, Requester};
use crate::broker::actors::Actors;
use crate::broker::developer_pool::{AdmissionError, ExchangeOptions, Issued, KnownLogin, RenewalError};
use crate::broker::exchange::{Broker, ExchangeError, ExchangeRequest, Exchanged};
use crate::broker::id_tokens::{IdTokens, ToldApp};
use crate::broker::login_code::Asked;
use crate::broker::session_end;
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, SignInSessionId};
use crate::ground::random::Random;
use crate::ground::seal::WrongMasterKey;
use crate::ground::secret::Secret;
use crate::login::provider::{DisplayUser, LoginSealer, VerifiedLogin};
use crate::records::scope::Scope;
use crate::records::sign_in_session::{EndReason, SessionEnd, SessionLifetime, Shown, SignInSession};
use crate::store::{SharedStore, StoreError};
use crate::token::dpop::KeyHolder;
use crate::token::refresh_token::{RefreshToken, RefreshTokens};
use crate::token::standing::Lapse;

/// So often a session is read again that somebody else changed between reading and writing. Each time somebody was
/// first, so that a second look nearly always decides.
const ATTEMPTS: usize = 8;

/// What an app says of the session that it wants.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The app, by its ID in the configuration.
    pub app: String,
    /// What the person calls the device.
    pub device: Option<String>,
    /// What it wants beside the token of the pool, where the login did not begin here with what it wants.
    pub scope: Scope,
    /// Whose key its refresh tokens are to be bound to, if somebody showed one.
    pub key_holder: Option<KeyHolder>,
}

/// Somebody who signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// The identity, its token, and perhaps credentials.
    pub issued: Issued,
    /// Who vouched.
    pub provider: String,
    /// How the person wants to be seen.
    pub user: DisplayUser,
    /// The session.
    pub session: SignInSessionId,
    /// What of what it asked for the app has.
    pub scope: Scope,
    /// An ID token for the app, if it has that.
    pub id_token: Option<Secret>,
    /// What it goes on with.
    pub refresh_token: Secret,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
}

/// What goes on with a session.
#[derive(Debug)]
pub struct RefreshRequest {
    /// The app that asks.
    pub app: String,
    /// What it shows.
    pub refresh_token: Secret,
    /// Whether it wants credentials, too.
    pub credentials: bool,
    /// What of its scope it wants this time, if not all.
    pub scope: Option<Scope>,
    /// Whoever signed the request.
    pub key_holder: Option<KeyHolder>,
}

/// Why a refresh token is good for nothing.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// It is none of ours.
    #[error("the refresh token is none of ours")]
    Malformed,
    /// Its session is over.
    #[error("the session is over: {}", .0.name())]
    Over(EndReason),
    /// It was replaced a while ago: the one that counts is wanted. The session goes on.
    #[error("the refresh token was replaced a while ago")]
    Replaced,
    /// It is bound to a key, and whoever shows it has not shown that they hold it. The session goes on.
    #[error("the refresh token is bound to a key that did not sign the request")]
    OfAnotherKey,
    /// The app asks for more than it was granted. The session goes on.
    #[error("the scope is more than was granted")]
    ScopeTooWide,
    /// The pool does not renew what it gave. The session goes on.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Admission(error.into())
    }
}

impl Reason for RefreshError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "refresh_token_malformed",
            Self::Over(EndReason::Reused) => "refresh_reused",
            Self::Over(EndReason::Expired) => "session_expired",
            Self::Over(reason) => reason.name(),
            Self::Replaced => "refresh_token_replaced",
            Self::OfAnotherKey => "dpop_key_mismatch",
            Self::ScopeTooWide => "invalid_scope",
            Self::Admission(error) => error.reason(),
        }
    }
}

/// What a refresh makes of a session.
struct Turn {
    from: SignInSession,
    /// What it becomes, if it changes.
    to: Option<SignInSession>,
    login: VerifiedLogin,
    looked_at: Timestamp,
    is_late: bool,
}

/// The sessions of an installation.
pub struct Sessions {
    /// Exchanges logins.
    pub broker: Arc<Broker>,
    /// How long those of each app go on, by its ID.
    pub lifetimes: BTreeMap<String, SessionLifetime>,
    /// Makes refresh tokens.
    pub tokens: RefreshTokens,
    /// Seals the logins that sessions rest on.
    pub logins: LoginSealer,
    /// Signs ID tokens, where there are keys to sign them with.
    pub id_tokens: Option<IdTokens>,
    /// Who may act for people.
    pub actors: Actors,
    /// Keeps sessions, and what was revoked.
    pub store: SharedStore,
    /// Draws IDs.
    pub random: Arc<dyn Random>,
}

impl Sessions {
    /// Exchanges a login, and begins a session with it.
    ///
    /// # Errors
    /// [`ExchangeError`]. Then there is no session.
    pub async fn begin(
        &self,
        mut request: ExchangeRequest,
        new: NewSession,
        by: &Requester,
    ) -> Result<SignedIn, ExchangeError> {
        let lifetime = self.lifetime(&new.app).ok_or(ExchangeError::UnknownApp)?;
        self.keep_up().await?;
        let id = request.presented.session_to_be(&*self.random);
        let now = self.broker.clock.now();
        request.options.session = Some(id.clone());
        // The session and its token are as old as each other: a revocation ends both.
        request.options.since = Some(now);
        let Exchanged { login, asked, issued } = self.broker.exchange(request, by).await?;
        let (scope, nonce, signed_in_at) = match asked {
            Some(Asked { scope, nonce, signed_in_at }) => (scope, nonce, Some(signed_in_at)),
            None => (new.scope, None, None),
        };
        let session = SignInSession {
            login: self.logins.seal(&context(&id), &login, (), &*self.random),
            scope: self.granted(scope),
            signed_in_at,
            checked_at: now,
            key_thumbprint: new.key_holder.map(|holder| holder.thumbprint().to_owned()),
            app: new.app,
            pool_id: issued.pool_id.clone(),
            identity_id: issued.token.identity_id.clone(),
            provider: login.provider().to_owned(),
            upstream: login.upstream().clone(),
            device: new.device,
            generation: 0,
            // Whatever was revoked since the person came back from their provider counts.
            created_at: signed_in_at.unwrap_or(now),
            rotated_at: now,
            late_at: None,
            idle_until: now + lifetime.idle,
            ends_at: now + lifetime.absolute,
            ended: None,
            id,
        };
        if let Err(error) = self.store.add_sign_in_session(&session, now).await {
            // The trail has that the login was exchanged, and nothing of it is handed out.
            let draft = session_end::draft_of(AuditAction::Exchange, &session, by);
            return self.broker.trail.conclude(draft, Err(error.into())).await;
        }
        Ok(self.signed_in(&session, session.scope, nonce, &login, issued).await?)
    }

    /// Goes on with a session: a new token, perhaps credentials, and the next refresh token. What was shown is spent when all
    /// of it is there: a pool that does not answer costs nobody their session.
    ///
    /// # Errors
    /// [`RefreshError`]. The refusal is in the audit trail.
    pub async fn refresh(&self, request: RefreshRequest, by: &Requester) -> Result<SignedIn, RefreshError> {
        self.keep_up().await?;
        let mut draft = AuditDraft::by(AuditAction::Refresh, by);
        let turn = match self.checked_turn(&request, &mut draft, by).await {
            Ok(turn) => turn,
            Err(error) => return self.broker.trail.conclude(draft, Err(error)).await,
        };
        let options = ExchangeOptions {
            credentials: request.credentials,
            session: Some(turn.from.id.clone()),
            token_duration: self.broker.default_token_duration(),
            ..ExchangeOptions::default()
        };
        let login = (&turn.login, turn.looked_at);
        let issued = self.renew(&turn.from, login, options, draft.clone(), by).await?;
        let session = match self.keep(&turn, &request, &issued, by).await {
            Ok(session) => session,
            // The trail has that it was renewed, and nothing of it is handed out.
            Err(error) => return self.broker.trail.conclude(draft, Err(error)).await,
        };
        if turn.is_late {
            let grounds =
                Grounds::new("refresh_retried_late", "a refresh token that had been replaced was taken");
            self.broker.trail.noted(draft, grounds).await?;
        }
        let scope = request.scope.unwrap_or(session.scope);
        Ok(self.signed_in(&session, scope, None, &turn.login, issued).await?)
    }

    /// A turn whose login still stands at its provider, as far as that was asked.
    async fn checked_turn(
        &self,
        request: &RefreshRequest,
        draft: &mut AuditDraft,
        by: &Requester,
    ) -> Result<Turn, RefreshError> {
        let turn = self.turn(request, draft, by).await?;
        if self.recheck(&turn, by).await? { self.turn(request, draft, by).await } else { Ok(turn) }
    }

    /// See [`TokenIssuer::keep_up`](crate::token::openid_token::TokenIssuer::keep_up).
    ///
    /// # Errors
    /// As there.
    pub async fn keep_up(&self) -> Result<(), StoreError> {
        match &self.id_tokens {
            Some(id_tokens) => id_tokens.issuer.keep_up().await,
            None => Ok(()),
        }
    }

    /// How long sessions of an app go on. Apps that nobody registered have none.
    #[must_use]
    pub fn lifetime(&self, app: &str) -> Option<SessionLifetime> {
        self.lifetimes.get(app).copied()
    }

    /// What becomes of the session whose refresh token is shown. One that should not be there any more ends it.
    async fn turn(
        &self,
        request: &RefreshRequest,
        draft: &mut AuditDraft,
        by: &Requester,
    ) -> Result<Turn, RefreshError> {
        let looked_at = self.broker.clock.now();
        let shown = self.tokens.read(&request.refresh_token).ok_or(RefreshError::Malformed)?;
        let lifetime = self.lifetime(&request.app).ok_or(RefreshError::Over(EndReason::Revoked))?;
        let from = self.store.find_sign_in_session(&shown.session).await?;
        let from = from.filter(|session| session.app == request.app);
        let from = from.ok_or(RefreshError::Over(EndReason::Expired))?;
        let login = self.login_of(&from)?;
        note(draft, &from, &login);
        check_key(&from, request.key_holder.as_ref())?;
        self.check_not_revoked(&from).await?;
        self.check_provider(&from)?;
        if request.scope.is_some_and(|scope| !scope.is_within(from.scope)) {
            return Err(RefreshError::ScopeTooWide);
        }
        let (to, is_late) = match from.shown(shown.generation, lifetime, self.broker.clock.now()) {
            Shown::Rotated(to) => (Some(to), false),
            Shown::Repeated => (None, false),
            Shown::RepeatedLate(to) => (Some(to), true),
            Shown::Reused => return Err(self.end_of(&from, EndReason::Reused, by).await?),
            Shown::Over(reason) => return Err(RefreshError::Over(reason)),
        };
        Ok(Turn { from, to, login, looked_at, is_late })
    }

    /// The login that a session rests on. Whoever shows its refresh token, which opened, is not told to sign in again because a
    /// master key is missing: the session goes on when that is back.
    fn login_of(&self, session: &SignInSession) -> Result<VerifiedLogin, StoreError> {
        let opened = self.logins.open::<()>(&context(&session.id), &session.login);
        let (login, ()) =
            opened.map_err(|_| StoreError::Unavailable(WrongMasterKey::from(&session.login).into()))?;
        Ok(login)
    }

    /// Has the pool renew what it gave in a session, which was looked at then. One that the pool ends is over.
    async fn renew(
        &self,
        session: &SignInSession,
        (login, looked_at): (&VerifiedLogin, Timestamp),
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, RefreshError> {
        let known = KnownLogin {
            login,
            identity_id: &session.identity_id,
            pool_id: &session.pool_id,
            since: session.created_at,
            looked_at,
        };
        match self.broker.pool.renew(known, options, draft, by).await {
            Ok(issued) => Ok(issued),
            Err(RenewalError::Admission(error)) => Err(error.into()),
            Err(RenewalError::Ended(lapse)) => Err(self.end_of(session, end_reason(lapse), by).await?),
        }
    }

    /// Makes the change of a turn. If somebody else changed the session meanwhile, it is looked at anew: who showed the same
    /// token gets the same successor, and one that ended stays so.
    async fn keep(
        &self,
        turn: &Turn,
        request: &RefreshRequest,
        issued: &Issued,
        by: &Requester,
    ) -> Result<SignInSession, RefreshError> {
        let (mut from, mut to) = (turn.from.clone(), turn.to.clone());
        for _ in 0..ATTEMPTS {
            let Some(next) = to else { return Ok(from) };
            // After a merge, the session is the surviving identity's.
            let next = SignInSession { identity_id: issued.token.identity_id.clone(), ..next };
            if self.store.replace_sign_in_session(&from, &next).await? {
                return Ok(next);
            }
            let again = self.turn(request, &mut AuditDraft::by(AuditAction::Refresh, by), by).await?;
            (from, to) = (again.from, again.to);
        }
        Err(AdmissionError::TooManyAtOnce.into())
    }

    /// An operator, or the person on another device, may have ended everything that began until some moment.
    async fn check_not_revoked(&self, session: &SignInSession) -> Result<(), RefreshError> {
        match self.revoked_until(&session.identity_id).await? {
            Some(until) if session.created_at <= until => Err(RefreshError::Over(EndReason::Revoked)),
            _ => Ok(()),
        }
    }

    /// Until when what an identity has was ended: by its ID, by the role of everybody who logs in, or for all.
    async fn revoked_until(&self, identity_id: &IdentityId) -> Result<Option<Timestamp>, RefreshError> {
        let role = self.broker.pool.role().await?;
        Ok(self.store.standing(identity_id, role.as_ref(), None).await?.revoked_until)
    }

    /// The operator may have taken its provider away, and may bring it back.
    fn check_provider(&self, session: &SignInSession) -> Result<(), RefreshError> {
        let provider = self.broker.providers.get(&session.provider);
        provider.map(drop).ok_or(RefreshError::Over(EndReason::Revoked))
    }

    /// Ends a session, and answers what its app hears.
    async fn end_of(
        &self,
        session: &SignInSession,
        reason: EndReason,
        by: &Requester,
    ) -> Result<RefreshError, StoreError> {
        self.end(session, reason, by).await?;
        Ok(RefreshError::Over(reason))
    }

    async fn end(
        &self,
        session: &SignInSession,
        reason: EndReason,
        by: &Requester,
    ) -> Result<(), StoreError> {
        let end = SessionEnd { at: self.broker.clock.now(), reason };
        session_end::end(&*self.store, &self.broker.trail, session, end, by).await
    }

    /// What of a scope there is here.
    fn granted(&self, scope: Scope) -> Scope {
        if self.id_tokens.is_some() { scope } else { Scope::default() }
    }

    async fn signed_in(
        &self,
        session: &SignInSession,
        scope: Scope,
        nonce: Option<String>,
        login: &VerifiedLogin,
        issued: Issued,
    ) -> Result<SignedIn, StoreError> {
        let token = RefreshToken { session: session.id.clone(), generation: session.generation };
        let told = ToldApp {
            app: &session.app,
            scope,
            nonce,
            signed_in_at: session.signed_in_at,
            session: Some(session.id.clone()),
            login,
            issued: &issued,
        };
        let now = self.broker.clock.now();
        let id_token = match &self.id_tokens {
            Some(id_tokens) => id_tokens.tell(told, now).await?,
            None => None,
        };
        Ok(SignedIn {
            provider: login.provider().to_owned(),
            user: login.user().clone(),
            session: session.id.clone(),
            id_token,
            scope,
            refresh_token: self.tokens.write(&token),
            expires_at: session.expires_at(),
            issued,
        })
    }
}

/// Who only has a copy of a token that is bound to a key changes nothing by showing it.
fn check_key(session: &SignInSession, holder: Option<&KeyHolder>) -> Result<(), RefreshError> {
    match &session.key_thumbprint {
        Some(bound) if holder.is_none_or(|holder| holder.thumbprint() != bound) => {
            Err(RefreshError::OfAnotherKey)
        }
        _ => Ok(()),
    }
}

/// Whose session it is, which its refresh token proves.
fn note(draft: &mut AuditDraft, session: &SignInSession, login: &VerifiedLogin) {
    draft.provider = Some(session.provider.clone());
    draft.identity_id = Some(session.identity_id.clone());
    draft.developer_user_identifier = Some(login.developer_user_identifier().to_owned());
    draft.resource = Some(format!("session {}", session.id));
}

/// The context of the seal.
/// The context of the seal of a session's login.
pub(crate) fn context(id: &SignInSessionId) -> Vec<u8> {
    format!("session {id}").into_bytes()
}

fn end_reason(lapse: Lapse) -> EndReason {
    match lapse {
        Lapse::Identity => EndReason::IdentityGone,
        Lapse::Login => EndReason::LoginUnlinked,
        Lapse::Revoked => EndReason::Revoked,
        Lapse::SignedOut => EndReason::SignedOut,
    }
}
