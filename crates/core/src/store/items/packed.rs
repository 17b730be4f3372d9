//! IDs of identities and pools in few bytes. `REGION:GUID` takes 46 as text, and an identity's stands in three items and their keys.

use std::fmt::Display;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Between a Region and the sixteen bytes of a GUID. No Region has this or a colon in it, so the first of the two tells which form it is.
const BYTES_FOLLOW: u8 = b';';

/// An ID, told from all others. Those of one Region stay in the order of their texts, but that a GUID of another form than RFC 9562's, which
/// AWS's pattern admits, comes before all others and stays text.
pub(super) fn packed(id: &str) -> Vec<u8> {
    let parts = id.split_once(':').and_then(|(region, guid)| Some((region, bytes_of(guid)?)));
    match parts {
        Some((region, guid)) => [region.as_bytes(), &[BYTES_FOLLOW], &guid].concat(),
        None => id.as_bytes().to_vec(),
    }
}

/// The text of an ID, unless nothing of the kind was packed.
pub(super) fn unpacked(packed: &[u8]) -> Result<String, NotPacked> {
    let end = packed.iter().position(|byte| matches!(*byte, b':' | BYTES_FOLLOW)).ok_or(NotPacked)?;
    let text = |bytes: &[u8]| str::from_utf8(bytes).map(str::to_owned).map_err(|_| NotPacked);
    if packed[end] != BYTES_FOLLOW {
        return text(packed);
    }
    let guid = packed[end + 1..].try_into().map_err(|_| NotPacked)?;
    Ok(format!("{}:{}", text(&packed[..end])?, Uuid::from_bytes(guid).hyphenated()))
}

/// The bytes of a GUID that is written as they are written.
fn bytes_of(guid: &str) -> Option<[u8; 16]> {
    let read = Uuid::try_parse(guid).ok()?;
    let written = read.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == guid;
    written.then(|| read.into_bytes())
}

/// Something else stands where a packed ID has to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no packed ID")]
pub(super) struct NotPacked;

/// An ID as a member of JSON: what is packed, in base64.
pub(super) fn serialize<T: Display, S: Serializer>(id: &T, serializer: S) -> Result<S::Ok, S::Error> {
    BASE64_URL_SAFE_NO_PAD.encode(packed(&id.to_string())).serialize(serializer)
}

pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<String, Error: Display>,
    D: Deserializer<'de>,
{
    let packed = BASE64_URL_SAFE_NO_PAD.decode(String::deserialize(deserializer)?);
    let text = unpacked(&packed.map_err(serde::de::Error::custom)?).map_err(serde::de::Error::custom)?;
    T::try_from(text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ground::ids::IdentityId;

    const GUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

    /// GUIDs as they are drawn, what is almost one, and whatever the pattern admits. Few Regions, that two IDs often have the same.
    fn ids() -> impl Strategy<Value = IdentityId> {
        let guid = prop_oneof![GUID, "[0-9a-f]{32}", "[0-9a-f-]{36}", "[0-9a-f-]{1,8}", "[0-9a-f-]{1,40}"];
        ("(us-east-1|us-east-11|[a-zA-Z0-9_-]{1,3})", guid)
            .prop_map(|(region, guid)| IdentityId::parse(format!("{region}:{guid}")).unwrap())
    }

    proptest! {
        #[test]
        fn an_id_is_told_by_what_is_packed(one in ids(), other in ids()) {
            let [packed_one, packed_other] = [&one, &other].map(|id| packed(id.as_str()));
            prop_assert_eq!(unpacked(&packed_one).unwrap(), one.as_str());
            prop_assert_eq!(packed_one == packed_other, one == other);
        }

        #[test]
        fn ids_of_a_region_stay_in_order(one in GUID, other in GUID) {
            let [one, other] = [one, other].map(|guid| format!("us-east-1:{guid}"));
            prop_assert_eq!(packed(&one).cmp(&packed(&other)), one.cmp(&other));
        }

        #[test]
        fn whatever_is_no_id_is_an_error_or_text(bytes in any::<Vec<u8>>()) {
            if let Ok(text) = unpacked(&bytes) {
                let is_what_was_packed = packed(&text) == bytes;
                prop_assert!(is_what_was_packed || text.as_bytes() == bytes);
            }
        }
    }

    #[test]
    fn a_guid_is_sixteen_bytes() {
        let id = "us-east-1:00112233-4455-6677-8899-aabbccddeeff";
        assert_eq!(
            packed(id),
            *b"us-east-1;\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
        );
        for id in ["us-east-1:00112233445566778899aabbccddeeff", "us-east-1:a", "r:-"] {
            assert_eq!(packed(id), id.as_bytes());
        }
    }
}
