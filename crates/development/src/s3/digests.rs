//! Checksums of bodies: which ones a request asks for, what they come to, and whether that is what the request says
//! (S3 User Guide, "Checking object integrity for data uploads").

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use base64::prelude::{BASE64_STANDARD, Engine};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};
use serde::{Deserialize, Serialize};

use super::codes::with_code;

/// The values of one or more kinds of checksum, in base64, by the name that S3 gives the kind, such as `CRC64NVME`.
pub(super) type Checksums = BTreeMap<String, String>;

/// The checksums of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksum {
    pub values: Checksums,
    /// They are over the checksums of parts, and not over the bytes.
    pub is_composite: bool,
}

/// A kind of checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// Every kind: as S3 names it, the header it stands in, and the bytes of its value.
const KINDS: [(Kind, &str, &str, usize); 5] = [
    (Kind::Crc32, "CRC32", "x-amz-checksum-crc32", 4),
    (Kind::Crc32c, "CRC32C", "x-amz-checksum-crc32c", 4),
    (Kind::Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", 8),
    (Kind::Sha1, "SHA1", "x-amz-checksum-sha1", 20),
    (Kind::Sha256, "SHA256", "x-amz-checksum-sha256", 32),
];

impl Kind {
    /// The kind by the name that S3 gives it, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known, ..)| known.eq_ignore_ascii_case(name)).map(|(kind, ..)| *kind)
    }

    /// As S3 names it.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, ..)| name)
    }

    fn crc(self) -> Option<crc_fast::CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(crc_fast::CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(crc_fast::CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(crc_fast::CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// Whether the checksum of a whole can be made of those of its parts.
    pub fn is_crc(self) -> bool {
        self.crc().is_some()
    }
}

/// What a request says that its body comes to.
#[derive(Debug, Default)]
pub(super) struct Claims {
    md5: Option<Vec<u8>>,
    /// In its headers.
    value: Option<(Kind, String)>,
    /// The kinds whose values come in the trailer.
    in_trailer: Vec<Kind>,
}

impl Claims {
    /// What the headers say. `S3` computes a CRC64NVME if they ask for none.
    ///
    /// # Errors
    /// If they contradict themselves, or are not in the form of checksums.
    pub fn of(headers: &HeaderMap) -> S3Result<Self> {
        let md5 = headers.get("content-md5").map(|value| decoded(value.as_bytes(), 16)).transpose();
        let md5 =
            md5.map_err(|()| s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid."))?;
        let mut values = Vec::new();
        for (kind, _, header, length) in KINDS {
            let Some(value) = headers.get(header) else { continue };
            let is_valid = decoded(value.as_bytes(), length).is_ok();
            let value = value.to_str().ok().filter(|_| is_valid);
            let value =
                value.ok_or_else(|| s3_error!(InvalidRequest, "Value for {header} header is invalid."))?;
            values.push((kind, value.to_owned()));
        }
        if values.len() > 1 {
            return Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed."
            ));
        }
        let claims = Self { md5, value: values.pop(), in_trailer: in_trailer(headers) };
        claims.check_named(headers)?;
        Ok(claims)
    }

    /// Whether it says nothing.
    pub fn are_none(&self) -> bool {
        self.md5.is_none() && self.value.is_none()
    }

    /// A header that names a kind goes with a value of that kind, here or in the trailer.
    fn check_named(&self, headers: &HeaderMap) -> S3Result<()> {
        let Some(named) = headers.get("x-amz-sdk-checksum-algorithm") else { return Ok(()) };
        let kind = named.to_str().ok().and_then(Kind::parse).ok_or_else(|| {
            s3_error!(
                InvalidRequest,
                "The algorithm type that x-amz-sdk-checksum-algorithm names is not known."
            )
        })?;
        let in_header = self.value.as_ref().map(|(kind, _)| *kind);
        if in_header.is_some_and(|other| other != kind) {
            return Err(s3_error!(
                InvalidRequest,
                "Value for x-amz-sdk-checksum-algorithm header is invalid: another checksum comes with it."
            ));
        }
        if in_header.is_none() && !self.in_trailer.contains(&kind) && self.md5.is_none() {
            return Err(s3_error!(
                InvalidRequest,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer \
                 headers were found."
            ));
        }
        Ok(())
    }

    /// What has to be computed for these claims, and what `kept` asks for.
    pub fn digests(&self, kept: Option<Kind>) -> Digests {
        let claimed =
            self.value.as_ref().map(|(kind, _)| *kind).into_iter().chain(self.in_trailer.iter().copied());
        let mut kinds: Vec<Kind> = claimed.chain(kept).collect();
        if kinds.is_empty() {
            kinds.push(Kind::Crc64Nvme);
        }
        Digests::new(&kinds)
    }

    /// The checksum that is kept with a body that is what was claimed.
    ///
    /// # Errors
    /// If it is another.
    pub fn check(&self, sums: &Sums, trailer: Option<&TrailingHeaders>) -> S3Result<Checksums> {
        if self.md5.as_ref().is_some_and(|md5| md5[..] != sums.md5[..]) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let trailing = trailer.and_then(|trailer| trailer.read(trailing_value)).transpose()?;
        let mut kept = None;
        // Whoever says it in both places has to be right in both.
        for (kind, value) in self.value.clone().into_iter().chain(trailing.flatten()) {
            if sums.of(kind) != Some(&value) {
                return Err(s3_error!(
                    BadDigest,
                    "The {} you specified did not match the calculated checksum.",
                    kind.name()
                ));
            }
            kept = Some(Checksums::from([(kind.name().to_owned(), value)]));
        }
        Ok(kept.unwrap_or_else(|| sums.first()))
    }
}

/// The kinds that the trailer is to have. One that nobody announced may have any.
fn in_trailer(headers: &HeaderMap) -> Vec<Kind> {
    let is_with_trailer = headers.get("x-amz-content-sha256").is_some_and(|hash| {
        hash.as_bytes().starts_with(b"STREAMING-") && hash.as_bytes().ends_with(b"-TRAILER")
    });
    let lines = headers.get_all("x-amz-trailer").iter().filter_map(|line| line.to_str().ok());
    let names: Vec<&str> =
        lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect();
    let is_announced = |header: &str| names.iter().any(|name| name.eq_ignore_ascii_case(header));
    let kinds =
        KINDS.iter().filter(|(_, _, header, _)| is_announced(header) || is_with_trailer && names.is_empty());
    kinds.map(|(kind, ..)| *kind).collect()
}

/// The one checksum of a trailer.
fn trailing_value(fields: &HeaderMap) -> S3Result<Option<(Kind, String)>> {
    let mut values = KINDS.iter().filter_map(|(kind, _, header, _)| Some((*kind, fields.get(*header)?)));
    let Some((kind, value)) = values.next() else { return Ok(None) };
    let value = value.to_str().map_err(|_| malformed_trailer("The trailer's checksum is not text."))?;
    if values.next().is_some() {
        return Err(malformed_trailer("The trailer has checksums of more than one type."));
    }
    Ok(Some((kind, value.trim().to_owned())))
}

fn malformed_trailer(message: &'static str) -> S3Error {
    with_code("MalformedTrailerError", StatusCode::BAD_REQUEST, message)
}

fn decoded(value: &[u8], length: usize) -> Result<Vec<u8>, ()> {
    BASE64_STANDARD.decode(value).ok().filter(|bytes| bytes.len() == length).ok_or(())
}

/// What is computed of a body while it is taken.
pub(super) struct Digests {
    md5: Md5,
    sums: ChecksumHasher,
}

/// What a body comes to.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    md5: [u8; 16],
    sums: Checksums,
}

