"""Uploads in parts: what is put together, what is refused, and who sees them."""

import base64
import hashlib
import io

import pytest
from boto3.s3.transfer import TransferConfig

from answers import assert_refused, refused
from checksums import ALGORITHMS, base64_of, checksum
from upload import MEBIBYTE, SMALLEST, begin

BIG = bytes(range(256)) * (SMALLEST // 256)
NO_UPLOAD = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def etag_of(*parts):
    """The tag of an object of these parts."""
    digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
    return f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"'


def test_parts_become_one_object(place):
    upload = begin(place, "object", ContentType="text/plain", Metadata={"mood": "good"})
    upload.put(2, b"end")
    upload.put(1, BIG)
    assert place.names() == []
    done = upload.complete()
    assert (done["Bucket"], done["Key"], done["ETag"]) == (place.bucket, place.key("object"), etag_of(BIG, b"end"))
    assert done["Location"]
    got = place.s3.get_object(**place.at("object"))
    assert got["Body"].read() == BIG + b"end"
    assert (got["ETag"], got["ContentType"]) == (done["ETag"], "text/plain")
    assert got["Metadata"] == {"mood": "good"}
    assert place.names() == ["object"]


@pytest.mark.parametrize("numbers", [[7], [1, 10_000], [10_000]], ids=str)
def test_numbers_with_gaps(place, numbers):
    upload = begin(place, "object")
    for number in numbers:
        upload.put(number, BIG if number != numbers[-1] else b"last")
    upload.complete()
    assert place.head("object")["ContentLength"] == (len(numbers) - 1) * SMALLEST + 4


def test_a_part_that_was_not_named_is_left_out(place):
    upload = begin(place, "object")
    etags = [upload.put(number, body)["ETag"] for number, body in [(1, b"left out"), (2, b"named")]]
    upload.complete([(2, etags[1])])
    assert place.read("object") == b"named"


def test_the_last_of_several_parts_of_one_number_counts(place):
    upload = begin(place, "object")
    first = upload.put(1, b"first")["ETag"]
    upload.put(1, b"second")
    with refused("InvalidPart", status=400):
        upload.complete([(1, first)])
    upload.complete()
    assert place.read("object") == b"second"


def test_what_is_there_stays_until_the_end(place):
    place.put("object", b"before")
    upload = begin(place, "object")
    upload.put(1, b"after")
    assert place.read("object") == b"before"
    upload.complete()
    assert place.read("object") == b"after"


def test_an_upload_of_one_part_without_bytes(place):
    upload = begin(place, "object")
    upload.put(1, b"")
    assert upload.complete()["ETag"] == etag_of(b"")
    assert place.read("object") == b""


def test_a_part_of_another_tag_ends_nothing(place):
    upload = begin(place, "object")
    upload.put(1, b"part")
    for parts in (
        [(1, etag_of(b"other")[:33] + '"')],
        [(2, upload.parts[1])],
        [*upload.parts.items(), (2, upload.parts[1])],
    ):
        with refused("InvalidPart", status=400):
            upload.complete(parts)
    assert place.names() == []
    upload.complete()
    assert place.read("object") == b"part"


@pytest.mark.parametrize("mark", ['"', ""], ids=["quoted", "bare"])
def test_the_tag_of_a_part_however_it_is_written(place, mark):
    upload = begin(place, "object")
    upload.put(1, b"part")
    upload.complete([(1, mark + upload.parts[1].strip('"') + mark)])
    assert place.read("object") == b"part"


@pytest.mark.parametrize("order", [[2, 1], [1, 1]], ids=str)
def test_parts_in_another_order(place, order):
    upload = begin(place, "object")
    upload.put(1, BIG)
    upload.put(2, BIG)
    with refused("InvalidPartOrder", status=400):
        upload.complete([(number, upload.parts[number]) for number in order])


def test_a_part_that_is_too_small(place):
    upload = begin(place, "object")
    upload.put(1, b"small")
    upload.put(2, b"end")
    with refused("EntityTooSmall", status=400):
        upload.complete()
    assert place.names() == []
    upload.put(1, BIG)
    upload.complete()
    assert place.head("object")["ContentLength"] == SMALLEST + 3


def test_no_parts_at_all(place):
    upload = begin(place, "object")
    with refused("MalformedXML", status=400):
        upload.complete([])
    upload.put(1, b"part")
    upload.complete()


@pytest.mark.parametrize(
    "document", [b"", b"<", b"{}", b"<Other/>", b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>"]
)
def test_what_is_no_list_of_parts(wire, place, document):
    upload = begin(place, "object")
    upload.put(1, b"part")
    answer = wire.send("POST", place.key("object"), body=document, query={"uploadId": upload.id})
    assert_refused(answer, "MalformedXML", "InvalidRequest")
    assert upload.listed()


@pytest.mark.parametrize("number", ["0", "10001", "-1", "one", ""])
def test_a_number_that_no_part_has(wire, place, number):
    upload = begin(place, "object")
    answer = wire.put(place.key("object"), b"part", query={"partNumber": number, "uploadId": upload.id})
    assert_refused(answer, "InvalidArgument")
    assert upload.listed() == []


def calls(upload):
    upload.put(1, b"part")
    return {
        "upload": lambda: upload.put(2, b"part"),
        "complete": upload.complete,
        "abort": upload.abort,
        "list": upload.listed,
        "copy": lambda: upload.copy(2, "source"),
    }


CALLS = ["upload", "complete", "abort", "list", "copy"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "upload_id", [NO_UPLOAD, "x", "../../etc", "ü", "a" * 2000], ids=["form", "x", "path", "text", "long"]
)
def test_an_upload_that_does_not_exist(place, call, upload_id):
    place.put("source")
    upload = begin(place, "object")
    asked = calls(upload)[call]
    upload.id = upload_id
    with refused("NoSuchUpload", status=404):
        asked()


@pytest.mark.parametrize("call", CALLS)
def test_an_upload_is_that_of_its_key(place, call):
    place.put("source")
    upload = begin(place, "object")
    asked = calls(upload)[call]
    upload.name = "another"
    with refused("NoSuchUpload", status=404):
        asked()
    upload.name = "object"
    upload.complete([(1, upload.parts[1])])
    assert place.names() == ["object", "source"]


@pytest.mark.parametrize("call", ["upload", "complete", "list", "copy"])
def test_an_upload_that_was_given_up(place, call):
    place.put("source")
    upload = begin(place, "object")
    asked = calls(upload)[call]
    assert upload.abort()["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("NoSuchUpload", status=404):
        asked()
    assert place.names() == ["source"]


@pytest.mark.parametrize("call", ["upload", "list", "copy"])
def test_an_upload_that_is_complete(place, call):
    place.put("source")
    upload = begin(place, "object")
    asked = calls(upload)[call]
    upload.complete()
    with refused("NoSuchUpload", status=404):
        asked()


def test_two_uploads_of_one_key(place):
    first, second = begin(place, "object"), begin(place, "object")
    assert first.id != second.id
    first.put(1, b"first")
    second.put(1, b"second")
    first.complete()
    assert place.read("object") == b"first"
    second.complete()
    assert place.read("object") == b"second"


def test_parts_are_listed_page_by_page(place):
    upload = begin(place, "object")
    expected = []
    for number in (3, 1, 20, 2, 100):
        body = b"part" * number
        expected.append((number, upload.put(number, body)["ETag"], len(body)))
    expected.sort()
    assert upload.listed() == expected
    first = place.s3.list_parts(**upload.at, MaxParts=2)
    assert (first["IsTruncated"], first["NextPartNumberMarker"], first["MaxParts"]) == (True, 2, 2)
    assert upload.listed(MaxParts=2, PartNumberMarker=2) == expected[2:4]
    assert upload.listed(PartNumberMarker=3) == expected[3:]
    whole = place.s3.list_parts(**upload.at)
    assert (whole["IsTruncated"], whole["StorageClass"]) == (False, "STANDARD")
    assert (whole["Bucket"], whole["Key"], whole["UploadId"]) == (place.bucket, place.key("object"), upload.id)
    assert whole["Owner"]["ID"]
    assert whole["Initiator"]["ID"]
    assert all(part["LastModified"] for part in whole["Parts"])


@pytest.mark.stores("daypass", "moto", "seaweedfs")
class TestPendingUploads:
    """ListMultipartUploads. A person may list their folder, and not what is on its way there."""

    NAMES = ("a", "a", "b/1", "b/2", "ü+&")

    @pytest.fixture
    def pending(self, place):
        """The uploads that are going on here, in the order in which they are listed."""
        uploads = [begin(place, name) for name in self.NAMES]
        begin(place, "given up").abort()
        done = begin(place, "done")
        done.put(1, b"done")
        done.complete()
        yield [(upload.name, upload.id) for upload in uploads]
        for upload in uploads:
            upload.abort()

    def ask(self, place, prefix="", **more):
        return place.s3.list_multipart_uploads(Bucket=place.bucket, Prefix=place.key(prefix), **more)

    def found(self, place, answer):
        cut = len(place.prefix)
        return [(upload["Key"][cut:], upload["UploadId"]) for upload in answer.get("Uploads", [])]

    def test_they_are_all_there(self, place, pending):
        answer = self.ask(place)
        assert sorted(self.found(place, answer)) == sorted(pending)
        assert [name for name, _ in self.found(place, answer)] == list(self.NAMES)
        assert answer["IsTruncated"] is False
        for upload in answer["Uploads"]:
            assert upload["StorageClass"] == "STANDARD"
            assert upload["Initiated"]
            assert upload["Owner"]["ID"]
            assert upload["Initiator"]["ID"]

    def test_those_of_a_prefix(self, place, pending):
        assert [name for name, _ in self.found(place, self.ask(place, "b/"))] == ["b/1", "b/2"]

    def test_with_a_delimiter(self, place, pending):
        answer = self.ask(place, Delimiter="/")
        assert answer["CommonPrefixes"] == [{"Prefix": place.key("b/")}]
        assert [name for name, _ in self.found(place, answer)] == ["a", "a", "ü+&"]

    @pytest.mark.parametrize("size", [1, 2, 3, 5])
    def test_page_by_page(self, place, pending, size):
        found, more = [], {}
        while True:
            answer = self.ask(place, MaxUploads=size, **more)
            assert len(answer["Uploads"]) <= size
            found += self.found(place, answer)
            if not answer["IsTruncated"]:
                break
            more = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}
        assert sorted(found) == sorted(pending)

    def test_behind_a_key(self, place, pending):
        answer = self.ask(place, KeyMarker=place.key("a"))
        assert [name for name, _ in self.found(place, answer)] == ["b/1", "b/2", "ü+&"]

    def test_encoded(self, wire, place, pending):
        answer = wire.get(None, query={"uploads": None, "prefix": place.key("ü"), "encoding-type": "url"})
        assert answer.texts("EncodingType") == ["url"]
        (key,) = answer.texts("Upload/Key")
        assert key.endswith("%C3%BC%2B%26")


class TestChecksums:
    """What is said of the checksums of parts and of the whole."""

    @pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
    def test_of_the_parts_together(self, place, algorithm):
        name = f"Checksum{algorithm}"
        upload = begin(place, "object", ChecksumAlgorithm=algorithm)
        parts = []
        for number, body in enumerate((BIG, b"end"), 1):
            sent = checksum(algorithm, body)
            part = upload.put(number, body, **{name: sent})
            assert part[name] == sent
            parts.append({"PartNumber": number, "ETag": part["ETag"], name: sent})
        listed = place.s3.list_parts(**upload.at)
        assert listed["ChecksumAlgorithm"] == algorithm
        assert [part[name] for part in listed["Parts"]] == [part[name] for part in parts]
        together = ALGORITHMS[algorithm](b"".join(base64.b64decode(part[name]) for part in parts))
        done = place.s3.complete_multipart_upload(**upload.at, MultipartUpload={"Parts": parts})
        assert done[name] == f"{base64_of(together)}-2"
        head = place.head("object", ChecksumMode="ENABLED")
        assert (head[name], head.get("ChecksumType", "COMPOSITE")) == (done[name], "COMPOSITE")

    @pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
    def test_of_the_whole(self, place, algorithm):
        name = f"Checksum{algorithm}"
        upload = begin(place, "object", ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
        for number, body in enumerate((BIG, b"end"), 1):
            upload.put(number, body, **{name: checksum(algorithm, body)})
        whole = checksum(algorithm, BIG + b"end")
        with refused("BadDigest", status=400):
            upload.complete(**{name: checksum(algorithm, b"other")}, ChecksumType="FULL_OBJECT")
        assert place.names() == []
        done = upload.complete(**{name: whole}, ChecksumType="FULL_OBJECT")
        assert (done[name], done["ChecksumType"]) == (whole, "FULL_OBJECT")
        head = place.head("object", ChecksumMode="ENABLED")
        assert (head[name], head["ChecksumType"]) == (whole, "FULL_OBJECT")

    def test_that_is_another_in_the_end(self, place):
        upload = begin(place, "object", ChecksumAlgorithm="SHA256")
        etag = upload.put(1, b"part", ChecksumSHA256=checksum("SHA256", b"part"))["ETag"]
        wrong = [{"PartNumber": 1, "ETag": etag, "ChecksumSHA256": checksum("SHA256", b"other")}]
        with refused("InvalidPart", "BadDigest", status=400):
            place.s3.complete_multipart_upload(**upload.at, MultipartUpload={"Parts": wrong})
        assert place.names() == []

    def test_an_object_of_another_size_than_was_said(self, place):
        upload = begin(place, "object")
        upload.put(1, b"part")
        with refused("InvalidRequest", status=400):
            upload.complete(MpuObjectSize=5)
        upload.complete(MpuObjectSize=4)
        assert place.read("object") == b"part"


class TestCopiedParts:
    @pytest.fixture
    def source(self, place):
        place.put("source", BIG + b"end")
        return "source"

    def test_a_whole_object_and_a_range(self, place, source):
        upload = begin(place, "object")
        first = upload.copy(1, source, CopySourceRange=f"bytes=0-{SMALLEST - 1}")
        assert first["ETag"] == f'"{hashlib.md5(BIG, usedforsecurity=False).hexdigest()}"'
        assert first["LastModified"]
        upload.copy(2, source)
        upload.put(3, b"part")
        with refused("EntityTooSmall"):
            upload.copy(2, source, CopySourceRange="bytes=0-0")
            upload.complete()
        upload.copy(2, source)
        upload.complete()
        assert place.read("object") == BIG + BIG + b"end" + b"part"

    @pytest.mark.parametrize("text", ["bytes=0-", "bytes=-1", "0-1", "bytes=2-1", "bytes=0-0,2-2"])
    def test_a_range_in_another_form(self, place, source, text):
        upload = begin(place, "object")
        with refused("InvalidArgument", status=400):
            upload.copy(1, source, CopySourceRange=text)

    def test_a_range_beyond_the_end(self, place, source):
        upload = begin(place, "object")
        with refused("InvalidRange", "InvalidArgument"):
            upload.copy(1, source, CopySourceRange=f"bytes=0-{SMALLEST + 3}")

    def test_on_a_condition(self, place, source):
        upload = begin(place, "object")
        with refused("PreconditionFailed", status=412):
            upload.copy(1, source, CopySourceIfMatch='"other"')
        assert upload.listed() == []

    def test_of_what_is_not_there(self, place):
        upload = begin(place, "object")
        with refused("NoSuchKey", status=404):
            upload.copy(1, "nothing")


class TestByThePart:
    """GET and HEAD of one part."""

    @pytest.fixture
    def object_(self, place):
        upload = begin(place, "object")
        upload.put(1, BIG)
        upload.put(2, b"end")
        upload.complete()

    def test_of_an_upload(self, place, object_):
        got = place.s3.get_object(**place.at("object"), PartNumber=2)
        assert (got["Body"].read(), got["PartsCount"], got["ContentLength"]) == (b"end", 2, 3)
        assert got["ContentRange"] == f"bytes {SMALLEST}-{SMALLEST + 2}/{SMALLEST + 3}"
        head = place.head("object", PartNumber=1)
        assert (head["ContentLength"], head["PartsCount"]) == (SMALLEST, 2)

    def test_that_is_not_there(self, place, object_):
        with refused("InvalidPartNumber", "InvalidPart", "416", status=416):
            place.read("object", PartNumber=3)

    def test_of_an_object_that_came_at_once(self, place):
        place.put("whole", b"whole")
        got = place.s3.get_object(**place.at("whole"), PartNumber=1)
        assert got["Body"].read() == b"whole"


class TestTransferManager:
    """boto3's, which cuts large files by itself."""

    PARTS = TransferConfig(multipart_threshold=SMALLEST, multipart_chunksize=SMALLEST, max_concurrency=4)

    @pytest.mark.parametrize("size", [0, 1, SMALLEST - 1, SMALLEST, SMALLEST + 1, 12 * MEBIBYTE + 7])
    def test_what_goes_up_comes_down(self, place, size, tmp_path):
        body = (bytes(range(251)) * (size // 251 + 1))[:size]
        (tmp_path / "up").write_bytes(body)
        seen = []
        place.s3.upload_file(tmp_path / "up", place.bucket, place.key("file"), Callback=seen.append, Config=self.PARTS)
        assert sum(seen) == size
        place.s3.download_file(place.bucket, place.key("file"), tmp_path / "down", Config=self.PARTS)
        assert (tmp_path / "down").read_bytes() == body

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_with_every_checksum(self, place, algorithm):
        body = BIG + b"end"
        more = {"ChecksumAlgorithm": algorithm, "ContentType": "text/plain"}
        place.s3.upload_fileobj(io.BytesIO(body), place.bucket, place.key("file"), ExtraArgs=more, Config=self.PARTS)
        received = io.BytesIO()
        place.s3.download_fileobj(place.bucket, place.key("file"), received, Config=self.PARTS)
        assert received.getvalue() == body
        head = place.head("file", ChecksumMode="ENABLED")
        assert head[f"Checksum{algorithm}"]
        assert head["ContentType"] == "text/plain"

    def test_a_large_copy(self, place):
        place.put("source", BIG + BIG + b"end", Metadata={"mood": "good"}, ContentType="text/plain")
        place.s3.copy(place.at("source"), place.bucket, place.key("copy"), Config=self.PARTS)
        assert place.read("copy") == BIG + BIG + b"end"

    def test_a_stream_of_unknown_length(self, place):
        class Stream(io.RawIOBase):
            left = [BIG, BIG[:100]]

            def read(self, size=-1):
                return self.left.pop(0) if self.left else b""

            def readable(self):
                return True

            def seekable(self):
                return False

        place.s3.upload_fileobj(Stream(), place.bucket, place.key("stream"), Config=self.PARTS)
        assert place.read("stream") == BIG + BIG[:100]
