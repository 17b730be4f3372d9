"""A key is 1 to 1,024 bytes of UTF-8, and nothing but that: no path, no folder, no pattern."""

import pytest

from answers import assert_refused, refused

KEYS = {
    "plain": "plain",
    "space": "a b",
    "spaces around": " a ",
    "plus": "a+b",
    "percent": "100%",
    "encoded": "%41",
    "encoded twice": "%2541",
    "encoded slash": "a%2Fb",
    "query": "a?b=c&d",
    "fragment": "a#b",
    "marks": "~-_.!*'()&$@=;:,",
    "brackets": '[]{}<>|\\^`"',
    "umlaut": "ümläut",
    "decomposed": "u\u0308",
    "CJK": "日本語/中文/한국어",
    "emoji": "🦭/👩‍👩‍👧",
    "right to left": "\u202eשלום",
    "beyond the first plane": "𐀀",
    "capital": "PLAIN",
    "dot": ".",
    "dots": "..",
    "dot and slash": "./a",
    "dots on the way": "a/../b",
    "dots at the end": "a/..",
    "three dots": "...",
    "hidden": ".hidden",
    "slash in front": "/a",
    "slashes": "a//b",
    "many slashes": "a////b//",
    "slash behind": "a/",
    "only a slash": "/",
    "backslash": "a\\..\\b",
    "tilde": "~root",
    "device": "CON",
    "tab and line": "a\tb\nc\rd",
    "control": "\x01\x1f",
    "delete": "\x7f",
    "no character": "\ufffe\uffff",
    "long name": "n" * 300,
    "deep": "/".join("deep" for _ in range(60)),
    "metadata of others": ".metadata/x.json",
    "part of others": "x.part",
}


@pytest.fixture(params=KEYS.values(), ids=KEYS)
def name(request):
    return request.param


def test_an_object_of_any_name(wire, place, name):
    key, body = place.key(name), name.encode()
    assert wire.put(key, body).status == 200
    assert wire.get(key).body == body
    assert wire.head(key).headers["Content-Length"] == str(len(body))
    assert place.names() == [name]
    assert wire.send("DELETE", key).status == 204
    assert_refused(wire.get(key), "NoSuchKey", status=404)
    assert place.names() == []


def test_all_names_beside_each_other(wire, place):
    for name in KEYS.values():
        assert wire.put(place.key(name), name.encode()).status == 200, name
    for name in KEYS.values():
        assert wire.get(place.key(name)).body == name.encode(), name
    assert place.names() == sorted(KEYS.values(), key=str.encode)


# What XML has no way to write cannot be asked for in a document.
UNWRITABLE = ("control", "no character")
WRITABLE = {case: name for case, name in KEYS.items() if case not in UNWRITABLE}


@pytest.mark.parametrize("name", WRITABLE.values(), ids=WRITABLE)
def test_any_name_can_be_copied_and_be_one_of_several_that_are_deleted(s3, place, name):
    place.put("source", b"copied")
    s3.copy_object(**place.at("copies/" + name), CopySource=place.at("source"))
    assert place.names("copies/") == ["copies/" + name]
    found = {"Key": place.key("copies/" + name)}
    s3.copy_object(**place.at("back"), CopySource={"Bucket": place.bucket, **found})
    assert place.read("back") == b"copied"
    deleted = s3.delete_objects(Bucket=place.bucket, Delete={"Objects": [found]})
    assert deleted["Deleted"] == [found]
    assert place.names("copies/") == []


