"""Parts of objects, and what GET and HEAD say of the whole."""

import pytest

from answers import assert_refused, refused

BODY = bytes(range(256))

SATISFIABLE = {
    "bytes=0-0": (0, 0),
    "bytes=0-255": (0, 255),
    "bytes=10-19": (10, 19),
    "bytes=255-255": (255, 255),
    "bytes=250-": (250, 255),
    "bytes=0-": (0, 255),
    "bytes=-1": (255, 255),
    "bytes=-5": (251, 255),
    "bytes=-256": (0, 255),
    "bytes=-257": (0, 255),
    "bytes=-99999999999": (0, 255),
    "bytes=250-1000": (250, 255),
    "bytes=0-9223372036854775807": (0, 255),
}
UNSATISFIABLE = ["bytes=256-", "bytes=256-300", "bytes=1000-1001", "bytes=-0", "bytes=9223372036854775807-"]
IGNORED = [
    "bytes=0-1,4-5",
    "bytes=0-1, 3-3",
    "bytes=5-2",
    "bytes=a-b",
    "bytes=-",
    "bytes=",
    "lines=0-1",
    "0-1",
    "bytes=1--1",
]


@pytest.fixture
def object_(place):
    place.put("object", BODY, ContentType="text/plain")
    return place.key("object")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("text", SATISFIABLE)
def test_a_range(wire, object_, method, text):
    first, last = SATISFIABLE[text]
    answer = wire.send(method, object_, {"Range": text})
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/256"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.body == (BODY[first : last + 1] if method == "GET" else b"")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("text", UNSATISFIABLE)
def test_a_range_beyond_the_end(wire, object_, text):
    answer = wire.get(object_, {"Range": text})
    assert_refused(answer, "InvalidRange", status=416)
    assert answer.headers["Content-Range"] in (None, "bytes */256")
    head = wire.head(object_, {"Range": text})
    assert (head.status, head.body) == (416, b"")
    assert wire.get(object_).body == BODY


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("text", IGNORED)
def test_a_range_that_s3_does_not_read_is_the_whole(wire, object_, method, text):
    answer = wire.send(method, object_, {"Range": text})
    assert (answer.status, answer.headers["Content-Length"]) == (200, "256")
    assert answer.headers["Content-Range"] is None
    assert answer.body == (BODY if method == "GET" else b"")


@pytest.mark.parametrize("text", ["bytes=0-", "bytes=0-0", "bytes=1-2"])
def test_a_range_of_nothing(wire, place, text):
    wire.put(place.key("empty"))
    assert_refused(wire.get(place.key("empty"), {"Range": text}), "InvalidRange", status=416)


def test_the_whole(wire, object_):
    for method in ("GET", "HEAD"):
        answer = wire.send(method, object_)
        assert (answer.status, answer.headers["Content-Length"]) == (200, "256")
        assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_range_holds_only_for_what_it_was_meant_for(wire, object_, method):
    headers = {"Range": "bytes=0-1", "If-Match": '"another"'}
    assert wire.send(method, object_, headers).status == 412
    etag = wire.head(object_).headers["ETag"]
    assert wire.send(method, object_, {"Range": "bytes=0-1", "If-Match": etag}).status == 206


def test_a_range_of_what_is_not_there(place):
    with refused("NoSuchKey", status=404):
        place.read("nothing", Range="bytes=0-1")


def test_a_large_object_in_ranges(place):
    body = bytes(BODY) * 4096
    place.put("large", body)
    size = 100_000
    parts = [place.read("large", Range=f"bytes={at}-{at + size - 1}") for at in range(0, len(body), size)]
    assert b"".join(parts) == body
