"""What a person does in their own corner of the bucket, with boto3 and temporary credentials."""

import io

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from support import aws

MEBIBYTE = 1024 * 1024


@pytest.fixture
def put(daypass, ada, ada_s3):
    """Puts one of Ada's objects and answers its key."""

    def put(name, body=b"hers", **parameters):
        key = f"{ada.identity_id}/{name}"
        ada_s3.put_object(Bucket=daypass.bucket, Key=key, Body=body, **parameters)
        return key

    return put


def read(s3, daypass, key, **parameters):
    return s3.get_object(Bucket=daypass.bucket, Key=key, **parameters)["Body"].read()


def test_what_was_put_is_got(daypass, ada_s3, put):
    key = put("note.txt", b"hello", ContentType="text/plain; charset=utf-8", Metadata={"mood": "good"})
    got = ada_s3.get_object(Bucket=daypass.bucket, Key=key)
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["Metadata"]) == ("text/plain; charset=utf-8", {"mood": "good"})
    assert ada_s3.head_object(Bucket=daypass.bucket, Key=key)["ContentLength"] == 5
    assert read(ada_s3, daypass, key, Range="bytes=1-2") == b"el"


@pytest.mark.parametrize("name", ["a b+c.txt", "ümlaut/Đặng.txt", "100%25.txt", "~-_.!*'()&$@=;:,", "...", "a..b"])
def test_names_of_every_kind(daypass, ada, ada_s3, put, name):
    key = put(name, name.encode())
    assert read(ada_s3, daypass, key) == name.encode()
    assert key in listed(ada_s3, daypass, f"{ada.identity_id}/")


def test_both_forms_of_the_own_prefix_are_listed(daypass, ada, ada_s3, put):
    key = put("listed/one.txt")
    assert key in listed(ada_s3, daypass, f"{ada.identity_id}/")
    assert listed(ada_s3, daypass, f"{ada.identity_id}/listed/") == [key]
    answer = ada_s3.list_objects_v2(Bucket=daypass.bucket, Prefix=f"{ada.identity_id}/", Delimiter="/")
    assert f"{ada.identity_id}/listed/" in [entry["Prefix"] for entry in answer["CommonPrefixes"]]


def test_what_was_deleted_is_gone(daypass, ada, ada_s3, put):
    key = put("short-lived.txt")
    ada_s3.delete_object(Bucket=daypass.bucket, Key=key)
    with aws.refused("NoSuchKey", status=404):
        ada_s3.get_object(Bucket=daypass.bucket, Key=key)
    assert key not in listed(ada_s3, daypass, f"{ada.identity_id}/")


def test_several_are_deleted_at_once(daypass, ada_s3, put):
    keys = [put("many/1"), put("many/2")]
    answer = ada_s3.delete_objects(Bucket=daypass.bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) == keys
    assert "Errors" not in answer


def test_a_copy_within_the_own_prefix(daypass, ada, ada_s3, put):
    source, copy = put("original.txt", b"the same"), f"{ada.identity_id}/copy.txt"
    ada_s3.copy_object(Bucket=daypass.bucket, Key=copy, CopySource={"Bucket": daypass.bucket, "Key": source})
    assert read(ada_s3, daypass, copy) == b"the same"


def test_a_large_file_goes_up_in_parts(daypass, ada, ada_s3):
    key, body = f"{ada.identity_id}/large.bin", bytes(range(256)) * (4 * 11 * 1024)
    parts = TransferConfig(multipart_threshold=5 * MEBIBYTE, multipart_chunksize=5 * MEBIBYTE)
    ada_s3.upload_fileobj(io.BytesIO(body), daypass.bucket, key, Config=parts)
    received = io.BytesIO()
    ada_s3.download_fileobj(daypass.bucket, key, received, Config=parts)
    assert received.getvalue() == body


def test_an_upload_that_was_broken_off_leaves_nothing(daypass, ada, ada_s3):
    key = f"{ada.identity_id}/broken-off.bin"
    upload_id = ada_s3.create_multipart_upload(Bucket=daypass.bucket, Key=key)["UploadId"]
    part = {"Bucket": daypass.bucket, "Key": key, "UploadId": upload_id}
    ada_s3.upload_part(**part, PartNumber=1, Body=b"first")
    ada_s3.abort_multipart_upload(**part)
    assert key not in listed(ada_s3, daypass, f"{ada.identity_id}/")


def test_a_body_that_is_not_what_was_signed(daypass, ada, ada_s3, ada_credentials):
    """The signature covers the hash of the body; a proxy that changes the body is found out."""
    key, s3 = f"{ada.identity_id}/changed.txt", aws.s3(daypass, ada_credentials)

    def change(request, **_):
        request.body = b"forged"

    s3.meta.events.register("before-send.s3.PutObject", change)
    with pytest.raises(ClientError, match="XAmzContentSHA256Mismatch"):
        s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"honest")
    assert key not in listed(ada_s3, daypass, f"{ada.identity_id}/")


def listed(s3, daypass, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=daypass.bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
