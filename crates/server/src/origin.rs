//! Where requests come from: the address at the other end of the connection, or, where that is a proxy of the
//! operator's, what the proxy says of whoever is behind it. A header that anybody else sent says nothing.

use std::fmt;
use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap, header};
use daypass_core::audit::Requester;
use daypass_core::ground::ids::RequestId;
use daypass_core::iam::{Network, Origin};
use serde::Deserialize;

/// The other end of the connection that a request came by, as whoever took it knows it.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Whether it spoke TLS with whoever took the connection.
    pub over_tls: bool,
}

/// An address or a network, as the configuration names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustedProxy(Network);

impl TryFrom<String> for TrustedProxy {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let network = Network::parse(&text).ok_or_else(|| {
            format!("{text:?} is neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32")
        })?;
        if network.prefix() == 0 {
            return Err(format!(
                "{text:?} is everybody, and whoever calls could say that they call from anywhere: name the networks that \
                 your proxies are in"
            ));
        }
        Ok(Self(network))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TrustedProxy {
    /// Whether it is more of the Internet than anybody's proxies are in. The networks that everybody has at home are not
    /// (RFC 1918, RFC 4193).
    #[must_use]
    pub fn is_wide(&self) -> bool {
        match self.0.address() {
            IpAddr::V4(_) => self.0.prefix() < 8,
            IpAddr::V6(address) => self.0.prefix() < if address.is_unique_local() { 7 } else { 16 },
        }
    }
}

/// The proxies that stand in front.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    trusted: Vec<TrustedProxy>,
    /// People come over TLS, which we do not speak: somebody in front does.
    tls_ends_in_front: bool,
}

impl Proxies {
    /// Those that the configuration names, in front of `public_url`.
    #[must_use]
    pub fn new(trusted: Vec<TrustedProxy>, public_url: &str) -> Self {
        Self { trusted, tls_ends_in_front: public_url.starts_with("https://") }
    }

    /// Whether somebody stands in front of whom nothing is known, so that nothing is known of callers either.
    #[must_use]
    pub fn hide_callers(&self) -> bool {
        self.tls_ends_in_front && self.trusted.is_empty()
    }

    /// Who sent a request, as far as it shows before anybody has looked for a signature.
    #[must_use]
    pub fn requester(&self, id: &RequestId, extensions: &Extensions, headers: &HeaderMap) -> Requester {
        let user_agent =
            headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Requester {
            user_agent: user_agent.map(Into::into),
            ..Requester::anonymous(id, self.origin(extensions, headers))
        }
    }

    /// Where a request came from, as far as it is certain.
    #[must_use]
    pub fn origin(&self, extensions: &Extensions, headers: &HeaderMap) -> Origin {
        match extensions.get::<Peer>() {
            None => Origin::default(),
            Some(peer) if self.trusts(peer.address) => {
                Origin { source_ip: self.forwarded_for(headers), secure_transport: forwarded_proto(headers) }
            }
            Some(peer) if !peer.over_tls && self.hide_callers() => Origin::default(),
            Some(peer) => Origin { source_ip: Some(peer.address), secure_transport: Some(peer.over_tls) },
        }
    }

    /// Whether a request comes by a proxy of the operator's.
    #[must_use]
    pub(crate) fn are_asking(&self, extensions: &Extensions) -> bool {
        extensions.get::<Peer>().is_some_and(|peer| self.trusts(peer.address))
    }

    /// Whether a proxy of the operator's is at this address.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|TrustedProxy(network)| network.contains(address))
    }

    /// Each proxy adds whom it saw at the end of `X-Forwarded-For`, so the list is read from there, up to the first
    /// that is no proxy of ours: what stands before that one, anybody may have written.
    fn forwarded_for(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut found = None;
        for hop in values(headers, "x-forwarded-for")?.iter().rev() {
            let address = read_address(hop)?;
            found = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        found
    }
}

/// Over TLS came who did so on every part of the way that a proxy tells of.
fn forwarded_proto(headers: &HeaderMap) -> Option<bool> {
    let mut secure = None;
    for scheme in values(headers, "x-forwarded-proto")? {
        let https = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return None,
        };
        secure = Some(https && secure.unwrap_or(true));
    }
    secure
}

/// The elements of a header that is a list, in their order over all of its lines.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Option<Vec<&'a str>> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().ok());
    let lines = lines.collect::<Option<Vec<_>>>()?;
    Some(lines.into_iter().flat_map(|line| line.split(',')).map(str::trim).collect())
}

