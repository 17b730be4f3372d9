//! The developer backend: a login at an identity provider comes in, an identity and its OpenID token go
//! out. The steps of [`Broker::exchange`] are the product; each hands the next a type that only it can make.

use std::sync::Arc;

use crate::audit::{AuditAction, AuditDraft, AuditTrail, Reason, Requester};
use crate::broker::developer_pool::{AdmissionError, DeveloperPool, ExchangeOptions, Issued, TwoLogins};
use crate::broker::hosted_login::AppLogin;
use crate::broker::login_code::{self, Asked, LoginCode, LoginCodes};
use crate::broker::redirect_uris::RedirectUris;
use crate::broker::session_end;
use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::ids::SignInSessionId;
use crate::ground::random::Random;
use crate::ground::secret::Secret;
use crate::login::provider::definition::ProofKind;
use crate::login::provider::{
    Engine, ProofError, Provider, ProviderSet, UnverifiedProof, UseOnce, VerifiedLogin,
};
use crate::pool::token_terms::DEFAULT_TOKEN_DURATION;
use crate::records::sign_in_session::{EndReason, SessionEnd};
use crate::store::{SharedStore, StoreError};

/// What a client asks for.
#[derive(Debug)]
pub struct ExchangeRequest {
    /// What shows that somebody signed in.
    pub presented: PresentedProof,
    /// What is wanted besides.
    pub options: ExchangeOptions,
}

/// What shows that somebody signed in.
#[derive(Debug)]
pub enum PresentedProof {
    /// Something that a provider handed out.
    OfProvider {
        /// The provider's ID in the configuration.
        provider: String,
        /// What it handed out.
        proof: UnverifiedProof,
    },
    /// A one-time code of the hosted login, which had the provider confirm the login already.
    LoginCode(LoginCode),
    /// The login that a session rests on, which goes on.
    OfSession {
        /// The login.
        login: VerifiedLogin,
        /// The session: what is issued by it ends with it.
        session: SignInSessionId,
        /// When it was looked at whether the session goes on.
        looked_at: Timestamp,
    },
}

/// A login that somebody showed.
struct Shown {
    login: VerifiedLogin,
    /// What a hosted login was to bring.
    asked: Option<Asked>,
    /// When it was verified, or what it rests on looked at.
    since: Timestamp,
}

impl PresentedProof {
    /// What the session will be called that it begins: by the code, if it is one, so that whoever shows that again leads there.
    pub(super) fn session_to_be(&self, random: &dyn Random) -> SignInSessionId {
        match self {
            Self::LoginCode(code) => code.session(),
            Self::OfProvider { .. } | Self::OfSession { .. } => SignInSessionId::generate(random),
        }
    }

    fn session(&self) -> Option<&SignInSessionId> {
        match self {
            Self::OfSession { session, .. } => Some(session),
            Self::OfProvider { .. } | Self::LoginCode(_) => None,
        }
    }
}

/// What a client asks for who has two logins.
#[derive(Debug)]
pub struct LinkProofsRequest {
    /// What shows the login whose identity stays.
    pub first: PresentedProof,
    /// What shows the other one.
    pub second: PresentedProof,
    /// What is wanted besides.
    pub options: ExchangeOptions,
}

/// What a client gets.
#[derive(Debug)]
pub struct Exchanged {
    /// The login, or the first of two.
    pub login: VerifiedLogin,
    /// What the app asked for when it began, if that was here.
    pub asked: Option<Asked>,
    /// The identity, its token, and perhaps credentials.
    pub issued: Issued,
}

