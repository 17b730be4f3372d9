"""Tags of objects and of buckets."""

import pytest

from answers import assert_refused, refused
from upload import begin

TAGS = [{"Key": "team", "Value": "blue + green/1"}, {"Key": "empty", "Value": ""}]


def as_dict(tags):
    return {tag["Key"]: tag["Value"] for tag in tags}


@pytest.fixture
def tags(s3, place):
    return lambda name="object": as_dict(s3.get_object_tagging(**place.at(name))["TagSet"])


def test_tags_that_come_with_the_object(place, tags):
    place.put("object", Tagging="team=blue+%2B%20green%2F1&empty=")
    assert tags() == as_dict(TAGS)
    assert place.head("object")["TagCount"] == 2
    assert place.s3.get_object(**place.at("object"))["TagCount"] == 2


def test_an_object_without_tags(place, tags):
    place.put("object")
    assert tags() == {}
    assert "TagCount" not in place.head("object")


def test_tags_are_put_replaced_and_deleted(s3, place, tags):
    before = place.put("object")["ETag"]
    s3.put_object_tagging(**place.at("object"), Tagging={"TagSet": TAGS})
    assert tags() == as_dict(TAGS)
    s3.put_object_tagging(**place.at("object"), Tagging={"TagSet": [{"Key": "other", "Value": "ü"}]})
    assert tags() == {"other": "ü"}
    assert s3.delete_object_tagging(**place.at("object"))["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags() == {}
    assert place.head("object")["ETag"] == before


def test_an_object_that_is_written_anew_has_its_new_tags(place, tags):
    place.put("object", Tagging="old=1")
    place.put("object")
    assert tags() == {}


def test_tags_of_an_upload_in_parts(s3, place, tags):
    upload = begin(place, "object", Tagging="team=blue")
    upload.put(1, b"part")
    upload.complete()
    assert tags() == {"team": "blue"}


WRONG = {
    "eleven": [{"Key": str(number), "Value": ""} for number in range(11)],
    "a key twice": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
    "a long key": [{"Key": "k" * 129, "Value": ""}],
    "a long value": [{"Key": "k", "Value": "v" * 257}],
    "a key of AWS": [{"Key": "aws:x", "Value": "x"}],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_tags_that_are_none(s3, place, tags, wrong):
    place.put("object", Tagging="old=1")
    with refused("InvalidTag", "BadRequest", "InvalidTagKey", "MalformedXML", status=400):
        s3.put_object_tagging(**place.at("object"), Tagging={"TagSet": WRONG[wrong]})
    assert tags() == {"old": "1"}


def test_tags_that_are_none_beside_an_object(wire, place):
    answer = wire.put(place.key("object"), b"x", {"x-amz-tagging": "&".join(f"{number}=" for number in range(11))})
    assert_refused(answer, "InvalidTag", "BadRequest", "InvalidArgument")
    assert place.names() == []


def test_tags_of_what_is_not_there(s3, place):
    with refused("NoSuchKey", status=404):
        s3.get_object_tagging(**place.at("nothing"))
    with refused("NoSuchKey", status=404):
        s3.put_object_tagging(**place.at("nothing"), Tagging={"TagSet": TAGS})


@pytest.mark.stores("daypass", "moto", "seaweedfs")
def test_tags_of_a_bucket(s3, bucket):
    with refused("NoSuchTagSet", status=404):
        s3.get_bucket_tagging(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": TAGS})
    assert as_dict(s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == as_dict(TAGS)
    assert s3.delete_bucket_tagging(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("NoSuchTagSet", status=404):
        s3.get_bucket_tagging(Bucket=bucket)


@pytest.mark.stores("person")
def test_tags_of_the_bucket_are_not_a_persons(s3, place):
    with refused("AccessDenied", status=403):
        s3.put_bucket_tagging(Bucket=place.bucket, Tagging={"TagSet": TAGS})
