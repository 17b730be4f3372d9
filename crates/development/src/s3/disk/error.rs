//! What can be wrong when somebody asks for buckets, objects and uploads.

use std::io;

/// Why a bucket, an object or an upload is not given, or not changed.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("there is no such bucket")]
    NoSuchBucket,
    #[error("there is no such object")]
    NoSuchKey,
    #[error("there is no such upload")]
    NoSuchUpload,
    #[error("the bucket is there already")]
    BucketExists,
    #[error("the bucket has objects or uploads")]
    BucketNotEmpty,
    /// The condition by this name is not met.
    #[error("{0} is not met")]
    ConditionFailed(&'static str),
    #[error("part {0} was not uploaded, or is another")]
    InvalidPart(i32),
    #[error("parts are not in order")]
    InvalidPartOrder,
    #[error("part {0} is too small to stand before another")]
    PartTooSmall(i32),
    #[error("the parts have another checksum")]
    BadDigest,
    #[error("the parts have {0} bytes")]
    OtherSize(u64),
    #[error("the disk is full")]
    Full,
    #[error("the process is ending")]
    Stopped,
    #[error("the index of buckets: {0}")]
    Index(rusqlite::Error),
    #[error("what the index says of an object: {0}")]
    Text(#[from] serde_json::Error),
    #[error("the disk: {0}")]
    Io(io::Error),
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

impl From<rusqlite::Error> for DiskError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Index(error),
        }
    }
}
