//! `[network]`: what of the network providers may be in, who stands in front, and how patient we are with it.

use std::time::Duration;

use daypass_core::login::plain_hosts::PlainHosts;
use daypass_core::login::provider::definition::seconds;
use serde::Deserialize;

use super::urls::is_loopback;
use crate::listen::Limits;
use crate::origin::TrustedProxy;
use crate::provider_http::{AllowedHost, UserAgent};

/// What of the network providers may be in: the public internet, unless more is said. And who stands in front, and how
/// patient we are.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Hosts of providers and issuers that may have a private address, each by its name or its address.
    #[serde(default)]
    pub allow_private: Vec<AllowedHost>,
    /// What we call ourselves at providers.
    #[serde(default)]
    pub user_agent: UserAgent,
    /// Proxies that are believed when they say who is behind them.
    #[serde(default)]
    pub trusted_proxies: Vec<TrustedProxy>,
    /// How long a connection is kept on which nobody asks.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    idle_timeout: Option<i64>,
    /// How long what is under way may take when we are told to end.
    #[serde(default, deserialize_with = "seconds::deserialize")]
    drain_timeout: Option<i64>,
}

impl NetworkConfig {
    /// Who may be asked without TLS: beside an installation that only this machine can reach, which is somebody's
    /// development, the containers around it as well.
    #[must_use]
    pub fn plain_hosts(&self, public_url: Option<&str>) -> PlainHosts {
        let development = public_url.is_some_and(is_loopback);
        let named = self.allow_private.iter().filter(|_| development).map(AllowedHost::in_url);
        PlainHosts::with(named)
    }

    /// What those who connect are given.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limits = Limits::default();
        let or = |seconds: Option<i64>, limit| {
            seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(limit, Duration::from_secs)
        };
        Limits {
            idle: or(self.idle_timeout, limits.idle),
            drain: or(self.drain_timeout, limits.drain),
            ..limits
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_what_the_operator_says_or_what_balancers_need() {
        let limits = |text: &str| toml::from_str::<NetworkConfig>(text).unwrap().limits();
        let of = |limits: Limits| (limits.idle.as_secs(), limits.drain.as_secs());
        assert_eq!(of(limits("")), (75, 35));
        assert_eq!(of(limits("idle_timeout = \"5m\"\ndrain_timeout = \"90s\"")), (300, 90));
        for wrong in ["idle_timeout = 60", "idle_timeout = \"0s\"", "drain_timeout = \"-1s\""] {
            assert!(toml::from_str::<NetworkConfig>(wrong).is_err(), "{wrong}");
        }
    }
}
