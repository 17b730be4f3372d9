//! Which addresses a provider may have. Its URLs come from the configuration, but names are resolved by others:
//! a provider whose name suddenly leads to this machine, or into the network around it, is not followed.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Deserialize;

/// A host that may have a private address, as the operator names it: an address, or a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum AllowedHost {
    /// This address, under whatever name.
    Address(IpAddr),
    /// This name, whatever its address.
    Name(String),
}

impl AllowedHost {
    /// What a URL calls it.
    #[must_use]
    pub fn in_url(&self) -> String {
        match self {
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Self::Address(IpAddr::V4(address)) => address.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

impl TryFrom<String> for AllowedHost {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            if is_of_the_cloud(address) {
                return Err(format!(
                    "{text:?}: no provider answers there, and clouds hand out their machines' credentials at such \
                     addresses; take it out"
                ));
            }
            return Ok(Self::Address(address));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if text.is_empty() || all_digits || !text.bytes().all(plain) {
            return Err(format!(
                "{text:?} is neither an IP address nor the name of a host, without scheme and port"
            ));
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

/// The public internet, and what the operator allows besides.
#[derive(Debug, Clone, Default)]
pub struct Reach(BTreeSet<AllowedHost>);

/// What a developer may run beside `up`, and providers for development with it.
#[must_use]
pub fn loopback() -> [AllowedHost; 2] {
    [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(AllowedHost::Address)
}

/// Whether a host of a URL is this machine, or one of those that the operator calls private.
pub(crate) fn is_near(host: &str, private: &[AllowedHost]) -> bool {
    let Ok(host) = AllowedHost::try_from(host.trim_matches(['[', ']']).to_owned()) else { return false };
    let is_here = match &host {
        AllowedHost::Address(address) => address.is_loopback(),
        AllowedHost::Name(name) => name == "localhost",
    };
    is_here || private.contains(&host)
}

impl Reach {
    /// With these private hosts.
    pub fn with(allowed: impl IntoIterator<Item = AllowedHost>) -> Self {
        Self(allowed.into_iter().collect())
    }

    /// Checks a URL that names an address, which nobody resolves.
    pub(super) fn check_literal(&self, host: &str) -> Result<(), PrivateAddress> {
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) if !self.admits(host, address) => Err(PrivateAddress { host: host.to_owned() }),
            _ => Ok(()),
        }
    }

    /// The addresses of a host that are within reach.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        let host = host.trim_matches(['[', ']']);
        let found = tokio::net::lookup_host((host, port)).await?;
        self.keep(host, found).map(Iterator::collect).map_err(std::io::Error::other)
    }

    fn admits(&self, host: &str, address: IpAddr) -> bool {
        is_public(address)
            || self.0.contains(&AllowedHost::Address(address))
            || self.0.contains(&AllowedHost::Name(host.to_ascii_lowercase())) && !is_of_the_cloud(address)
    }

    /// Leaves out what is out of reach.
    fn keep(&self, host: &str, found: impl Iterator<Item = SocketAddr>) -> Result<Addrs, PrivateAddress> {
        let kept: Vec<SocketAddr> = found.filter(|found| self.admits(host, found.ip())).collect();
        if kept.is_empty() {
            Err(PrivateAddress { host: host.to_owned() })
        } else {
            Ok(Box::new(kept.into_iter()))
        }
    }
}

/// A host is not within reach.
#[derive(Debug)]
pub(super) struct PrivateAddress {
    pub(super) host: String,
}

impl fmt::Display for PrivateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has a private address", self.host)
    }
}

impl std::error::Error for PrivateAddress {}

/// The system's resolver, of whose answers only those count that are within reach.
pub(super) struct Resolver(pub(super) Arc<Reach>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(reach.keep(name.as_str(), found)?)
        })
    }
}

/// Whether an address is one of the link (RFC 3927, RFC 4291), where clouds tell their machines what they need, their
/// credentials too; at AWS, `fd00:ec2::254` is another one of these.
fn is_of_the_cloud(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || address.segments().starts_with(&[0xfd00, 0x0ec2])
        }
    }
}

/// Whether an address is one of the public internet (the special-purpose registries of RFC 6890).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || matches!(
            (a, b, c),
            (0 | 224.., _, _) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _)
        );
    !special
}

/// Only what is assigned to the public, 2000::/3, less what RFC 6890 takes out of it. An IPv4 address behind a
/// translator (RFC 6052) counts as what it is; other ways to write one into an IPv6 address are closed.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo and other protocols, documentation, 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &[&str]) -> Reach {
        Reach::with(hosts.iter().map(|host| AllowedHost::try_from((*host).to_owned()).unwrap()))
    }

    #[test]
    fn what_clouds_tell_their_machines_is_out_of_reach_whatever_is_allowed() {
        for text in ["169.254.169.254", "169.254.170.2", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254"]
        {
            let refusal = AllowedHost::try_from(text.to_owned()).unwrap_err();
            assert!(refusal.contains("credentials"), "{refusal}");
            let address = text.parse().unwrap();
            assert!(!allowed(&["metadata.internal"]).admits("metadata.internal", address), "{text}");
        }
        assert!(allowed(&["login.internal"]).admits("login.internal", "fd00::7".parse().unwrap()));
    }

    #[test]
    fn private_addresses_are_out_of_reach_however_they_are_written() {
        for host in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::1]",
            "[3fff::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
        ] {
            assert!(Reach::default().check_literal(host).is_err(), "{host}");
        }
    }

    #[test]
    fn public_addresses_and_names_are_within_reach() {
        for host in [
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[2001:4860:4860::8888]",
            "[64:ff9b::8.8.8.8]",
            "login.example.com",
            "localhost",
        ] {
            assert!(Reach::default().check_literal(host).is_ok(), "{host}");
        }
    }

    #[test]
    fn the_operator_allows_one_address_or_one_name() {
        let reach = allowed(&["10.0.0.7", "::1", "Login.Internal"]);
        let (seven, eight) = ("10.0.0.7".parse().unwrap(), "10.0.0.8".parse().unwrap());
        assert!(reach.admits("whoever.example.com", seven));
        assert!(reach.admits("login.internal", eight));
        assert!(!reach.admits("other.internal", eight) && !reach.admits("login.internal.", eight));
        assert!(reach.check_literal("[::1]").is_ok());
    }

    #[test]
    fn of_several_addresses_the_private_ones_are_left_out() {
        let found = |addresses: &[&str]| {
            let found: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            Reach::default().keep("a.example.com", found.into_iter()).map(Iterator::count)
        };
        assert_eq!(found(&["8.8.8.8:0", "127.0.0.1:0"]).unwrap(), 1);
        assert!(found(&["10.0.0.1:0", "[::1]:0"]).is_err());
    }

    #[test]
    fn what_is_no_host_is_not_allowed_by_mistake() {
        for text in ["", "https://login.internal", "login.internal:8080", "10.0.0.0/8", "127.1", "*"] {
            assert!(AllowedHost::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }
}
