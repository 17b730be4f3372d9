"""A bucket named by the host: `BUCKET.localhost`."""

import socket
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from answers import assert_refused
from support import aws
from wire import path_of


@pytest.fixture
def host(store):
    return f"{store.bucket}.localhost:{urlsplit(store.url).port}"


def path(place, name):
    return path_of("", place.key(name))[1:]


def test_an_object(wire, place, host):
    assert wire.send("PUT", None, {"Host": host}, b"content", path=path(place, "a b")).status == 200
    assert place.read("a b") == b"content"
    assert wire.send("GET", None, {"Host": host}, path=path(place, "a b")).body == b"content"
    assert wire.send("HEAD", None, {"Host": host}, path=path(place, "a b")).status == 200
    assert wire.send("DELETE", None, {"Host": host}, path=path(place, "a b")).status == 204


def test_a_listing(wire, place, host):
    place.put("object")
    query = {"list-type": 2, "prefix": place.prefix}
    assert wire.send("GET", None, {"Host": host}, path="/", query=query).texts("Contents/Key") == [place.key("object")]


def test_a_key_that_begins_with_the_name_of_the_bucket(wire, store, place, host):
    """It is a key, not the bucket once more."""
    answer = wire.send("GET", None, {"Host": host}, path=f"/{store.bucket}/x")
    assert answer.code in ("NoSuchKey", "AccessDenied")


def test_the_host_is_signed(wire, place, host):
    place.put("object")
    signed = wire.sign("GET", None, {"Host": host}, path=path(place, "object"))
    wire.begin(signed, {**signed.headers, "Host": "other." + host})
    assert wire.receive().status in (400, 403, 404)


def test_another_host(wire, place, host):
    port = host.rsplit(":", 1)[1]
    answer = wire.send("GET", None, {"Host": f"no-such-bucket.localhost:{port}"}, path="/object")
    assert_refused(answer, "NoSuchBucket", "AccessDenied", status=403 if answer.code == "AccessDenied" else 404)


def test_boto3_by_the_host(store, place, monkeypatch):
    """The names below `localhost` are this machine, whatever its resolver knows of them."""
    real = socket.getaddrinfo

    def resolve(name, *more, **named):
        return real("127.0.0.1" if str(name).endswith("localhost") else name, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    config = Config(s3={"addressing_style": "virtual"}, signature_version="s3v4")
    url = f"http://localhost:{urlsplit(store.url).port}"
    s3 = boto3.client(
        "s3", endpoint_url=url, region_name=store.region, config=aws.ONCE.merge(config), **store.credentials
    )
    s3.put_object(**place.at("object"), Body=b"content")
    assert s3.get_object(**place.at("object"))["Body"].read() == b"content"
    url = s3.generate_presigned_url("get_object", Params=place.at("object"))
    assert urlsplit(url).hostname == f"{store.bucket}.localhost"
