//! How keys are spelt in answers: XML has no way to write some characters, so clients ask for percent-encoding
//! (S3 API Reference, ListObjectsV2, `encoding-type`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{S3Result, s3_error};

/// What stands for itself, beside letters and digits. All clients read a space that is `%20`, whatever they think of `+`.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// How keys are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As they are.
    Plain,
    /// With percent-encoding.
    Url,
}

impl Spelling {
    /// What a request asks for.
    ///
    /// # Errors
    /// If it asks for another one.
    pub fn of(asked: Option<&str>) -> S3Result<Self> {
        match asked {
            None | Some("") => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(_) => Err(s3_error!(
                InvalidArgument,
                "Invalid Encoding Method specified in Request: it must be url."
            )),
        }
    }

    /// A key, or the beginning of keys.
    pub fn of_key(self, key: &str) -> String {
        match self {
            Self::Plain => key.to_owned(),
            Self::Url => utf8_percent_encode(key, ENCODED).to_string(),
        }
    }
}
