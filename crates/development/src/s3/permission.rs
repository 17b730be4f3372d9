//! What a signed S3 request needs permission for. `s3s` has verified the signature when it asks here. An
//! operation that `needs` does not know is not implemented for anybody, whatever the policy says, so a new one in
//! `s3s` stays closed until it is understood.

use async_trait::async_trait;
use axum::http::{HeaderMap, Method, Uri};
use daypass_core::audit::Grounds;
use daypass_core::iam::{Context, Key};
use percent_encoding::percent_decode_str;
use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::{
    CompleteMultipartUploadInput, CreateBucketInput, DeleteObjectsInput, PutBucketAclInput,
    PutBucketCorsInput, PutBucketTaggingInput, PutObjectAclInput, PutObjectInput, PutObjectTaggingInput,
    UploadPartInput,
};
use s3s::path::S3Path;
use s3s::{S3ErrorCode, S3Request, S3Result, s3_error};

use super::body;
use super::gate::{self, Bearer, Refusal};
use super::key::check_key;
use super::promises;
use daypass_server::sigv4::Caller;

/// Asks the policy of the key or of the role about every request.
pub(super) struct Permission;

/// Operations whose body is a document, which `s3s` reads when they are permitted and before it asks about what it says.
const DOCUMENTS: [&str; 8] = [
    "CompleteMultipartUpload",
    "CreateBucket",
    "DeleteObjects",
    "PutBucketAcl",
    "PutBucketCors",
    "PutBucketTagging",
    "PutObjectAcl",
    "PutObjectTagging",
];

/// Whatever fails from now on is not the body's fault.
fn has_read_document() -> S3Result<()> {
    asking()?.fault.note(None);
    Ok(())
}

/// Who asks.
fn asking() -> S3Result<std::sync::Arc<Bearer>> {
    gate::bearer().ok_or_else(|| s3_error!(AccessDenied, "Anonymous access is not allowed."))
}

/// One thing that a request needs to be allowed.
struct Need {
    action: &'static str,
    resource: String,
}

impl Need {
    /// The policy of the developer's key or of the role decides.
    ///
    /// # Errors
    /// If it does not allow it.
    fn check(&self, bearer: &Bearer, context: Context) -> S3Result<()> {
        self.decide(bearer, context).map_err(|grounds| {
            let resource = format!("{} {}", self.action, self.resource);
            bearer.note_refusal(Refusal { resource, grounds });
            s3_error!(AccessDenied, "Access Denied")
        })
    }

    fn decide(&self, bearer: &Bearer, context: Context) -> Result<(), Grounds> {
        let decided = match &bearer.caller {
            Caller::Developer(key) => {
                bearer.access.decide_developer(key, self.action, &self.resource, context)
            }
            Caller::Session(opened) => {
                bearer.access.decide(&opened.session, self.action, &self.resource, context)
            }
        };
        decided.map_err(|error| Grounds::of(&error))
    }
}

/// Whether the caller may do something to an object that no path of the request names.
///
/// # Errors
/// If not.
pub(super) fn may(action: &'static str, bucket: &str, key: &str) -> S3Result<()> {
    let bearer = asking()?;
    let need = Need { action, resource: object_arn(bucket, key) };
    need.check(&bearer, bearer.access.arrival(bearer.origin))
}

/// That an object is not there is told to whoever may list the bucket; to others it is as if they may not read it
/// (S3 API Reference, GetObject, "Permissions").
///
/// # Errors
/// The one that came, or that they may not.
pub(super) fn only_for_who_lists<T>(bucket: &str, key: &str, outcome: S3Result<T>) -> S3Result<T> {
    let is_missing = |error: &s3s::S3Error| *error.code() == S3ErrorCode::NoSuchKey;
    let error = match outcome {
        Err(error) if is_missing(&error) => error,
        outcome => return outcome,
    };
    let bearer = asking()?;
    let need = Need { action: "s3:ListBucket", resource: format!("arn:aws:s3:::{bucket}") };
    // A listing of what begins like the key would say as much.
    need.check(&bearer, bearer.access.arrival(bearer.origin).with(Key::S3Prefix, key))?;
    Err(error)
}

