//! Device authorizations, in memory.

use async_trait::async_trait;

use super::{MemoryStore, refuse_if};
use crate::ground::clock::Timestamp;
use crate::records::device_authorization::DeviceAuthorization;
use crate::store::{DeviceAuthorizations, StoreError};

#[async_trait]
impl DeviceAuthorizations for MemoryStore {
    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.check_knows_all()?;
        let mut records = self.records()?;
        records.device_authorizations.retain(|_, it| it.forgotten_at() > now);
        refuse_if(records.device_authorizations.contains_key(&authorization.id), "the user code is taken")?;
        records.device_authorizations.insert(authorization.id.clone(), authorization.clone());
        Ok(())
    }

    async fn find_device_authorization(&self, id: &str) -> Result<Option<DeviceAuthorization>, StoreError> {
        Ok(self.records()?.device_authorizations.get(id).cloned())
    }

    async fn replace_device_authorization(
        &self,
        from: &DeviceAuthorization,
        to: &DeviceAuthorization,
    ) -> Result<bool, StoreError> {
        let mut records = self.records()?;
        let kept = records.device_authorizations.get_mut(&from.id).filter(|kept| kept.is_still(from));
        Ok(kept.map(|kept| kept.clone_from(to)).is_some())
    }
}
