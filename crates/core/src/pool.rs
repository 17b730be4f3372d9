//! The embedded identity pool: what Amazon Cognito identity pools do, operation by operation, with the
//! semantics of docs/reference/cognito-identity.md, 3 and 4.
//!
//! `administration.rs` changes pools, `identities.rs` finds and changes the identities in them, [`issue`] hands
//! out tokens, [`credentials`] credentials, `assume.rs` a role that is asked for by name. What they share is here: how `Logins` are read,
//! and who is told.

mod administration;
mod assume;
pub mod credentials;
mod error;
mod identities;
pub mod issue;
mod logins;
pub(crate) mod principal_tags;
mod providers;
mod role_choice;
pub mod token_terms;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::administration::{RoleMappingLimit, TagMapChange};
pub use self::error::{Conflict, Denial, Invalid, Missing, PoolError};
pub use self::identities::{
    DescribedIdentity, DeveloperIdentity, DeveloperLookup, DeveloperMerge, DeveloperUnlink,
};
pub use self::providers::resting_providers;
use crate::audit::{AuditDraft, AuditTrail};
use crate::credentials::source::CredentialSource;
use crate::credentials::sts::Sts;
use crate::ground::clock::Clock;
use crate::ground::ids::{IdentityId, IdentityPoolId, Region};
use crate::ground::random::Random;
use crate::ground::secret::Secret;
use crate::login::public::PublicLogins;
use crate::records::identity::{Identity, IdentityPool};
use crate::records::identity_record::IdentityRecord;
use crate::store::SharedStore;

/// Provider name → token, as a client passes them. For the developer provider the value is the
/// developer user identifier.
pub type Logins = BTreeMap<String, Secret>;

/// All identity pools of an installation.
pub struct IdentityPools {
    /// The Region that IDs and ARNs carry.
    pub region: Region,
    /// Keeps pools and identities.
    pub store: SharedStore,
    /// Verifies the tokens of public providers.
    pub public_logins: Arc<PublicLogins>,
    /// Signs our own tokens, and believes them.
    pub sts: Arc<Sts>,
    /// Gives the credentials of everybody to whom a pool gives a role.
    pub credentials: Arc<dyn CredentialSource>,
    /// Hears of every token and credential, and of every change.
    pub trail: Arc<AuditTrail>,
    /// How many rules a provider's role mapping may have.
    pub role_mapping_limit: RoleMappingLimit,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws IDs.
    pub random: Arc<dyn Random>,
}

impl IdentityPools {
    /// What policies call a pool.
    #[must_use]
    pub fn pool_arn(&self, id: &IdentityPoolId) -> String {
        id.arn(&self.region, self.sts.roles.account_id())
    }

    fn pool_arn_prefix(&self) -> String {
        IdentityPoolId::arn_prefix(&self.region, self.sts.roles.account_id())
    }

    /// The identity with this ID, wherever it is.
    ///
    /// # Errors
    /// [`PoolError::NotFound`].
    pub async fn identity(&self, id: &IdentityId) -> Result<Identity, PoolError> {
        self.store.lookup_identity(id).await?.ok_or_else(|| Missing::Identity(id.clone()).into())
    }

    async fn identity_with_logins(&self, id: &IdentityId) -> Result<IdentityRecord, PoolError> {
        let found = self.store.lookup_identity_with_logins(id).await?;
        found.ok_or_else(|| Missing::Identity(id.clone()).into())
    }

    async fn identity_in(&self, pool: &IdentityPool, id: &IdentityId) -> Result<IdentityRecord, PoolError> {
        let record = self.identity_with_logins(id).await?;
        if record.identity.pool_id == pool.id {
            Ok(record)
        } else {
            Err(Missing::Identity(id.clone()).into())
        }
    }

    /// Records what became of something that changes identities or pools, and passes it on.
    async fn conclude<T>(&self, draft: AuditDraft, result: Result<T, PoolError>) -> Result<T, PoolError> {
        self.trail.conclude(draft, result).await
    }
}
