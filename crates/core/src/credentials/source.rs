//! Where an identity's credentials come from: our own STS, or one elsewhere that believes our tokens.
//!
//! The pool decides who may take on which role, and says so by a [`RoleGrant`]; a [`CredentialSource`] makes
//! credentials of it.

use async_trait::async_trait;

use crate::audit::AuditDraft;
use crate::credentials::role::Role;
use crate::credentials::session_token::Credentials;
use crate::credentials::sts::{AssumeError, Sts};
use crate::ground::ids::RoleName;
use crate::iam::Origin;
use crate::records::identity::IdentityPool;
use crate::token::openid_token::Claims;

/// The pool's decision that somebody may take on a role. Only [`IdentityPools`](crate::pool::IdentityPools)
/// makes one, of what is believed and of the roles of the pool; a caller does not choose.
#[derive(Debug, Clone, Copy)]
pub struct RoleGrant<'a> {
    claims: &'a Claims,
    role_arn: &'a str,
    named_by_pool: bool,
    origin: Origin,
}

impl<'a> RoleGrant<'a> {
    pub(crate) fn new(pool: &IdentityPool, claims: &'a Claims, role_arn: &'a str, origin: Origin) -> Self {
        Self { claims, role_arn, named_by_pool: pool.roles.names(role_arn), origin }
    }

    /// What is believed of whoever takes it on.
    #[must_use]
    pub fn claims(&self) -> &'a Claims {
        self.claims
    }

    /// The ARN of the role.
    #[must_use]
    pub fn role_arn(&self) -> &'a str {
        self.role_arn
    }

    /// The name of the role, by which its sessions are revoked; none if the ARN holds none.
    #[must_use]
    pub fn role_name(&self) -> Option<RoleName> {
        let (_, name) = self.role_arn.rsplit_once('/')?;
        RoleName::parse(name).ok()
    }

    /// Whether the pool itself names the role. Of others it is only known that the token of a provider does, by
    /// `cognito:roles`.
    #[must_use]
    pub fn is_named_by_pool(&self) -> bool {
        self.named_by_pool
    }
}

/// Why a role that the pool gave led to no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// We refuse.
    #[error(transparent)]
    Assume(#[from] AssumeError),
    /// The operator has to mend something, here or at the STS. The text says what, and holds no secret.
    #[error("{0}")]
    Misconfigured(String),
    /// So many requests for credentials of this identity are under way already.
    #[error("too many requests for credentials of this identity are under way")]
    TooManyAtOnce,
    /// The STS does not answer, or says that it cannot. The text is the operator's, and holds no secret.
    #[error("{0}")]
    Unavailable(String),
}

/// Makes credentials of the pool's decisions.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// Whether the roles are ours, so that one that is not among them leads to nothing.
    fn gives_our_roles(&self) -> bool {
        false
    }

    /// Credentials for whoever the grant is about. What is asked for, and which key comes of it, is noted in
    /// `draft`.
    ///
    /// # Errors
    /// [`CredentialsError`], each variant a different answer to the client.
    async fn credentials(
        &self,
        grant: RoleGrant<'_>,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, CredentialsError>;
}

#[async_trait]
impl CredentialSource for Sts {
    fn gives_our_roles(&self) -> bool {
        true
    }

    async fn credentials(
        &self,
        grant: RoleGrant<'_>,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, CredentialsError> {
        let role = self.roles.find_by_arn(grant.role_arn);
        if !grant.named_by_pool && role.is_some_and(Role::has_to_be_named) {
            return Err(
                AssumeError::Denied("the role is for pools that name it, and this one does not").into()
            );
        }
        Ok(self.credentials_for(grant.claims, grant.role_arn, grant.origin, draft).await?)
    }
}
