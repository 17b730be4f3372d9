//! Device authorizations.

use async_trait::async_trait;

use super::attempts::Decided;
use super::records::{DecisionPart, DeviceRecord, Millis};
use super::{Found, ItemStore, keys, refused};
use crate::ground::clock::Timestamp;
use crate::ground::secret::Secret;
use crate::records::device_authorization::{Decision, DeviceAuthorization};
use crate::store::{DeviceAuthorizations, StoreError};

#[async_trait]
impl DeviceAuthorizations for ItemStore {
    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.forget(now).await;
        self.ask(|| async {
            let found: Found<DeviceRecord> = self.read(keys::device_authorization(&authorization.id)).await?;
            if found.record.as_ref().is_some_and(|there| there.forgotten_at.0 > now) {
                return Err(refused("the user code is taken"));
            }
            Ok(Decided::change(vec![found.put(&authorization.into())?], ()))
        })
        .await
    }

    async fn find_device_authorization(&self, id: &str) -> Result<Option<DeviceAuthorization>, StoreError> {
        let found: Found<DeviceRecord> = self.read(keys::device_authorization(id)).await?;
        Ok(found.record.map(|record| record.authorization(id)))
    }

    async fn replace_device_authorization(
        &self,
        from: &DeviceAuthorization,
        to: &DeviceAuthorization,
    ) -> Result<bool, StoreError> {
        self.ask(|| async {
            let found: Found<DeviceRecord> = self.read(keys::device_authorization(&from.id)).await?;
            let kept = found.record.as_ref().map(|record| record.authorization(&from.id));
            if !kept.is_some_and(|kept| kept.is_still(from)) {
                return Ok(Decided::Answer(false));
            }
            Ok(Decided::change_once(vec![found.put(&to.into())?], true))
        })
        .await
    }
}

impl From<&DeviceAuthorization> for DeviceRecord {
    fn from(authorization: &DeviceAuthorization) -> Self {
        let decision = authorization.decision.as_ref().map(|decision| match decision {
            Decision::Allowed(code) => DecisionPart::Allowed(code.expose().to_owned()),
            Decision::Denied => DecisionPart::Denied,
        });
        Self {
            id: Some(authorization.id.clone()),
            device_code_hash: authorization.device_code_hash.clone(),
            app: authorization.app.clone(),
            scope: authorization.scope,
            device: authorization.device.clone(),
            source_ip: authorization.source_ip,
            created_at: Millis(authorization.created_at),
            ends_at: Millis(authorization.ends_at),
            interval: authorization.interval,
            polled_at: authorization.polled_at.map(Millis),
            decision,
            forgotten_at: Millis(authorization.forgotten_at()),
        }
    }
}

impl DeviceRecord {
    pub(super) fn authorization(&self, id: &str) -> DeviceAuthorization {
        let decision = self.decision.as_ref().map(|decision| match decision {
            DecisionPart::Allowed(code) => Decision::Allowed(Secret::new(code.clone())),
            DecisionPart::Denied => Decision::Denied,
        });
        DeviceAuthorization {
            id: id.to_owned(),
            device_code_hash: self.device_code_hash.clone(),
            app: self.app.clone(),
            scope: self.scope,
            device: self.device.clone(),
            source_ip: self.source_ip,
            created_at: self.created_at.0,
            ends_at: self.ends_at.0,
            interval: self.interval,
            polled_at: self.polled_at.map(|Millis(at)| at),
            decision,
        }
    }
}
