"""What is refused leaves the key as it was: absent, an object, or a part of an upload."""

import contextlib

import pytest

from answers import assert_refused
from checksums import (
    ALGORITHMS,
    STREAMED,
    STREAMED_TRAILER,
    UNSIGNED,
    UNSIGNED_TRAILER,
    checksum,
    chunked,
    header,
    headers_of_chunks,
    md5,
    signed_chunks,
)

BEFORE, MEANT, SENT = b"as it was", b"what is meant", b"what was sent"


class Absent:
    """A key without an object."""

    query = {}

    def __init__(self, place):
        self.place, self.key = place, place.key("upload")

    def assert_unchanged(self):
        assert not self.place.has("upload")
        assert self.place.names() == []


class Object(Absent):
    """A key with one."""

    def __init__(self, place):
        super().__init__(place)
        place.put("upload", BEFORE, Metadata={"mood": "good"}, ContentType="text/plain")
        self.before = self.state()

    def state(self):
        head = self.place.head("upload")
        names = ("ETag", "LastModified", "ContentLength", "Metadata", "ContentType")
        return [self.place.read("upload"), *(head[name] for name in names)]

    def assert_unchanged(self):
        assert self.state() == self.before


class Part(Absent):
    """A part of an upload that is there already."""

    def __init__(self, place):
        super().__init__(place)
        self.upload = place.at("upload")
        self.upload["UploadId"] = place.s3.create_multipart_upload(**self.upload)["UploadId"]
        place.s3.upload_part(**self.upload, PartNumber=1, Body=BEFORE)
        self.query = {"partNumber": 1, "uploadId": self.upload["UploadId"]}
        self.before = self.state()

    def state(self):
        parts = self.place.s3.list_parts(**self.upload)["Parts"]
        return [(part["PartNumber"], part["ETag"], part["Size"]) for part in parts]

    def assert_unchanged(self):
        assert self.state() == self.before
        assert self.place.names() == []


@pytest.fixture(params=[Absent, Object, Part], ids=["absent", "object", "part"])
def target(request, place):
    return request.param(place)


@pytest.fixture
def refuse(wire, target):
    """Puts what has to be refused, with one of these codes."""

    def refuse(*codes, headers=None, body=SENT, payload=None, status=400):
        answer = wire.put(target.key, body, headers, payload=payload, query=target.query)
        assert_refused(answer, *codes, status=status)
        target.assert_unchanged()

    return refuse


def test_content_md5_of_other_bytes(refuse):
    refuse("BadDigest", headers={"Content-MD5": md5(MEANT)})


@pytest.mark.parametrize("spelling", ["no base64!", "AAAA", ""], ids=["characters", "length", "empty"])
def test_content_md5_that_is_none(refuse, spelling):
    refuse("InvalidDigest", headers={"Content-MD5": spelling})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_of_other_bytes(refuse, algorithm):
    refuse("BadDigest", headers={header(algorithm): checksum(algorithm, MEANT)})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_that_is_none(refuse, algorithm):
    refuse("InvalidRequest", headers={header(algorithm): "AA=="})


def test_two_checksums(refuse):
    both = {header(algorithm): checksum(algorithm, SENT) for algorithm in ("CRC32", "SHA256")}
    refuse("InvalidRequest", headers=both)


def test_a_hash_of_other_bytes_in_the_signature(wire, target):
    signed = wire.sign("PUT", target.key, query=target.query, payload=ALGORITHMS["SHA256"](MEANT).hex())
    assert_refused(wire.deliver(signed, SENT), "XAmzContentSHA256Mismatch")
    target.assert_unchanged()


def test_a_hash_that_is_none(refuse):
    refuse("InvalidArgument", "InvalidRequest", "XAmzContentSHA256Mismatch", payload="none")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_unsigned_trailer_of_other_bytes(refuse, algorithm):
    trailers = {header(algorithm): checksum(algorithm, MEANT)}
    headers = headers_of_chunks(len(SENT), trailers)
    refuse("BadDigest", headers=headers, body=chunked(SENT, trailers=trailers), payload=UNSIGNED_TRAILER)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signed_trailer_of_other_bytes(wire, target, algorithm):
    trailers = {header(algorithm): checksum(algorithm, MEANT)}
    headers = headers_of_chunks(len(SENT), trailers)
    signed = wire.sign("PUT", target.key, headers, target.query, STREAMED_TRAILER)
    assert_refused(wire.deliver(signed, signed_chunks(signed, SENT, trailers=trailers)), "BadDigest")
    target.assert_unchanged()


