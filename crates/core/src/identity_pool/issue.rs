//! Tokens and credentials for the identities of a pool.
//!
//! Each step hands a type to the next that nothing else can make: a developer user that somebody vouches
//! for is resolved to an identity, the identity is granted a token, the grant is signed.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Poll;

use futures::future;

use super::{IdentityPools, Logins, PoolError, refuse_public_logins};
use crate::audit::{AuditAction, AuditDraft};
use crate::clock::{SignedDuration, Timestamp};
use crate::identity::{Identity, IdentityPool};
use crate::ids::{IdentityId, IdentityPoolId, RequestId};
use crate::provider::VerifiedLogin;
use crate::session::Credentials;
use crate::store::{DeveloperLogin, DeveloperLoginOutcome};
use crate::sts::FEDERATED_PROVIDER;
use crate::token::{self, AUTHENTICATED, Claims, OpenIdToken, TagsClaim, UNAUTHENTICATED};

/// How long a token for a developer identity lives unless the caller says otherwise.
pub const DEFAULT_TOKEN_DURATION: SignedDuration = SignedDuration::from_mins(15);
/// How long a token of GetOpenIdToken lives.
const CLASSIC_TOKEN_DURATION: SignedDuration = SignedDuration::from_mins(10);

/// The API's limit on a developer user identifier, in characters.
const MAX_DEVELOPER_USER_IDENTIFIER: usize = 1024;

/// A person, with somebody's word for who they are.
#[derive(Debug, Clone)]
pub struct DeveloperUser {
    identifier: String,
}

impl DeveloperUser {
    /// The person whose login a provider confirmed.
    #[must_use]
    pub fn of(login: &VerifiedLogin) -> Self {
        Self { identifier: login.developer_user_identifier() }
    }

    /// The person that the holder of a developer access key names. The caller has verified the request's
    /// signature: it is the only proof there is.
    #[must_use]
    pub fn named_by_developer(identifier: String) -> Self {
        Self { identifier }
    }
}

/// A developer user and the identity that is theirs. Only [`IdentityPools::resolve`] makes one.
#[derive(Debug)]
pub struct ResolvedIdentity {
    identity: Identity,
    user: DeveloperUser,
}

/// What a token is to say besides whose it is.
#[derive(Debug)]
pub struct TokenTerms {
    /// How long it lives, 1 second to 24 hours.
    pub duration: SignedDuration,
    /// Session tags.
    pub principal_tags: BTreeMap<String, String>,
}

