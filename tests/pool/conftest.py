"""A Daypass and a moto, an emulator of AWS that others wrote, and the AWS profiles that lead to them."""

import configparser
import subprocess

import pytest

from support.moto import Moto
from support.server import program

pytest_plugins = ["support.fixtures"]


@pytest.fixture
def moto():
    with Moto() as running:
        yield running


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
