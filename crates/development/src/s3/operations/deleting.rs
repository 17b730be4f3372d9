//! Objects that are removed, one or several.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error,
    IfMatch, ObjectIdentifier,
};
use s3s::{S3Error, S3Result, s3_error};

use crate::s3::conditions::only_if;
use crate::s3::disk::{Disk, DiskError, OnlyIf};
use crate::s3::key::check_key;
use crate::s3::permission;

/// How many are removed by one request (S3 API Reference, DeleteObjects).
const MOST: usize = 1_000;

pub(super) async fn one(disk: &Disk, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "This endpoint deletes on the condition of an entity tag only."
        ));
    }
    let only_if = if_there(only_if(input.if_match, None)?);
    disk.delete(input.bucket, input.key, only_if).await?;
    Ok(DeleteObjectOutput::default())
}

/// Nothing is not in the way of a removal unless a certain object is wanted.
fn if_there(only_if: OnlyIf) -> OnlyIf {
    OnlyIf { matches: only_if.matches.filter(|wanted| !wanted.is_empty()), ..only_if }
}

/// Removes each key that the caller may remove, and says what became of each.
pub(super) async fn several(disk: &Disk, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > MOST {
        return Err(s3_error!(MalformedXML, "A request removes 1 to 1,000 objects."));
    }
    disk.bucket(&input.bucket)?;
    let is_quiet = input.delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        let key = object.key.clone();
        match remove(disk, &input.bucket, object).await {
            Ok(()) if is_quiet => (),
            Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
            Err(error) => errors.push(failure(key, &error)),
        }
    }
    let output = DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() };
    Ok(output)
}

async fn remove(disk: &Disk, bucket: &str, object: ObjectIdentifier) -> S3Result<()> {
    check_key(&object.key)?;
    permission::may("s3:DeleteObject", bucket, &object.key)?;
    if object.e_tag.is_some() {
        permission::may("s3:GetObject", bucket, &object.key)?;
    }
    if object.version_id.is_some_and(|version| version != "null")
        || object.last_modified_time.is_some()
        || object.size.is_some()
    {
        return Err(s3_error!(
            NotImplemented,
            "This endpoint keeps no versions, and deletes on no such condition."
        ));
    }
    let only_if = if_there(only_if(object.e_tag.map(IfMatch::ETag), None)?);
    match disk.delete(bucket.to_owned(), object.key, only_if).await {
        Err(DiskError::NoSuchKey) => Err(DiskError::ConditionFailed("ETag").into()),
        outcome => Ok(outcome?),
    }
}

fn failure(key: String, error: &S3Error) -> Error {
    Error {
        key: Some(key),
        code: Some(error.code().as_str().to_owned()),
        message: error.message().map(ToOwned::to_owned),
        version_id: None,
    }
}