def test_a_trailer_that_was_promised_and_does_not_come(refuse):
    headers = headers_of_chunks(len(SENT), [header("CRC32")])
    refuse("MalformedTrailerError", "InvalidRequest", headers=headers, body=chunked(SENT), payload=UNSIGNED_TRAILER)


@pytest.mark.parametrize("at", [0, 1, 2], ids=["first", "second", "last"])
def test_a_chunk_with_another_signature(wire, target, at):
    signed = wire.sign("PUT", target.key, headers_of_chunks(len(SENT)), target.query, STREAMED)
    parts = signed_chunks(signed, SENT, size=8).split(b"chunk-signature=")
    parts[at + 1] = parts[at + 1].translate(bytes.maketrans(b"0123", b"1230"), b"") if at == 2 else flip(parts[at + 1])
    assert_refused(wire.deliver(signed, b"chunk-signature=".join(parts)), "SignatureDoesNotMatch", status=403)
    target.assert_unchanged()


def flip(text):
    """The signature with another first digit."""
    return (b"0" if text[:1] != b"0" else b"1") + text[1:]


def test_a_chunk_with_other_bytes(wire, target):
    signed = wire.sign("PUT", target.key, headers_of_chunks(len(SENT)), target.query, STREAMED)
    body = signed_chunks(signed, SENT).replace(b"sent", b"sEnt")
    assert_refused(wire.deliver(signed, body), "SignatureDoesNotMatch", status=403)
    target.assert_unchanged()


def test_trailers_with_another_signature(wire, target):
    trailers = {header("CRC32"): checksum("CRC32", SENT)}
    headers = headers_of_chunks(len(SENT), trailers)
    signed = wire.sign("PUT", target.key, headers, target.query, STREAMED_TRAILER)
    before, after = signed_chunks(signed, SENT, trailers=trailers).split(b"trailer-signature:")
    answer = wire.deliver(signed, before + b"trailer-signature:" + flip(after))
    assert_refused(answer, "SignatureDoesNotMatch", status=403)
    target.assert_unchanged()


@pytest.mark.parametrize("difference", [-1, 1], ids=["too few", "too many"])
def test_chunks_of_another_length_than_was_said(refuse, difference):
    headers = headers_of_chunks(len(SENT) + difference)
    refuse("IncompleteBody", headers=headers, body=chunked(SENT), payload=UNSIGNED_TRAILER)


@pytest.mark.parametrize("kind", ["plain", "unsigned", "streamed", "trailer"])
def test_a_connection_that_breaks_off(wire, target, kind):
    """The half that has come is not kept."""
    big = SENT * 10_000
    payloads = {"plain": ALGORITHMS["SHA256"](big).hex(), "unsigned": UNSIGNED, "streamed": STREAMED}
    payload = payloads.get(kind, UNSIGNED_TRAILER)
    headers = headers_of_chunks(len(big)) if payload not in (payloads["plain"], UNSIGNED) else {}
    signed = wire.sign("PUT", target.key, headers, target.query, payload)
    body = {"streamed": lambda: signed_chunks(signed, big), "trailer": lambda: chunked(big)}.get(kind, lambda: big)()
    wire.begin(signed, {"Content-Length": str(len(body)), **signed.headers})
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        wire.connection.send(body[: len(body) // 2])
    wire.connection.close()
    target.assert_unchanged()


def test_a_body_that_ends_too_early_and_waits(wire, target):
    """The client says that it has no more, and reads. What it hears, if anything, is a refusal."""
    signed = wire.sign("PUT", target.key, {}, target.query, UNSIGNED)
    wire.begin(signed, {"Content-Length": str(2 * len(SENT)), **signed.headers})
    wire.connection.send(SENT)
    wire.connection.sock.shutdown(1)
    heard = wire.connection.sock.recv(65536)
    assert b" 200 " not in heard.split(b"\r\n")[0]
    target.assert_unchanged()


def test_after_all_that_the_key_can_be_written(wire, target, place):
    for _ in range(2):
        wire.put(target.key, SENT, {"Content-MD5": md5(MEANT)}, query=target.query)
    assert wire.put(target.key, SENT, {"Content-MD5": md5(SENT)}, query=target.query).status == 200
