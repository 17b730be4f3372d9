//! What `s3s-fs` makes of a request that S3 would not: the names it keeps an object by are shorter than S3's keys, it
//! aborts over some delimiters and ranges, and an upload is there for whoever holds one access key. What it cannot do
//! is refused before it does anything.

use std::path::{Path, PathBuf};

use s3s::dto::{CompletedPart, CopySource, Range};
use s3s::{S3Result, s3_error};

/// The longest name of a file (limits.h, `NAME_MAX`).
const NAME_MAX: usize = 255;
/// The longest key that S3 takes.
const LONGEST_KEY: usize = 1_024;
/// What stands around a bucket and a key in the longest name that an object has: `.bucket-`, `.object-`,
/// `.metadata.json`.
const AROUND: usize = 30;
/// What an upload has besides: `.upload-` and a UUID.
const OF_UPLOAD: usize = 44;
const UUID: usize = 36;

/// The folder that `s3s-fs` keeps everything in.
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// A range that the object has. A suffix that is longer than the object is all of it (RFC 9110, 14.1.2).
    pub async fn range(&self, range: Option<Range>, bucket: &str, key: &str) -> Option<Range> {
        let Some(Range::Suffix { length }) = range else { return range };
        let object = tokio::fs::metadata(self.root.join(bucket).join(key)).await;
        let is_longer = object.map_or(true, |object| object.len() < length);
        if length > 0 && is_longer { Some(Range::Int { first: 0, last: None }) } else { range }
    }

    /// Whether a key can be an object's: where files are, there is nothing below one, and a folder is none.
    ///
    /// # Errors
    /// If something else is in its place, where S3 keeps both, or there is no such bucket.
    pub async fn check_place(&self, bucket: &str, key: &str) -> S3Result<()> {
        if key.len() > LONGEST_KEY || key.split('/').any(|name| name.len() > NAME_MAX) {
            return Err(s3_error!(KeyTooLongError));
        }
        let bucket = self.root.join(bucket);
        if !is_folder(&bucket).await {
            return Err(s3_error!(NoSuchBucket));
        }
        let name = key.trim_end_matches('/');
        let above = name.match_indices('/').filter_map(|(end, _)| name.get(..end));
        let mut is_taken = false;
        for folder in above {
            is_taken |= tokio::fs::metadata(bucket.join(folder)).await.is_ok_and(|it| !it.is_dir());
        }
        if let Ok(there) = tokio::fs::metadata(bucket.join(name)).await {
            is_taken |= there.is_dir() != key.ends_with('/');
        }
        if is_taken {
            return Err(s3_error!(
                NotImplemented,
                "This endpoint of development keeps objects as files, and a name cannot be both an object's and a folder's."
            ));
        }
        Ok(())
    }

    /// Whether a key can be read: a folder is no object.
    ///
    /// # Errors
    /// If it is one.
    pub async fn check_object(&self, bucket: &str, key: &str) -> S3Result<()> {
        if is_folder(&self.root.join(bucket).join(key)).await { Err(s3_error!(NoSuchKey)) } else { Ok(()) }
    }

    /// The same of what is copied.
    ///
    /// # Errors
    /// If it is a folder, or no key at all.
    pub async fn check_source(&self, source: &CopySource) -> S3Result<()> {
        match source {
            CopySource::Bucket { bucket, key, .. } => self.check_object(bucket, key).await,
            CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => Err(s3_error!(NotImplemented)),
        }
    }

    /// Whether the parts that an upload is completed with are there. `s3s-fs` would look for them one by one, when the upload
    /// is over already.
    ///
    /// # Errors
    /// If one is not.
    pub async fn check_parts(&self, upload_id: &str, parts: &[CompletedPart]) -> S3Result<()> {
        for part in parts {
            let number = part.part_number.unwrap_or_default();
            let file = self.root.join(format!(".upload_id-{upload_id}.part-{number}"));
            if tokio::fs::metadata(file).await.is_err() {
                return Err(s3_error!(InvalidPart, "The part {number} was not uploaded."));
            }
        }
        Ok(())
    }

    /// Who began an upload, by the name that [`s3s::auth::Credentials`] had then.
    ///
    /// # Errors
    /// If there is no such upload.
    pub async fn owner(&self, upload_id: &str) -> S3Result<String> {
        let unknown =
            || s3_error!(NoSuchUpload, "There is no such upload. It may have been completed or aborted.");
        let is_plain = |c: char| matches!(c, '0'..='9' | 'a'..='f' | '-');
        if upload_id.len() != UUID || !upload_id.chars().all(is_plain) {
            return Err(unknown());
        }
        let file = self.root.join(format!(".upload-{upload_id}.json"));
        let text = tokio::fs::read(file).await.map_err(|_| unknown())?;
        serde_json::from_slice(&text).map_err(|_| unknown())
    }
}

async fn is_folder(path: &Path) -> bool {
    tokio::fs::metadata(path).await.is_ok_and(|it| it.is_dir())
}

/// Whether an object may be made by a key. S3 takes 1,024 bytes.
///
/// # Errors
/// If a file could not have its name.
pub(super) fn check_length(operation: &str, bucket: &str, key: &str) -> S3Result<()> {
    let of_upload = match operation {
        "CreateMultipartUpload" => OF_UPLOAD,
        "PutObject" | "CopyObject" | "CompleteMultipartUpload" => 0,
        _ => return Ok(()),
    };
    let room = (NAME_MAX - AROUND - of_upload).saturating_sub(in_base64(bucket.len()));
    if in_base64(key.len()) <= room {
        return Ok(());
    }
    let longest = room * 3 / 4;
    Err(s3_error!(
        KeyTooLongError,
        "Your key is too long: this endpoint of development takes {longest} bytes here."
    ))
}

fn in_base64(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// The delimiter of a listing. An empty one is none.
///
/// # Errors
/// If it is no single character of ASCII: `s3s-fs` cuts keys after the first byte of it.
pub(super) fn delimiter(delimiter: Option<String>) -> S3Result<Option<String>> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
    if delimiter.as_ref().is_some_and(|delimiter| delimiter.len() > 1) {
        return Err(s3_error!(
            NotImplemented,
            "This endpoint of development groups by one character of ASCII, such as `/`."
        ));
    }
    Ok(delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_as_long_as_a_file_of_its_name() {
        let name = |bucket: &str, key: &str, upload: &str| {
            use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
            let [bucket, key] = [bucket, key].map(|text| BASE64_URL_SAFE_NO_PAD.encode(text));
            format!(".bucket-{bucket}.object-{key}{upload}.metadata.json").len()
        };
        let upload = format!(".upload-{}", "0".repeat(UUID));
        for (operation, upload) in [("PutObject", ""), ("CopyObject", ""), ("CreateMultipartUpload", &upload)]
        {
            for bucket in ["abc".to_owned(), "daypass-demo".to_owned(), "b".repeat(63)] {
                for length in 1..1024 {
                    let key = "k".repeat(length);
                    let fits = name(&bucket, &key, upload) <= NAME_MAX;
                    assert_eq!(check_length(operation, &bucket, &key).is_ok(), fits, "{operation} {length}");
                }
            }
        }
        assert!(check_length("GetObject", "abc", &"k".repeat(1024)).is_ok());
    }
}
