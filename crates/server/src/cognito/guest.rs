//! Whether an identity that a client names is a guest to be upgraded.
//!
//! An identity ID is no secret: it is the name of a folder. By the reference of GetOpenIdTokenForDeveloperIdentity, a
//! new login can be associated with an existing *authenticated* identity by giving its ID, so whoever named
//! somebody else's would become them. Amazon has been seen to refuse that, but nothing promises it. Here it is
//! looked at first.

use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::ground::ids::IdentityId;
use daypass_core::pool::{Denial, PoolError};

use super::User;
use super::failure::{Call, Failure};
use super::operation::Operation;
use super::region::Region;
use crate::crowd::Presence;

impl Region {
    /// Refuses an identity unless it is the user's own already, or a guest's: it has no login at all, and never had
    /// one. It can get one between this look and the call that follows: nothing at Amazon's does both at once.
    pub(super) async fn check_guest(&self, id: &IdentityId, user: &User) -> Result<(), Failure> {
        let users = self.users_of(id, &user.presence).await?;
        if users.contains(&user.identifier) {
            return Ok(());
        }
        if !users.is_empty() || self.has_logins(id, &user.presence).await? {
            return Err(refused("This identity has other logins than this one."));
        }
        self.check_unauthenticated(id, &user.presence).await
    }

    /// LookupDeveloperIdentity, by the identity. One page tells enough: an identity has 20 logins at most
    /// (docs/reference/cognito-identity.md, 4.2), and a page holds 60.
    async fn users_of(&self, id: &IdentityId, by: &Presence) -> Result<Vec<String>, Failure> {
        let call = self.call_about_identity(Operation::LookupDeveloperIdentity);
        let ask = || {
            self.client
                .lookup_developer_identity()
                .identity_pool_id(self.pool_id.as_str())
                .identity_id(id.as_str())
                .max_results(60)
                .send()
        };
        match self.ask(by, call, ask).await {
            Ok(answer) => {
                self.check_same(id, answer.identity_id.as_deref())?;
                Ok(answer.developer_user_identifier_list.unwrap_or_default())
            }
            // Nothing says whether a guest without developer users is found. DescribeIdentity knows every identity.
            Err(Failure::Final(AdmissionError::Refused(error)))
                if matches!(*error, PoolError::NotFound(_)) =>
            {
                Ok(Vec::new())
            }
            Err(failure) => Err(failure),
        }
    }

    /// DescribeIdentity: whether there is any login, be it a developer's or a public provider's.
    async fn has_logins(&self, id: &IdentityId, by: &Presence) -> Result<bool, Failure> {
        let ask = || self.client.describe_identity().identity_id(id.as_str()).send();
        let answer = self.ask(by, self.call_about_identity(Operation::DescribeIdentity), ask).await?;
        self.check_same(id, answer.identity_id.as_deref())?;
        Ok(answer.logins.is_some_and(|logins| !logins.is_empty()))
    }

    /// Refuses an identity that once had a login. Where the last one was unlinked, or a merge took all of them, neither
    /// question above finds any, and the folder still is somebody's. But nobody gets a token for an authenticated
    /// or a disabled identity without a login, and for a guest everybody does (Amazon Cognito Developer Guide,
    /// "Identity pools authentication flow", GetOpenIdToken). What is handed out for the guest is thrown away.
    async fn check_unauthenticated(&self, id: &IdentityId, by: &Presence) -> Result<(), Failure> {
        let answer = match self.token_of_guest(id, by).await {
            // A pool that has only the enhanced flow says so by this exception
            // (docs/reference/cognito-identity.md, 4.8).
            Err(Failure::Final(AdmissionError::Refused(error)))
                if matches!(*error, PoolError::Invalid(_)) =>
            {
                self.credentials_of_guest(id, by).await
            }
            answer => answer,
        };
        match answer {
            Err(Failure::Final(AdmissionError::Refused(error)))
                if matches!(*error, PoolError::NotAuthorized(_)) =>
            {
                Err(refused(
                    "The identity pool gives this identity nothing without a login, so it is no guest's, or the pool \
                     does not allow guests.",
                ))
            }
            answer => answer,
        }
    }

    /// GetOpenIdToken, without a login.
    async fn token_of_guest(&self, id: &IdentityId, by: &Presence) -> Result<(), Failure> {
        let ask = || self.client.get_open_id_token().identity_id(id.as_str()).send();
        let answer = self.ask(by, self.call_about_identity(Operation::GetOpenIdToken), ask).await?;
        self.check_same(id, answer.identity_id.as_deref())
    }

    /// GetCredentialsForIdentity, without a login.
    async fn credentials_of_guest(&self, id: &IdentityId, by: &Presence) -> Result<(), Failure> {
        let ask = || self.client.get_credentials_for_identity().identity_id(id.as_str()).send();
        let answer =
            self.ask(by, self.call_about_identity(Operation::GetCredentialsForIdentity), ask).await?;
        self.check_same(id, answer.identity_id.as_deref())
    }

    fn call_about_identity(&self, operation: Operation) -> Call<'_> {
        Call { names_identity: true, ..self.call(operation) }
    }

    fn check_same(&self, asked: &IdentityId, answered: Option<&str>) -> Result<(), Failure> {
        if answered == Some(asked.as_str()) {
            return Ok(());
        }
        Err(self.unusable_answer(&"it is about another identity than was asked for"))
    }
}

fn refused(why: &str) -> Failure {
    PoolError::from(Denial::Reported(why.into())).into()
}
