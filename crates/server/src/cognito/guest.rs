//! Whether an identity that a client names is a guest to be upgraded.
//!
//! An identity ID is no secret: it is the name of a folder. By the reference of GetOpenIdTokenForDeveloperIdentity, a
//! new login can be associated with an existing *authenticated* identity by giving its ID, so whoever named
//! somebody else's would become them. Amazon has been seen to refuse that, but nothing promises it. Here it is
//! looked at first.

use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::ground::ids::IdentityId;
use daypass_core::pool::PoolError;

use super::User;
use super::failure::{Call, Failure};
use super::operation::Operation;
use super::region::Region;
use crate::crowd::Presence;

impl Region {
    /// Refuses an identity unless it is the user's own already, or has no login at all. It can get one between this
    /// look and the call that follows: nothing at Amazon's does both at once.
    pub(super) async fn check_guest(&self, id: &IdentityId, user: &User) -> Result<(), Failure> {
        let users = self.users_of(id, &user.presence).await?;
        if users.contains(&user.identifier) {
            return Ok(());
        }
        if users.is_empty() && !self.has_logins(id, &user.presence).await? {
            return Ok(());
        }
        Err(PoolError::NotAuthorized("This identity has other logins than this one.".into()).into())
    }

    /// LookupDeveloperIdentity, by the identity. One page tells enough: an identity has 20 logins at most
    /// (cognito-identity.md 4.2), and a page holds 60.
    async fn users_of(&self, id: &IdentityId, by: &Presence) -> Result<Vec<String>, Failure> {
        let call = Call { names_identity: true, ..self.call(Operation::LookupDeveloperIdentity) };
        let ask = || {
            self.client
                .lookup_developer_identity()
                .identity_pool_id(self.pool_id.as_str())
                .identity_id(id.as_str())
                .max_results(60)
                .send()
        };
        match self.ask(by, call, ask).await {
            Ok(answer) if answer.identity_id.as_deref() == Some(id.as_str()) => {
                Ok(answer.developer_user_identifier_list.unwrap_or_default())
            }
            Ok(_) => Err(self.nonsense(&"it is about another identity than was asked for")),
            // Nothing says whether a guest without developer users is found. DescribeIdentity knows every identity.
            Err(Failure::Final(AdmissionError::Refused(error)))
                if matches!(*error, PoolError::ResourceNotFound(_)) =>
            {
                Ok(Vec::new())
            }
            Err(failure) => Err(failure),
        }
    }

    /// DescribeIdentity: whether there is any login, be it a developer's or a public provider's.
    async fn has_logins(&self, id: &IdentityId, by: &Presence) -> Result<bool, Failure> {
        let call = Call { names_identity: true, ..self.call(Operation::DescribeIdentity) };
        let ask = || self.client.describe_identity().identity_id(id.as_str()).send();
        let answer = self.ask(by, call, ask).await?;
        if answer.identity_id.as_deref() != Some(id.as_str()) {
            return Err(self.nonsense(&"it is about another identity than was asked for"));
        }
        Ok(answer.logins.is_some_and(|logins| !logins.is_empty()))
    }
}
