//! Tokens for the identities of a pool.
//!
//! Each step hands a type to the next that nothing else can make: a developer user that somebody vouches
//! for is resolved to an identity, the identity is granted a token, the grant is signed.

use std::iter;
use std::task::Poll;

use futures::future;

pub use super::logins::DeveloperUser;
use super::logins::{Refuse, developer_provider, linked};
use super::token_terms::TokenTerms;
use super::{Denial, IdentityPools, Invalid, Logins, PoolError, principal_tags};
use crate::audit::{AuditAction, AuditDraft, Requester};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::login::public::PublicLogin;
use crate::records::identity::{Identity, IdentityPool, Login};
use crate::store::StoreError;
use crate::token::acting::ActClaim;
use crate::token::openid_token::{AUTHENTICATED, Claims, Life, OpenIdToken, TagsClaim, UNAUTHENTICATED};
use crate::token::signer::SignerError;

/// How long a token of GetOpenIdToken lives.
const CLASSIC_TOKEN_DURATION: SignedDuration = SignedDuration::from_mins(10);

/// An identity, and the logins of whoever it belongs to. Only [`IdentityPools::resolve`] and
/// [`IdentityPools::recognise`] make one.
#[derive(Debug)]
pub struct ResolvedIdentity {
    identity: Identity,
    user: DeveloperUser,
    public: Vec<PublicLogin>,
}

impl ResolvedIdentity {
    /// Its ID.
    #[must_use]
    pub fn identity_id(&self) -> &IdentityId {
        &self.identity.id
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.identity.disabled
    }
}

/// Permission to sign a token. Only the functions of this module that decide about one make it.
#[derive(Debug)]
pub struct TokenGrant(Claims);

impl TokenGrant {
    /// The identity that the token will be for.
    #[must_use]
    pub fn identity_id(&self) -> &IdentityId {
        &self.0.identity_id
    }

    /// What the token will say.
    pub(crate) fn claims(&self) -> &Claims {
        &self.0
    }

    pub(super) fn into_claims(self) -> Claims {
        self.0
    }
}

/// What GetOpenIdTokenForDeveloperIdentity is asked for.
#[derive(Debug)]
pub struct DeveloperTokenRequest {
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// The identity that the developer user is to be linked to.
    pub identity_id: Option<IdentityId>,
    /// The developer provider and the developer user identifier.
    pub logins: Logins,
    /// What the token is to say.
    pub terms: TokenTerms,
}

