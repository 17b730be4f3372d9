"""A Daypass and a moto, an emulator of AWS that others wrote, and the AWS profiles that lead to them."""

import configparser
import subprocess
import sys
import threading

import boto3
import pytest

from support import aws
from support.server import START_LIMIT, STOP_LIMIT, program

pytest_plugins = ["support.fixtures"]


class Moto:
    """A running `moto_server`. It says on stderr where it listens."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._read_url()
        # Whoever writes to a full pipe waits.
        self._reader = threading.Thread(target=self._process.stderr.read)
        self._reader.start()

    def _read_url(self):
        watchdog = threading.Timer(START_LIMIT, self._process.kill)
        watchdog.start()
        for line in self._process.stderr:
            if "Running on " in line:
                watchdog.cancel()
                return line.split("Running on ")[1].strip()
        raise AssertionError("moto ended before it was ready")

    def stop(self):
        self._process.terminate()
        self._process.wait(timeout=STOP_LIMIT)
        self._reader.join()
        self._process.stderr.close()

    def pools(self, region):
        credentials = {"aws_access_key_id": "moto", "aws_secret_access_key": "moto"}
        return boto3.client(
            "cognito-identity", endpoint_url=self.url, region_name=region, config=aws.ONCE, **credentials
        )


@pytest.fixture
def moto():
    running = Moto()
    yield running
    running.stop()


@pytest.fixture
def copy(moto, tmp_path):
    """Runs `daypass pool copy`, with a profile `moto` that leads to the moto."""
    profiles = configparser.ConfigParser()
    profiles["profile moto"] = {"endpoint_url": moto.url}
    with (tmp_path / "config").open("w") as file:
        profiles.write(file)
    credentials = configparser.ConfigParser()
    credentials["moto"] = {"aws_access_key_id": "moto", "aws_secret_access_key": "moto"}
    with (tmp_path / "credentials").open("w") as file:
        credentials.write(file)
    environment = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def run(*arguments):
        return subprocess.run(
            [program(), "pool", "copy", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )

    return run
