//! What a signed S3 request needs permission for. `s3s` has verified the signature when it asks here. An
//! operation that `needs` does not know is not implemented for anybody, whatever the policy says, so a new one in
//! `s3s` stays closed until it is understood.

use std::path::Path;

use async_trait::async_trait;
use axum::http::{HeaderMap, Uri};
use daypass_core::audit::Grounds;
use daypass_core::iam::{Context, Key};
use percent_encoding::percent_decode_str;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::Credentials;
use s3s::dto::{
    AbortMultipartUploadInput, CompleteMultipartUploadInput, CopyObjectInput, CreateBucketInput,
    CreateMultipartUploadInput, DeleteObjectInput, DeleteObjectsInput, GetObjectInput, HeadObjectInput,
    ListObjectsInput, ListObjectsV2Input, ListPartsInput, PutObjectInput, UploadPartCopyInput,
    UploadPartInput,
};
use s3s::path::S3Path;
use s3s::{S3Request, S3Result, s3_error};

use super::body;
use super::folder::{self, Folder};
use super::gate::{self, Bearer, Refusal};
use super::promises;
use daypass_server::sigv4::Caller;

/// Asks the policy of the key or of the role about every request.
pub(super) struct Permission {
    folder: Folder,
}

/// Operations whose body is a document, which `s3s` reads when they are permitted and before it asks about what it says.
const DOCUMENTS: [&str; 3] = ["CompleteMultipartUpload", "CreateBucket", "DeleteObjects"];

/// Whatever fails from now on is not the body's fault.
fn has_read_document() -> S3Result<()> {
    gate::bearer().ok_or_else(|| s3_error!(AccessDenied))?.fault.note(None);
    Ok(())
}

/// One thing that a request needs to be allowed.
struct Need {
    action: &'static str,
    resource: String,
}

impl Permission {
    pub fn new(root: &Path) -> Self {
        Self { folder: Folder::new(root.to_owned()) }
    }

    /// Only whoever began an upload goes on with it.
    async fn check_upload(
        &self,
        upload_id: &str,
        need: Need,
        credentials: &mut Option<Credentials>,
    ) -> S3Result<()> {
        let bearer = gate::bearer().ok_or_else(|| s3_error!(AccessDenied))?;
        if self.folder.owner(upload_id).await? != owner(&bearer.caller) {
            return Err(refuse(
                &bearer,
                &need,
                Grounds::new("upload_of_another", "somebody else began the upload"),
            ));
        }
        own(credentials.as_mut(), &bearer.caller);
        Ok(())
    }

    /// The policy of the developer's key or of the role decides.
    fn check_need(bearer: &Bearer, need: &Need, context: Context) -> S3Result<()> {
        let decided = match &bearer.caller {
            Caller::Developer(key) => {
                bearer.access.decide_developer(key, need.action, &need.resource, context)
            }
            Caller::Session(opened) => {
                bearer.access.decide(&opened.session, need.action, &need.resource, context)
            }
        };
        decided.map_err(|error| refuse(bearer, need, Grounds::of(&error)))
    }
}

/// Whose an upload is. An access key is nobody's name: credentials are renewed while an upload goes on.
fn owner(caller: &Caller) -> String {
    match caller {
        Caller::Developer(key) => format!("developer {}", key.name),
        Caller::Session(opened) => format!("identity {}", opened.session.identity_id),
    }
}

/// `s3s-fs` gives an upload to the name that the credentials have.
fn own(credentials: Option<&mut Credentials>, caller: &Caller) {
    if let Some(credentials) = credentials {
        credentials.access_key = owner(caller);
    }
}

fn refuse(bearer: &Bearer, need: &Need, grounds: Grounds) -> s3s::S3Error {
    let resource = format!("{} {}", need.action, need.resource);
    bearer.note_refusal(Refusal { resource, grounds });
    s3_error!(AccessDenied, "Access Denied")
}

