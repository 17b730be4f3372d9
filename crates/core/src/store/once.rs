//! What a store keeps of things that count once.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::ground::seal::Sealed;
use crate::store::StoreError;

/// The outcome of a login that waits for its app, as it lies in the store: under the hash of the one-time code
/// that stands for it, so that nobody who reads the store can redeem it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLoginGrant {
    /// The SHA-256 of the code, in base64url.
    pub code_hash: String,
    /// The login and what it is bound to, sealed under the master key.
    pub sealed: Sealed,
    /// From then on it is as good as absent.
    pub expires_at: Timestamp,
}

/// What counts once.
#[async_trait]
pub trait Once: Send + Sync {
    /// Whether what counts once here counts once for all who serve the same people. Where it does not, nothing is taken
    /// that somebody would have to count.
    fn counts_for_all(&self) -> bool {
        true
    }

    /// Keeps a name that counts only once until `until`. Of all who ever come with it, one hears `true`; what
    /// is kept may be forgotten from `until` on.
    async fn use_once(&self, name: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError>;

    /// Keeps the outcome of a login until its app redeems it. The caller drew its code at random; what has
    /// expired may be forgotten.
    async fn add_login_grant(&self, grant: &StoredLoginGrant, now: Timestamp) -> Result<(), StoreError>;

    /// Takes the outcome of a login away, so that of all who ever ask for it one gets it. An expired one is
    /// nobody's.
    async fn redeem_login_grant(
        &self,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredLoginGrant>, StoreError>;
}
