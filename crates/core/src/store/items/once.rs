//! What counts once.

use async_trait::async_trait;

use super::attempts::Decided;
use super::records::{GrantRecord, Millis, UsedRecord};
use super::{Found, ItemStore, keys, refused};
use crate::ground::clock::Timestamp;
use crate::store::{Once, StoreError, StoredLoginGrant};

#[async_trait]
impl Once for ItemStore {
    async fn use_once(&self, name: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.forget(now).await;
        self.ask(|| async {
            let found: Found<UsedRecord> = self.read(keys::used_once(name)).await?;
            if found.record.as_ref().is_some_and(|used| used.until.0 > now) {
                return Ok(Decided::Answer(false));
            }
            let used = UsedRecord { name: Some(name.to_owned()), until: Millis::not_before(until) };
            Ok(Decided::change_once(vec![found.put(&used)?], true))
        })
        .await
    }

    async fn add_login_grant(&self, grant: &StoredLoginGrant, now: Timestamp) -> Result<(), StoreError> {
        self.forget(now).await;
        self.ask(|| async {
            let found: Found<GrantRecord> = self.read(keys::login_grant(&grant.code_hash)).await?;
            if found.is_there() {
                return Err(refused("the code is taken"));
            }
            Ok(Decided::change_once(vec![found.put(&GrantRecord::from(grant))?], ()))
        })
        .await
    }

    async fn redeem_login_grant(
        &self,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<Option<StoredLoginGrant>, StoreError> {
        self.ask(|| async {
            let found: Found<GrantRecord> = self.read(keys::login_grant(code_hash)).await?;
            let Some(GrantRecord { sealed, expires_at, .. }) = found.record.clone() else {
                return Ok(Decided::Answer(None));
            };
            let grant = StoredLoginGrant {
                code_hash: code_hash.to_owned(),
                sealed: sealed.into(),
                expires_at: expires_at.0,
            };
            let grant = Some(grant).filter(|grant| grant.expires_at > now);
            Ok(Decided::change_once(vec![found.delete()], grant))
        })
        .await
    }
}