#[async_trait]
impl S3Access for Permission {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let bearer = gate::bearer().filter(|_| cx.credentials().is_some());
        let bearer = bearer.ok_or_else(|| s3_error!(AccessDenied, "Anonymous access is not allowed."))?;
        let query = query_of(cx.uri());
        check_paths(cx.s3_path(), cx.headers(), &query)?;
        let operation = cx.s3_op().name().to_owned();
        let (bucket, key) = (cx.s3_path().get_bucket_name(), cx.s3_path().get_object_key());
        body::check_form(&operation, cx.headers())?;
        folder::check_length(&operation, bucket.unwrap_or_default(), key.unwrap_or_default())?;
        promises::check(cx.headers(), &query)?;
        let needs = needs(&operation, cx.s3_path(), cx.headers())?;
        for need in
            needs.ok_or_else(|| s3_error!(NotImplemented, "This endpoint does not do {operation}."))?
        {
            Self::check_need(
                &bearer,
                &need,
                with_listing(bearer.access.arrival(bearer.origin), &operation, &query),
            )?;
        }
        if DOCUMENTS.contains(&operation.as_str()) {
            bearer.fault.note(Some(body::fault_of_document(cx.headers())));
        }
        Ok(())
    }

    async fn create_bucket(&self, _: &mut S3Request<CreateBucketInput>) -> S3Result<()> {
        has_read_document()
    }

    async fn put_object(&self, request: &mut S3Request<PutObjectInput>) -> S3Result<()> {
        let bearer = gate::bearer().ok_or_else(|| s3_error!(AccessDenied))?;
        self.folder.check_place(&request.input.bucket, &request.input.key).await?;
        let (headers, trailer) = (&request.headers, request.trailing_headers.as_ref());
        request.input.body = body::watch(request.input.body.take(), headers, trailer, bearer.fault.clone());
        Ok(())
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        let CopyObjectInput { bucket, key, copy_source, .. } = &request.input;
        self.folder.check_source(copy_source).await?;
        self.folder.check_place(bucket, key).await
    }

    /// `s3s-fs` says that it encodes keys when a client asks for that, and does not. Unasked it tells the truth.
    async fn list_objects(&self, request: &mut S3Request<ListObjectsInput>) -> S3Result<()> {
        request.input.encoding_type = None;
        request.input.delimiter = folder::delimiter(request.input.delimiter.take())?;
        Ok(())
    }

    /// As for [`Self::list_objects`].
    async fn list_objects_v2(&self, request: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        request.input.encoding_type = None;
        request.input.delimiter = folder::delimiter(request.input.delimiter.take())?;
        Ok(())
    }

    async fn get_object(&self, request: &mut S3Request<GetObjectInput>) -> S3Result<()> {
        let GetObjectInput { bucket, key, range, .. } = &request.input;
        self.folder.check_object(bucket, key).await?;
        request.input.range = self.folder.range(*range, bucket, key).await;
        Ok(())
    }

    async fn head_object(&self, request: &mut S3Request<HeadObjectInput>) -> S3Result<()> {
        self.folder.check_object(&request.input.bucket, &request.input.key).await
    }

    async fn delete_object(&self, request: &mut S3Request<DeleteObjectInput>) -> S3Result<()> {
        self.folder.check_place(&request.input.bucket, &request.input.key).await
    }

    async fn create_multipart_upload(
        &self,
        request: &mut S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<()> {
        let bearer = gate::bearer().ok_or_else(|| s3_error!(AccessDenied))?;
        own(request.credentials.as_mut(), &bearer.caller);
        Ok(())
    }

    async fn upload_part(&self, request: &mut S3Request<UploadPartInput>) -> S3Result<()> {
        let bearer = gate::bearer().ok_or_else(|| s3_error!(AccessDenied))?;
        let UploadPartInput { bucket, key, upload_id, .. } = &request.input;
        let need = Need { action: "s3:PutObject", resource: object_arn(bucket, key) };
        self.check_upload(upload_id, need, &mut request.credentials).await?;
        let (headers, trailer) = (&request.headers, request.trailing_headers.as_ref());
        request.input.body = body::watch(request.input.body.take(), headers, trailer, bearer.fault.clone());
        Ok(())
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        let UploadPartCopyInput { bucket, key, upload_id, copy_source, .. } = &request.input;
        let need = Need { action: "s3:PutObject", resource: object_arn(bucket, key) };
        self.check_upload(upload_id, need, &mut request.credentials).await?;
        self.folder.check_source(copy_source).await
    }

    async fn complete_multipart_upload(
        &self,
        request: &mut S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<()> {
        has_read_document()?;
        let CompleteMultipartUploadInput { bucket, key, upload_id, multipart_upload, .. } = &request.input;
        let need = Need { action: "s3:PutObject", resource: object_arn(bucket, key) };
        self.check_upload(upload_id, need, &mut request.credentials).await?;
        self.folder.check_place(bucket, key).await?;
        let parts = multipart_upload.as_ref().and_then(|it| it.parts.as_deref()).unwrap_or_default();
        self.folder.check_parts(upload_id, parts).await
    }

    async fn abort_multipart_upload(
        &self,
        request: &mut S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<()> {
        let AbortMultipartUploadInput { bucket, key, upload_id, .. } = &request.input;
        let need = Need { action: "s3:AbortMultipartUpload", resource: object_arn(bucket, key) };
        self.check_upload(upload_id, need, &mut request.credentials).await
    }

    async fn list_parts(&self, request: &mut S3Request<ListPartsInput>) -> S3Result<()> {
        let ListPartsInput { bucket, key, upload_id, .. } = &request.input;
        let need = Need { action: "s3:ListMultipartUploadParts", resource: object_arn(bucket, key) };
        self.check_upload(upload_id, need, &mut request.credentials).await
    }

    /// The keys of a batch stand in its body; each is decided as if it stood alone, and one refusal refuses
    /// the batch.
    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        has_read_document()?;
        let bearer = gate::bearer().ok_or_else(|| s3_error!(AccessDenied))?;
        for object in &request.input.delete.objects {
            check_key(&object.key)?;
            self.folder.check_place(&request.input.bucket, &object.key).await?;
            let need =
                Need { action: "s3:DeleteObject", resource: object_arn(&request.input.bucket, &object.key) };
            Self::check_need(&bearer, &need, bearer.access.arrival(bearer.origin))?;
        }
        Ok(())
    }
}

/// What an operation needs; `None` if it is not understood here. DeleteObjects needs what stands in its body,
/// see above.
fn needs(operation: &str, path: &S3Path, headers: &HeaderMap) -> S3Result<Option<Vec<Need>>> {
    let on_bucket = |action| Need { action, resource: bucket_arn(path) };
    let on_object = |action| Need { action, resource: path_arn(path) };
    Ok(Some(match operation {
        "ListBuckets" => vec![Need { action: "s3:ListAllMyBuckets", resource: "arn:aws:s3:::*".into() }],
        "CreateBucket" => vec![on_bucket("s3:CreateBucket")],
        "DeleteBucket" => vec![on_bucket("s3:DeleteBucket")],
        "GetBucketLocation" => vec![on_bucket("s3:GetBucketLocation")],
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => vec![on_bucket("s3:ListBucket")],
        "GetObject" | "HeadObject" => vec![on_object("s3:GetObject")],
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            vec![on_object("s3:PutObject")]
        }
        "CopyObject" | "UploadPartCopy" => vec![copy_source(headers)?, on_object("s3:PutObject")],
        "DeleteObject" => vec![on_object("s3:DeleteObject")],
        "DeleteObjects" => vec![],
        "AbortMultipartUpload" => vec![on_object("s3:AbortMultipartUpload")],
        "ListParts" => vec![on_object("s3:ListMultipartUploadParts")],
        _ => return Ok(None),
    }))
}

