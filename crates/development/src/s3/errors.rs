//! What is wrong on the disk, in S3's own codes (S3 API Reference, "List of error codes").

use axum::http::StatusCode;
use s3s::{S3Error, s3_error};

use super::codes::with_code;
use super::disk::DiskError;

impl From<DiskError> for S3Error {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::NoSuchBucket => s3_error!(NoSuchBucket, "The specified bucket does not exist"),
            DiskError::NoSuchKey => s3_error!(NoSuchKey, "The specified key does not exist."),
            DiskError::NoSuchUpload => s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                 completed."
            ),
            DiskError::BucketExists => {
                s3_error!(
                    BucketAlreadyOwnedByYou,
                    "Your previous request to create the named bucket succeeded."
                )
            }
            DiskError::BucketNotEmpty => {
                s3_error!(
                    BucketNotEmpty,
                    "The bucket you tried to delete is not empty: it has objects or uploads."
                )
            }
            DiskError::ConditionFailed(condition) => s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold: {condition}"
            ),
            DiskError::InvalidPart(number) => s3_error!(
                InvalidPart,
                "Part {number} could not be found. It may not have been uploaded, or its entity tag or checksum is another."
            ),
            DiskError::InvalidPartOrder => {
                s3_error!(InvalidPartOrder, "The list of parts was not in ascending order of part numbers.")
            }
            DiskError::PartTooSmall(number) => s3_error!(
                EntityTooSmall,
                "Part {number} is smaller than the 5 MiB that all but the last part must have."
            ),
            DiskError::BadDigest => {
                s3_error!(
                    BadDigest,
                    "The checksum you specified for the whole did not match what was uploaded."
                )
            }
            DiskError::OtherSize(size) => s3_error!(
                InvalidRequest,
                "The provided 'x-amz-mp-object-size' header does not match what was computed: {size}."
            ),
            // Amazon's disks are never full. No SDK sends again after this status.
            DiskError::Full => {
                let message = "The server's disk is full. Make room, and try again.";
                with_code("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE, message)
            }
            DiskError::Stopped => s3_error!(ServiceUnavailable, "The server is ending. Try again."),
            DiskError::Index(_) | DiskError::Text(_) | DiskError::Io(_) => {
                tracing::error!(%error, "the buckets on the disk cannot be used");
                s3_error!(InternalError, "We encountered an internal error. The server's log says more.")
            }
        }
    }
}
