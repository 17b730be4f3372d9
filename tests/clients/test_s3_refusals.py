"""What a person must not do: reach anybody else's corner of the bucket, by any operation or any spelling."""

import contextlib
import http.client

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from support import aws

SECRET = b"for Grace's eyes only"


@pytest.fixture
def hers(daypass, grace, grace_s3):
    """An object of Grace's; it has to be there, unchanged, after whatever Ada tries."""
    key = f"{grace.identity_id}/diary.txt"
    grace_s3.put_object(Bucket=daypass.bucket, Key=key, Body=SECRET)
    yield key
    assert grace_s3.get_object(Bucket=daypass.bucket, Key=key)["Body"].read() == SECRET


OBJECT_OPERATIONS = {
    "get_object": {},
    "put_object": {"Body": b"overwritten"},
    "delete_object": {},
    "create_multipart_upload": {},
    "list_parts": {"UploadId": "00000000-0000-0000-0000-000000000000"},
    "upload_part": {"UploadId": "00000000-0000-0000-0000-000000000000", "PartNumber": 1, "Body": b"part"},
    "abort_multipart_upload": {"UploadId": "00000000-0000-0000-0000-000000000000"},
    "get_object_tagging": {},
    "put_object_tagging": {"Tagging": {"TagSet": []}},
    "delete_object_tagging": {},
    "get_object_attributes": {"ObjectAttributes": ["ETag"]},
    "get_object_acl": {},
    "put_object_acl": {"ACL": "public-read"},
}


@pytest.mark.parametrize("operation", OBJECT_OPERATIONS)
def test_another_persons_object(daypass, ada_s3, hers, operation):
    with aws.refused("AccessDenied", status=403):
        getattr(ada_s3, operation)(Bucket=daypass.bucket, Key=hers, **OBJECT_OPERATIONS[operation])


NOT_DONE = {
    "restore_object": {},
    "get_object_legal_hold": {},
    "get_object_retention": {},
    "get_object_torrent": {},
}


@pytest.mark.parametrize("operation", NOT_DONE)
def test_what_is_not_done_for_anybody_is_no_refusal_of_the_policy(daypass, ada, ada_s3, hers, operation):
    for key in (hers, f"{ada.identity_id}/diary.txt"):
        with aws.refused("NotImplemented", status=501):
            getattr(ada_s3, operation)(Bucket=daypass.bucket, Key=key, **NOT_DONE[operation])


def test_the_settings_of_the_bucket_are_not_a_persons(daypass, ada_s3):
    for operation in ("get_bucket_acl", "get_bucket_policy", "get_bucket_versioning", "list_multipart_uploads"):
        with aws.refused("AccessDenied", status=403):
            getattr(ada_s3, operation)(Bucket=daypass.bucket)
    for operation in ("get_bucket_accelerate_configuration", "list_bucket_metrics_configurations"):
        with aws.refused("NotImplemented", status=501):
            getattr(ada_s3, operation)(Bucket=daypass.bucket)


@pytest.mark.parametrize(
    ("promise", "code", "status"),
    [
        ({"ACL": "public-read"}, "AccessControlListNotSupported", 400),
        ({"ServerSideEncryption": "AES256"}, "NotImplemented", 501),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key"}, "NotImplemented", 501),
        ({"StorageClass": "GLACIER"}, "NotImplemented", 501),
        ({"WebsiteRedirectLocation": "/"}, "NotImplemented", 501),
        ({"ExpectedBucketOwner": "999999999999"}, "AccessDenied", 403),
    ],
)
def test_what_would_have_no_effect_is_refused(daypass, ada, ada_s3, promise, code, status):
    key = f"{ada.identity_id}/promised.txt"
    with aws.refused(code, status=status):
        ada_s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"", **promise)
    with aws.refused("404"):
        ada_s3.head_object(Bucket=daypass.bucket, Key=key)
    ada_s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"", ACL="private", StorageClass="STANDARD")
    ada_s3.delete_object(Bucket=daypass.bucket, Key=key)


def test_whether_another_persons_object_exists(daypass, ada_s3, hers):
    for key in (hers, hers + " that does not exist"):
        with aws.refused("403", status=403):
            ada_s3.head_object(Bucket=daypass.bucket, Key=key)


@pytest.mark.parametrize("operation", ["list_buckets", "create_bucket", "delete_bucket", "get_bucket_location"])
def test_the_bucket_itself(daypass, ada_s3, operation):
    parameters = {} if operation == "list_buckets" else {"Bucket": daypass.bucket}
    with aws.refused("AccessDenied", status=403):
        getattr(ada_s3, operation)(**parameters)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("prefix", [None, "", "us-east-1:", "{ada}", "{grace}/", "{grace}", "*"])
