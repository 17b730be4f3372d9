"""Clients in JavaScript, in Node.js and in a real Chromium. Their tests stand in `js/`; here they get a store."""

import json
import os
import re
from pathlib import Path

import pytest

import stores
from place import Place
from programs import run
from support import aws

HERE = Path(__file__).parent / "js"
BROWSER = "browser.test.js"
FILES = {"node.test.js": "expectations.js", BROWSER: "expectations.js", "minio.test.js": "minio.test.js"}
TESTS = [
    (file, name)
    for file, source in FILES.items()
    for name in re.findall(r"^ *test\('(.*?)',", (HERE / source).read_text(), re.MULTILINE)
]


@pytest.fixture(scope="session")
def outcomes(store):
    """What each test of a file came to, and all that was said. Each file runs once for each store."""
    seen = {}

    def outcomes(file):
        if file not in seen:
            said = run("node", "--test", "--test-reporter=tap", HERE / file, environment=told(store, file), status=None)
            seen[file] = (
                dict(reversed(found) for found in re.findall(r"^ +(ok|not ok) \d+ - (.*?)(?: #.*)?$", said, re.M)),
                said,
            )
        return seen[file]

    return outcomes


def told(store, file):
    """What a file is told of its store. Who owns the bucket is somebody else if a person asks."""
    place = Place(store.client(), store.bucket, f"{store.prefix}{file}/")
    store = {
        "url": store.url,
        "region": store.region,
        "bucket": place.bucket,
        "prefix": place.prefix,
        "keys": store.keys,
        "owner": aws.developer_key(store.daypass) if store.daypass else store.keys,
        "makesBuckets": store.name in stores.WITH_BUCKETS,
    }
    # Node.js says in TAP what it would print in colours.
    named = {"CHROMIUM": os.environ["CHROMIUM"]} if "CHROMIUM" in os.environ else {}
    return {"STORE": json.dumps(store), "HOME": os.environ.get("HOME", "/"), **named}


@pytest.mark.parametrize(("file", "name"), [test for test in TESTS if test[0] != BROWSER])
def test_in_node(outcomes, file, name):
    found, said = outcomes(file)
    assert found.get(name) == "ok", said


@pytest.mark.stores("daypass", "person", "moto")
@pytest.mark.parametrize("name", [name for file, name in TESTS if file == BROWSER])
def test_in_a_browser(outcomes, name):
    found, said = outcomes(BROWSER)
    assert found.get(name) == "ok", said
