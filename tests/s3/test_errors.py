"""What a refusal says, and to whom."""

import pytest

from answers import assert_refused, refused
from wire import path_of


@pytest.fixture
def missing(wire, place):
    return wire.get(place.key("missing"))


def test_an_error_is_a_document_of_s3(missing, place):
    assert missing.headers["Content-Type"] == "application/xml"
    assert missing.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    error = missing.xml
    assert error.tag == "Error"
    assert error.findtext("Code") == "NoSuchKey"
    assert error.findtext("Message") == "The specified key does not exist."
    assert error.findtext("Key") == place.key("missing")
    assert error.findtext("RequestId") == missing.headers["x-amz-request-id"]
    assert error.findtext("HostId") == missing.headers["x-amz-id-2"]


def test_every_answer_has_a_number_of_its_own(wire, place, missing):
    place.put("object")
    answers = [missing, wire.get(place.key("object")), wire.head(place.key("object")), wire.head(place.key("missing"))]
    numbers = [answer.headers["x-amz-request-id"] for answer in answers]
    assert all(numbers)
    assert len(set(numbers)) == len(numbers)


def test_an_error_of_head_has_no_document(wire, place):
    answer = wire.head(place.key("missing"))
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.stores("daypass", "moto", "seaweedfs")
def test_the_bucket_that_does_not_exist_is_named(wire):
    answer = wire.get("x", bucket="no-such-bucket")
    assert_refused(answer, "NoSuchBucket", status=404)
    assert answer.xml.findtext("BucketName") == "no-such-bucket"
    assert answer.xml.findtext("Message") == "The specified bucket does not exist"


def test_a_document_that_is_none(wire, place):
    place.put("object")
    answer = wire.put(place.key("object"), b"<Tagging><TagSet>", query={"tagging": None})
    assert_refused(answer, "MalformedXML")


def test_another_signature(wire, place, store):
    signed = wire.sign("GET", place.key("object"))
    signed.request.headers["Authorization"] = signed.headers["Authorization"][:-4] + "0000"
    answer = wire.deliver(signed)
    assert_refused(answer, "SignatureDoesNotMatch", status=403)
    assert store.keys[1].encode() not in answer.body


def test_another_key(wire, place):
    signed = wire.sign("GET", place.key("object"))
    signed.request.headers["Authorization"] = signed.headers["Authorization"].replace(
        "Credential=", "Credential=AKIANOBODY"
    )
    answer = wire.deliver(signed)
    assert answer.status in (403, 400)
    assert answer.code in ("InvalidAccessKeyId", "InvalidToken")


def test_no_signature(wire, place):
    place.put("object", b"secret")
    wire.connection.request("GET", path_of(place.bucket, place.key("object")))
    assert_refused(wire.receive(), "AccessDenied", status=403)


UNKNOWN = {
    "POST of an object": ("POST", "object", {}),
    "a torrent": ("GET", "object", {"torrent": None}),
    "select": ("POST", "object", {"select": None, "select-type": 2}),
    "restore": ("POST", "object", {"restore": None}),
    "analytics": ("GET", None, {"analytics": None}),
    "accelerate": ("GET", None, {"accelerate": None}),
    "inventory": ("GET", None, {"inventory": None}),
    "replication": ("PUT", None, {"replication": None}),
    "legal hold": ("PUT", "object", {"legal-hold": None}),
    "retention": ("PUT", "object", {"retention": None}),
}


@pytest.mark.stores("daypass")
@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_not_there_is_not_implemented(wire, place, case):
    place.put("object", b"kept")
    method, name, query = UNKNOWN[case]
    answer = wire.send(method, name and place.key(name), body=b"<X/>" if method != "GET" else b"", query=query)
    assert (answer.status, answer.code) in ((501, "NotImplemented"), (405, "MethodNotAllowed")), answer
    assert answer.text("Message")
    assert place.read("object") == b"kept"


def test_a_method_that_s3_does_not_have(wire, place):
    answer = wire.send("PATCH", place.key("object"), body=b"x")
    assert answer.status in (405, 501, 403)
    assert place.names() == []


@pytest.mark.stores("person")
class TestWhoMayKnow:
    """What is not there is told to who may list; anybody else hears that they may not."""

    THEIRS = "us-east-1:00000000-0000-4000-8000-000000000000/"

    def test_what_is_missing_in_the_own_folder(self, place):
        with refused("NoSuchKey", status=404):
            place.read("missing")

    def test_what_is_missing_elsewhere(self, s3, place):
        with refused("AccessDenied", status=403):
            s3.get_object(Bucket=place.bucket, Key=self.THEIRS + "missing")
        with refused("403", status=403):
            s3.head_object(Bucket=place.bucket, Key=self.THEIRS + "missing")

    def test_listings_elsewhere(self, s3, place):
        for prefix in ("", "us-east-1", self.THEIRS, place.prefix.split("/")[0]):
            for ask in (s3.list_objects, s3.list_objects_v2, s3.list_multipart_uploads):
                with refused("AccessDenied", status=403):
                    ask(Bucket=place.bucket, Prefix=prefix)

    def test_other_buckets(self, s3):
        with refused("AccessDenied", status=403):
            s3.get_object(Bucket="no-such-bucket", Key="x")
        with refused("AccessDenied", status=403):
            s3.create_bucket(Bucket="a-persons-bucket")
        with refused("AccessDenied", status=403):
            s3.delete_bucket(Bucket="no-such-bucket")
