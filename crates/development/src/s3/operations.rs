//! What S3 can be asked for here, each operation from its request to the disk and back. Whoever comes this far is
//! permitted (`permission.rs`), but for what is decided key by key.

mod buckets;
mod checksums;
mod copying;
mod deleting;
mod listing;
mod multipart;
mod off;
mod properties;
mod reading;
mod tagging;
mod writing;

use async_trait::async_trait;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "each operation below has an input and an output there")
)]
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::disk::Disk;
use super::permission::only_for_who_lists;

/// The operations on the buckets of a disk.
pub(super) struct Operations {
    pub disk: Disk,
    /// The Region that buckets say they are in.
    pub region: String,
}

/// An answer and nothing beside it.
#[expect(clippy::unnecessary_wraps, reason = "it is what an operation ends with")]
fn done<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}

#[async_trait]
impl S3 for Operations {
    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        done(buckets::list(&self.disk, &self.region, request.input)?)
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        done(buckets::create(&self.disk, &self.region, request.input)?)
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.disk.delete_bucket(&request.input.bucket)?;
        done(DeleteBucketOutput::default())
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(HeadBucketOutput { bucket_region: Some(self.region.clone()), ..HeadBucketOutput::default() })
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(GetBucketLocationOutput { location_constraint: buckets::location(&self.region) })
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        done(listing::objects(&self.disk, request.input).await?)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        done(listing::objects_v2(&self.disk, request.input).await?)
    }

    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        done(listing::versions(&self.disk, request.input).await?)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        only_for_who_lists(&bucket, &key, reading::get(&self.disk, request.input).await)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        only_for_who_lists(&bucket, &key, reading::head(&self.disk, request.input))
    }

    async fn get_object_attributes(
        &self,
        request: S3Request<GetObjectAttributesInput>,
    ) -> S3Result<S3Response<GetObjectAttributesOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        only_for_who_lists(&bucket, &key, reading::attributes(&self.disk, &request.input))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        writing::put(&self.disk, request).await
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        done(copying::copy(&self.disk, request.input, &request.headers).await?)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        done(deleting::one(&self.disk, request.input).await?)
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        done(deleting::several(&self.disk, request.input).await?)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        done(multipart::begin(&self.disk, request.input).await?)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        done(multipart::put(&self.disk, request).await?)
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        done(copying::copy_part(&self.disk, request.input).await?)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        done(multipart::complete(&self.disk, request.input).await?)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let AbortMultipartUploadInput { bucket, key, upload_id, .. } = request.input;
        self.disk.abort(bucket, key, upload_id).await?;
        done(AbortMultipartUploadOutput::default())
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        done(multipart::list_parts(&self.disk, request.input).await?)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        done(multipart::list(&self.disk, request.input).await?)
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        only_for_who_lists(&bucket, &key, tagging::of_object(&self.disk, &request.input))
    }

    async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        only_for_who_lists(&bucket, &key, tagging::put(&self.disk, request.input).await)
    }

    async fn delete_object_tagging(
        &self,
        request: S3Request<DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        only_for_who_lists(&bucket, &key, tagging::delete(&self.disk, request.input).await)
    }

    async fn get_bucket_tagging(
        &self,
        request: S3Request<GetBucketTaggingInput>,
    ) -> S3Result<S3Response<GetBucketTaggingOutput>> {
        done(tagging::of_bucket(&self.disk, &request.input.bucket)?)
    }

    async fn put_bucket_tagging(
        &self,
        request: S3Request<PutBucketTaggingInput>,
    ) -> S3Result<S3Response<PutBucketTaggingOutput>> {
        tagging::put_on_bucket(&self.disk, request.input)?;
        done(PutBucketTaggingOutput::default())
    }

    async fn delete_bucket_tagging(
        &self,
        request: S3Request<DeleteBucketTaggingInput>,
    ) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
        self.disk.tag_bucket(&request.input.bucket, &Vec::new())?;
        done(DeleteBucketTaggingOutput::default())
    }

    async fn get_bucket_cors(
        &self,
        request: S3Request<GetBucketCorsInput>,
    ) -> S3Result<S3Response<GetBucketCorsOutput>> {
        done(buckets::cors(&self.disk, &request.input.bucket)?)
    }

    async fn put_bucket_cors(
        &self,
        request: S3Request<PutBucketCorsInput>,
    ) -> S3Result<S3Response<PutBucketCorsOutput>> {
        buckets::put_cors(&self.disk, request.input)?;
        done(PutBucketCorsOutput::default())
    }

    async fn delete_bucket_cors(
        &self,
        request: S3Request<DeleteBucketCorsInput>,
    ) -> S3Result<S3Response<DeleteBucketCorsOutput>> {
        self.disk.set_cors(&request.input.bucket, &[])?;
        done(DeleteBucketCorsOutput::default())
    }

    async fn get_bucket_acl(
        &self,
        request: S3Request<GetBucketAclInput>,
    ) -> S3Result<S3Response<GetBucketAclOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(GetBucketAclOutput { grants: Some(off::grants()), owner: Some(off::owner()) })
    }

    async fn put_bucket_acl(
        &self,
        request: S3Request<PutBucketAclInput>,
    ) -> S3Result<S3Response<PutBucketAclOutput>> {
        let PutBucketAclInput { bucket, acl, access_control_policy, .. } = &request.input;
        off::check_acl(acl.as_ref().map(BucketCannedACL::as_str), access_control_policy.as_ref())?;
        self.disk.bucket(bucket)?;
        done(PutBucketAclOutput::default())
    }

    async fn get_object_acl(
        &self,
        request: S3Request<GetObjectAclInput>,
    ) -> S3Result<S3Response<GetObjectAclOutput>> {
        let GetObjectAclInput { bucket, key, .. } = &request.input;
        only_for_who_lists(bucket, key, self.disk.object(bucket, key).map_err(Into::into))?;
        done(GetObjectAclOutput {
            grants: Some(off::grants()),
            owner: Some(off::owner()),
            ..GetObjectAclOutput::default()
        })
    }

    async fn put_object_acl(
        &self,
        request: S3Request<PutObjectAclInput>,
    ) -> S3Result<S3Response<PutObjectAclOutput>> {
        let PutObjectAclInput { bucket, key, acl, access_control_policy, .. } = &request.input;
        off::check_acl(acl.as_ref().map(ObjectCannedACL::as_str), access_control_policy.as_ref())?;
        only_for_who_lists(bucket, key, self.disk.object(bucket, key).map_err(Into::into))?;
        done(PutObjectAclOutput::default())
    }

    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(GetBucketVersioningOutput::default())
    }

    async fn get_bucket_lifecycle_configuration(
        &self,
        request: S3Request<GetBucketLifecycleConfigurationInput>,
    ) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
        Err(off::unset(&self.disk, &request.input.bucket, "NoSuchLifecycleConfiguration"))
    }

    async fn get_bucket_policy(
        &self,
        request: S3Request<GetBucketPolicyInput>,
    ) -> S3Result<S3Response<GetBucketPolicyOutput>> {
        Err(off::unset(&self.disk, &request.input.bucket, "NoSuchBucketPolicy"))
    }

    async fn get_bucket_website(
        &self,
        request: S3Request<GetBucketWebsiteInput>,
    ) -> S3Result<S3Response<GetBucketWebsiteOutput>> {
        Err(off::unset(&self.disk, &request.input.bucket, "NoSuchWebsiteConfiguration"))
    }

    async fn get_bucket_encryption(
        &self,
        request: S3Request<GetBucketEncryptionInput>,
    ) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
        Err(off::unset(&self.disk, &request.input.bucket, "ServerSideEncryptionConfigurationNotFoundError"))
    }

    async fn get_bucket_replication(
        &self,
        request: S3Request<GetBucketReplicationInput>,
    ) -> S3Result<S3Response<GetBucketReplicationOutput>> {
        Err(off::unset(&self.disk, &request.input.bucket, "ReplicationConfigurationNotFoundError"))
    }

    async fn get_object_lock_configuration(
        &self,
        request: S3Request<GetObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
        Err(off::unset(&self.disk, &request.input.bucket, "ObjectLockConfigurationNotFoundError"))
    }

    async fn get_public_access_block(
        &self,
        request: S3Request<GetPublicAccessBlockInput>,
    ) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
        Err(off::unset(&self.disk, &request.input.bucket, "NoSuchPublicAccessBlockConfiguration"))
    }

    async fn get_bucket_logging(
        &self,
        request: S3Request<GetBucketLoggingInput>,
    ) -> S3Result<S3Response<GetBucketLoggingOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(GetBucketLoggingOutput::default())
    }

    async fn get_bucket_notification_configuration(
        &self,
        request: S3Request<GetBucketNotificationConfigurationInput>,
    ) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(GetBucketNotificationConfigurationOutput::default())
    }

    async fn get_bucket_request_payment(
        &self,
        request: S3Request<GetBucketRequestPaymentInput>,
    ) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) })
    }

    async fn get_bucket_ownership_controls(
        &self,
        request: S3Request<GetBucketOwnershipControlsInput>,
    ) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
        self.disk.bucket(&request.input.bucket)?;
        done(GetBucketOwnershipControlsOutput { ownership_controls: Some(off::ownership()) })
    }
}
