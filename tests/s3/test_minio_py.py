"""MinIO's client in Python."""

import io
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import urllib3
from minio import Minio
from minio.commonconfig import ComposeSource, CopySource, Tags
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import S3Error


@pytest.fixture
def minio(store):
    keys = dict(zip(("access_key", "secret_key", "session_token"), store.keys, strict=False))
    pool = urllib3.PoolManager(retries=False, timeout=20)
    return Minio(urlsplit(store.url).netloc, **keys, secure=False, region=store.region, http_client=pool)


@pytest.fixture
def put(minio, place):
    def put(name, body=b"content", **more):
        return minio.put_object(place.bucket, place.key(name), io.BytesIO(body), len(body), **more)

    return put


def read(minio, place, name, **more):
    answer = minio.get_object(place.bucket, place.key(name), **more)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def test_objects(minio, place, put):
    tags = Tags.new_object_tags()
    tags["team"] = "blue"
    put("a b+ü.txt", content_type="text/plain", metadata={"mood": "good"}, tags=tags)
    stat = minio.stat_object(place.bucket, place.key("a b+ü.txt"))
    assert (stat.size, stat.content_type, stat.metadata["x-amz-meta-mood"]) == (7, "text/plain", "good")
    assert read(minio, place, "a b+ü.txt") == b"content"
    assert read(minio, place, "a b+ü.txt", offset=1, length=2) == b"on"
    assert minio.get_object_tags(place.bucket, place.key("a b+ü.txt")) == {"team": "blue"}
    minio.remove_object(place.bucket, place.key("a b+ü.txt"))
    with pytest.raises(S3Error, match="NoSuchKey"):
        minio.stat_object(place.bucket, place.key("a b+ü.txt"))


@pytest.mark.parametrize("version_1", [False, True])
def test_listings(minio, place, put, version_1):
    for name in ("a/1", "a/2", "b", "ü+&"):
        put(name)
    cut = len(place.prefix)

    def listed(**more):
        found = minio.list_objects(place.bucket, prefix=place.prefix, use_api_v1=version_1, **more)
        return [(entry.object_name[cut:], entry.is_dir) for entry in found]

    assert listed() == [("b", False), ("ü+&", False), ("a/", True)] or listed() == [
        ("a/", True),
        ("b", False),
        ("ü+&", False),
    ]
    assert listed(recursive=True) == [("a/1", False), ("a/2", False), ("b", False), ("ü+&", False)]
    (entry,) = minio.list_objects(place.bucket, prefix=place.key("b"), use_api_v1=version_1)
    assert (entry.etag, entry.size) == ("9a0364b9e99bb480dd25e1f0284c8555", 7)
    assert entry.last_modified


def test_a_stream_of_unknown_length_in_parts(minio, place):
    body = bytes(range(256)) * 50_000
    minio.put_object(place.bucket, place.key("large"), io.BytesIO(body), -1, part_size=5 * 1024 * 1024)
    assert read(minio, place, "large") == body


def test_copies_and_compositions(minio, place, put):
    big = bytes(5 * 1024 * 1024)
    put("big", big)
    put("end", b"end")
    sources = [ComposeSource(place.bucket, place.key(name)) for name in ("big", "end")]
    minio.compose_object(place.bucket, place.key("composed"), sources)
    assert read(minio, place, "composed") == big + b"end"
    minio.copy_object(place.bucket, place.key("copy"), CopySource(place.bucket, place.key("end")))
    assert read(minio, place, "copy") == b"end"


def test_many_are_removed(minio, place, put):
    for name in ("1", "2"):
        put(name)
    gone = [DeleteObject(place.key(name)) for name in ("1", "2", "nothing")]
    assert list(minio.remove_objects(place.bucket, gone)) == []
    assert place.names() == []


def test_signed_addresses_and_forms(minio, place, store):
    http = urllib3.PoolManager(retries=False)
    url = minio.presigned_put_object(place.bucket, place.key("a b"), expires=timedelta(minutes=1))
    assert http.request("PUT", url, body=b"signed").status == 200
    url = minio.presigned_get_object(place.bucket, place.key("a b"), expires=timedelta(minutes=1))
    assert http.request("GET", url).data == b"signed"
    policy = PostPolicy(place.bucket, datetime.now(UTC) + timedelta(minutes=1))
    policy.add_starts_with_condition("key", place.prefix)
    policy.add_content_length_range_condition(1, 10)
    form = {**minio.presigned_post_policy(policy), "key": place.key("posted")}
    body, kind = urllib3.encode_multipart_formdata([*form.items(), ("file", ("name", b"posted"))])
    assert http.request("POST", f"{store.url}/{place.bucket}", body=body, headers={"Content-Type": kind}).status == 204
    assert read(minio, place, "posted") == b"posted"


@pytest.mark.stores("daypass", "moto", "seaweedfs")
def test_buckets(minio):
    assert not minio.bucket_exists("made-by-minio")
    minio.make_bucket("made-by-minio")
    assert "made-by-minio" in [bucket.name for bucket in minio.list_buckets()]
    # The client reads "NoSuchTagSet" so.
    assert minio.get_bucket_tags("made-by-minio") is None
    minio.remove_bucket("made-by-minio")
    assert not minio.bucket_exists("made-by-minio")