impl Digests {
    /// Computes these kinds, and the MD5 that is the entity tag.
    pub fn new(kinds: &[Kind]) -> Self {
        let has = |kind| kinds.contains(&kind);
        let sums = ChecksumHasher {
            crc32: has(Kind::Crc32).then(Crc32::new),
            crc32c: has(Kind::Crc32c).then(Crc32c::new),
            sha1: has(Kind::Sha1).then(Sha1::new),
            sha256: has(Kind::Sha256).then(Sha256::new),
            crc64nvme: has(Kind::Crc64Nvme).then(Crc64Nvme::new),
        };
        Self { md5: Md5::new(), sums }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sums.update(bytes);
    }

    pub fn finish(self) -> Sums {
        let found = self.sums.finalize();
        let values = [
            (Kind::Crc32, found.checksum_crc32),
            (Kind::Crc32c, found.checksum_crc32c),
            (Kind::Crc64Nvme, found.checksum_crc64nvme),
            (Kind::Sha1, found.checksum_sha1),
            (Kind::Sha256, found.checksum_sha256),
        ];
        let sums = values.into_iter().filter_map(|(kind, value)| Some((kind.name().to_owned(), value?)));
        Sums { md5: self.md5.finalize(), sums: sums.collect() }
    }
}

impl Sums {
    /// The entity tag of the bytes, without quotes.
    pub fn etag(&self) -> String {
        in_hex(&self.md5)
    }

    /// The value of a kind, in base64, if it was computed.
    pub fn of(&self, kind: Kind) -> Option<&String> {
        self.sums.get(kind.name())
    }

    /// One of those that were computed.
    pub fn first(&self) -> Checksums {
        self.sums.iter().take(1).map(|(kind, value)| (kind.clone(), value.clone())).collect()
    }
}

