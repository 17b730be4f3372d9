"""Requests that hold only if an object is as the client believes. What is refused says so without disturbing whatever
comes next on the connection."""

import pytest

from answers import assert_refused
from wire import http_date

BODY, OTHER = b"as it is", '"00000000000000000000000000000000"'
HOUR = 3600


@pytest.fixture
def object_(place):
    place.put("object", BODY)
    return place.key("object")


@pytest.fixture
def etag(wire, object_):
    return wire.head(object_).headers["ETag"]


def conditions(etag):
    """What is asked of a read, and how that ends."""
    return {
        "match": ({"If-Match": etag}, 200),
        "match unquoted": ({"If-Match": etag.strip('"')}, 200),
        "match any": ({"If-Match": "*"}, 200),
        "match another": ({"If-Match": OTHER}, 412),
        "none match": ({"If-None-Match": etag}, 304),
        "none match unquoted": ({"If-None-Match": etag.strip('"')}, 304),
        "none match any": ({"If-None-Match": "*"}, 304),
        "none match another": ({"If-None-Match": OTHER}, 200),
        "modified since long": ({"If-Modified-Since": http_date(-HOUR)}, 200),
        "modified since now": ({"If-Modified-Since": http_date(2)}, 304),
        "unmodified since long": ({"If-Unmodified-Since": http_date(-HOUR)}, 412),
        "unmodified since now": ({"If-Unmodified-Since": http_date(2)}, 200),
        "no date": ({"If-Modified-Since": "yesterday", "If-Unmodified-Since": "yesterday"}, 200),
        "match, though modified": ({"If-Match": etag, "If-Unmodified-Since": http_date(-HOUR)}, 200),
        "match another, unmodified": ({"If-Match": OTHER, "If-Unmodified-Since": http_date(2)}, 412),
        "none match, though modified": ({"If-None-Match": etag, "If-Modified-Since": http_date(-HOUR)}, 304),
        "none match another, not modified": ({"If-None-Match": OTHER, "If-Modified-Since": http_date(2)}, 200),
        "match and none match": ({"If-Match": etag, "If-None-Match": etag}, 304),
    }


READS = list(conditions('""'))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("condition", READS)
def test_a_read(wire, object_, etag, method, condition):
    headers, status = conditions(etag)[condition]
    answer = wire.send(method, object_, headers)
    assert answer.status == status
    assert answer.headers["ETag"] == (etag if status != 412 else answer.headers["ETag"])
    if status == 304 or method == "HEAD":
        assert answer.body == b""
    elif status == 412:
        assert answer.code == "PreconditionFailed"
    else:
        assert answer.body == BODY
    # The next answer is the next request's.
    assert wire.get(object_).body == BODY


def test_the_time_of_the_object_itself_is_not_later_than_itself(wire, object_):
    when = wire.head(object_).headers["Last-Modified"]
    assert wire.get(object_, {"If-Modified-Since": when}).status == 304
    assert wire.get(object_, {"If-Unmodified-Since": when}).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_condition_on_what_is_not_there(wire, place, method, header):
    answer = wire.send(method, place.key("nothing"), {header: "*"})
    assert answer.status in (404, 412)
    assert answer.status == 404 or header == "If-Match"


SOURCES = [name for name in READS if not {"unquoted", "any", "no date"} & {name, *name.split()}]


@pytest.mark.parametrize("condition", SOURCES)
def test_a_copy(wire, place, object_, etag, condition):
    headers, status = conditions(etag)[condition]
    headers = {"x-amz-copy-source-" + name.lower(): value for name, value in headers.items()}
    source = {"x-amz-copy-source": f"/{place.bucket}/{object_}".replace(":", "%3A")}
    place.put("copy", b"before")
    answer = wire.put(place.key("copy"), headers={**source, **headers})
    if status == 200:
        assert answer.status == 200
        assert place.read("copy") == BODY
    else:
        assert_refused(answer, "PreconditionFailed", status=412)
        assert place.read("copy") == b"before"


def put(wire, place, name, headers):
    return wire.put(place.key(name), b"new", headers)


def complete(wire, place, name, headers):
    key = place.key(name)
    upload = wire.send("POST", key, query={"uploads": None}).text("UploadId")
    etag = wire.put(key, b"new", query={"partNumber": 1, "uploadId": upload}).headers["ETag"]
    document = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    return wire.send("POST", key, headers, document.encode(), query={"uploadId": upload})


@pytest.fixture(params=[put, complete], ids=["put", "complete"])
def write(request, wire, place):
    return lambda name, headers: request.param(wire, place, name, headers)


def test_a_write_only_where_nothing_is(write, place, object_):
    assert_refused(write("object", {"If-None-Match": "*"}), "PreconditionFailed", status=412)
    assert place.read("object") == BODY
    assert write("new", {"If-None-Match": "*"}).status == 200
    assert place.read("new") == b"new"
    assert_refused(write("new", {"If-None-Match": "*"}), "PreconditionFailed", status=412)


def test_a_write_only_over_what_is_known(write, place, object_, etag):
    assert_refused(write("object", {"If-Match": OTHER}), "PreconditionFailed", status=412)
    assert place.read("object") == BODY
    assert write("object", {"If-Match": etag}).status == 200
    assert place.read("object") == b"new"
    assert_refused(write("object", {"If-Match": etag}), "PreconditionFailed", status=412)


def test_a_write_over_nothing_that_is_known(write, place):
    assert_refused(write("nothing", {"If-Match": OTHER}), "NoSuchKey", status=404)
    assert place.names() == []


def test_a_condition_that_s3_does_not_have(write, place, object_):
    assert_refused(write("object", {"If-None-Match": OTHER}), "NotImplemented", status=501)
    assert place.read("object") == BODY


def test_an_upload_outlives_its_refusal(wire, s3, place, object_):
    upload = {**place.at("object")}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"new")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfNoneMatch="*")
    s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert place.read("object") == b"new"


def test_a_deletion_only_of_what_is_known(wire, place, object_, etag):
    assert_refused(wire.send("DELETE", object_, {"If-Match": OTHER}), "PreconditionFailed", status=412)
    assert place.read("object") == BODY
    assert wire.send("DELETE", object_, {"If-Match": etag}).status == 204
    assert place.names() == []


def test_a_refusal_of_a_large_upload_leaves_the_connection_in_order(wire, place, object_):
    """Either the server reads the rest, or it says that it closes."""
    answer = wire.put(object_, bytes(3_000_000), {"If-None-Match": "*"})
    assert_refused(answer, "PreconditionFailed", status=412)
    assert wire.get(object_).body == BODY
