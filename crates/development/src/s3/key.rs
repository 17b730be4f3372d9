//! What can be a key.

use s3s::{S3Result, s3_error};

/// The longest, in bytes of UTF-8 (S3 User Guide, "Naming Amazon S3 objects").
const LONGEST: usize = 1_024;

/// # Errors
/// If no object can have this key.
pub(super) fn check_key(key: &str) -> S3Result<()> {
    if key.len() > LONGEST {
        return Err(s3_error!(KeyTooLongError, "Your key is too long: it may have 1,024 bytes."));
    }
    Ok(())
}
