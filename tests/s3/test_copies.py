"""Copies: what comes with the bytes, and what a source may look like."""

from urllib.parse import quote

import pytest

from answers import assert_refused, refused
from checksums import checksum

KEPT = {
    "ContentType": "text/plain",
    "CacheControl": "no-cache",
    "ContentDisposition": 'attachment; filename="x"',
    "ContentEncoding": "identity",
    "ContentLanguage": "de",
    "Metadata": {"mood": "good"},
}
BODY = b"the same"


@pytest.fixture
def source(place):
    place.put("source", BODY, **KEPT, Tagging="team=blue")
    return place.at("source")


def described(place, name):
    head = place.head(name)
    # Daypass has caches keep nothing of what says nothing of caches.
    head["CacheControl"] = head.get("CacheControl", "no-store").replace("no-store", "") or None
    return {field: head.get(field) for field in KEPT}


def test_a_copy_has_what_its_source_has(s3, place, source):
    copied = s3.copy_object(**place.at("copy"), CopySource=source)["CopyObjectResult"]
    assert copied["ETag"] == place.head("source")["ETag"]
    assert copied["LastModified"]
    assert described(place, "copy") == KEPT
    assert place.read("copy") == BODY
    assert s3.get_object_tagging(**place.at("copy"))["TagSet"] == [{"Key": "team", "Value": "blue"}]


def test_a_copy_with_other_descriptions(s3, place, source):
    other = {"ContentType": "text/html", "Metadata": {"other": "words"}}
    s3.copy_object(**place.at("copy"), CopySource=source, MetadataDirective="REPLACE", **other)
    assert described(place, "copy") == dict.fromkeys(KEPT) | other
    assert described(place, "source") == KEPT


def test_descriptions_are_not_looked_at_unless_they_are_to_replace(s3, place, source):
    s3.copy_object(**place.at("copy"), CopySource=source, ContentType="text/html", Metadata={"other": "words"})
    assert described(place, "copy") == KEPT


def test_a_copy_with_other_tags(s3, place, source):
    s3.copy_object(**place.at("copy"), CopySource=source, TaggingDirective="REPLACE", Tagging="team=red")
    assert s3.get_object_tagging(**place.at("copy"))["TagSet"] == [{"Key": "team", "Value": "red"}]
    assert described(place, "copy") == KEPT


def test_an_object_onto_itself(s3, place, source):
    with refused("InvalidRequest", status=400):
        s3.copy_object(**place.at("source"), CopySource=source)
    s3.copy_object(**place.at("source"), CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "words"})
    assert place.head("source")["Metadata"] == {"new": "words"}
    assert place.read("source") == BODY


@pytest.mark.parametrize("directive", ["MetadataDirective", "TaggingDirective"])
def test_a_directive_that_is_none(wire, place, source, directive):
    header = {"MetadataDirective": "x-amz-metadata-directive", "TaggingDirective": "x-amz-tagging-directive"}[directive]
    answer = wire.put(place.key("copy"), headers={"x-amz-copy-source": spelt(place, "source"), header: "KEEP"})
    assert_refused(answer, "InvalidArgument")
    assert place.names() == ["source"]


def spelt(place, name):
    return f"/{place.bucket}/{place.key(name)}"


@pytest.mark.parametrize("odd", ["a b", "a+b", "ü", "a%41", "a?b", "a#b"])
def test_a_source_is_decoded_once(wire, place, odd):
    place.put(odd, odd.encode())
    for slash in ("/", ""):
        source = slash + quote(f"{place.bucket}/{place.key(odd)}")
        assert wire.put(place.key("copy"), headers={"x-amz-copy-source": source}).status == 200
        assert place.read("copy") == odd.encode()


@pytest.mark.parametrize("source", ["/", "bucket", "/bucket", "/bucket/", "?versionId=x"])
def test_a_source_that_is_none(wire, place, source):
    answer = wire.put(place.key("copy"), b"", headers={"x-amz-copy-source": source})
    assert answer.status in (400, 403, 404), answer
    assert place.names() == []


def test_a_source_that_is_not_there(s3, place):
    place.put("copy", b"before")
    with refused("NoSuchKey", status=404):
        s3.copy_object(**place.at("copy"), CopySource=place.at("nothing"))
    assert place.read("copy") == b"before"


@pytest.mark.stores("daypass", "moto", "seaweedfs")
def test_from_and_to_another_bucket(s3, place, source, bucket):
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    s3.copy_object(**place.at("back"), CopySource={"Bucket": bucket, "Key": "copy"})
    assert place.read("back") == BODY
    with refused("NoSuchBucket", status=404):
        s3.copy_object(Bucket="no-such-bucket", Key="copy", CopySource=source)
    with refused("NoSuchBucket", status=404):
        s3.copy_object(**place.at("copy"), CopySource={"Bucket": "no-such-bucket", "Key": "x"})


@pytest.mark.stores("person")
def test_a_copy_is_a_read_of_its_source(s3, place, source):
    theirs = "us-east-1:00000000-0000-4000-8000-000000000000/diary"
    with refused("AccessDenied", status=403):
        s3.copy_object(**place.at("copy"), CopySource={"Bucket": place.bucket, "Key": theirs})
    with refused("AccessDenied", status=403):
        s3.copy_object(Bucket=place.bucket, Key=theirs, CopySource=source)


def test_a_copy_has_the_checksum_of_its_source_or_the_one_that_is_asked_for(s3, place):
    place.put("source", BODY, ChecksumSHA256=checksum("SHA256", BODY))
    s3.copy_object(**place.at("same"), CopySource=place.at("source"))
    assert place.head("same", ChecksumMode="ENABLED")["ChecksumSHA256"] == checksum("SHA256", BODY)
    copied = s3.copy_object(**place.at("other"), CopySource=place.at("source"), ChecksumAlgorithm="SHA1")
    assert copied["CopyObjectResult"]["ChecksumSHA1"] == checksum("SHA1", BODY)
    assert place.head("other", ChecksumMode="ENABLED")["ChecksumSHA1"] == checksum("SHA1", BODY)


def test_a_copy_is_a_thing_of_its_own(s3, place, source):
    s3.copy_object(**place.at("copy"), CopySource=source)
    place.put("source", b"another")
    assert place.read("copy") == BODY
    s3.delete_object(**place.at("source"))
    assert place.read("copy") == BODY