fn in_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The entity tag of an object of parts with these: the MD5 of theirs, and how many they are.
pub(super) fn etag_of_parts<'a>(etags: impl ExactSizeIterator<Item = &'a str>) -> String {
    let (mut md5, count) = (Md5::new(), etags.len());
    for etag in etags {
        md5.update(&from_hex(etag));
    }
    format!("{}-{count}", in_hex(&md5.finalize()))
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// The checksum of an object of parts, of each of which the value of this kind and the size is known.
pub(super) fn checksum_of_parts(kind: Kind, is_composite: bool, parts: &[(String, u64)]) -> Checksum {
    let values = parts.iter().map(|(value, _)| BASE64_STANDARD.decode(value).unwrap_or_default());
    let value = if let Some(crc) = kind.crc().filter(|_| !is_composite) {
        of_whole(crc, values.zip(parts.iter().map(|(_, size)| *size)))
    } else {
        let mut digests = Digests::new(&[kind]);
        values.for_each(|value| digests.update(&value));
        let value = digests.finish().of(kind).cloned().unwrap_or_default();
        format!("{value}-{}", parts.len())
    };
    Checksum { values: Checksums::from([(kind.name().to_owned(), value)]), is_composite }
}

/// The CRC of the whole, out of those of its parts.
fn of_whole(crc: crc_fast::CrcAlgorithm, parts: impl Iterator<Item = (Vec<u8>, u64)>) -> String {
    let (mut whole, mut length) = (None, 0);
    for (value, size) in parts {
        length = value.len();
        let value = value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        whole = Some(whole.map_or(value, |whole| crc_fast::checksum_combine(crc, whole, value, size)));
    }
    BASE64_STANDARD.encode(&whole.unwrap_or_default().to_be_bytes()[8 - length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms, over `123456789`, in base64.
    const CHECK: [(Kind, &str); 3] =
        [(Kind::Crc32, "y/Q5Jg=="), (Kind::Crc32c, "4waSgw=="), (Kind::Crc64Nvme, "rosUhgp5mIg=")];

    fn sum(kind: Kind, bytes: &[u8]) -> String {
        let mut digests = Digests::new(&[kind]);
        digests.update(bytes);
        digests.finish().of(kind).unwrap().clone()
    }

    #[test]
    fn the_crc_of_a_whole_is_made_of_those_of_its_parts() {
        let whole = b"123456789";
        for (kind, value) in CHECK {
            assert_eq!(sum(kind, whole), value, "{kind:?}");
            for (first, second) in [(1, 2), (4, 8), (0, 9), (9, 9)] {
                let parts = [&whole[..first], &whole[first..second], &whole[second..]];
                let parts = parts.map(|part| (sum(kind, part), part.len() as u64));
                let made = checksum_of_parts(kind, false, &parts);
                assert_eq!(made.values, Checksums::from([(kind.name().to_owned(), value.to_owned())]));
            }
        }
    }

    #[test]
    fn a_composite_is_over_the_checksums_of_parts_and_counts_them() {
        let parts = [b"one".as_slice(), b"two"].map(|part| (sum(Kind::Sha256, part), part.len() as u64));
        let sums =
            parts.iter().flat_map(|(value, _)| BASE64_STANDARD.decode(value).unwrap()).collect::<Vec<_>>();
        let made = checksum_of_parts(Kind::Sha256, true, &parts);
        assert_eq!(made.values["SHA256"], format!("{}-2", sum(Kind::Sha256, &sums)));
        assert!(made.is_composite);
    }

    #[test]
    fn a_claim_in_a_header_is_one_kind_and_right() {
        let claims = |headers: &[(&'static str, &'static str)]| {
            let header = |(name, value): &(&'static str, &'static str)| {
                (axum::http::HeaderName::from_static(name), axum::http::HeaderValue::from_static(value))
            };
            Claims::of(&headers.iter().map(header).collect())
        };
        let judge = |headers| {
            let claims = claims(headers).map_err(|error| error.code().as_str().to_owned())?;
            let mut digests = claims.digests(None);
            digests.update(b"123456789");
            claims.check(&digests.finish(), None).map_err(|error| error.code().as_str().to_owned())
        };
        let of = |kind: &str, value: &str| Ok(Checksums::from([(kind.to_owned(), value.to_owned())]));
        assert_eq!(judge(&[]), of("CRC64NVME", "rosUhgp5mIg="));
        assert_eq!(judge(&[("x-amz-checksum-crc32", "y/Q5Jg==")]), of("CRC32", "y/Q5Jg=="));
        for (headers, code) in [
            (&[("x-amz-checksum-crc32", "AAAAAA==")][..], "BadDigest"),
            (&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], "BadDigest"),
            (&[("content-md5", "AAAA")], "InvalidDigest"),
            (&[("x-amz-checksum-crc32", "AAAA")], "InvalidRequest"),
            (
                &[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-crc32c", "4waSgw==")],
                "InvalidRequest",
            ),
            (&[("x-amz-sdk-checksum-algorithm", "CRC32")], "InvalidRequest"),
            (
                &[("x-amz-sdk-checksum-algorithm", "SHA1"), ("x-amz-checksum-crc32", "y/Q5Jg==")],
                "InvalidRequest",
            ),
        ] {
            assert_eq!(judge(headers), Err(code.to_owned()), "{headers:?}");
        }
    }
}
