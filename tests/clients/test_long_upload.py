"""An upload in parts that takes longer than its credentials live: boto3, unmodified, by a profile that `daypass login` wrote.
libfaketime answers the server, boto3 and `daypass credentials` when they ask for the time, all from one file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import Terminal, done

from support.server import Daypass

UPLOAD = Path(__file__).with_name("upload_in_parts.py")
SIZE = 7 * 5 * 1024 * 1024 + 1


@pytest.fixture
def own_clock(tmp_path):
    """The environment of processes whose clock is as far ahead as the file says."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    assert found, "Install faketime"
    clock = tmp_path / "clock"
    clock.write_text("+0")
    switches = ("FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(clock)} | dict.fromkeys(switches, "1")


@pytest.fixture
def terminal(own_clock, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        for name, value in own_clock.items():
            patch.setenv(name, value)
        daypass = Daypass(tmp_path / "state")
    with daypass:
        yield Terminal(daypass, tmp_path)


def test_an_upload_in_parts_goes_on_when_its_credentials_end(own_clock, terminal):
    terminal.log_in("ada", "--profile", "work")
    given = json.loads(done(terminal.run("credentials", **own_clock)))
    bucket, key = terminal.daypass.bucket, f"{terminal.whoami()['identity_id']}/long.bin"
    command = [sys.executable, str(UPLOAD), own_clock["FAKETIME_TIMESTAMP_FILE"], bucket, key]
    environment = terminal.environment(AWS_PROFILE="work", **own_clock)
    keys = json.loads(done(subprocess.run(command, env=environment, capture_output=True, text=True, check=False)))

    first, second = given["AccessKeyId"], keys[-1]
    assert keys == [first] * 3 + [second] * 5
    assert second != first
    head = ["s3api", "head-object", "--bucket", bucket, "--key", key]
    assert json.loads(done(terminal.aws("--profile", "work", *head, **own_clock)))["ContentLength"] == SIZE

    ended = {
        "AWS_ACCESS_KEY_ID": first,
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": terminal.daypass.region,
    }
    listing = ["s3api", "list-objects-v2", "--bucket", bucket, "--endpoint-url", terminal.daypass.s3_url]
    refused = terminal.aws(*listing, **ended, **own_clock)
    assert "(ExpiredToken)" in refused.stderr
