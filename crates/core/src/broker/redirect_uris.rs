//! The redirect URIs that an app registered, and which ones they stand for.

use std::collections::BTreeSet;

/// Where logins of an app may return to. Each address stands for itself, letter by letter; one of a loopback address
/// stands for every port of it, because a program on somebody's machine listens where there is room (RFC 8252 section
/// 7.3). `localhost` is no such address: what it leads to is for the machine's resolver to say (section 8.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedirectUris {
    exact: BTreeSet<String>,
    /// Those of loopback addresses, without their ports.
    loopback: BTreeSet<String>,
}

impl RedirectUris {
    /// Whether a login may return to this address.
    #[must_use]
    pub fn contains(&self, uri: &str) -> bool {
        self.exact.contains(uri) || without_port(uri).is_some_and(|uri| self.loopback.contains(&uri))
    }
}

impl<T: Into<String>> FromIterator<T> for RedirectUris {
    fn from_iter<I: IntoIterator<Item = T>>(uris: I) -> Self {
        let exact: BTreeSet<String> = uris.into_iter().map(Into::into).collect();
        let loopback = exact.iter().filter_map(|uri| without_port(uri)).collect();
        Self { exact, loopback }
    }
}

/// An address of a loopback interface without its port; `None` is any other, and one whose host a browser could read
/// otherwise than we do.
fn without_port(uri: &str) -> Option<String> {
    let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| uri.starts_with(host))?;
    let (authority, path) =
        uri.split_at(uri[host.len()..].find(['/', '?']).map_or(uri.len(), |at| host.len() + at));
    match authority[host.len()..].strip_prefix(':') {
        None if authority.len() == host.len() => Some(uri.to_owned()),
        Some(port) if is_port(port) => Some(format!("{host}{path}")),
        _ => None,
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_itself_letter_by_letter() {
        let uris = RedirectUris::from_iter(["https://app.example.com/in?page=1", "com.example.app:/in"]);
        for good in ["https://app.example.com/in?page=1", "com.example.app:/in"] {
            assert!(uris.contains(good), "{good}");
        }
        for bad in [
            "https://app.example.com/in",
            "https://app.example.com:443/in?page=1",
            "https://app.example.com/in?page=1#",
            "com.example.app://in",
            "com.example.app:/in/",
            "COM.example.app:/in",
            "",
        ] {
            assert!(!uris.contains(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_of_a_loopback_interface_stands_for_every_port() {
        for registered in ["http://127.0.0.1/cb?a=b", "http://127.0.0.1:8765/cb?a=b"] {
            let uris = RedirectUris::from_iter([registered]);
            for good in [
                "http://127.0.0.1/cb?a=b",
                "http://127.0.0.1:1/cb?a=b",
                "http://127.0.0.1:49152/cb?a=b",
                "http://127.0.0.1:65535/cb?a=b",
            ] {
                assert!(uris.contains(good), "{registered}: {good}");
            }
            for bad in [
                "http://127.0.0.1:0/cb?a=b",
                "http://127.0.0.1:65536/cb?a=b",
                "http://127.0.0.1:/cb?a=b",
                "http://127.0.0.1:+80/cb?a=b",
                "http://127.0.0.1:80@evil.example/cb?a=b",
                "http://127.0.0.1:80.evil.example/cb?a=b",
                "http://127.0.0.1.evil.example/cb?a=b",
                "http://127.0.0.1@evil.example/cb?a=b",
                "http://127.0.0.1:80\\@evil.example/cb?a=b",
                "http://127.0.0.11/cb?a=b",
                "http://127.0.0.2:80/cb?a=b",
                "http://localhost:80/cb?a=b",
                "http://[::1]:80/cb?a=b",
                "https://127.0.0.1:80/cb?a=b",
                "http://127.0.0.1:80/cb",
                "http://127.0.0.1:80/cb?a=b&c=d",
                "http://127.0.0.1:80/cb?a=b#c",
            ] {
                assert!(!uris.contains(bad), "{registered}: {bad}");
            }
        }
        let without_path = RedirectUris::from_iter(["http://[::1]"]);
        assert!(without_path.contains("http://[::1]:5000"));
        assert!(!without_path.contains("http://[::1]:5000/"));
        let by_name = RedirectUris::from_iter(["http://localhost:8080/in"]);
        assert!(
            by_name.contains("http://localhost:8080/in") && !by_name.contains("http://localhost:8081/in")
        );
    }
}
