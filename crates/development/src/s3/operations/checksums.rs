//! Checksums in the members that answers have for each kind.

use s3s::dto::ChecksumType;

use crate::s3::digests::{Checksum, Checksums};

/// The value of a kind.
pub(super) fn value(checksums: &Checksums, kind: &str) -> Option<String> {
    checksums.get(kind).cloned()
}

/// Whether a checksum is over the bytes or over those of parts, if there is one.
pub(super) fn type_of(checksum: &Checksum) -> Option<ChecksumType> {
    let name = if checksum.is_composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    (!checksum.values.is_empty()).then(|| ChecksumType::from_static(name))
}

/// Sets the members of an answer for all kinds of checksum.
macro_rules! set_checksums {
    ($output:expr, $values:expr) => {{
        let (output, values) = (&mut $output, &$values);
        output.checksum_crc32 = $crate::s3::operations::checksums::value(values, "CRC32");
        output.checksum_crc32c = $crate::s3::operations::checksums::value(values, "CRC32C");
        output.checksum_crc64nvme = $crate::s3::operations::checksums::value(values, "CRC64NVME");
        output.checksum_sha1 = $crate::s3::operations::checksums::value(values, "SHA1");
        output.checksum_sha256 = $crate::s3::operations::checksums::value(values, "SHA256");
    }};
}

/// The members of a request for all kinds of checksum.
macro_rules! checksums_of {
    ($input:expr) => {{
        let input = &$input;
        let members = [
            ("CRC32", &input.checksum_crc32),
            ("CRC32C", &input.checksum_crc32c),
            ("CRC64NVME", &input.checksum_crc64nvme),
            ("SHA1", &input.checksum_sha1),
            ("SHA256", &input.checksum_sha256),
        ];
        let given = members.into_iter().filter_map(|(kind, value)| Some((kind.to_owned(), value.clone()?)));
        given.collect::<$crate::s3::digests::Checksums>()
    }};
}

pub(super) use {checksums_of, set_checksums};
