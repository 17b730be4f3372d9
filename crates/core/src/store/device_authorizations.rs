//! What a store keeps of device authorizations.

use async_trait::async_trait;

use crate::ground::clock::Timestamp;
use crate::records::device_authorization::DeviceAuthorization;
use crate::store::StoreError;

/// Device authorizations.
#[async_trait]
pub trait DeviceAuthorizations: Send + Sync {
    /// Keeps a new one. Those that may be forgotten by now ([`DeviceAuthorization::forgotten_at`]) may be.
    async fn add_device_authorization(
        &self,
        authorization: &DeviceAuthorization,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// A device authorization, be it over.
    async fn find_device_authorization(&self, id: &str) -> Result<Option<DeviceAuthorization>, StoreError>;

    /// Puts `to` in the place of one, if it still is as it was read ([`DeviceAuthorization::is_still`]), and answers whether it
    /// was. Of all who have read the same, one is answered `true`.
    async fn replace_device_authorization(
        &self,
        from: &DeviceAuthorization,
        to: &DeviceAuthorization,
    ) -> Result<bool, StoreError>;
}
