//! Uploads in parts.

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CompletedPart as NamedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, EncodingType,
    Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, Part as ListedPart, StorageClass, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::checksums::{checksums_of, set_checksums, type_of};
use super::listing::{halves, limit, paging};
use super::off::owner;
use super::properties::{check_properties, properties_of};
use super::writing::{check_length, take};
use crate::s3::conditions::only_if;
use crate::s3::digests::Kind;
use crate::s3::digests::{Checksum, Checksums};
use crate::s3::disk::{CompletedPart, Completion, Described, Disk, Part, Properties, Upload};
use crate::s3::moment::timestamp;
use crate::s3::spelling::Spelling;
use crate::s3::tags;

/// The largest part, and how many there may be (S3 User Guide, "Amazon S3 multipart upload limits").
const LARGEST_PART: u64 = 5 << 30;
const MOST_PARTS: i32 = 10_000;

pub(super) async fn begin(
    disk: &Disk,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let (kind, is_composite) = checksum_to_be(&input)?;
    let described = Described {
        properties: properties(&input)?,
        tags: tags::of_header(input.tagging.as_deref())?,
        checksum: Checksum {
            values: Checksums::from([(kind.name().to_owned(), String::new())]),
            is_composite,
        },
    };
    let is_asked = input.checksum_algorithm.is_some();
    let checksum_type = type_of(&described.checksum).filter(|_| is_asked);
    let id = disk.begin_upload(input.bucket.clone(), input.key.clone(), described).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type,
        ..CreateMultipartUploadOutput::default()
    })
}

/// The kind of the checksum that the object is to have, and whether it is over those of its parts (S3 User Guide, "Checking
/// object integrity", the table of types).
fn checksum_to_be(input: &CreateMultipartUploadInput) -> S3Result<(Kind, bool)> {
    let named = input.checksum_algorithm.as_ref().map(|name| {
        Kind::parse(name.as_str())
            .ok_or_else(|| s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of \
                                                      the valid types: [CRC32, CRC32C, SHA1, SHA256, CRC64NVME]."))
    });
    let named = named.transpose()?;
    let kind = named.unwrap_or(Kind::Crc64Nvme);
    let is_composite = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
        None => kind != Kind::Crc64Nvme,
        Some(_) if named.is_none() => {
            return Err(s3_error!(
                InvalidRequest,
                "The checksum type is given without a checksum algorithm."
            ));
        }
        Some(ChecksumType::COMPOSITE) if kind != Kind::Crc64Nvme => true,
        Some(ChecksumType::FULL_OBJECT) if kind.is_crc() => false,
        Some(name) => {
            let kind = kind.name();
            return Err(s3_error!(
                InvalidRequest,
                "The {name} checksum type cannot be used with the {kind} checksum algorithm."
            ));
        }
    };
    Ok((kind, is_composite))
}

fn properties(input: &CreateMultipartUploadInput) -> S3Result<Properties> {
    let properties = properties_of!(input);
    check_properties(&properties)?;
    Ok(properties)
}

/// The kind of checksum that the parts of an upload have.
pub(super) fn kind_of(upload: &Described) -> Kind {
    upload.checksum.values.keys().next().and_then(|name| Kind::parse(name)).unwrap_or(Kind::Crc64Nvme)
}

/// # Errors
/// If no part can have this number.
pub(super) fn check_number(number: i32) -> S3Result<()> {
    if (1..=MOST_PARTS).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive."))
}

pub(super) async fn put(disk: &Disk, request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let S3Request { input, headers, trailing_headers, .. } = request;
    check_number(input.part_number)?;
    check_length(input.content_length, LARGEST_PART)?;
    let upload = disk.upload(&input.bucket, &input.key, &input.upload_id)?;
    let kind = kind_of(&upload);
    let (taken, claimed) = take(disk, input.body, &headers, trailing_headers.as_ref(), Some(kind)).await?;
    let mut checksums = claimed;
    if let Some(value) = taken.sums.of(kind) {
        checksums.insert(kind.name().to_owned(), value.clone());
    }
    let place = (input.bucket, input.key, input.upload_id);
    let part = disk.put_part(place, input.part_number, taken, checksums).await?;
    let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(part.etag)), ..UploadPartOutput::default() };
    set_checksums!(output, part.checksums);
    Ok(output)
}

