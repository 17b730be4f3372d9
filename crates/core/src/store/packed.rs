//! IDs of identities and pools in few bytes. `REGION:GUID` takes 46 as text, and an identity's stands in three items and their keys, or in
//! four B-trees of SQLite's.

use std::fmt::Display;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Regions of AWS, each of which is one byte: its place here. **None is ever added, taken away or moved**: what is in a store has the
/// place. Others stay text, whose first byte is none of these.
const REGIONS: [&str; 39] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Between another Region and the sixteen bytes of a GUID. No Region has this or a colon in it, so the first of the two tells which form it
/// is.
const BYTES_FOLLOW: u8 = b';';

/// An ID, told from all others. A GUID is sixteen bytes, unless it has another form than RFC 9562's, which AWS's pattern admits: then all
/// of the ID stays text. Those of one Region with ordinary GUIDs stay in the order of their texts.
#[must_use]
pub fn packed(id: &str) -> Vec<u8> {
    let parts = id.split_once(':').and_then(|(region, guid)| Some((region, bytes_of(guid)?)));
    match parts {
        Some((region, guid)) => match (0..).zip(REGIONS).find(|(_, known)| *known == region) {
            Some((place, _)) => [&[place], &guid[..]].concat(),
            None => [region.as_bytes(), &[BYTES_FOLLOW], &guid].concat(),
        },
        None => id.as_bytes().to_vec(),
    }
}

/// Whether the IDs between two packed ones are in the order of their texts, as those of one of AWS's Regions with ordinary GUIDs are.
#[must_use]
pub fn are_ordered_as_texts(first: &[u8], last: &[u8]) -> bool {
    first.first() == last.first() && first.first().is_some_and(|place| usize::from(*place) < REGIONS.len())
}

/// The text of an ID, from the bytes that it is packed in and from no others.
///
/// # Errors
/// [`NotPacked`] if no ID is packed so.
pub fn unpacked(bytes: &[u8]) -> Result<String, NotPacked> {
    text_of(bytes).filter(|text| packed(text) == bytes).ok_or(NotPacked)
}

fn text_of(bytes: &[u8]) -> Option<String> {
    let with_guid = |region: &str, guid: &[u8]| {
        Some(format!("{region}:{}", Uuid::from_bytes(guid.try_into().ok()?).hyphenated()))
    };
    let (first, rest) = bytes.split_first()?;
    if let Some(region) = REGIONS.get(usize::from(*first)) {
        return with_guid(region, rest);
    }
    let end = bytes.iter().position(|byte| matches!(*byte, b':' | BYTES_FOLLOW))?;
    if bytes[end] == BYTES_FOLLOW {
        return with_guid(str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
    }
    str::from_utf8(bytes).ok().map(str::to_owned)
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
pub struct NotPacked;

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
    use aws_lc_rs::digest::{SHA256, digest};
    use proptest::prelude::*;

    use super::*;
    use crate::ground::ids::IdentityId;

    const GUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

    /// GUIDs as they are drawn, what is almost one, and whatever the pattern admits. Few Regions, that two IDs often have the same.
    fn ids() -> impl Strategy<Value = IdentityId> {
        let guid = prop_oneof![GUID, "[0-9a-f]{32}", "[0-9a-f-]{36}", "[0-9a-f-]{1,8}", "[0-9a-f-]{1,40}"];
        ("(us-east-1|eu-west-1|us-east-11|[a-zA-Z0-9_-]{1,3})", guid)
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
    }

    proptest! {
        #[test]
        fn an_order_is_that_of_texts_or_is_not_said_to_be(mut all in prop::collection::vec(ids(), 1..4)) {
            all.sort_by_key(|id| packed(id.as_str()));
            let [first, last] = [all.first(), all.last()].map(|id| packed(id.unwrap().as_str()));
            prop_assert!(all.is_sorted() || !are_ordered_as_texts(&first, &last));
        }
    }

    #[test]
    fn ids_of_one_region_are_ordered_as_texts() {
        let [least, most] =
            ["0", "f"].map(|digit| format!("us-east-1:{digit}0112233-4455-6677-8899-aabbccddeeff"));
        assert!(are_ordered_as_texts(&packed(&least), &packed(&most)));
        for other in ["us-east-1:f", "us-east-2:00112233-4455-6677-8899-aabbccddeeff", "somewhere:0"] {
            assert!(!are_ordered_as_texts(&packed(&least), &packed(other)), "{other}");
        }
        assert!(!are_ordered_as_texts(&packed("somewhere:0"), &packed("somewhere:1")));
    }

    #[test]
    fn a_guid_is_sixteen_bytes() {
        let guid = "00112233-4455-6677-8899-aabbccddeeff";
        let bytes = b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
        assert_eq!(packed(&format!("somewhere:{guid}")), [b"somewhere;", &bytes[..]].concat());
        for id in ["us-east-1:00112233445566778899aabbccddeeff", "us-east-1:a", "r:-"] {
            assert_eq!(packed(id), id.as_bytes());
        }
        // What is stored says the place.
        for (place, region) in [(0, "af-south-1"), (24, "eu-west-1"), (33, "us-east-1"), (38, "us-west-2")] {
            assert_eq!(packed(&format!("{region}:{guid}")), [&[place], &bytes[..]].concat());
        }
        let all = digest(&SHA256, REGIONS.join(" ").as_bytes());
        assert_eq!(all.as_ref()[..4], [24, 230, 249, 246], "a Region was added, taken away or moved");
    }

    #[test]
    fn nothing_is_taken_for_an_id_that_is_not_how_it_is_packed() {
        let guid = [7; 16];
        let written = Uuid::from_bytes(guid).hyphenated().to_string();
        for bytes in [
            [b"us-east-1;", &guid[..]].concat(),
            [b"us-east-1:", written.as_bytes()].concat(),
            [b"r:", written.as_bytes()].concat(),
            [b"r;", &guid[1..]].concat(),
            [&[0], &guid[1..]].concat(),
            [&[39], &guid[..]].concat(),
            Vec::new(),
        ] {
            assert_eq!(unpacked(&bytes), Err(NotPacked), "{bytes:?}");
        }
    }
}