impl IdentityPools {
    /// GetOpenIdTokenForDeveloperIdentity.
    ///
    /// # Errors
    /// [`PoolError`], each by the rules of docs/reference/cognito-identity.md, 4.3.
    pub async fn open_id_token_for_developer_identity(
        &self,
        request: DeveloperTokenRequest,
        by: &Requester,
    ) -> Result<OpenIdToken, PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Token, by);
        match self.grant_to_developer(request, by, &mut draft).await {
            Ok(grant) => self.issue(grant, draft).await,
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn grant_to_developer(
        &self,
        request: DeveloperTokenRequest,
        by: &Requester,
        draft: &mut AuditDraft,
    ) -> Result<TokenGrant, PoolError> {
        let pool = self.describe_pool(&request.pool_id).await?;
        let (user, public) = self.verify_developer(&pool, request.logins).await?;
        draft.developer_user_identifier = Some(user.identifier.clone());
        draft.login_of(&public);
        principal_tags::check(&request.terms.principal_tags)?;
        let resolved = self.resolve(&pool, user, public, request.identity_id, by).await?;
        self.decide(&pool, resolved, request.terms)
    }

    /// Finds or creates the identity of a developer user and of the public logins that came along, links it
    /// to the guest named by `identity_id`, or merges what turns out to be one person.
    ///
    /// # Errors
    /// [`PoolError`], each by the rules of docs/reference/cognito-identity.md, 4.3.
    pub async fn resolve(
        &self,
        pool: &IdentityPool,
        user: DeveloperUser,
        public: Vec<PublicLogin>,
        identity_id: Option<IdentityId>,
        by: &Requester,
    ) -> Result<ResolvedIdentity, PoolError> {
        let developer = Login::developer(user.identifier.clone());
        let logins = iter::once(developer).chain(public.iter().map(linked)).collect();
        let identity = self.link(pool, logins, identity_id, by).await?;
        Ok(ResolvedIdentity { identity, user, public })
    }

    /// The identity that a developer user has already. None is made.
    ///
    /// # Errors
    /// The store's.
    pub async fn recognise(
        &self,
        pool: &IdentityPool,
        user: DeveloperUser,
    ) -> Result<Option<ResolvedIdentity>, PoolError> {
        let login = Login::developer(user.identifier.clone());
        let found = self.store.find_identity_by_login(&pool.id, &login).await?;
        Ok(found.map(|found| ResolvedIdentity { identity: found.identity, user, public: Vec::new() }))
    }

    /// Decides what the token of a resolved identity says.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] for a pool without a developer provider.
    pub fn decide(
        &self,
        pool: &IdentityPool,
        resolved: ResolvedIdentity,
        terms: TokenTerms,
    ) -> Result<TokenGrant, PoolError> {
        let ResolvedIdentity { identity, user, public } = resolved;
        let provider = developer_provider(pool)?;
        let entry = format!("{provider}:{}:{}", pool.id, user.identifier);
        let mut amr = vec![AUTHENTICATED.to_owned(), provider.to_owned(), entry];
        amr.extend(public.iter().flat_map(amr_of));
        Ok(self.grant(identity, amr, terms))
    }

    fn grant(&self, identity: Identity, amr: Vec<String>, terms: TokenTerms) -> TokenGrant {
        let now = self.clock.now();
        let life = Life::new(now, terms.duration).resting_on(terms.since.map_or(now, |since| since.min(now)));
        let Life { expires_at, issued_at, issued_at_ms } = life;
        TokenGrant(Claims {
            pool_arn: self.pool_arn(&identity.pool_id),
            identity_id: identity.id,
            pool_id: identity.pool_id,
            issuer: self.sts.tokens.issuer().to_owned(),
            tags: TagsClaim::of(terms.principal_tags),
            amr,
            expires_at,
            issued_at,
            issued_at_ms,
            session: terms.session,
            act: terms.actor.map(|actor| ActClaim { actor }),
        })
    }

    pub(super) fn grant_to_guest(
        &self,
        identity: Identity,
        pool: &IdentityPool,
    ) -> Result<TokenGrant, PoolError> {
        check_guest(&identity, pool)?;
        let amr = vec![UNAUTHENTICATED.to_owned()];
        Ok(self.grant(
            identity,
            amr,
            TokenTerms { duration: CLASSIC_TOKEN_DURATION, ..TokenTerms::default() },
        ))
    }

    /// What somebody with public logins may have a token for: the one identity that all of them lead to.
    pub(super) async fn grant_to_person(
        &self,
        identity: Identity,
        pool: &IdentityPool,
        public: &[PublicLogin],
        by: &Requester,
    ) -> Result<TokenGrant, PoolError> {
        let tags = principal_tags::of_logins(pool, public)?;
        let identity = self.link(pool, public.iter().map(linked).collect(), Some(identity.id), by).await?;
        let amr = iter::once(AUTHENTICATED.to_owned()).chain(public.iter().flat_map(amr_of));
        let terms =
            TokenTerms { duration: CLASSIC_TOKEN_DURATION, principal_tags: tags, ..TokenTerms::default() };
        Ok(self.grant(identity, amr.collect(), terms))
    }

    /// Records a grant and signs it. The signature is made while the store writes, and is handed out only
    /// if the event was kept. If there is none, the trail hears that nothing was handed out.
    ///
    /// # Errors
    /// The store's, and whatever keeps the key from signing.
    pub async fn issue(&self, grant: TokenGrant, mut draft: AuditDraft) -> Result<OpenIdToken, PoolError> {
        self.sts.tokens.keep_up().await?;
        draft.about(&grant.0);
        let signed = async {
            let_others_go_first().await;
            self.sign(&grant).await
        };
        let (recorded, token) = future::join(self.trail.allowed(draft.clone()), signed).await;
        recorded?;
        match token {
            Ok(token) => Ok(token),
            Err(error) => self.trail.conclude(draft, Err(StoreError::from(error).into())).await,
        }
    }

    async fn sign(&self, grant: &TokenGrant) -> Result<OpenIdToken, SignerError> {
        Ok(OpenIdToken {
            token: self.sts.tokens.sign(&grant.0).await?,
            identity_id: grant.0.identity_id.clone(),
            expires_at: Timestamp::from_second(grant.0.expires_at)
                .expect("a day from now is within the calendar"),
        })
    }

    /// GetOpenIdToken: the classic flow's token, for guests and for whoever shows public logins.
    ///
    /// # Errors
    /// [`PoolError`], each by the rules of docs/reference/cognito-identity.md, 4.2, 4.4 and 4.8.
    pub async fn open_id_token(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
        by: &Requester,
    ) -> Result<OpenIdToken, PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Token, by);
        draft.identity_id = Some(identity_id.clone());
        match self.grant_classic(identity_id, logins, by, &mut draft).await {
            Ok(grant) => self.issue(grant, draft).await,
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn grant_classic(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
        by: &Requester,
        draft: &mut AuditDraft,
    ) -> Result<TokenGrant, PoolError> {
        let (identity, pool) = self.usable_identity(identity_id).await?;
        check_classic_flow(&pool)?;
        if logins.is_empty() {
            return self.grant_to_guest(identity, &pool);
        }
        let public = self.verify_public(&pool, logins, &Refuse::Identity).await?;
        draft.login_of(&public);
        self.grant_to_person(identity, &pool, &public, by).await
    }

    pub(super) async fn usable_identity(
        &self,
        id: &IdentityId,
    ) -> Result<(Identity, IdentityPool), PoolError> {
        let identity = self.identity(id).await?;
        if identity.disabled {
            return Err(PoolError::forbidden(id));
        }
        let pool = self.describe_pool(&identity.pool_id).await?;
        Ok((identity, pool))
    }
}

/// Lets the tasks that are ready run before this one goes on. A signature keeps its thread busy for longer than
/// anything else; requests that are waiting hand their events to the store first, and share a commit.
async fn let_others_go_first() {
    let mut waited = false;
    future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) fn check_guest(identity: &Identity, pool: &IdentityPool) -> Result<(), PoolError> {
    if identity.authenticated {
        Err(PoolError::forbidden(&identity.id))
    } else if pool.settings.allow_unauthenticated_identities {
        Ok(())
    } else {
        Err(Denial::NoGuests.into())
    }
}

fn check_classic_flow(pool: &IdentityPool) -> Result<(), PoolError> {
    if pool.settings.allow_classic_flow == Some(false) {
        Err(Invalid::ClassicFlowDisabled.into())
    } else if !pool.roles.mappings.is_empty() {
        Err(Invalid::ClassicFlowWithMappings.into())
    } else {
        Ok(())
    }
}

/// The two entries of a public login: its provider, and its user there.
fn amr_of(login: &PublicLogin) -> [String; 2] {
    [login.provider().to_owned(), login.amr_entry()]
}
