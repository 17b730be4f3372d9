"""Every operation of S3 that AWS's model names, asked of a Daypass by its developer, and what came of it."""

from dataclasses import dataclass, field

from botocore.exceptions import ClientError

# What an answer is that says of a feature that it is off.
OFF = {
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
    "NoSuchWebsiteConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "ReplicationConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "ObjectLockConfigurationNotFoundError",
    "NoSuchObjectLockConfiguration",
    "OwnershipControlsNotFoundError",
}
# Operations that answer with a description of what is always so.
ALWAYS_OFF = {
    "GetBucketVersioning": "off",
    "GetBucketLogging": "off",
    "GetBucketNotification": "off",
    "GetBucketNotificationConfiguration": "off",
    "GetBucketRequestPayment": "the owner pays",
    "GetBucketOwnershipControls": "`BucketOwnerEnforced`",
    "PutBucketAcl": "`private` only",
    "PutObjectAcl": "`private` only",
    "ListObjectVersions": "each object, version `null`",
    "GetBucketAcl": "the owner may everything",
    "GetObjectAcl": "the owner may everything",
}
# Not asked: they go to hosts of their own.
ELSEWHERE = {"CreateSession", "ListDirectoryBuckets", "WriteGetObjectResponse"}


def example(shape, name=""):
    """The smallest value that a shape takes."""
    match shape.type_name:
        case "structure":
            return {member: example(shape.members[member], member) for member in shape.required_members}
        case "list":
            return [example(shape.member, name)]
        case "map":
            return {}
        case "integer" | "long":
            return 1
        case "boolean":
            return False
        case "timestamp":
            return 0
        case "blob":
            return b"x"
    return shape.enum[0] if getattr(shape, "enum", None) else "x"


@dataclass
class Survey:
    """Asks in a bucket of its own with one object, one pending upload of one part, and rules."""

    s3: object
    bucket: str
    answers: dict = field(default_factory=dict)

    def prepare(self):
        self.s3.put_object(Bucket=self.bucket, Key="object", Body=b"content", Tagging="a=b")
        self.s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
        self.s3.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [rule]})

    def upload(self):
        upload = {"Bucket": self.bucket, "Key": "upload"}
        upload["UploadId"] = self.s3.create_multipart_upload(**upload)["UploadId"]
        etag = self.s3.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
        return upload, {"Parts": [{"PartNumber": 1, "ETag": etag}]}

    def parameters(self, operation):
        """What an operation is asked with, so that it can succeed."""
        at = {"Bucket": self.bucket, "Key": "object"}
        source = {"CopySource": f"{self.bucket}/object"}
        tags = {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
        rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
        given = {
            "CopyObject": {**at, "Key": "copy", **source},
            "CreateBucket": {"Bucket": f"{self.bucket}-other"},
            "DeleteBucket": {"Bucket": f"{self.bucket}-other"},
            "DeleteObject": {**at, "Key": "nothing"},
            "PutBucketAcl": {"Bucket": self.bucket, "ACL": "private"},
            "PutObjectAcl": {**at, "ACL": "private"},
            "DeleteObjects": {"Bucket": self.bucket, "Delete": {"Objects": [{"Key": "nothing"}]}},
            "PutObject": {**at, "Body": b"content", "Tagging": "a=b"},
            "PutObjectTagging": {**at, **tags},
            "PutBucketTagging": {"Bucket": self.bucket, **tags},
            "PutBucketCors": {"Bucket": self.bucket, "CORSConfiguration": {"CORSRules": [rule]}},
        }
        if operation in given:
            return given[operation]
        if operation in (
            "UploadPart",
            "UploadPartCopy",
            "ListParts",
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
        ):
            upload, parts = self.upload()
            more = {
                "UploadPart": {"PartNumber": 2, "Body": b"part"},
                "UploadPartCopy": {"PartNumber": 2, **source},
                "CompleteMultipartUpload": {"MultipartUpload": parts},
            }
            return {**upload, **more.get(operation, {})}
        shape = self.s3.meta.service_model.operation_model(operation).input_shape
        parameters = example(shape) if shape else {}
        return parameters | {name: at[name] for name in at if name in parameters}

    def ask(self, operation, call):
        """`done`, what is off, or the code of the refusal."""
        try:
            answer = call(**self.parameters(operation))
        except ClientError as error:
            code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in OFF and status == 404:
                return f"`{code}`, as where it is off"
            return f"`{code}`, {status}"
        return ALWAYS_OFF.get(operation) or ("done" if self.is_of(operation, answer) else "something else")

    def is_of(self, operation, answer):
        """Whether an answer is of this operation. Another one, such as the listing of a bucket, has nothing of it."""
        shape = self.s3.meta.service_model.operation_model(operation).output_shape
        if not operation.startswith(("Get", "List")) or not shape:
            return True
        body = answer.get(shape.serialization.get("payload"))
        is_the_object = hasattr(body, "read") and body.read() == b"content"
        said = [value for name, value in answer.items() if name != "ResponseMetadata" and value not in ({}, [], None)]
        # Of the first Region, nothing is what there is to say.
        return is_the_object == (operation == "GetObject") and (bool(said) or operation == "GetBucketLocation")