/// Why an exchange came to nothing. Nothing is stored then, beside the audit event and the end of a session whose code was shown
/// again.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The configuration has no such app.
    #[error("there is no such app")]
    UnknownApp,
    /// The configuration has no such provider.
    #[error("there is no such provider")]
    UnknownProvider,
    /// No app is registered with this redirect URI.
    #[error("the redirect URI is not registered")]
    RedirectUriNotRegistered,
    /// The one-time code is spent, too old, bound to something else, or of a provider that is gone.
    #[error("the one-time code is refused")]
    LoginCodeRefused,
    /// The client wants a longer token than the operator lets it have.
    #[error("a token may live for {} seconds at most", max.as_secs())]
    TokenDurationTooLong {
        /// The operator's limit.
        max: SignedDuration,
    },
    /// The person came back from the provider without having signed in.
    #[error("the person cancelled at the provider")]
    Cancelled,
    /// The provider sent the person back with an error, or with nothing that could be verified. Its words are not
    /// here: whoever made up the address could have written them.
    #[error("the provider came back with an error")]
    FailedAtProvider,
    /// The proof did not become a login.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The login did not become an identity, or the identity got no credentials.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
}

impl Reason for ExchangeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::UnknownApp => "unknown_app",
            Self::UnknownProvider => "unknown_provider",
            Self::RedirectUriNotRegistered => "redirect_uri_not_registered",
            Self::LoginCodeRefused => "login_code_refused",
            Self::TokenDurationTooLong { .. } => "token_duration_too_long",
            Self::Cancelled => "login_denied",
            Self::FailedAtProvider => "provider_reported_error",
            Self::Proof(error) => error.reason(),
            Self::Admission(error) => error.reason(),
        }
    }
}

impl From<StoreError> for ExchangeError {
    fn from(error: StoreError) -> Self {
        Self::Admission(error.into())
    }
}

/// Exchanges logins for identities of one pool.
pub struct Broker {
    /// The providers whose logins are accepted.
    pub providers: Arc<ProviderSet>,
    /// The redirect URIs of all registered apps.
    pub redirect_uris: RedirectUris,
    /// Has the providers confirm logins.
    pub engine: Arc<Engine>,
    /// The one-time codes of the hosted login.
    pub login_codes: LoginCodes,
    /// Where verified logins lead.
    pub pool: Arc<dyn DeveloperPool>,
    /// The longest life of a token that a client may ask for.
    pub max_token_duration: SignedDuration,
    /// Remembers what counts once, and which sessions began with codes.
    pub store: SharedStore,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Hears of every exchange.
    pub trail: Arc<AuditTrail>,
}

impl Broker {
    /// Exchanges a login for an identity and its token.
    ///
    /// # Errors
    /// [`ExchangeError`]. The refusal is in the audit trail.
    pub async fn exchange(
        &self,
        request: ExchangeRequest,
        by: &Requester,
    ) -> Result<Exchanged, ExchangeError> {
        let mut draft = AuditDraft::by(AuditAction::Exchange, by);
        draft.actor.clone_from(&request.options.actor);
        let verified = async {
            let mut options = self.bounded(request.options)?;
            let _reservation = self.pool.reserve(&options, &by.origin)?;
            let Shown { login, asked, since } = self.login(request.presented, &mut draft, by).await?;
            options.since = Some(options.since.map_or(since, |begun| begun.min(since)));
            Ok((login, asked, options))
        };
        let (login, asked, options) = match verified.await {
            Ok(verified) => verified,
            Err(error) => return self.trail.conclude(draft, Err(error)).await,
        };
        let issued = self.admit(&login, options, draft, by).await?;
        Ok(Exchanged { login, asked, issued })
    }

