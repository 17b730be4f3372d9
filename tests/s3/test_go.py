"""The AWS SDK for Go, from Debian's packages: a program of its own in `go/`."""

import os
from pathlib import Path

import pytest

from programs import run

SOURCE = Path(__file__).parent / "go/main.go"
# Where Debian puts what others wrote in Go. Nothing is fetched.
DEBIAN = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
COMPILATION = 180  # seconds


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    directory = tmp_path_factory.mktemp("go")
    cache = os.environ.get("GOCACHE", str(directory / "cache"))
    run("go", "build", "-o", directory / "app", SOURCE, environment={**DEBIAN, "GOCACHE": cache}, limit=COMPILATION)
    return directory / "app"


def test_what_an_app_does(program, store, place):
    there = {"BUCKET": place.bucket, "PREFIX": place.prefix}
    assert run(program, environment={**store.environment(), **there}) == "done\n"