/// What is asked of the policy before an operation begins.
fn check(operation: &str, path: &S3Path, headers: &HeaderMap, query: &[(String, String)]) -> S3Result<()> {
    let bearer = asking()?;
    check_query(operation, query)?;
    check_conditions(operation, headers)?;
    check_key(path.get_object_key().unwrap_or_default())?;
    let needs = needs(operation, path, headers, query)?;
    for need in needs.ok_or_else(|| s3_error!(NotImplemented, "This endpoint does not do {operation}."))? {
        need.check(&bearer, with_listing(bearer.access.arrival(bearer.origin), operation, query))?;
    }
    promises::check(headers, query)
}

#[async_trait]
impl S3Access for Permission {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        if cx.credentials().is_none() && !asking()?.is_verified {
            return Err(s3_error!(AccessDenied, "Anonymous access is not allowed."));
        }
        let operation = cx.s3_op().name().to_owned();
        body::check_form(&operation, cx.headers())?;
        check(&operation, cx.s3_path(), cx.headers(), &query_of(cx.uri()))?;
        if DOCUMENTS.contains(&operation.as_str()) {
            asking()?.fault.note(Some(body::fault_of_document(cx.headers())));
        }
        Ok(())
    }

    /// A form says only in its body which object it is about.
    async fn put_object(&self, request: &mut S3Request<PutObjectInput>) -> S3Result<()> {
        let bearer = asking()?;
        if request.method == Method::POST {
            if let Some(name) = &bearer.file_name {
                request.input.key = request.input.key.replace("${filename}", name);
            }
            check_key(&request.input.key)?;
            promises::check_form(&request.input)?;
            may("s3:PutObject", &request.input.bucket, &request.input.key)?;
            if request.input.if_match.is_some() {
                may("s3:GetObject", &request.input.bucket, &request.input.key)?;
            }
            if request.input.tagging.is_some() {
                may("s3:PutObjectTagging", &request.input.bucket, &request.input.key)?;
            }
        }
        let (headers, trailer) = (&request.headers, request.trailing_headers.as_ref());
        request.input.body = body::watch(request.input.body.take(), headers, trailer, bearer.fault.clone());
        Ok(())
    }

    async fn upload_part(&self, request: &mut S3Request<UploadPartInput>) -> S3Result<()> {
        let bearer = asking()?;
        let (headers, trailer) = (&request.headers, request.trailing_headers.as_ref());
        request.input.body = body::watch(request.input.body.take(), headers, trailer, bearer.fault.clone());
        Ok(())
    }

    async fn create_bucket(&self, _: &mut S3Request<CreateBucketInput>) -> S3Result<()> {
        has_read_document()
    }

    async fn complete_multipart_upload(
        &self,
        _: &mut S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<()> {
        has_read_document()
    }

    async fn delete_objects(&self, _: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        has_read_document()
    }

    async fn put_bucket_acl(&self, _: &mut S3Request<PutBucketAclInput>) -> S3Result<()> {
        has_read_document()
    }

    async fn put_bucket_cors(&self, _: &mut S3Request<PutBucketCorsInput>) -> S3Result<()> {
        has_read_document()
    }

    async fn put_bucket_tagging(&self, _: &mut S3Request<PutBucketTaggingInput>) -> S3Result<()> {
        has_read_document()
    }

    async fn put_object_acl(&self, _: &mut S3Request<PutObjectAclInput>) -> S3Result<()> {
        has_read_document()
    }

    async fn put_object_tagging(&self, _: &mut S3Request<PutObjectTaggingInput>) -> S3Result<()> {
        has_read_document()
    }
}

