//! What counts once.

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::store::{Once, StoreError, StoredLoginGrant};

use super::{SqliteStore, login_grants, used_once};

#[async_trait]
impl Once for SqliteStore {
    async fn use_once(&self, name: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer.write(move |connection| used_once::add(connection, &name, until, now)).await
    }

    async fn add_login_grant(&self, grant: &StoredLoginGrant, now: Timestamp) -> Result<(), StoreError> {
        let grant = grant.clone();
        self.writer.write(move |connection| login_grants::add(connection, &grant, now)).await
    }

    async fn redeem_login_grant(
        &self,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredLoginGrant>, StoreError> {
        let code_hash = code_hash.to_owned();
        self.writer.write(move |connection| login_grants::redeem(connection, &code_hash, now)).await
    }
}
