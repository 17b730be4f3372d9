//! `[store]`: where everything is kept.

use daypass_store::StoreUrl;
use serde::Deserialize;

/// Where everything is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreConfig {
    pub url: StoreUrl,
}