@pytest.mark.parametrize("case", UNWRITABLE)
def test_what_xml_cannot_hold_is_answered_in_xml_that_can_be_read(s3, place, case):
    named = place.at(KEYS[case])
    begun = s3.create_multipart_upload(**named)
    assert "\ufffd" in begun["Key"]
    assert s3.abort_multipart_upload(**named, UploadId=begun["UploadId"])["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_any_name_of_an_upload_in_parts(wire, place, name):
    key = place.key(name)
    upload_id = wire.send("POST", key, query={"uploads": None}).text("UploadId")
    etag = wire.put(key, b"part", query={"partNumber": 1, "uploadId": upload_id}).headers["ETag"]
    document = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    assert wire.send("POST", key, body=document.encode(), query={"uploadId": upload_id}).status == 200
    assert place.names() == [name]
    assert wire.get(key).body == b"part"


@pytest.mark.parametrize("names", [["x", "x/y"], ["x/y", "x"], ["a/b/c", "a/b", "a"], ["p/", "p", "p//"]], ids=str)
def test_a_name_beside_those_that_begin_with_it(place, names):
    for name in names:
        place.put(name, name.encode())
    assert place.names() == sorted(names)
    assert [place.read(name) for name in names] == [name.encode() for name in names]


@pytest.mark.parametrize("name", ["dir", "dir/", "di", "dir/sub", "dir/sub/"])
def test_a_prefix_is_no_object(s3, place, name):
    place.put("dir/sub/file", b"kept")
    assert not place.has(name)
    with refused("NoSuchKey", status=404):
        place.read(name)
    with refused("NoSuchKey", status=404):
        s3.copy_object(**place.at("copy"), CopySource=place.at(name))
    assert s3.delete_object(**place.at(name))["ResponseMetadata"]["HTTPStatusCode"] == 204
    place.put(name, b"now it is")
    s3.delete_object(**place.at(name))
    assert place.names() == ["dir/sub/file"]
    assert place.read("dir/sub/file") == b"kept"


@pytest.mark.parametrize("body", [b"", b"with content"], ids=["empty", "with content"])
def test_a_marker_of_a_folder(s3, wire, place, body):
    wire.put(place.key("photos/"), body)
    place.put("photos/1.jpg", b"1")
    assert place.head("photos/")["ContentLength"] == len(body)
    assert place.read("photos/") == body
    assert place.names() == ["photos/", "photos/1.jpg"]
    above = s3.list_objects_v2(Bucket=place.bucket, Prefix=place.prefix, Delimiter="/")
    assert above["CommonPrefixes"] == [{"Prefix": place.key("photos/")}]
    assert "Contents" not in above
    within = s3.list_objects_v2(Bucket=place.bucket, Prefix=place.key("photos/"), Delimiter="/")
    assert [entry["Key"] for entry in within["Contents"]] == [place.key("photos/"), place.key("photos/1.jpg")]
    s3.delete_object(**place.at("photos/"))
    assert place.names() == ["photos/1.jpg"]


def test_a_folder_outlives_what_was_in_it_only_by_its_marker(s3, place):
    place.put("marked/")
    for name in ("marked/x", "bare/x"):
        place.put(name)
        s3.delete_object(**place.at(name))
    assert place.names() == ["marked/"]


def filled(place, length, character="k"):
    """A name that makes a key of so many bytes, and does not end with a slash."""
    rest, size = length - len(place.prefix.encode()) - 1, len(character.encode())
    return character * (rest // size) + "k" * (rest % size) + "k"


@pytest.mark.parametrize("character", ["k", "ü", "日", "k/"])
@pytest.mark.parametrize("length", [157, 255, 256, 257, 1023, 1024])
def test_a_long_key(s3, place, length, character):
    name = filled(place, length, character)
    assert len(place.key(name).encode()) == length
    place.put(name, b"long")
    assert place.read(name) == b"long"
    assert place.names() == [name]
    s3.delete_object(**place.at(name))
    assert place.names() == []


def too_long(s3, place, at, how):
    upload = {"UploadId": "none", "MultipartUpload": {"Parts": []}}
    place.put("source")
    return {
        "put": lambda: s3.put_object(**at, Body=b""),
        "copy": lambda: s3.copy_object(**at, CopySource=place.at("source")),
        "create": lambda: s3.create_multipart_upload(**at),
        "complete": lambda: s3.complete_multipart_upload(**at, **upload),
        "get": lambda: s3.get_object(**at),
        "delete": lambda: s3.delete_object(**at),
    }[how]()


@pytest.mark.parametrize("character", ["k", "日"])
@pytest.mark.parametrize("how", ["put", "copy", "create", "complete", "get", "delete"])
def test_a_key_that_is_too_long(s3, place, how, character):
    name = filled(place, 1025, character)
    with refused("KeyTooLongError", status=400):
        too_long(s3, place, place.at(name), how)
    assert name not in place.names()


@pytest.mark.parametrize("spelling", ["%ff", "%c3%28", "%ed%a0%80", "%c0%af", "%f8%88%80%80%80"])
def test_a_key_that_is_no_utf8(wire, place, spelling):
    signed = wire.sign("PUT", None, path=f"/{place.bucket}/{place.prefix}{spelling}".replace(":", "%3A"))
    assert wire.deliver(signed).status == 400
    assert place.names() == []
