//! AssumeRoleWithWebIdentity, the second step of the classic flow: whoever holds a token of ours names the role
//! that they want.
//!
//! On AWS the trust policy of the role decides alone, and whoever writes one for a pool opens the role to everybody
//! who logs in there. Here that holds for roles with a trust policy of their own. A role without one is the pool's
//! to give: its default role and its role mappings say to whom, and they say the same here as in
//! GetCredentialsForIdentity.

use std::collections::BTreeSet;

use super::IdentityPools;
use super::credentials::role_of_claims;
use crate::audit::{AuditAction, AuditDraft, Requester};
use crate::credentials::role::Role;
use crate::credentials::sts::{self, AssumeError, AssumeRoleRequest, AssumedRole};
use crate::ground::clock::SignedDuration;
use crate::ground::ids::{IdentityId, RoleSessionName};
use crate::iam::{Arrival, Decision, Origin};
use crate::records::identity::IdentityPool;
use crate::token::openid_token::{AUTHENTICATED, Claims, Life};

impl IdentityPools {
    /// Takes on a role with an OpenID token.
    ///
    /// # Errors
    /// [`AssumeError`]. The refusal is in the audit trail.
    pub async fn assume_role_with_web_identity(
        &self,
        request: AssumeRoleRequest,
        by: &Requester,
    ) -> Result<AssumedRole, AssumeError> {
        let mut draft = AuditDraft::by(AuditAction::Assume, by);
        draft.resource = Some(request.role_arn.clone());
        let assumed = self.assume(request, by.origin, &mut draft).await;
        self.trail.conclude(draft, assumed).await
    }

    async fn assume(
        &self,
        request: AssumeRoleRequest,
        origin: Origin,
        draft: &mut AuditDraft,
    ) -> Result<AssumedRole, AssumeError> {
        self.sts.tokens.keep_up().await?;
        let claims = self.sts.tokens.verify(&request.web_identity_token, self.clock.now())?;
        draft.about(&claims);
        let role = self.sts.roles.find_by_arn(&request.role_arn);
        let role = role.ok_or(AssumeError::Denied("there is no such role"))?;
        if !claims.is_authenticated() && !self.admits_guests(&claims).await? {
            return Err(AssumeError::Denied("the pool admits no guests"));
        }
        if role.is_given_by_pool() && !self.gives(role, &claims).await? {
            return Err(AssumeError::Denied(
                "no trust policy opens the role, and the pool does not give it to this login",
            ));
        }
        self.sts.assume(role, claims, request, origin, draft).await
    }

    /// Whether the pool of a token has guests now, whatever it had when it gave the token.
    async fn admits_guests(&self, claims: &Claims) -> Result<bool, AssumeError> {
        let pool = self.store.lookup_pool(&claims.pool_id).await?;
        Ok(pool.is_some_and(|pool| pool.settings.allow_unauthenticated_identities))
    }

    /// Whether the pool of a token would by itself give its holder this role.
    async fn gives(&self, role: &Role, claims: &Claims) -> Result<bool, AssumeError> {
        let Some(pool) = self.store.lookup_pool(&claims.pool_id).await? else { return Ok(false) };
        Ok(role_of_claims(&pool, claims, None).is_ok_and(|given| given == role.arn))
    }

    /// The roles that a rule of a pool's mappings gives to some, and that a trust policy of their own opens to
    /// everybody who logs in there all the same. The operator should know of each.
    #[must_use]
    pub fn mapped_roles_open_to_everybody(&self, pool: &IdentityPool) -> Vec<&Role> {
        let is_default = |role: &Role| pool.roles.authenticated.as_deref() == Some(&*role.arn);
        let roles = pool.roles.named_by_rules().filter_map(|arn| self.sts.roles.find_by_arn(arn));
        let mut open: Vec<&Role> =
            roles.filter(|role| !is_default(role) && self.admits_anybody(role, pool)).collect();
        open.sort_by_key(|role| &role.name);
        open.dedup_by_key(|role| &role.name);
        open
    }

    /// The ARNs of the roles that a pool gives and that are not there, so that whoever is given one has a token and no
    /// credentials. Of another STS's roles nothing is known here.
    #[must_use]
    pub fn roles_that_are_missing<'a>(&self, pool: &'a IdentityPool) -> BTreeSet<&'a str> {
        let guests = pool.settings.allow_unauthenticated_identities;
        let default =
            pool.roles.authenticated.iter().chain(pool.roles.unauthenticated.iter().filter(|_| guests));
        let given = default.map(String::as_str).chain(pool.roles.named_by_rules());
        let is_missing =
            |arn: &&str| self.credentials.gives_our_roles() && self.sts.roles.find_by_arn(arn).is_none();
        given.filter(is_missing).collect()
    }

    /// Whether a trust policy of its own opens a role to somebody of whom nothing is known but that they logged in
    /// at a pool, from wherever.
    fn admits_anybody(&self, role: &Role, pool: &IdentityPool) -> bool {
        let provider = pool.settings.developer_provider_name.clone().unwrap_or_default();
        let entry = format!("{provider}:{}:anybody", pool.id);
        let now = self.clock.now();
        let Life { expires_at, issued_at, issued_at_ms } = Life::new(now, SignedDuration::from_mins(1));
        let anybody = Claims {
            identity_id: IdentityId::generate(&self.region, &*self.random),
            pool_id: pool.id.clone(),
            amr: vec![AUTHENTICATED.to_owned(), provider, entry],
            tags: None,
            issuer: self.sts.tokens.issuer().to_owned(),
            pool_arn: self.pool_arn(&pool.id),
            expires_at,
            issued_at,
            issued_at_ms,
            session: None,
            act: None,
        };
        let session_name = RoleSessionName::of_identity(&anybody.identity_id);
        let anywhere = Arrival { time: now, origin: Origin::default() };
        !role.is_given_by_pool() && sts::trust(role, &anybody, &session_name, &anywhere) == Decision::Allowed
    }
}
