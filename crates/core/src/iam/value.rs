//! The values that conditions compare other than as text: numbers, instants, networks, booleans.
//! Nothing passes through a float, and what cannot be read is `None`, which nobody may take for a match.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::ground::clock::Timestamp;

/// How two ordered values must stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A decimal number, exact: in units of 10⁻¹⁸, up to 19 digits before the point and 18 behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(i128);

impl Decimal {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        if !are_digits(whole, 19) || !are_digits(fraction, 18) {
            return None;
        }
        let units: i128 = format!("{whole}{fraction:0<18}").parse().ok()?;
        Some(Self(if digits.len() < text.len() { -units } else { units }))
    }
}

fn are_digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Reads an instant: RFC 3339 with its offset, a bare date (midnight UTC), or seconds since 1970. Four
/// digits are refused, since whoever writes 2026 does not mean half an hour past midnight in 1970.
pub(super) fn parse_instant(text: &str) -> Option<Timestamp> {
    if are_digits(text, 12) && text.len() != 4 {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    // A `Date` would also be read from a longer text, whose time of day would be dropped in silence.
    if text.len() == "2026-11-23".len() {
        let midnight = text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?;
        return Some(midnight.timestamp());
    }
    text.parse().ok()
}

pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A network in CIDR notation, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits at the end of an address may differ.
    free_bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if are_digits(prefix, 3) => (address, Some(prefix.parse::<u32>().ok()?)),
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        // `::ffff:10.0.0.1`: addresses are compared as IPv4 when they are, so this would match nothing.
        if address.to_canonical() != address {
            return None;
        }
        let (width, _) = bits(address);
        let free_bits = width.checked_sub(prefix.unwrap_or(width))?;
        Some(Self { address, free_bits })
    }

    /// An address in it: the one that it was named by.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits at the beginning all its addresses share.
    #[must_use]
    pub fn prefix(&self) -> u32 {
        bits(self.address).0 - self.free_bits
    }

    /// Whether the address lies in the network. A server that listens on IPv6 sees IPv4 clients as
    /// `::ffff:10.0.0.1`, which must not slip through a Deny on `10.0.0.0/8`.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let ((width, network), (other_width, address)) = (bits(self.address), bits(address.to_canonical()));
        width == other_width && (network ^ address).checked_shr(self.free_bits).unwrap_or(0) == 0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix())
    }
}

fn bits(address: IpAddr) -> (u32, u128) {
    match address {
        IpAddr::V4(v4) => (32, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (128, u128::from(v6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_compared_exactly() {
        assert_eq!(decimal("1.50"), decimal("01.5"));
        assert_eq!(decimal("-0"), decimal("0.0"));
        assert!(decimal("9007199254740993") > decimal("9007199254740992"));
        assert!(decimal("0.1") < decimal("0.100000000000000001"));
        assert!(decimal("-2") < decimal("-1.5") && decimal("-0.5") < decimal("0"));
        assert!(decimal("9") < decimal("10"));
        assert!(Decimal::parse("9999999999999999999.999999999999999999").is_some());
    }

    #[test]
    fn what_is_no_plain_number_is_none() {
        for text in
            ["", "-", "1.", ".5", "+1", "1e3", "0x10", "1,5", " 1", "NaN", "--1", "٣", "12345678901234567890"]
        {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn instants_are_the_same_however_they_are_written() {
        let instant = parse_instant("2026-11-23T00:00:00Z").unwrap();
        for text in ["2026-11-23", "2026-11-23T01:00:00+01:00", "1795392000", "2026-11-23T00:00Z"] {
            assert_eq!(parse_instant(text), Some(instant), "{text}");
        }
        assert!(parse_instant("2026-11-23T00:00:00.000000001Z").unwrap() > instant);
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-11-23T00:00:00",
            "2026-13-01",
            "2026-11-31",
            "2026-11",
            "2026",
            "-5",
            "1.5",
            "20261123T1",
        ] {
            assert_eq!(parse_instant(text), None, "{text:?}");
        }
    }

    fn inside(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn networks_contain_their_addresses() {
        assert!(inside("10.0.0.0/8", "10.255.0.1") && !inside("10.0.0.0/8", "11.0.0.0"));
        assert!(inside("10.1.2.3/8", "10.255.0.1"), "bits behind the prefix say nothing");
        assert!(inside("192.0.2.7", "192.0.2.7") && !inside("192.0.2.7", "192.0.2.8"));
        assert!(inside("0.0.0.0/0", "203.0.113.9") && !inside("0.0.0.0/0", "::1"));
        assert!(inside("::/0", "2001:db8::1") && inside("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!inside("2001:db8::/32", "2001:db9::") && !inside("::/0", "10.0.0.1"));
    }

    #[test]
    fn an_ipv4_address_is_one_in_ipv6_clothes_too() {
        assert!(inside("10.0.0.0/8", "::ffff:10.0.0.1") && !inside("::/0", "::ffff:10.0.0.1"));
        assert_eq!(Network::parse("::ffff:10.0.0.0/104"), None);
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "010.0.0.1",
            "localhost",
        ] {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }
}
