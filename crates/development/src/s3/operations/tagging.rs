//! Tags of objects and of buckets, asked for and given.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetBucketTaggingOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput, PutBucketTaggingInput, PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{S3Response, S3Result, s3_error};

use crate::s3::disk::Disk;
use crate::s3::tags::{self, MOST_OF_BUCKET, MOST_OF_OBJECT};

pub(super) fn of_object(
    disk: &Disk,
    input: &GetObjectTaggingInput,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let object = disk.object(&input.bucket, &input.key)?;
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: tags::document(object.tags), version_id: None }))
}

pub(super) async fn put(
    disk: &Disk,
    input: PutObjectTaggingInput,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let tags = tags::of_document(input.tagging.tag_set, MOST_OF_OBJECT)?;
    disk.tag(input.bucket, input.key, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub(super) async fn delete(
    disk: &Disk,
    input: DeleteObjectTaggingInput,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    disk.tag(input.bucket, input.key, Vec::new()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
}

pub(super) fn of_bucket(disk: &Disk, bucket: &str) -> S3Result<GetBucketTaggingOutput> {
    let tags = disk.bucket(bucket)?.tags;
    if tags.is_empty() {
        return Err(s3_error!(NoSuchTagSet, "The TagSet does not exist."));
    }
    Ok(GetBucketTaggingOutput { tag_set: tags::document(tags) })
}

pub(super) fn put_on_bucket(disk: &Disk, input: PutBucketTaggingInput) -> S3Result<()> {
    let tags = tags::of_document(input.tagging.tag_set, MOST_OF_BUCKET)?;
    Ok(disk.tag_bucket(&input.bucket, &tags)?)
}
