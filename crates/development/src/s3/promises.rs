//! What a request can ask for beside its operation and nothing here does: it is refused, and not passed over, so that nobody takes
//! an object for encrypted, tagged, locked or shared that is none of it.

use axum::http::HeaderMap;
use daypass_server::config::development::ACCOUNT_ID;
use s3s::dto::{ObjectCannedACL, PutObjectInput, ServerSideEncryption, StorageClass};
use s3s::{S3Result, s3_error};

/// Names of headers, or how they begin, with the values that say no more than what is so anyway.
const UNKEPT: &[(&str, &[&str])] = &[
    ("x-amz-acl", &["private", "bucket-owner-full-control"]),
    ("x-amz-bucket-object-lock-enabled", &["false"]),
    ("x-amz-grant-", &[]),
    ("x-amz-object-lock-", &[]),
    ("x-amz-server-side-encryption", &[]),
    ("x-amz-storage-class", &["STANDARD"]),
    ("x-amz-website-redirect-location", &[]),
    ("x-amz-write-offset-bytes", &[]),
];

/// What names whom a bucket is expected to belong to.
const OWNERS: [&str; 2] = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

/// Looks at headers and at a presigned URL, which has some of them among its parameters.
pub(super) fn check(headers: &HeaderMap, query: &[(String, String)]) -> S3Result<()> {
    let in_headers = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
    let in_query = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let is_owner = |name: &str| OWNERS.iter().any(|owner| owner.eq_ignore_ascii_case(name));
    let said: Vec<_> = in_headers.chain(in_query).collect();
    if said.iter().any(|(name, value)| is_owner(name) && *value != ACCOUNT_ID) {
        return Err(s3_error!(AccessDenied, "The bucket belongs to the account {ACCOUNT_ID}."));
    }
    match said.into_iter().find(|(name, value)| !is_kept(name, value)) {
        None => Ok(()),
        Some((name, _)) if name.eq_ignore_ascii_case("x-amz-acl") => {
            Err(s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs."))
        }
        Some((name, _)) => Err(s3_error!(
            NotImplemented,
            "{name} has no effect at this endpoint, so it is refused; leave it out."
        )),
    }
}

/// The same of the fields of a form.
pub(super) fn check_form(input: &PutObjectInput) -> S3Result<()> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let fields = [
        ("x-amz-acl", text(input.acl.as_ref().map(ObjectCannedACL::as_str))),
        ("x-amz-storage-class", text(input.storage_class.as_ref().map(StorageClass::as_str))),
        (
            "x-amz-server-side-encryption",
            text(input.server_side_encryption.as_ref().map(ServerSideEncryption::as_str)),
        ),
        ("x-amz-server-side-encryption-customer-key", text(input.sse_customer_key.as_deref())),
        ("x-amz-website-redirect-location", text(input.website_redirect_location.as_deref())),
    ];
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    check(&HeaderMap::new(), &given.map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>())
}

fn is_kept(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let unkept = UNKEPT.iter().find(|(beginning, _)| name.starts_with(beginning));
    unkept.is_none_or(|(_, harmless)| harmless.contains(&value))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn refused(name: &str, value: &str) -> bool {
        let header = (HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
        let in_header = check(&HeaderMap::from_iter([header]), &[]).is_err();
        let in_query = check(&HeaderMap::new(), &[(name.to_uppercase(), value.to_owned())]).is_err();
        assert_eq!(in_header, in_query, "{name}");
        in_header
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        for (name, value) in [
            ("x-amz-acl", "public-read"),
            ("x-amz-acl", ""),
            ("x-amz-grant-read", "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\""),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-server-side-encryption-customer-key", "a2V5"),
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            ("x-amz-storage-class", "GLACIER"),
            ("x-amz-website-redirect-location", "/"),
            ("x-amz-write-offset-bytes", "5"),
            ("x-amz-expected-bucket-owner", "111111111111"),
        ] {
            assert!(refused(name, value), "{name}: {value}");
        }
        for (name, value) in [
            ("x-amz-acl", "private"),
            ("x-amz-storage-class", "STANDARD"),
            ("x-amz-meta-acl", "public-read"),
            ("x-amz-copy-source", "b/k"),
            ("x-amz-checksum-crc32", "AAAAAA=="),
            ("content-type", "text/plain"),
            ("x-amz-expected-bucket-owner", ACCOUNT_ID),
        ] {
            assert!(!refused(name, value), "{name}: {value}");
        }
    }
}