/// What an operation needs; `None` if it is not understood here. DeleteObjects needs what stands in its body
/// (`operations/deleting.rs`).
fn needs(
    operation: &str,
    path: &S3Path,
    headers: &HeaderMap,
    query: &[(String, String)],
) -> S3Result<Option<Vec<Need>>> {
    let on_bucket = |action| Need { action, resource: bucket_arn(path) };
    let on_object = |action| Need { action, resource: path_arn(path) };
    let is_tagged = headers.contains_key("x-amz-tagging")
        || query.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-amz-tagging"));
    let tagging = is_tagged.then(|| on_object("s3:PutObjectTagging"));
    // Whether it is met says what is there (S3 User Guide, "Conditional requests", permissions).
    let reading = headers.contains_key("if-match").then(|| on_object("s3:GetObject"));
    // What a form asks for stands in its body, see above.
    if operation == "PostObject" {
        return Ok(Some(Vec::new()));
    }
    Ok(Some(match operation {
        "ListBuckets" => vec![Need { action: "s3:ListAllMyBuckets", resource: "arn:aws:s3:::*".into() }],
        "CreateBucket" => vec![on_bucket("s3:CreateBucket")],
        "DeleteBucket" => vec![on_bucket("s3:DeleteBucket")],
        "GetBucketLocation" => vec![on_bucket("s3:GetBucketLocation")],
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => vec![on_bucket("s3:ListBucket")],
        "ListObjectVersions" => vec![on_bucket("s3:ListBucketVersions")],
        "ListMultipartUploads" => vec![on_bucket("s3:ListBucketMultipartUploads")],
        "GetBucketTagging" => vec![on_bucket("s3:GetBucketTagging")],
        "PutBucketTagging" | "DeleteBucketTagging" => vec![on_bucket("s3:PutBucketTagging")],
        "GetBucketCors" => vec![on_bucket("s3:GetBucketCORS")],
        "PutBucketCors" | "DeleteBucketCors" => vec![on_bucket("s3:PutBucketCORS")],
        "GetBucketAcl" => vec![on_bucket("s3:GetBucketAcl")],
        "PutBucketAcl" => vec![on_bucket("s3:PutBucketAcl")],
        "GetBucketVersioning" => vec![on_bucket("s3:GetBucketVersioning")],
        "GetBucketLifecycleConfiguration" => vec![on_bucket("s3:GetLifecycleConfiguration")],
        "GetBucketPolicy" => vec![on_bucket("s3:GetBucketPolicy")],
        "GetBucketWebsite" => vec![on_bucket("s3:GetBucketWebsite")],
        "GetBucketEncryption" => vec![on_bucket("s3:GetEncryptionConfiguration")],
        "GetBucketReplication" => vec![on_bucket("s3:GetReplicationConfiguration")],
        "GetObjectLockConfiguration" => vec![on_bucket("s3:GetBucketObjectLockConfiguration")],
        "GetPublicAccessBlock" => vec![on_bucket("s3:GetBucketPublicAccessBlock")],
        "GetBucketLogging" => vec![on_bucket("s3:GetBucketLogging")],
        "GetBucketNotificationConfiguration" => vec![on_bucket("s3:GetBucketNotification")],
        "GetBucketRequestPayment" => vec![on_bucket("s3:GetBucketRequestPayment")],
        "GetBucketOwnershipControls" => vec![on_bucket("s3:GetBucketOwnershipControls")],
        "GetObject" | "HeadObject" => vec![on_object("s3:GetObject")],
        "GetObjectAttributes" => vec![on_object("s3:GetObject"), on_object("s3:GetObjectAttributes")],
        "GetObjectAcl" => vec![on_object("s3:GetObjectAcl")],
        "PutObjectAcl" => vec![on_object("s3:PutObjectAcl")],
        "GetObjectTagging" => vec![on_object("s3:GetObjectTagging")],
        "PutObjectTagging" => vec![on_object("s3:PutObjectTagging")],
        "DeleteObjectTagging" => vec![on_object("s3:DeleteObjectTagging")],
        "PutObject" | "CreateMultipartUpload" | "CompleteMultipartUpload" => {
            std::iter::once(on_object("s3:PutObject")).chain(tagging).chain(reading).collect()
        }
        "UploadPart" => vec![on_object("s3:PutObject")],
        "CopyObject" | "UploadPartCopy" => {
            let needs = [copy_source(headers)?, on_object("s3:PutObject")];
            needs.into_iter().chain(tagging).chain(reading).collect()
        }
        "DeleteObject" => std::iter::once(on_object("s3:DeleteObject")).chain(reading).collect(),
        "DeleteObjects" => vec![],
        "AbortMultipartUpload" => vec![on_object("s3:AbortMultipartUpload")],
        "ListParts" => vec![on_object("s3:ListMultipartUploadParts")],
        _ => return Ok(None),
    }))
}

fn copy_source(headers: &HeaderMap) -> S3Result<Need> {
    let value = headers.get("x-amz-copy-source");
    let value = value.ok_or_else(|| s3_error!(InvalidArgument, "x-amz-copy-source is missing."))?;
    let source = decoded_copy_source(value)?;
    Ok(Need { action: "s3:GetObject", resource: format!("arn:aws:s3:::{source}") })
}

