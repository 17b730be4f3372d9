//! The identifiers of the domain, each a type of its own, so that an identity ID cannot stand where a
//! pool ID is wanted. Patterns and lengths: cognito-identity API, shapes `IdentityPoolId`,
//! `IdentityId`, `AccountId`, IAM's `roleNameType` and `userNameType`.

use std::fmt;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use crate::ground::clock::Timestamp;
use crate::ground::random::Random;

/// An identifier does not have the form that its kind demands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must match {pattern}")]
pub struct InvalidId {
    kind: &'static str,
    pattern: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $pattern:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The pattern that every value matches.
            pub const PATTERN: &'static str = $pattern;

            /// Reads one, as a client or the store wrote it.
            ///
            /// # Errors
            /// [`InvalidId`] if the text does not match [`Self::PATTERN`].
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err(InvalidId { kind: $kind, pattern: $pattern }) }
            }

            /// As it is written on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

id! {
    /// An AWS Region, `us-east-1`. Daypass runs in no Region; the name is what its IDs and ARNs carry.
    Region, "a Region", "[a-z0-9-]{1,32}", |text| {
        (1..=32).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    }
}

id! {
    /// A 12-digit AWS account ID.
    AccountId, "an account ID", r"\d{12}", |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

id! {
    /// An identity pool, `REGION:GUID`, at most 55 characters.
    IdentityPoolId, "an identity pool ID", r"[\w-]+:[0-9a-f-]+", is_region_and_guid
}

impl IdentityPoolId {
    /// What policies call the pool: `arn:aws:cognito-identity:<region>:<account>:identitypool/<pool ID>`. The Region is
    /// the server's, where the API of the pool answers.
    #[must_use]
    pub fn arn(&self, region: &Region, account: &AccountId) -> String {
        format!("{}{self}", Self::arn_prefix(region, account))
    }

    /// What the ARN of every pool begins with.
    #[must_use]
    pub fn arn_prefix(region: &Region, account: &AccountId) -> String {
        format!("arn:aws:cognito-identity:{region}:{account}:identitypool/")
    }
}

id! {
    /// An identity within a pool, `REGION:GUID`, at most 55 characters. The GUID is opaque: AWS's own
    /// are not all version 4.
    IdentityId, "an identity ID", r"[\w-]+:[0-9a-f-]+", is_region_and_guid
}

id! {
    /// Somebody who acts for others, as the operator calls them: it stands in tokens and may be a session tag.
    ActorId, "an actor's ID", "[a-z0-9._-]{1,64}", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
    }
}

id! {
    /// The name of a role, without its path.
    RoleName, "a role name", r"[\w+=,.@-]{1,64}", |text| (1..=64).contains(&text.len()) && text.bytes().all(is_name_byte)
}

id! {
    /// The name of a developer who holds access keys, what IAM calls a user. Byte by byte: `Up` is not `up`.
    UserName, "a user name", r"[\w+=,.@-]{1,64}", |text| (1..=64).contains(&text.len()) && text.bytes().all(is_name_byte)
}

id! {
    /// The name a session of a role goes by. It cannot hold an identity ID, which has a colon.
    RoleSessionName, "a role session name", r"[\w+=,.@-]{2,64}", |text| {
        (2..=64).contains(&text.len()) && text.bytes().all(is_name_byte)
    }
}

id! {
    /// An access key ID. Ours are `AKIA…` for a developer's long-lived key and `ASIA…` for temporary credentials, both
    /// with 16 characters of base32; another STS has its own form, within what AWS's API allows
    /// (`accessKeyIdType` of STS).
    AccessKeyId, "an access key ID", r"\w{16,128}", |text| {
        (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }
}

id! {
    /// The ID that one request bears in its answer, in the logs and in the audit trail.
    RequestId, "a request ID", "GUID", is_guid
}

id! {
    /// A session of somebody who signed in at an app: 128 random bits in base64url, the `sid` of what rests on it
    /// (OpenID Connect Front-Channel Logout 1.0, section 3).
    SignInSessionId, "a session ID", r"[\w-]{22}", |text| SignInSessionId::bytes_of(text).is_some()
}

impl SignInSessionId {
    /// So many bytes it is.
    pub const LENGTH: usize = 16;

    /// A new session ID.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::of_bytes(random.bytes())
    }

    /// The ID of these bytes.
    #[must_use]
    pub fn of_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        Self::bytes_of(&self.0).expect("it was read or made of as many bytes")
    }

    fn bytes_of(text: &str) -> Option<[u8; Self::LENGTH]> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
    }
}

impl IdentityPoolId {
    /// A new, random pool ID.
    #[must_use]
    pub fn generate(region: &Region, random: &dyn Random) -> Self {
        Self(format!("{region}:{}", random.guid()))
    }

    /// The Region that it names.
    #[must_use]
    pub fn region(&self) -> &str {
        region_of(&self.0)
    }
}

impl IdentityId {
    /// A new, random identity ID.
    #[must_use]
    pub fn generate(region: &Region, random: &dyn Random) -> Self {
        Self(format!("{region}:{}", random.guid()))
    }

    /// The Region that it names.
    #[must_use]
    pub fn region(&self) -> &str {
        region_of(&self.0)
    }
}

impl RoleSessionName {
    /// The name under which another STS knows the sessions of an identity: `daypass-` and the part of its ID after
    /// the Region.
    #[must_use]
    pub fn of_identity(id: &IdentityId) -> Self {
        let (_, guid) = id.as_str().split_once(':').unwrap_or_default();
        Self(format!("daypass-{guid}"))
    }
}

