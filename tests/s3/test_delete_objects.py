"""Many objects deleted by one request, each by itself."""

import pytest

from answers import assert_refused, refused
from checksums import md5


@pytest.fixture
def some(place):
    names = ["1", "2", "a/b", "a", "ü&<>\"' "]
    for name in names:
        place.put(name)
    return names


def delete(place, names, **more):
    objects = [{"Key": place.key(name)} for name in names]
    answer = place.s3.delete_objects(Bucket=place.bucket, Delete={"Objects": objects, **more})
    cut = len(place.prefix)
    return [entry["Key"][cut:] for entry in answer.get("Deleted", [])], answer.get("Errors", [])


def test_what_is_there_and_what_is_not(place, some):
    assert delete(place, [*some, "nothing", "a/"]) == ([*some, "nothing", "a/"], [])
    assert place.names() == []


def test_only_those(place, some):
    delete(place, ["a"])
    assert place.names() == ["1", "2", "a/b", some[-1]]


def test_quietly(place, some):
    assert delete(place, some, Quiet=True) == ([], [])
    assert place.names() == []


def test_one_twice(place, some):
    deleted, errors = delete(place, ["1", "1"])
    assert set(deleted) == {"1"}
    assert errors == []


def test_a_thousand(place):
    place.put("17")
    names = [str(number) for number in range(1000)]
    assert delete(place, names) == (names, [])
    assert place.names() == []


def test_more_than_a_thousand(place):
    place.put("17")
    with refused("MalformedXML", status=400):
        delete(place, [str(number) for number in range(1001)])
    assert place.names() == ["17"]


def document(place, *names):
    objects = "".join(f"<Object><Key>{place.key(name)}</Key></Object>" for name in names)
    return f'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{objects}</Delete>'.encode()


def test_without_anything_that_proves_the_body(wire, place, some):
    answer = wire.send("POST", None, body=document(place, "1"), query={"delete": None})
    assert_refused(answer, "InvalidRequest")
    assert place.names() == sorted(some, key=str.encode)


def test_with_the_digest_of_another_body(wire, place, some):
    headers = {"Content-MD5": md5(b"other")}
    answer = wire.send("POST", None, headers, document(place, "1"), query={"delete": None})
    assert_refused(answer, "BadDigest")
    assert place.names() == sorted(some, key=str.encode)


def test_with_the_digest_of_older_clients(wire, place, some):
    body = document(place, "1", "2")
    answer = wire.send("POST", None, {"Content-MD5": md5(body)}, body, query={"delete": None})
    assert answer.texts("Deleted/Key") == [place.key("1"), place.key("2")]


@pytest.mark.parametrize("body", [b"", b"<", b"<Delete></Delete>", b"<Delete><Object/></Delete>", b"<Other/>"])
def test_what_is_no_list_of_keys(wire, place, some, body):
    answer = wire.send("POST", None, {"Content-MD5": md5(body)}, body, query={"delete": None})
    assert_refused(answer, "MalformedXML", "UserKeyMustBeSpecified", "MissingRequestBodyError")
    assert place.names() == sorted(some, key=str.encode)


def test_entities_lead_nowhere(wire, place, some):
    body = b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + document(place, "&e;")
    answer = wire.send("POST", None, {"Content-MD5": md5(body)}, body, query={"delete": None})
    assert b"root:" not in answer.body
    assert answer.status == 400


@pytest.mark.stores("person")
@pytest.mark.parametrize("quiet", [False, True])
def test_what_is_another_persons_stays_and_is_told_so(place, some, quiet):
    theirs = {"Key": "us-east-1:00000000-0000-4000-8000-000000000000/diary"}
    mine = {"Key": place.key("1")}
    answer = place.s3.delete_objects(Bucket=place.bucket, Delete={"Objects": [theirs, mine], "Quiet": quiet})
    assert answer.get("Deleted", []) == ([] if quiet else [mine])
    (error,) = answer["Errors"]
    assert (error["Key"], error["Code"]) == (theirs["Key"], "AccessDenied")
    assert error["Message"]
    assert "1" not in place.names()


def test_one_by_one(s3, place, some):
    for name in [*some, "nothing"]:
        assert s3.delete_object(**place.at(name))["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert place.names() == []
