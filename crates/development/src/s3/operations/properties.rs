//! What requests say of objects, in the members that three of them have in common.

use axum::http::HeaderName;
use s3s::{S3Result, s3_error};

use crate::s3::disk::Properties;

/// How much metadata an object may have, names and values together (S3 User Guide, "Working with object metadata").
const MOST_METADATA: usize = 2 << 10;

/// What a request says of its object.
macro_rules! properties_of {
    ($input:expr) => {{
        let input = &$input;
        $crate::s3::disk::Properties {
            content_type: input.content_type.clone(),
            cache_control: input.cache_control.clone(),
            content_disposition: input.content_disposition.clone(),
            content_encoding: input
                .content_encoding
                .as_deref()
                .and_then($crate::s3::operations::properties::without_chunks),
            content_language: input.content_language.clone(),
            expires: input.expires.as_ref().and_then($crate::s3::moment::in_http),
            metadata: input.metadata.clone().unwrap_or_default().into_iter().collect(),
        }
    }};
}

pub(super) use properties_of;

/// # Errors
/// If there is too much metadata, or something that no answer could say of the object.
pub(super) fn check_properties(properties: &Properties) -> S3Result<()> {
    let size: usize = properties.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MOST_METADATA {
        return Err(s3_error!(
            MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size."
        ));
    }
    let is_name = |name: &String| HeaderName::try_from(format!("x-amz-meta-{name}")).is_ok();
    let is_text = |text: &String| !text.chars().any(char::is_control);
    let Properties {
        content_type,
        cache_control,
        content_disposition,
        content_encoding,
        content_language,
        ..
    } = properties;
    let texts = [content_type, cache_control, content_disposition, content_encoding, content_language];
    let mut texts = texts.into_iter().flatten().chain(properties.metadata.values());
    if properties.metadata.keys().all(is_name) && texts.all(is_text) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "A header or a name of metadata has characters that no header can have."))
}

/// The encoding of the object, without that of its transfer.
pub(super) fn without_chunks(encoding: &str) -> Option<String> {
    let encodings: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
    Some(encodings.join(", ")).filter(|encoding| !encoding.is_empty())
}