def test_listing_beyond_the_own_prefix(daypass, ada, grace, ada_s3, operation, prefix):
    parameters = {}
    if prefix is not None:
        parameters["Prefix"] = prefix.format(ada=ada.identity_id, grace=grace.identity_id)
    with pytest.raises(ClientError) as caught:
        getattr(ada_s3, operation)(Bucket=daypass.bucket, **parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_listing_that_starts_after_its_prefix_stays_within(daypass, ada, ada_s3, hers):
    """`StartAfter` is no way out of the prefix that was decided on."""
    prefix = f"{ada.identity_id}/"
    answer = ada_s3.list_objects_v2(Bucket=daypass.bucket, Prefix=prefix, StartAfter="!")
    assert all(entry["Key"].startswith(prefix) for entry in answer.get("Contents", []))


def test_a_prefix_is_text_and_leads_nowhere(daypass, ada, grace, ada_s3, hers):
    prefix = f"{ada.identity_id}/../{grace.identity_id}/"
    try:
        assert "Contents" not in ada_s3.list_objects_v2(Bucket=daypass.bucket, Prefix=prefix)
    except ClientError as refusal:
        assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


def test_a_copy_from_another_person(daypass, ada, ada_s3, hers):
    source = {"Bucket": daypass.bucket, "Key": hers}
    mine = f"{ada.identity_id}/stolen.txt"
    with aws.refused("AccessDenied", status=403):
        ada_s3.copy_object(Bucket=daypass.bucket, Key=mine, CopySource=source)
    upload_id = ada_s3.create_multipart_upload(Bucket=daypass.bucket, Key=mine)["UploadId"]
    with aws.refused("AccessDenied", status=403):
        ada_s3.upload_part_copy(Bucket=daypass.bucket, Key=mine, CopySource=source, UploadId=upload_id, PartNumber=1)


def test_a_copy_to_another_person(daypass, ada, ada_s3, hers):
    mine = f"{ada.identity_id}/planted.txt"
    ada_s3.put_object(Bucket=daypass.bucket, Key=mine, Body=b"planted")
    with aws.refused("AccessDenied", status=403):
        ada_s3.copy_object(Bucket=daypass.bucket, Key=hers, CopySource={"Bucket": daypass.bucket, "Key": mine})


def test_another_persons_object_in_a_batch(daypass, ada, ada_s3, hers):
    """Her part of the batch is refused, and no other."""
    mine = f"{ada.identity_id}/in-the-batch.txt"
    ada_s3.put_object(Bucket=daypass.bucket, Key=mine, Body=b"mine")
    answer = ada_s3.delete_objects(Bucket=daypass.bucket, Delete={"Objects": [{"Key": mine}, {"Key": hers}]})
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [(hers, "AccessDenied")]
    assert [entry["Key"] for entry in answer["Deleted"]] == [mine]


SPELLINGS = {
    "dots": "{ada}/../{grace}/diary.txt",
    "dots that go nowhere": "{ada}/./../{grace}/diary.txt",
    "dots deep inside": "{ada}/a/b/../../../{grace}/diary.txt",
    "out of the bucket and back": "{ada}/../../{bucket}/{grace}/diary.txt",
    "encoded dots": "{ada}/%2e%2e/{grace}/diary.txt",
    "half encoded dots": "{ada}/.%2E/{grace}/diary.txt",
    "encoded slashes": "{ada}%2f..%2f{grace}%2fdiary.txt",
    "backslashes": "{ada}/..%5C{grace}%5Cdiary.txt",
    "encoded twice": "{ada}/%252e%252e/{grace}/diary.txt",
    "a null": "{grace}/diary.txt%00{ada}/",
    "a slash in front": "/{grace}/diary.txt",
    "the case of the identity": "{GRACE}/diary.txt",
    "the machine's own files": "{ada}/../../../../../../../../etc/passwd",
}


# Once decoded, these begin with the key of somebody else, or with nothing of anybody's.
ANOTHERS = {"a null", "a slash in front", "the case of the identity"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_leads_out_of_the_own_prefix(daypass, ada, grace, ada_credentials, hers, method, spelling):
    """A key is text: what begins with the own prefix is an odd name there, and leads nowhere."""
    names = {"ada": ada.identity_id, "grace": grace.identity_id, "GRACE": grace.identity_id.upper()}
    path = f"/{daypass.bucket}/" + SPELLINGS[spelling].format(bucket=daypass.bucket, **names)
    status, body = send_as_spelt(daypass, ada_credentials, method, path)
    if spelling in ANOTHERS:
        assert status == 403, (status, body)
    elif "encoded" in spelling:
        # Encoded slashes and dots are signed in more ways than one.
        assert status in (200, 204, 403, 404), (status, body)
    else:
        assert status in ((404,) if method == "GET" else (200, 204)), (status, body)
    assert SECRET not in body
    assert b"root:" not in body


def send_as_spelt(daypass, credentials, method, path):
    """A rightly signed request whose path no HTTP library has tidied up."""
    keys = Credentials(
        credentials["aws_access_key_id"], credentials["aws_secret_access_key"], credentials["aws_session_token"]
    )
    request = AWSRequest(method, daypass.s3_url + path, data=b"overwritten" if method == "PUT" else b"")
    S3SigV4Auth(keys, "s3", daypass.region).add_auth(request)
    with contextlib.closing(http.client.HTTPConnection(daypass.s3_url.removeprefix("http://"))) as connection:
        connection.request(method, path, request.data, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
