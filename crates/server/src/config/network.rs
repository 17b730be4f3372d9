//! `[network]`: what of the network providers may be in.

use serde::Deserialize;

use crate::provider_http::AllowedHost;

/// What of the network providers may be in: the public internet, unless more is said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Hosts of providers and issuers that may have a private address, each by its name or its address.
    #[serde(default)]
    pub allow_private: Vec<AllowedHost>,
}