/// An address, which some proxies write with the port.
fn read_address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const CALLER: &str = "203.0.113.9";

    fn proxies(trusted: &[&str], public_url: &str) -> Proxies {
        let trusted = trusted.iter().map(|text| TrustedProxy::try_from((*text).to_owned()).unwrap());
        Proxies::new(trusted.collect(), public_url)
    }

    fn origin(proxies: &Proxies, peer: &str, headers: &[(&str, &str)]) -> (Option<String>, Option<bool>) {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer { address: peer.parse().unwrap(), over_tls: false });
        let Origin { source_ip, secure_transport } = proxies.origin(&parts.extensions, &parts.headers);
        (source_ip.map(|address| address.to_string()), secure_transport)
    }

    #[test]
    fn a_caller_without_a_proxy_is_the_other_end_whatever_they_say() {
        let none = proxies(&[], "http://127.0.0.1:9400");
        let said =
            [("x-forwarded-for", "10.0.0.1"), ("x-forwarded-proto", "https"), ("forwarded", "for=10.0.0.1")];
        assert_eq!(origin(&none, CALLER, &said), (Some(CALLER.into()), Some(false)));
        let behind = proxies(&["10.0.0.0/8"], "https://login.example.com");
        assert_eq!(
            origin(&behind, CALLER, &said),
            (Some(CALLER.into()), Some(false)),
            "it went past the proxy"
        );
    }

    #[test]
    fn a_trusted_proxy_says_who_is_behind_it() {
        let behind = proxies(&["10.0.0.0/8", "2001:db8::/32"], "https://login.example.com");
        for (list, caller) in [
            (CALLER, CALLER),
            ("192.0.2.1, 203.0.113.9", CALLER),
            ("10.9.9.9,203.0.113.9 , 10.0.0.7", CALLER),
            ("192.0.2.1, 203.0.113.9:4711, 10.0.0.7", CALLER),
            ("2001:db9::1, [2001:db8::5]:443", "2001:db9::1"),
            ("[2001:db9::1]", "2001:db9::1"),
            ("10.0.0.9, 10.0.0.7", "10.0.0.9"),
            ("nonsense, 203.0.113.9", CALLER),
        ] {
            for peer in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::9"] {
                let said = [("x-forwarded-for", list), ("x-forwarded-proto", "https")];
                assert_eq!(origin(&behind, peer, &said), (Some(caller.into()), Some(true)), "{list} {peer}");
            }
        }
        let lines = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", CALLER)];
        assert_eq!(origin(&behind, "10.0.0.1", &lines).0.as_deref(), Some(CALLER));
    }

    #[test]
    fn what_a_trusted_proxy_does_not_say_is_not_known() {
        let behind = proxies(&["10.0.0.0/8"], "https://login.example.com");
        for list in
            ["", "unknown", "203.0.113.9, ", "203.0.113.9, nonsense", "203.0.113.9, 10.0.0.7, _hidden"]
        {
            assert_eq!(origin(&behind, "10.0.0.1", &[("x-forwarded-for", list)]), (None, None), "{list}");
        }
        assert_eq!(origin(&behind, "10.0.0.1", &[]), (None, None));
        for (scheme, secure) in [
            ("HTTPS", Some(true)),
            ("http", Some(false)),
            ("https, http", Some(false)),
            ("ftp", None),
            ("", None),
        ] {
            let said = origin(&behind, "10.0.0.1", &[("x-forwarded-proto", scheme)]);
            assert_eq!(said.1, secure, "{scheme}");
        }
    }

    #[test]
    fn behind_somebody_of_whom_nothing_is_known_nothing_is_known() {
        let behind = proxies(&[], "https://login.example.com");
        assert!(behind.hide_callers());
        assert_eq!(origin(&behind, "10.0.0.1", &[("x-forwarded-for", CALLER)]), (None, None));
        assert_eq!(behind.origin(&Extensions::new(), &HeaderMap::new()), Origin::default());
        let mut over_tls = Extensions::new();
        over_tls.insert(Peer { address: CALLER.parse().unwrap(), over_tls: true });
        let known = Origin { source_ip: CALLER.parse().ok(), secure_transport: Some(true) };
        assert_eq!(
            behind.origin(&over_tls, &HeaderMap::new()),
            known,
            "nobody ends TLS in front of a function"
        );
    }

    #[test]
    fn nobody_trusts_everybody() {
        for text in ["0.0.0.0/0", "::/0", "10.0.0.0/0"] {
            assert!(TrustedProxy::try_from(text.to_owned()).unwrap_err().contains("everybody"), "{text}");
        }
        let wide = |text: &str| TrustedProxy::try_from(text.to_owned()).unwrap().is_wide();
        for text in ["10.0.0.0/8", "192.168.0.0/16", "203.0.113.9", "fc00::/7", "2001:db8::/32", "2600::/16"]
        {
            assert!(!wide(text), "{text}");
        }
        for text in ["0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/7", "2000::/3", "::/1", "fc00::/6"] {
            assert!(wide(text), "{text}");
        }
    }

    #[test]
    fn a_proxy_is_named_by_address_or_network() {
        for text in ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"] {
            assert!(TrustedProxy::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["", "*", "proxy.internal", "10.0.0.0/33", "::ffff:10.0.0.1", "10.0.0.1:80"] {
            assert!(TrustedProxy::try_from(text.to_owned()).unwrap_err().contains("10.0.0.0/8"), "{text}");
        }
    }
}
