"""Buckets, and what is said of features that are off."""

import pytest

from answers import assert_refused, refused
from place import Place

pytestmark = pytest.mark.stores("daypass", "moto", "seaweedfs")
NONE = "no-such-bucket"


def test_a_bucket_is_made_listed_and_removed(s3):
    made = s3.create_bucket(Bucket="made")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert made["Location"].endswith("/made")
    (entry,) = [entry for entry in s3.list_buckets()["Buckets"] if entry["Name"] == "made"]
    assert entry["CreationDate"]
    assert s3.head_bucket(Bucket="made")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert s3.delete_bucket(Bucket="made")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "made" not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    with refused("404", status=404):
        s3.head_bucket(Bucket="made")


def test_buckets_are_listed_by_name_and_their_owner_with_them(s3, store, bucket):
    answer = s3.list_buckets()
    names = [entry["Name"] for entry in answer["Buckets"]]
    assert names == sorted(names)
    assert {bucket, store.bucket} <= set(names)
    assert answer["Owner"]["ID"]


def test_a_bucket_that_is_there_already(s3, bucket):
    """In its first Region, S3 has always answered that as if it had been made."""
    Place(s3, bucket, "").put("object", b"kept")
    try:
        s3.create_bucket(Bucket=bucket)
    except s3.exceptions.BucketAlreadyOwnedByYou as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert Place(s3, bucket, "").read("object") == b"kept"


def test_a_bucket_that_is_not_empty(s3, bucket):
    place = Place(s3, bucket, "")
    place.put("a/b/c")
    with refused("BucketNotEmpty", status=409):
        s3.delete_bucket(Bucket=bucket)
    assert place.names() == ["a/b/c"]


def test_a_bucket_made_again_is_empty(s3, bucket):
    place = Place(s3, bucket, "")
    place.put("object")
    place.clear()
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert place.names() == []


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "Capital", "under_score", "192.168.0.1", "-dash", "dash-", "two..dots", "a b"]
)
def test_a_name_that_no_bucket_has(wire, name):
    answer = wire.send("PUT", None, path="/" + name.replace(" ", "%20"))
    assert_refused(answer, "InvalidBucketName")


@pytest.mark.parametrize("name", ["abc", "with.dot", "1digit", "a" * 63])
def test_a_name_that_a_bucket_may_have(s3, name):
    s3.create_bucket(Bucket=name)
    Place(s3, name, "").put("object", b"in it")
    assert Place(s3, name, "").read("object") == b"in it"
    Place(s3, name, "").clear()
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize("method", ["put", "read", "names"])
def test_what_is_asked_of_no_bucket(s3, method):
    place = Place(s3, NONE, "")
    with refused("NoSuchBucket", status=404):
        place.names() if method == "names" else getattr(place, method)("object")


def test_other_questions_to_no_bucket(s3):
    for ask in (
        lambda: s3.delete_bucket(Bucket=NONE),
        lambda: s3.create_multipart_upload(Bucket=NONE, Key="x"),
        lambda: s3.delete_object(Bucket=NONE, Key="x"),
        lambda: s3.delete_objects(Bucket=NONE, Delete={"Objects": [{"Key": "x"}]}),
        lambda: s3.get_bucket_location(Bucket=NONE),
        lambda: s3.list_multipart_uploads(Bucket=NONE),
        lambda: s3.get_bucket_versioning(Bucket=NONE),
    ):
        with refused("NoSuchBucket", status=404):
            ask()


def test_where_a_bucket_is(s3, wire, bucket):
    """The first Region is told by saying nothing."""
    assert s3.get_bucket_location(Bucket=bucket).get("LocationConstraint") is None
    answer = wire.send("GET", None, query={"location": None}, bucket=bucket)
    assert (answer.xml.tag, answer.xml.text) == ("LocationConstraint", None)


def test_versioning_is_off(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_lifecycles_are_off(s3, bucket):
    with refused("NoSuchLifecycleConfiguration", status=404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.stores("daypass")
def test_what_is_off_is_not_turned_on(s3, bucket):
    rule = {"ID": "x", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    with refused("NotImplemented", status=501):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with refused("NotImplemented", status=501):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


class TestCors:
    """Rules of a bucket, as browsers see them."""

    RULE = {
        "AllowedOrigins": ["https://app.example.com", "https://*.example.org"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["content-type", "x-amz-*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 600,
    }

    @pytest.fixture
    def ruled(self, s3, bucket):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [self.RULE]})
        return bucket

    def ask(self, wire, bucket, origin, method="GET", headers=None):
        """A preflight, which nobody signs."""
        asked = {"Origin": origin, "Access-Control-Request-Method": method}
        if headers:
            asked["Access-Control-Request-Headers"] = headers
        wire.connection.request("OPTIONS", f"/{bucket}/object", headers=asked)
        return wire.receive()

    def test_they_are_put_got_and_deleted(self, s3, bucket):
        with refused("NoSuchCORSConfiguration", status=404):
            s3.get_bucket_cors(Bucket=bucket)
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [self.RULE]})
        assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [self.RULE]
        s3.delete_bucket_cors(Bucket=bucket)
        with refused("NoSuchCORSConfiguration", status=404):
            s3.get_bucket_cors(Bucket=bucket)

    @pytest.mark.parametrize("origin", ["https://app.example.com", "https://any.example.org"])
    def test_a_page_that_may(self, wire, ruled, origin):
        answer = self.ask(wire, ruled, origin, "PUT", "content-type,x-amz-date")
        assert answer.status in (200, 204)
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
        assert "content-type" in answer.headers["Access-Control-Allow-Headers"].lower()
        assert answer.headers["Access-Control-Max-Age"] == "600"
        assert "origin" in answer.headers["Vary"].lower()

    @pytest.mark.parametrize(
        ("origin", "method", "headers"),
        [
            ("https://evil.example.net", "GET", None),
            ("https://app.example.com.evil.example.net", "GET", None),
            ("http://app.example.com", "GET", None),
            ("https://app.example.com", "DELETE", None),
            ("https://app.example.com", "GET", "authorization"),
            ("null", "GET", None),
        ],
    )
    def test_a_page_that_may_not(self, wire, ruled, origin, method, headers):
        answer = self.ask(wire, ruled, origin, method, headers)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (403, None)

    def test_what_a_page_reads(self, wire, s3, ruled):
        s3.put_object(Bucket=ruled, Key="object", Body=b"x")
        answer = wire.get("object", {"Origin": "https://app.example.com"}, bucket=ruled)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert "etag" in answer.headers["Access-Control-Expose-Headers"].lower()
        other = wire.get("object", {"Origin": "https://evil.example.net"}, bucket=ruled)
        assert (other.status, other.headers["Access-Control-Allow-Origin"]) == (200, None)

    @pytest.mark.parametrize("wrong", [{"AllowedMethods": ["FETCH"]}, {"AllowedOrigins": ["https://*.*"]}], ids=str)
    def test_rules_that_are_none(self, s3, bucket, wrong):
        with refused("InvalidRequest", "MalformedXML", status=400):
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{**self.RULE, **wrong}]})
        with refused("NoSuchCORSConfiguration"):
            s3.get_bucket_cors(Bucket=bucket)
