//! Hosts that are asked without TLS. What travels in the clear can be read and exchanged on its way, keys and tokens too, so
//! it may not go further than this machine; beside `daypass up` it may go to the containers that a developer names.

use std::collections::BTreeSet;

/// What every machine calls itself.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Hosts that may be asked by plain HTTP: this machine, and those that were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlainHosts(BTreeSet<String>);

impl PlainHosts {
    /// This machine, and these hosts, by the names or addresses that URLs call them by.
    pub fn with(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// What comes behind `http://` of a URL of one of these hosts.
    pub(in crate::login) fn strip<'a>(&self, url: &'a str) -> Option<&'a str> {
        let rest = url.strip_prefix("http://")?;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        let host = host.to_ascii_lowercase();
        (LOOPBACK.contains(&&*host) || self.0.contains(&host)).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_for_whom_the_developer_names() {
        let none = PlainHosts::default();
        let named = PlainHosts::with(["Keycloak".into(), "10.0.0.7".into()]);
        for here in ["http://127.0.0.1:9402/a", "http://localhost", "http://[::1]:80?x", "http://LOCALHOST/"]
        {
            assert!(none.strip(here).is_some() && named.strip(here).is_some(), "{here}");
        }
        for there in ["http://keycloak:8080/realms/dev", "http://KEYCLOAK", "http://10.0.0.7/x"] {
            assert!(none.strip(there).is_none(), "{there}");
            assert_eq!(named.strip(there), there.strip_prefix("http://"), "{there}");
        }
        for nowhere in [
            "http://keycloak.example.com/",
            "http://a@keycloak/",
            "http://keycloak@evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1:80.evil.example/",
            "http://:80/",
            "http://",
            "https://keycloak/",
            "ftp://keycloak/",
        ] {
            assert!(named.strip(nowhere).is_none(), "{nowhere}");
        }
    }
}
