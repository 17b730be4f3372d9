//! The developer backend: a login at an identity provider comes in, an identity and its OpenID token go
//! out. The steps of [`Broker::exchange`] are the product; each hands the next a type that only it can make.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::audit::{AuditAction, AuditDraft, AuditTrail, Requester};
use crate::clock::SignedDuration;
use crate::identity_pool::issue::{DEFAULT_TOKEN_DURATION, DeveloperUser, TokenGrant, TokenTerms};
use crate::identity_pool::{IdentityPools, PoolError};
use crate::ids::{IdentityId, IdentityPoolId};
use crate::login_code::{LoginCode, LoginCodes};
use crate::login_flow::AppLogin;
use crate::provider::{DisplayUser, Engine, ProofError, Provider, UnverifiedProof, UseOnce, VerifiedLogin};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::store::StoreError;
use crate::token::OpenIdToken;

/// What a client asks for.
#[derive(Debug)]
pub struct ExchangeRequest {
    /// What shows that somebody signed in.
    pub shown: Shown,
    /// A guest to be upgraded.
    pub identity_id: Option<IdentityId>,
    /// How long the token is to live, 1 second to 24 hours.
    pub token_duration: Option<SignedDuration>,
    /// Whether to hand out credentials as well.
    pub credentials: bool,
}

/// What shows that somebody signed in.
#[derive(Debug)]
pub enum Shown {
    /// Something that a provider handed out.
    Proof {
        /// The provider's ID in the configuration.
        provider: String,
        /// What it handed out.
        proof: UnverifiedProof,
    },
    /// A one-time code of the hosted login, which had the provider confirm the login already.
    LoginCode(LoginCode),
}

/// What a client gets.
#[derive(Debug)]
pub struct Exchanged {
    /// The provider's ID in the configuration.
    pub provider: String,
    /// How the person wants to be seen.
    pub user: DisplayUser,
    /// The identity's token.
    pub token: OpenIdToken,
    /// Credentials, if they were asked for.
    pub credentials: Option<Credentials>,
}

/// Why an exchange came to nothing. Nothing is stored then, beside the audit event.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The configuration has no such provider.
    #[error("there is no such provider")]
    UnknownProvider,
    /// No app is registered with this redirect URI.
    #[error("the redirect URI is not registered")]
    RedirectUriNotRegistered,
    /// The one-time code is spent, too old, or bound to something else.
    #[error("the one-time code is refused")]
    LoginCodeRefused,
    /// The proof did not become a login.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The login did not become an identity, or the identity got no credentials.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl From<StoreError> for ExchangeError {
    fn from(error: StoreError) -> Self {
        Self::Pool(error.into())
    }
}

/// Exchanges logins for identities of one pool.
pub struct Broker {
    /// The providers whose logins are accepted, by ID.
    pub providers: BTreeMap<String, Arc<Provider>>,
    /// The redirect URIs of all registered apps.
    pub redirect_uris: BTreeSet<String>,
    /// Has the providers confirm logins.
    pub engine: Engine,
    /// The one-time codes of the hosted login.
    pub login_codes: LoginCodes,
    /// Where identities live.
    pub pools: Arc<IdentityPools>,
    /// The pool that logins lead to.
    pub pool_id: IdentityPoolId,
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
        match self.grant(request, by, &mut draft).await {
            Ok(granted) => Ok(Exchanged {
                token: self.pools.issue(granted.grant, draft).await?,
                provider: granted.provider,
                user: granted.user,
                credentials: granted.credentials,
            }),
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    /// Has a provider confirm the answer of a hosted login, and answers the one-time code that the app gets.
    ///
    /// # Errors
    /// [`ExchangeError`]. The refusal is in the audit trail.
    pub async fn sign_in(
        &self,
        provider: &Arc<Provider>,
        proof: UnverifiedProof,
        app: &AppLogin,
        by: &Requester,
    ) -> Result<Secret, ExchangeError> {
        let mut draft = AuditDraft::by(AuditAction::SignIn, by);
        draft.provider = Some(provider.id.clone());
        let verified = self.verify(provider, proof, &mut draft).await;
        let login = self.trail.conclude(draft, verified).await?;
        Ok(self.login_codes.issue(&login, app.binding()).await?)
    }

    async fn grant(
        &self,
        request: ExchangeRequest,
        by: &Requester,
        draft: &mut AuditDraft,
    ) -> Result<Granted, ExchangeError> {
        let login = self.login(request.shown, draft).await?;
        let pool = self.pools.describe_pool(&self.pool_id).await?;
        let user = DeveloperUser::of(&login);
        let resolved = self.pools.resolve(&pool, user, Vec::new(), request.identity_id, by).await?;
        let duration = request.token_duration.unwrap_or(DEFAULT_TOKEN_DURATION);
        let grant = self.pools.decide(&pool, resolved, TokenTerms { duration, ..TokenTerms::default() })?;
        let credentials = if request.credentials {
            Some(self.pools.credentials_of_grant(&pool, &grant, by).await?)
        } else {
            None
        };
        let provider = login.provider().to_owned();
        Ok(Granted { provider, user: login.user().clone(), grant, credentials })
    }

    async fn login(&self, shown: Shown, draft: &mut AuditDraft) -> Result<VerifiedLogin, ExchangeError> {
        match shown {
            Shown::Proof { provider, proof } => {
                let provider = self.providers.get(&provider).ok_or(ExchangeError::UnknownProvider)?;
                draft.provider = Some(provider.id.clone());
                self.check_redirect_uri(&proof)?;
                self.verify(provider, proof, draft).await
            }
            Shown::LoginCode(code) => {
                let login = self.login_codes.redeem(&code).await?.ok_or(ExchangeError::LoginCodeRefused)?;
                draft.provider = Some(login.provider().to_owned());
                draft.developer_user_identifier = Some(login.developer_user_identifier());
                Ok(login)
            }
        }
    }

    async fn verify(
        &self,
        provider: &Arc<Provider>,
        proof: UnverifiedProof,
        draft: &mut AuditDraft,
    ) -> Result<VerifiedLogin, ExchangeError> {
        let login = self.engine.verify(provider, proof).await?;
        draft.developer_user_identifier = Some(login.developer_user_identifier());
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

    /// A proof that could be shown again counts once, also where two show it at the same moment.
    async fn check_first_use(&self, login: &VerifiedLogin) -> Result<(), ExchangeError> {
        let Some(UseOnce { name, until }) = login.use_once() else { return Ok(()) };
        let name = format!("{} {name}", login.provider());
        let store = &self.pools.store;
        if store.use_once(&name, *until, self.pools.clock.now()).await? {
            Ok(())
        } else {
            Err(ExchangeError::Proof(ProofError::Refused))
        }
    }
}

struct Granted {
    provider: String,
    user: DisplayUser,
    grant: TokenGrant,
    credentials: Option<Credentials>,
}
