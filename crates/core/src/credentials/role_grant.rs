//! The pool's word that somebody may take on a role.

use crate::ground::ids::RoleName;
use crate::iam::Origin;
use crate::records::identity::IdentityPool;
use crate::token::openid_token::Claims;
use crate::token::standing::Ground;

/// The pool's decision that somebody may take on a role. Only [`IdentityPools`](crate::pool::IdentityPools)
/// makes one, of what is believed and of the roles of the pool; a caller does not choose.
#[derive(Debug, Clone, Copy)]
pub struct RoleGrant<'a> {
    claims: &'a Claims,
    role_arn: &'a str,
    named_by_pool: bool,
    begins_session: bool,
    origin: Origin,
}

impl<'a> RoleGrant<'a> {
    pub(crate) fn new(pool: &IdentityPool, claims: &'a Claims, role_arn: &'a str, origin: Origin) -> Self {
        let named_by_pool = pool.roles.names(role_arn);
        Self { claims, role_arn, named_by_pool, begins_session: false, origin }
    }

    /// The same for somebody who is signing in, whose session begins with the answer.
    pub(crate) fn at_sign_in(self) -> Self {
        Self { begins_session: true, ..self }
    }

    /// What has to hold of whoever takes it on. A session that is about to begin holds nothing up.
    #[must_use]
    pub fn ground(&self) -> Ground<'a> {
        let ground = self.claims.ground();
        if self.begins_session { Ground { session: None, ..ground } } else { ground }
    }

    /// What is believed of whoever takes it on.
    #[must_use]
    pub fn claims(&self) -> &'a Claims {
        self.claims
    }

    /// Where whoever takes it on asks from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
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
