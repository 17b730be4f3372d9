//! What clients are told of the pool that logins lead to: enough for an identity without a login.

use daypass_core::ground::ids::IdentityPoolId;

use crate::config::RegionConfig;

/// A pool, and where it answers whoever asks without a signature.
#[derive(Clone)]
pub struct PublicPool {
    /// The pool. Its ID names its Region.
    pub id: IdentityPoolId,
    /// Where its API answers.
    pub endpoint: String,
}

impl PublicPool {
    /// Amazon's pool in a Region.
    pub(super) fn amazons(region: &RegionConfig) -> Self {
        let name = region.pool_id.region();
        let domain = if name.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let known = || format!("https://cognito-identity.{name}.{domain}");
        let endpoint = region.endpoint_url.clone().unwrap_or_else(known);
        Self { id: region.pool_id.clone(), endpoint }
    }
}