    /// Whoever signs in on a device that had a guest takes the guest along if the login has no identity yet. Who has one
    /// signs in all the same: the device named the guest, and not the person.
    async fn admit(
        &self,
        login: &VerifiedLogin,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError> {
        let is_sign_in = options.session.is_some() && options.identity_id.is_some();
        let own = ExchangeOptions { identity_id: None, ..options.clone() };
        match self.pool.admit(login, options, draft.clone(), by).await {
            Err(error) if is_sign_in && error.has_other_identity() => {
                self.pool.admit(login, own, draft, by).await
            }
            admitted => admitted,
        }
    }

    /// Links a second login to the person of a first one, both of them verified now, and exchanges the first. Two
    /// logins of one user are linked already.
    ///
    /// # Errors
    /// [`ExchangeError`]. The refusal is in the audit trail.
    pub async fn link(&self, request: LinkProofsRequest, by: &Requester) -> Result<Exchanged, ExchangeError> {
        let mut draft = AuditDraft::by(AuditAction::Link, by);
        let verified = async {
            let mut options = self.bounded(request.options)?;
            options.session = request.first.session().cloned();
            let _reservation = self.pool.reserve(&options, &by.origin)?;
            let first = self.login(request.first, &mut draft, by).await?;
            let second = self.login(request.second, &mut draft, by).await?;
            options.since = Some(first.since.min(second.since));
            Ok((first, second.login, options))
        };
        let (Shown { login: first, asked, .. }, second, options) = match verified.await {
            Ok(verified) => verified,
            Err(error) => return self.trail.conclude(draft, Err(error)).await,
        };
        let same = first.developer_user_identifier() == second.developer_user_identifier();
        let issued = if same {
            self.pool.admit(&first, options, draft, by).await?
        } else {
            let logins = TwoLogins { first: &first, second: &second };
            self.pool.link(logins, options, draft, by).await?
        };
        Ok(Exchanged { login: first, asked, issued })
    }

    /// The kinds of proof of a provider that are taken here. Of those that count once, none is where nobody can count them.
    #[must_use]
    pub fn accepted_proofs(&self, provider: &Provider) -> Vec<ProofKind> {
        let accepted = provider.accepted_proofs().into_iter();
        accepted.filter(|kind| self.check_countable(*kind).is_ok()).collect()
    }

    /// Has a provider confirm the answer of a hosted login, if it holds a proof, and answers the login, with the one-time
    /// code that the app gets.
    ///
    /// # Errors
    /// [`ExchangeError`]. The refusal is in the audit trail.
    pub async fn sign_in(
        &self,
        provider: &Arc<Provider>,
        answer: Result<UnverifiedProof, ExchangeError>,
        app: &AppLogin,
        by: &Requester,
    ) -> Result<(VerifiedLogin, Secret), ExchangeError> {
        let mut draft = AuditDraft::by(AuditAction::SignIn, by);
        draft.provider = Some(provider.id.clone());
        let verified = match answer {
            Ok(proof) => self.verify(provider, proof, &mut draft).await,
            Err(error) => Err(error),
        };
        let login = self.trail.conclude(draft, verified).await?;
        let code = self.login_codes.issue(&login, app.binding(), app.asked(), app.code_ends_at()).await?;
        Ok((login, code))
    }

    /// Options within the operator's limit. Before a proof is spent, a token of more is refused; one that nobody gave a
    /// life to is no longer than the limit either.
    fn bounded(&self, mut options: ExchangeOptions) -> Result<ExchangeOptions, ExchangeError> {
        let max = self.max_token_duration;
        if options.token_duration.is_some_and(|wanted| wanted > max) {
            return Err(ExchangeError::TokenDurationTooLong { max });
        }
        options.token_duration = options.token_duration.or(self.default_token_duration());
        Ok(options)
    }

    /// The life of a token that nobody gave one to, where the operator's limit is shorter than the usual one.
    pub(crate) fn default_token_duration(&self) -> Option<SignedDuration> {
        Some(self.max_token_duration).filter(|max| *max < DEFAULT_TOKEN_DURATION)
    }

    async fn login(
        &self,
        presented: PresentedProof,
        draft: &mut AuditDraft,
        by: &Requester,
    ) -> Result<Shown, ExchangeError> {
        let now = self.clock.now();
        match presented {
            PresentedProof::OfProvider { provider, proof } => {
                let provider = self.providers.get(&provider).ok_or(ExchangeError::UnknownProvider)?;
                draft.provider = Some(provider.id.clone());
                self.check_countable(proof.kind())?;
                self.check_redirect_uri(&proof)?;
                let login = self.verify(&provider, proof, draft).await?;
                Ok(Shown { login, asked: None, since: now })
            }
            PresentedProof::LoginCode(code) => {
                let Some((login, asked)) = self.login_codes.redeem(&code).await? else {
                    self.end_what_began_with(&code, by).await?;
                    return Err(ExchangeError::LoginCodeRefused);
                };
                draft.provider = Some(login.provider().to_owned());
                draft.developer_user_identifier = Some(login.developer_user_identifier().to_owned());
                // Since the login, the operator may have taken its provider away, or its app. About a device's app it was asked
                // when the device asked for its code.
                let returns = code.redirect_uri.as_ref().is_none_or(|uri| self.redirect_uris.contains(uri));
                let counts = self.providers.get(login.provider()).is_some() && returns;
                let since = asked.signed_in_at;
                let shown = Shown { login, asked: Some(asked), since };
                if counts { Ok(shown) } else { Err(ExchangeError::LoginCodeRefused) }
            }
            PresentedProof::OfSession { login, looked_at, .. } => {
                draft.provider = Some(login.provider().to_owned());
                draft.developer_user_identifier = Some(login.developer_user_identifier().to_owned());
                self.providers.get(login.provider()).ok_or(ExchangeError::UnknownProvider)?;
                Ok(Shown { login, asked: None, since: looked_at })
            }
        }
    }

    /// Ends the session that a code began, if the code is shown again while it could have counted: somebody has a copy, and it may
    /// have been theirs that came first (RFC 6749, 4.1.2). Later, a code out of a log ends nobody's session. The code of a device is
    /// in nobody's hands but ours: it comes again when one device asks twice.
    async fn end_what_began_with(&self, code: &LoginCode, by: &Requester) -> Result<(), StoreError> {
        if code.redirect_uri.is_none() {
            return Ok(());
        }
        let now = self.clock.now();
        let began = self.store.find_sign_in_session(&code.session()).await?;
        match began.filter(|session| session.created_at + login_code::LIFETIME >= now) {
            Some(session) => {
                let end = SessionEnd { at: now, reason: EndReason::Reused };
                session_end::end(&*self.store, &self.trail, &session, end, by).await
            }
            None => Ok(()),
        }
    }

    /// Has a provider confirm a proof. Whose login it is, is noted in the draft.
    pub(super) async fn verify(
        &self,
        provider: &Arc<Provider>,
        proof: UnverifiedProof,
        draft: &mut AuditDraft,
    ) -> Result<VerifiedLogin, ExchangeError> {
        let login = self.engine.verify(provider, proof).await?;
        draft.developer_user_identifier = Some(login.developer_user_identifier().to_owned());
        self.check_first_use(&login).await?;
        Ok(login)
    }

    /// A login is taken only if it came back to an app registered here: a page that got hold of a code of ours
    /// cannot spend it through us under a redirect URI of its own.
    fn check_redirect_uri(&self, proof: &UnverifiedProof) -> Result<(), ExchangeError> {
        match proof.redirect_uri() {
            Some(uri) if !self.redirect_uris.contains(uri) => Err(ExchangeError::RedirectUriNotRegistered),
            _ => Ok(()),
        }
    }

    fn check_countable(&self, kind: ProofKind) -> Result<(), ProofError> {
        if kind.counts_once() && !self.store.counts_for_all() {
            return Err(ProofError::KindNotAccepted(kind));
        }
        Ok(())
    }

    /// A proof that could be shown again counts once, also where two show it at the same moment.
    async fn check_first_use(&self, login: &VerifiedLogin) -> Result<(), ExchangeError> {
        let Some(UseOnce { name, until }) = login.use_once() else { return Ok(()) };
        // No provider's ID holds a space.
        let name = format!("{} {name}", login.provider());
        if self.store.use_once(&name, *until, self.clock.now()).await? {
            Ok(())
        } else {
            Err(ExchangeError::Proof(ProofError::Refused))
        }
    }
}
