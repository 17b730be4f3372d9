//! Where an identity's credentials come from: our own STS, or one elsewhere that believes our tokens.
//!
//! The pool decides who may take on which role, and says so by a [`RoleGrant`]; a [`CredentialSource`] makes
//! credentials of it.

use async_trait::async_trait;

use crate::audit::AuditDraft;
use crate::credentials::role::Role;
use crate::credentials::role_grant::RoleGrant;
use crate::credentials::session_token::Credentials;
use crate::credentials::sts::{AssumeError, Sts};

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
        let role = self.roles.find_by_arn(grant.role_arn());
        if !grant.is_named_by_pool() && role.is_some_and(Role::has_to_be_named) {
            return Err(
                AssumeError::Denied("the role is for pools that name it, and this one does not").into()
            );
        }
        Ok(self.credentials_for(&grant, draft).await?)
    }
}
