//! Tags of objects and buckets (S3 User Guide, "Categorizing your objects using tags").

use std::collections::BTreeSet;

use axum::http::StatusCode;
use s3s::dto::{MetadataDirective, Tag};
use s3s::{S3Result, s3_error};

use super::codes::with_code;
use super::disk::Tags;

/// How many tags an object may have.
pub(super) const MOST_OF_OBJECT: usize = 10;
/// How many a bucket may have.
pub(super) const MOST_OF_BUCKET: usize = 50;
/// The longest name and the longest value, in characters.
const LONGEST: (usize, usize) = (128, 256);

/// The tags of `x-amz-tagging`, which is written like a query.
///
/// # Errors
/// If they are no tags.
pub(super) fn of_header(header: Option<&str>) -> S3Result<Tags> {
    let pairs = form_urlencoded::parse(header.unwrap_or_default().as_bytes()).into_owned().collect();
    check(pairs, MOST_OF_OBJECT)
}

/// The tags of a document.
///
/// # Errors
/// If they are no tags.
pub(super) fn of_document(tags: Vec<Tag>, most: usize) -> S3Result<Tags> {
    check(
        tags.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect(),
        most,
    )
}

/// The tags as a document has them.
pub(super) fn document(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

fn check(tags: Tags, most: usize) -> S3Result<Tags> {
    if tags.len() > most {
        return Err(with_code(
            "BadRequest",
            StatusCode::BAD_REQUEST,
            format!("Object and bucket tags cannot be greater than {most}."),
        ));
    }
    let (longest_name, longest_value) = LONGEST;
    let is_valid = |(name, value): &(String, String)| {
        !name.is_empty() && name.chars().count() <= longest_name && value.chars().count() <= longest_value
    };
    if !tags.iter().all(is_valid) {
        return Err(s3_error!(
            InvalidTag,
            "A tag has a name of 1 to 128 characters and a value of up to 256."
        ));
    }
    if tags.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("aws:")) {
        return Err(s3_error!(InvalidTag, "Your TagKey cannot be prefixed with aws:"));
    }
    if tags.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() < tags.len() {
        return Err(s3_error!(InvalidTag, "Cannot provide multiple tags with the same key."));
    }
    Ok(tags)
}

/// Whether a copy is described by its request, and not as its source is.
///
/// # Errors
/// If it is neither.
pub(super) fn is_replaced(directive: Option<&str>) -> S3Result<bool> {
    match directive {
        None | Some(MetadataDirective::COPY) => Ok(false),
        Some(MetadataDirective::REPLACE) => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "A directive is COPY or REPLACE.")),
    }
}
