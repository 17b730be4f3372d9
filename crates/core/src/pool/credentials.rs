//! Credentials for the identities of a pool: whoever may have a token may have them, by a role that the pool names.

use serde_json::Map;

use super::issue::{TokenGrant, check_guest};
use super::logins::Refuse;
use super::role_choice::{self, Asserted};
use super::{Denial, IdentityPools, Invalid, Logins, PoolError};
use crate::audit::{AuditAction, AuditDraft, Requester};
use crate::credentials::role_grant::RoleGrant;
use crate::credentials::session_token::Credentials;
use crate::credentials::sts::FEDERATED_PROVIDER;
use crate::ground::ids::IdentityId;
use crate::ground::secret::Secret;
use crate::login::public::PublicLogin;
use crate::records::identity::IdentityPool;
use crate::token::openid_token::Claims;

/// Credentials, and whose they are: after a merge not the identity that was asked for.
#[derive(Debug)]
pub struct IdentityCredentials {
    /// The identity.
    pub identity_id: IdentityId,
    /// Its credentials.
    pub credentials: Credentials,
}

impl IdentityPools {
    /// GetCredentialsForIdentity: with the token of GetOpenIdTokenForDeveloperIdentity, with public logins, or
    /// for guests with nothing.
    ///
    /// # Errors
    /// [`PoolError`], each by the rules of docs/reference/cognito-identity.md, 4.4 and 4.8.
    pub async fn credentials_for_identity(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
        custom_role_arn: Option<&str>,
        by: &Requester,
    ) -> Result<IdentityCredentials, PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Credentials, by);
        draft.identity_id = Some(identity_id.clone());
        let credentials = self.credentials(identity_id, logins, custom_role_arn, by, &mut draft).await;
        self.trail.conclude(draft, credentials).await
    }

    async fn credentials(
        &self,
        identity_id: &IdentityId,
        logins: &Logins,
        custom_role_arn: Option<&str>,
        by: &Requester,
        draft: &mut AuditDraft,
    ) -> Result<IdentityCredentials, PoolError> {
        if let Some(token) = logins.get(FEDERATED_PROVIDER) {
            if logins.len() > 1 {
                return Err(self.refusal(identity_id, None, Denial::UnsupportedProvider.into()).await);
            }
            return self.credentials_of_token(identity_id, token, custom_role_arn, by, draft).await;
        }
        let (identity, pool) = self.usable_identity(identity_id).await?;
        let (claims, role_arn) = if logins.is_empty() {
            let grant = self.grant_to_guest(identity, &pool)?;
            (grant.into_claims(), role_choice::for_guest(&pool.roles, custom_role_arn)?)
        } else {
            let public = self.verify_public(&pool, logins, &Refuse::Credentials).await?;
            draft.login_of(&public);
            let role_arn = role_choice::for_person(&pool.roles, &asserted(&public), custom_role_arn)?;
            (self.grant_to_person(identity, &pool, &public, by).await?.into_claims(), role_arn)
        };
        let granted = RoleGrant::new(&pool, &claims, &role_arn, by.origin);
        let credentials = self.credentials_of(granted, draft).await?;
        Ok(IdentityCredentials { identity_id: claims.identity_id, credentials })
    }

    /// Credentials for a token of ours. What they rest on is looked at with them: only who is refused hears first what is wrong
    /// with the identity.
    async fn credentials_of_token(
        &self,
        identity_id: &IdentityId,
        token: &Secret,
        custom_role_arn: Option<&str>,
        by: &Requester,
        draft: &mut AuditDraft,
    ) -> Result<IdentityCredentials, PoolError> {
        let claims = match self.believe(identity_id, token, draft).await {
            Ok(claims) => claims,
            Err(error) => return Err(self.refusal(identity_id, None, error).await),
        };
        match self.credentials_of_claims(&claims, custom_role_arn, by, draft).await {
            Ok(credentials) => Ok(IdentityCredentials { identity_id: claims.identity_id, credentials }),
            Err(error) => Err(self.refusal(identity_id, Some(&claims), error).await),
        }
    }

    /// What whoever is refused hears: what is wrong with the identity, if something is, or else why they are. A store that does not
    /// answer is not asked again.
    async fn refusal(&self, id: &IdentityId, claims: Option<&Claims>, error: PoolError) -> PoolError {
        if matches!(error, PoolError::Store(_)) {
            return error;
        }
        match (self.usable_identity(id).await, claims) {
            (Err(wrong), _) => wrong,
            (Ok((_, pool)), Some(claims)) if claims.pool_id != pool.id => Denial::LoginsDoNotMatch.into(),
            (Ok((identity, pool)), Some(claims)) if !claims.is_authenticated() => {
                check_guest(&identity, &pool).err().unwrap_or(error)
            }
            (Ok(_), _) => error,
        }
    }

    /// The claims of a token of ours, if it is this identity's.
    async fn believe(
        &self,
        identity_id: &IdentityId,
        token: &Secret,
        draft: &mut AuditDraft,
    ) -> Result<Claims, PoolError> {
        self.sts.tokens.keep_up().await?;
        let claims = self.sts.tokens.verify(token, self.clock.now())?;
        draft.shown(&claims);
        if claims.identity_id == *identity_id { Ok(claims) } else { Err(Denial::LoginsDoNotMatch.into()) }
    }

    async fn credentials_of_claims(
        &self,
        claims: &Claims,
        custom_role_arn: Option<&str>,
        by: &Requester,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, PoolError> {
        let pool = self.describe_pool(&claims.pool_id).await?;
        if !claims.is_authenticated() && !pool.settings.allow_unauthenticated_identities {
            return Err(Denial::NoGuests.into());
        }
        let role_arn = role_of_claims(&pool, claims, custom_role_arn)?;
        self.credentials_of(RoleGrant::new(&pool, claims, &role_arn, by.origin), draft).await
    }

    /// Credentials straight from a grant: what an exchange hands out on request.
    ///
    /// # Errors
    /// [`PoolError::NoUsableRole`] if the pool has no role, or it refuses.
    pub(crate) async fn credentials_of_grant(
        &self,
        pool: &IdentityPool,
        grant: &TokenGrant,
        by: &Requester,
    ) -> Result<Credentials, PoolError> {
        let mut draft = AuditDraft::by(AuditAction::Credentials, by);
        let credentials = match role_of_claims(pool, grant.claims(), None) {
            Ok(role_arn) => {
                let granted = RoleGrant::new(pool, grant.claims(), &role_arn, by.origin).at_sign_in();
                self.credentials_of(granted, &mut draft).await
            }
            Err(error) => Err(error),
        };
        self.trail.conclude(draft, credentials).await
    }

    async fn credentials_of(
        &self,
        granted: RoleGrant<'_>,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, PoolError> {
        let (claims, role_arn) = (granted.claims(), granted.role_arn());
        draft.about(claims);
        let credentials = self.credentials.credentials(granted, draft).await;
        credentials.map_err(|error| PoolError::credentials(error, &claims.identity_id, role_arn))
    }
}

fn asserted(logins: &[PublicLogin]) -> Vec<Asserted<'_>> {
    logins.iter().map(|login| Asserted { mapping_key: login.mapping_key(), claims: login.claims() }).collect()
}

/// The pool's role for the claims of a token of ours. What its providers asserted is not in there: a developer
/// provider asserts nothing, but of public logins the mappings would have to see the claims.
pub(super) fn role_of_claims(
    pool: &IdentityPool,
    claims: &Claims,
    custom_role_arn: Option<&str>,
) -> Result<String, PoolError> {
    if !claims.is_authenticated() {
        return role_choice::for_guest(&pool.roles, custom_role_arn);
    }
    let developer = pool.settings.developer_provider_name.as_deref();
    let developer = developer.filter(|_| claims.developer_user_identifier().is_some());
    match developer {
        None if !pool.roles.mappings.is_empty() => Err(Invalid::ClassicFlowWithMappings.into()),
        developer => {
            let nothing = Map::new();
            let asserted = developer
                .map(|mapping_key| Asserted { mapping_key: mapping_key.to_owned(), claims: &nothing });
            role_choice::for_person(&pool.roles, asserted.as_slice(), custom_role_arn)
        }
    }
}