/// `bucket/key`. A version would name another object than the policy was asked about.
fn decoded_copy_source(value: &axum::http::HeaderValue) -> S3Result<String> {
    let text =
        value.to_str().map_err(|_| s3_error!(InvalidArgument, "x-amz-copy-source is not readable."))?;
    let is_place = |text: &str| {
        text.trim_start_matches('/')
            .split_once('/')
            .is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
    };
    if !text.starts_with("arn:") && !is_place(text) {
        return Err(s3_error!(
            InvalidArgument,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey."
        ));
    }
    if text.contains('?') || text.starts_with("arn:") {
        return Err(s3_error!(NotImplemented, "x-amz-copy-source must be written bucket/key."));
    }
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| s3_error!(InvalidArgument, "x-amz-copy-source is not UTF-8."))?;
    Ok(text.strip_prefix('/').unwrap_or(&text).to_owned())
}

/// The condition keys that a listing adds (Service Authorization Reference, Amazon S3).
fn with_listing(context: Context, operation: &str, query: &[(String, String)]) -> Context {
    if !matches!(operation, "ListObjects" | "ListObjectsV2" | "ListObjectVersions") {
        return context;
    }
    let keys = [("prefix", Key::S3Prefix), ("delimiter", Key::S3Delimiter), ("max-keys", Key::S3MaxKeys)];
    keys.into_iter().fold(context, |context, (parameter, key)| {
        context.with_all(key, query.iter().filter(|(name, _)| name == parameter).map(|(_, value)| value))
    })
}

/// What changes something looks at entity tags alone; any other condition would be passed over.
fn check_conditions(operation: &str, headers: &HeaderMap) -> S3Result<()> {
    let unmet: &[&str] = match operation {
        "PutObject" | "CopyObject" | "CompleteMultipartUpload" => {
            &["if-modified-since", "if-unmodified-since"]
        }
        "DeleteObject" => &["if-modified-since", "if-unmodified-since", "if-none-match"],
        _ => &[],
    };
    match unmet.iter().find(|name| headers.contains_key(**name)) {
        Some(name) => {
            Err(s3_error!(NotImplemented, "{operation} does not look at {name} here; leave it out."))
        }
        None => Ok(()),
    }
}

/// Parameters of listings and of objects that say something without a value, or nothing.
const MAY_BE_EMPTY: [&str; 14] = [
    "prefix",
    "delimiter",
    "marker",
    "encoding-type",
    "start-after",
    "continuation-token",
    "fetch-owner",
    "list-type",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

/// What decides about a listing must stand there once. And what `s3s` does not know by a name in the query, it takes
/// for the operation without that name, which could remove or make what nobody asked for.
fn check_query(operation: &str, query: &[(String, String)]) -> S3Result<()> {
    for name in ["prefix", "delimiter", "max-keys", "marker", "start-after", "continuation-token"] {
        if query.iter().filter(|(known, _)| known == name).count() > 1 {
            return Err(s3_error!(InvalidArgument, "A parameter stands there twice."));
        }
    }
    if query.iter().any(|(name, value)| name == "versionId" && value != "null") {
        return Err(s3_error!(NotImplemented, "This endpoint keeps no versions."));
    }
    let changes =
        matches!(operation, "CreateBucket" | "DeleteBucket" | "PutObject" | "CopyObject" | "DeleteObject");
    let reads = matches!(
        operation,
        "ListBuckets" | "ListObjects" | "ListObjectsV2" | "HeadBucket" | "GetObject" | "HeadObject"
    );
    let is_known = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("x-amz-") || matches!(name.as_str(), "x-id" | "versionid")
    };
    // Where something is read, S3 passes over what it does not know, but names of what it has come without a value.
    let is_other = |(name, value): &&(String, String)| {
        !is_known(name) && (changes || reads && value.is_empty() && !MAY_BE_EMPTY.contains(&name.as_str()))
    };
    match query.iter().find(is_other) {
        Some((name, _)) => {
            Err(s3_error!(NotImplemented, "This endpoint does not do {operation} with the parameter {name}."))
        }
        None => Ok(()),
    }
}

fn query_of(uri: &Uri) -> Vec<(String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn bucket_arn(path: &S3Path) -> String {
    format!("arn:aws:s3:::{}", path.get_bucket_name().unwrap_or_default())
}

fn path_arn(path: &S3Path) -> String {
    object_arn(path.get_bucket_name().unwrap_or_default(), path.get_object_key().unwrap_or_default())
}

fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}