impl RequestId {
    /// A new request ID, version 7 of RFC 9562: it begins with the time, so that IDs grow and the index over
    /// them in the audit trail is written at its end only.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random.bytes()).into_uuid().to_string())
    }
}

impl UserName {
    /// What policies and refusals call the developer: `arn:aws:iam::<account>:user/<name>`.
    #[must_use]
    pub fn arn(&self, account_id: &AccountId) -> String {
        format!("arn:aws:iam::{account_id}:user/{self}")
    }
}

impl AccessKeyId {
    /// A new ID for a developer's long-lived key.
    #[must_use]
    pub fn generate_developer(random: &dyn Random) -> Self {
        Self(format!("AKIA{}", base32(&random.bytes::<10>())))
    }

    /// A new ID for temporary credentials.
    #[must_use]
    pub fn generate_temporary(random: &dyn Random) -> Self {
        Self(format!("ASIA{}", base32(&random.bytes::<10>())))
    }

    /// Whether this is a developer's long-lived key.
    #[must_use]
    pub fn is_developer(&self) -> bool {
        self.0.starts_with("AKIA")
    }
}

/// Ten bytes as sixteen characters of the RFC 4648 base32 alphabet.
pub(crate) fn base32(bytes: &[u8; 10]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let number = bytes.iter().fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    (0..16).rev().map(|digit| char::from(ALPHABET[((number >> (digit * 5)) & 31) as usize])).collect()
}

fn is_region_and_guid(text: &str) -> bool {
    let Some((region, guid)) = text.split_once(':') else { return false };
    text.len() <= 55
        && !region.is_empty()
        && region.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && !guid.is_empty()
        && guid.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

fn region_of(id: &str) -> &str {
    id.split_once(':').map_or(id, |(region, _)| region)
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'=' | b',' | b'.' | b'@' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::random::SeededRandom;

    #[test]
    fn generated_ids_match_their_own_patterns() {
        let random = SeededRandom::new(1);
        let region = Region::parse("us-east-1").unwrap();
        for _ in 0..100 {
            IdentityPoolId::parse(IdentityPoolId::generate(&region, &random).to_string()).unwrap();
            IdentityId::parse(IdentityId::generate(&region, &random).to_string()).unwrap();
            assert!(
                AccessKeyId::parse(AccessKeyId::generate_developer(&random).to_string())
                    .unwrap()
                    .is_developer()
            );
            assert!(
                !AccessKeyId::parse(AccessKeyId::generate_temporary(&random).to_string())
                    .unwrap()
                    .is_developer()
            );
        }
    }

    #[test]
    fn a_session_id_is_its_bytes_and_is_written_one_way() {
        let id = SignInSessionId::generate(&SeededRandom::new(3));
        assert_eq!(SignInSessionId::of_bytes(id.to_bytes()), id);
        assert_eq!(SignInSessionId::parse(id.as_str()), Ok(id));
        let zero = "A".repeat(22);
        assert!(SignInSessionId::parse(&*zero).is_ok());
        // The last of them has bits that stand for nothing.
        for text in
            ["", &zero[1..], &format!("{zero}A"), &format!("{}B", &zero[1..]), &format!("{}+", &zero[1..])]
        {
            assert!(SignInSessionId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn request_ids_grow_with_time() {
        let random = SeededRandom::new(2);
        let at = |second| RequestId::generate(Timestamp::from_second(second).unwrap(), &random);
        let (first, second) = (at(1_700_000_000), at(1_700_000_001));
        assert!(first < second, "{first} {second}");
        RequestId::parse(first.to_string()).unwrap();
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        assert_eq!(base32(b"foobarfoob"), "MZXW6YTBOJTG633C");
    }

    #[test]
    fn access_key_ids_of_other_makers_are_read() {
        for text in ["ASIA066b3ae2c453351b", "ASIARTYZUYVM6NLHPKAR", "0555B35654AD1656D804", &"k".repeat(128)]
        {
            AccessKeyId::parse(text).unwrap();
        }
        for text in [
            "",
            "ASIA",
            "ASIA066b3ae2c45335/b",
            "ASIA066b3ae2 453351b",
            &"k".repeat(129),
            "é".repeat(16).as_str(),
        ] {
            assert!(AccessKeyId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_identity_has_a_session_name() {
        for (id, name) in [
            ("us-east-1:0d322096-1c48", "daypass-0d322096-1c48".to_owned()),
            ("r:0", "daypass-0".to_owned()),
            (&format!("r:{}", "0".repeat(53)), format!("daypass-{}", "0".repeat(53))),
        ] {
            let found = RoleSessionName::of_identity(&IdentityId::parse(id).unwrap());
            assert_eq!(found.as_str(), name);
            RoleSessionName::parse(found.as_str()).unwrap();
        }
    }

    #[test]
    fn malformed_identity_ids_are_refused() {
        for text in ["", "us-east-1", "us-east-1:", ":0a", "us-east-1:0A", "us east:0a", "a:b/../c", "é:0a"]
        {
            assert!(IdentityId::parse(text).is_err(), "{text:?}");
        }
        assert!(IdentityId::parse(format!("r:{}", "0".repeat(53))).is_ok());
        assert!(IdentityId::parse(format!("r:{}", "0".repeat(54))).is_err());
    }
}