pub(super) async fn complete(
    disk: &Disk,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let named = input.multipart_upload.as_ref().and_then(|upload| upload.parts.clone()).unwrap_or_default();
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part."));
    }
    let completion = Completion {
        parts: named.into_iter().map(completed).collect::<S3Result<_>>()?,
        checksums: checksums_of!(input),
        size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
        only_if: only_if(input.if_match, input.if_none_match.as_ref())?,
    };
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let object = disk.complete(bucket, key, input.upload_id, completion).await?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, Spelling::Url.of_key(&input.key))),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(object.etag)),
        checksum_type: type_of(&object.checksum),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksums!(output, object.checksum.values);
    Ok(output)
}

fn completed(part: NamedPart) -> S3Result<CompletedPart> {
    let checksums = checksums_of!(part);
    match (part.part_number, part.e_tag) {
        (Some(number), Some(etag)) => Ok(CompletedPart { number, etag: etag.into_value(), checksums }),
        _ => Err(s3_error!(MalformedXML, "Each part has a PartNumber and an ETag.")),
    }
}

pub(super) async fn list_parts(disk: &Disk, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let most = limit(input.max_parts)?;
    let upload = disk.upload(&input.bucket, &input.key, &input.upload_id)?;
    let place = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let after = input.part_number_marker.unwrap_or_default();
    let (parts, is_truncated) = disk.parts(place, after, usize::try_from(most).unwrap_or_default()).await?;
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after),
        next_part_number_marker: Some(parts.last().map_or(0, |part| part.number)),
        max_parts: Some(most),
        is_truncated: Some(is_truncated),
        parts: Some(parts.into_iter().map(listed).collect()),
        initiator: Some(initiator()),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: Some(ChecksumAlgorithm::from(kind_of(&upload).name().to_owned())),
        checksum_type: type_of(&upload.checksum),
        ..ListPartsOutput::default()
    })
}

fn listed(part: Part) -> ListedPart {
    let mut listed = ListedPart {
        part_number: Some(part.number),
        e_tag: Some(ETag::Strong(part.etag)),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(timestamp(part.modified)),
        ..ListedPart::default()
    };
    set_checksums!(listed, part.checksums);
    listed
}

pub(super) async fn list(
    disk: &Disk,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    let spelling = Spelling::of(input.encoding_type.as_ref().map(EncodingType::as_str))?;
    let most = limit(input.max_uploads)?;
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let paging = paging(input.prefix.as_ref(), delimiter.as_ref(), input.key_marker.as_ref(), true, most);
    let after = input.upload_id_marker.clone().unwrap_or_default();
    let page = disk.uploads(input.bucket.clone(), paging, after).await?;
    let is_truncated = page.is_truncated;
    let last = page.entries.last().filter(|_| is_truncated).cloned();
    let next_upload = last.as_ref().and_then(|entry| match entry {
        crate::s3::disk::Entry::Item(_, upload) => Some(upload.id.clone()),
        crate::s3::disk::Entry::Prefix(_) => None,
    });
    let (uploads, common_prefixes) = halves(page, spelling, under_way);
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(spelling.of_key(&input.prefix.unwrap_or_default())),
        delimiter: delimiter.map(|delimiter| spelling.of_key(&delimiter)),
        key_marker: Some(spelling.of_key(&input.key_marker.unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        next_key_marker: last.map(|entry| spelling.of_key(entry.name())),
        next_upload_id_marker: next_upload,
        max_uploads: Some(most),
        is_truncated: Some(is_truncated),
        uploads: Some(uploads),
        common_prefixes: Some(common_prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

fn under_way(key: String, upload: Upload) -> MultipartUpload {
    let type_name = if upload.is_composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    MultipartUpload {
        key: Some(key),
        upload_id: Some(upload.id),
        initiated: Some(timestamp(upload.begun)),
        initiator: Some(initiator()),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: Some(ChecksumAlgorithm::from(upload.kind)),
        checksum_type: Some(ChecksumType::from_static(type_name)),
    }
}

fn initiator() -> Initiator {
    let owner = owner();
    Initiator { id: owner.id, display_name: owner.display_name }
}