impl Default for TokenTerms {
    fn default() -> Self {
        Self { duration: DEFAULT_TOKEN_DURATION, principal_tags: BTreeMap::new() }
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
    /// [`PoolError`], each by the rules of cognito-identity.md 4.3.
    pub async fn open_id_token_for_developer_identity(
        &self,
        request: DeveloperTokenRequest,
        request_id: &RequestId,
    ) -> Result<OpenIdToken, PoolError> {
        let mut draft = AuditDraft::new(AuditAction::Token, request_id);
        match self.grant_to_developer(request, &mut draft).await {
            Ok(grant) => self.issue(grant, draft).await,
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn grant_to_developer(
        &self,
        request: DeveloperTokenRequest,
        draft: &mut AuditDraft,
    ) -> Result<TokenGrant, PoolError> {
        let pool = self.describe_pool(&request.pool_id).await?;
        let user = developer_user(&pool, request.logins)?;
        draft.developer_user_identifier = Some(user.identifier.clone());
        check_tags(&request.terms.principal_tags)?;
        let resolved = self.resolve(&pool, user, request.identity_id).await?;
        self.decide(&pool, resolved, request.terms)
    }

    /// Finds or creates the identity of a developer user, or links it to the guest named by `identity_id`.
    ///
    /// # Errors
    /// [`PoolError`], each by the rules of cognito-identity.md 4.3.
    pub async fn resolve(
        &self,
        pool: &IdentityPool,
        user: DeveloperUser,
        identity_id: Option<IdentityId>,
    ) -> Result<ResolvedIdentity, PoolError> {
        let login = DeveloperLogin {
            pool_id: pool.id.clone(),
            developer_user_identifier: user.identifier.clone(),
            new_identity_id: IdentityId::generate(&self.region, &*self.random),
            now: self.clock.now(),
            identity_id,
        };
        match self.store.resolve_developer_login(&login).await? {
            DeveloperLoginOutcome::Known(identity)
            | DeveloperLoginOutcome::Created(identity)
            | DeveloperLoginOutcome::Linked(identity) => Ok(ResolvedIdentity { identity, user }),
            DeveloperLoginOutcome::AlreadyRegistered => Err(PoolError::DeveloperUserAlreadyRegistered),
            DeveloperLoginOutcome::NotAmongItsLogins => Err(PoolError::logins_do_not_match()),
            DeveloperLoginOutcome::Disabled(id) => Err(PoolError::forbidden(&id)),
            DeveloperLoginOutcome::UnknownIdentity => {
                let named = login.identity_id.as_ref().map(IdentityId::as_str).unwrap_or_default();
                Err(PoolError::no_identity(&named))
            }
        }
    }

    /// Decides what the token of a resolved identity says.
    ///
    /// # Errors
    /// [`PoolError::InvalidParameter`] for a pool without a developer provider.
    pub fn decide(
        &self,
        pool: &IdentityPool,
        resolved: ResolvedIdentity,
        terms: TokenTerms,
    ) -> Result<TokenGrant, PoolError> {
        let ResolvedIdentity { identity, user } = resolved;
        let provider = developer_provider(pool)?;
        let entry = format!("{provider}:{}:{}", pool.id, user.identifier);
        let amr = vec![AUTHENTICATED.to_owned(), provider.to_owned(), entry];
        let mut grant = self.grant(identity, amr, terms.duration);
        if !terms.principal_tags.is_empty() {
            let tags = terms.principal_tags.into_iter().map(|(key, value)| (key, [value]));
            grant.0.tags = Some(TagsClaim { principal_tags: tags.collect() });
        }
        Ok(grant)
    }

    fn grant(&self, identity: Identity, amr: Vec<String>, duration: SignedDuration) -> TokenGrant {
        let (issued_at, expires_at) = token::life(self.clock.now(), duration);
        let (region, account_id) = (&self.region, self.sts.roles.account_id());
        TokenGrant(Claims {
            pool_arn: format!(
                "arn:aws:cognito-identity:{region}:{account_id}:identitypool/{}",
                identity.pool_id
            ),
            identity_id: identity.id,
            pool_id: identity.pool_id,
            issuer: self.sts.tokens.issuer().to_owned(),
            tags: None,
            amr,
            expires_at,
            issued_at,
        })
    }

    /// Records a grant and signs it. The signature is made while the store writes, and is handed out only
    /// if the event was kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn issue(&self, grant: TokenGrant, mut draft: AuditDraft) -> Result<OpenIdToken, PoolError> {
        draft.about(&grant.0);
        let signed = async {
            let_others_go_first().await;
            self.sign(&grant)
        };
        let (recorded, token) = future::join(self.trail.allowed(draft), signed).await;
        recorded?;
        Ok(token)
    }

    fn sign(&self, grant: &TokenGrant) -> OpenIdToken {
        OpenIdToken {
            token: self.sts.tokens.sign(&grant.0),
            identity_id: grant.0.identity_id.clone(),
            expires_at: Timestamp::from_second(grant.0.expires_at)
                .expect("a day from now is within the calendar"),
        }
    }

    /// GetOpenIdToken, for guests.
    ///
    /// # Errors
    /// [`PoolError`], each by the rules of cognito-identity.md 4.2 and 4.8.
    pub async fn open_id_token(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
        request_id: &RequestId,
    ) -> Result<OpenIdToken, PoolError> {
        let mut draft = AuditDraft::new(AuditAction::Token, request_id);
        draft.identity_id = Some(identity_id.clone());
        match self.grant_to_guest(identity_id, logins).await {
            Ok(grant) => self.issue(grant, draft).await,
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn grant_to_guest(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
    ) -> Result<TokenGrant, PoolError> {
        let (identity, pool) = self.usable_identity(identity_id).await?;
        check_classic_flow(&pool)?;
        refuse_public_logins(&pool, logins)?;
        check_guest(&identity, &pool)?;
        Ok(self.grant(identity, vec![UNAUTHENTICATED.to_owned()], CLASSIC_TOKEN_DURATION))
    }

    /// GetCredentialsForIdentity: for developer identities with the token of
    /// GetOpenIdTokenForDeveloperIdentity, for guests with nothing.
    ///
    /// # Errors
    /// [`PoolError`], each by the rules of cognito-identity.md 4.8.
    pub async fn credentials_for_identity(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
        custom_role_arn: Option<&str>,
        request_id: &RequestId,
    ) -> Result<Credentials, PoolError> {
        let mut draft = AuditDraft::new(AuditAction::Credentials, request_id);
        draft.identity_id = Some(identity_id.clone());
        let credentials = self.credentials(identity_id, logins, custom_role_arn, &mut draft).await;
        self.trail.conclude(draft, credentials).await
    }

    async fn credentials(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
        custom_role_arn: Option<&str>,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, PoolError> {
        let (identity, pool) = self.usable_identity(identity_id).await?;
        let claims = self.claims_of(identity, &pool, logins)?;
        let role_arn = role_for(&pool, &claims, custom_role_arn)?;
        self.credentials_of(&claims, role_arn, draft).await
    }

    /// The claims behind a call of the enhanced flow: those of the token that came along, or a guest's own.
    fn claims_of(
        &self,
        identity: Identity,
        pool: &IdentityPool,
        logins: &Logins,
    ) -> Result<Claims, PoolError> {
        let Some(token) = logins.get(FEDERATED_PROVIDER) else {
            refuse_developer_login(pool, logins)?;
            check_guest(&identity, pool)?;
            return Ok(self.grant(identity, vec![UNAUTHENTICATED.to_owned()], CLASSIC_TOKEN_DURATION).0);
        };
        if logins.len() > 1 {
            return Err(PoolError::unsupported_provider());
        }
        let claims = self
            .sts
            .tokens
            .verify(token, self.clock.now())
            .map_err(|error| PoolError::invalid_token(&error))?;
        if claims.identity_id != identity.id || claims.pool_id != pool.id {
            return Err(PoolError::logins_do_not_match());
        }
        if !claims.is_authenticated() {
            check_guest(&identity, pool)?;
        }
        Ok(claims)
    }

    /// Credentials of the pool's own role, straight from a grant: what an exchange hands out on request.
    ///
    /// # Errors
    /// [`PoolError::InvalidIdentityPoolConfiguration`] if the pool has no role, or it refuses.
    pub(crate) async fn credentials_of_grant(
        &self,
        pool: &IdentityPool,
        grant: &TokenGrant,
        request_id: &RequestId,
    ) -> Result<Credentials, PoolError> {
        let mut draft = AuditDraft::new(AuditAction::Credentials, request_id);
        let credentials = match role_for(pool, grant.claims(), None) {
            Ok(role_arn) => self.credentials_of(grant.claims(), role_arn, &mut draft).await,
            Err(error) => Err(error),
        };
        self.trail.conclude(draft, credentials).await
    }

    async fn credentials_of(
        &self,
        claims: &Claims,
        role_arn: &str,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, PoolError> {
        draft.about(claims);
        let credentials = self.sts.credentials_for(claims, role_arn, draft).await;
        credentials.map_err(|error| PoolError::assume(error, &claims.identity_id))
    }

    async fn usable_identity(&self, id: &IdentityId) -> Result<(Identity, IdentityPool), PoolError> {
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

fn developer_provider(pool: &IdentityPool) -> Result<&str, PoolError> {
    pool.settings.developer_provider_name.as_deref().ok_or_else(unsupported_developer_provider)
}

fn unsupported_developer_provider() -> PoolError {
    PoolError::InvalidParameter("This identity pool does not support the specified developer provider".into())
}

/// The developer user among the logins. Others beside it would have to be verified with their providers,
/// which the embedded pool does not do, so there must be none.
fn developer_user(pool: &IdentityPool, mut logins: Logins) -> Result<DeveloperUser, PoolError> {
    let identifier = logins.remove(developer_provider(pool)?).ok_or_else(unsupported_developer_provider)?;
    if !logins.is_empty() {
        return Err(PoolError::unsupported_provider());
    }
    if identifier.expose().chars().count() > MAX_DEVELOPER_USER_IDENTIFIER {
        let text =
            format!("A developer user identifier has at most {MAX_DEVELOPER_USER_IDENTIFIER} characters.");
        return Err(PoolError::InvalidParameter(text));
    }
    Ok(DeveloperUser::named_by_developer(identifier.expose().to_owned()))
}

/// Tags end up in policies by way of variables. What STS refuses in a tag is refused here already, and with
/// it `*` and `?`, which some stores substitute as patterns.
fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), PoolError> {
    let plain = |text: &str| {
        text.chars().all(|c| {
            c.is_alphanumeric() || c == ' ' || matches!(c, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
        })
    };
    if let Some((key, _)) = tags.iter().find(|(key, value)| !plain(key) || !plain(value)) {
        let text =
            format!("The principal tag {key:?} may hold only letters, digits, spaces and _ . : / = + - @");
        return Err(PoolError::InvalidParameter(text));
    }
    let distinct: BTreeSet<String> = tags.keys().map(|key| key.to_lowercase()).collect();
    if distinct.len() < tags.len() {
        let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        return Err(PoolError::InvalidParameter(text.into()));
    }
    Ok(())
}

fn check_guest(identity: &Identity, pool: &IdentityPool) -> Result<(), PoolError> {
    if identity.authenticated {
        Err(PoolError::forbidden(&identity.id))
    } else if pool.settings.allow_unauthenticated_identities {
        Ok(())
    } else {
        Err(PoolError::guests_not_supported())
    }
}

fn check_classic_flow(pool: &IdentityPool) -> Result<(), PoolError> {
    let refused = |text: &str| Err(PoolError::InvalidParameter(text.into()));
    if pool.settings.allow_classic_flow == Some(false) {
        refused("Basic (classic) flow is not enabled, please use enhanced flow.")
    } else if !pool.roles.mappings.is_empty() {
        refused("Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.")
    } else {
        Ok(())
    }
}

fn refuse_developer_login(pool: &IdentityPool, logins: &Logins) -> Result<(), PoolError> {
    let developer = pool.settings.developer_provider_name.as_ref();
    if developer.is_some_and(|provider| logins.contains_key(provider)) {
        return Err(PoolError::InvalidParameter("Please provide a valid public provider.".into()));
    }
    refuse_public_logins(pool, logins)
}

/// The pool's role for these claims. A custom role is a choice among the roles that a token allows, and our
/// tokens allow the one.
fn role_for<'a>(
    pool: &'a IdentityPool,
    claims: &Claims,
    custom_role_arn: Option<&str>,
) -> Result<&'a str, PoolError> {
    let roles = &pool.roles;
    let role = if claims.is_authenticated() { &roles.authenticated } else { &roles.unauthenticated };
    let role = role.as_deref().ok_or(PoolError::InvalidIdentityPoolConfiguration)?;
    match custom_role_arn {
        Some(custom) if custom != role => {
            Err(PoolError::NotAuthorized("The custom role is not among the roles of this login.".into()))
        }
        _ => Ok(role),
    }
}