fn copy_source(headers: &HeaderMap) -> S3Result<Need> {
    let source = decoded_copy_source(headers)?
        .ok_or_else(|| s3_error!(InvalidArgument, "x-amz-copy-source is missing."))?;
    Ok(Need { action: "s3:GetObject", resource: format!("arn:aws:s3:::{source}") })
}

/// `bucket/key`. A version would name another object than the policy was asked about.
fn decoded_copy_source(headers: &HeaderMap) -> S3Result<Option<String>> {
    let Some(value) = headers.get("x-amz-copy-source") else { return Ok(None) };
    let text =
        value.to_str().map_err(|_| s3_error!(InvalidArgument, "x-amz-copy-source is not readable."))?;
    if text.contains('?') || text.starts_with("arn:") {
        return Err(s3_error!(NotImplemented, "x-amz-copy-source must be written bucket/key."));
    }
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| s3_error!(InvalidArgument, "x-amz-copy-source is not UTF-8."))?;
    Ok(Some(text.strip_prefix('/').unwrap_or(&text).to_owned()))
}

/// The condition keys that a listing adds (Service Authorization Reference, Amazon S3).
fn with_listing(context: Context, operation: &str, query: &[(String, String)]) -> Context {
    if !matches!(operation, "ListObjects" | "ListObjectsV2") {
        return context;
    }
    let keys = [("prefix", Key::S3Prefix), ("delimiter", Key::S3Delimiter), ("max-keys", Key::S3MaxKeys)];
    keys.into_iter().fold(context, |context, (parameter, key)| {
        context.with_all(key, query.iter().filter(|(name, _)| name == parameter).map(|(_, value)| value))
    })
}

/// A folder on a disk knows `.`, `..` and no empty names; S3 knows none of these, and policies compare text.
/// A key that the two could read differently is refused before it is compared.
fn check_paths(path: &S3Path, headers: &HeaderMap, query: &[(String, String)]) -> S3Result<()> {
    if let Some(key) = path.get_object_key() {
        check_key(key)?;
    }
    if let Some(source) = decoded_copy_source(headers)? {
        check_key(&source)?;
    }
    for name in ["prefix", "delimiter", "max-keys", "marker", "start-after", "continuation-token"] {
        let mut values = query.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        if let Some(prefix) = values.next().filter(|_| name == "prefix") {
            check_prefix(prefix)?;
        }
        if values.next().is_some() {
            return Err(s3_error!(InvalidArgument, "A parameter stands there twice."));
        }
    }
    if query.iter().any(|(name, _)| name == "versionId") {
        return Err(s3_error!(NotImplemented, "This endpoint keeps no versions."));
    }
    Ok(())
}

fn check_key(key: &str) -> S3Result<()> {
    let folders = key.strip_suffix('/').unwrap_or(key);
    if folders.split('/').any(|name| matches!(name, "" | "." | "..")) || key.chars().any(char::is_control) {
        return Err(s3_error!(
            InvalidArgument,
            "A key may have no `.`, `..`, empty names or control characters."
        ));
    }
    Ok(())
}

fn check_prefix(prefix: &str) -> S3Result<()> {
    if prefix.is_empty() { Ok(()) } else { check_key(prefix) }
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
