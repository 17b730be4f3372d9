"""One server for a whole run, and the people and clients that most suites need: a plugin of pytest. A suite whose
server has a configuration of its own says so by a fixture `daypass` in its `conftest.py`, and these follow."""

import os

import pytest

from support import aws, login
from support.server import Daypass


def pytest_configure():
    """Nothing of this machine's AWS or proxy configuration takes part."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


@pytest.fixture(scope="session")
def daypass(tmp_path_factory):
    with Daypass(tmp_path_factory.mktemp("daypass") / "state") as running:
        yield running


@pytest.fixture(scope="session")
def ada(daypass):
    return login.log_in(daypass, "ada")


@pytest.fixture(scope="session")
def grace(daypass):
    return login.log_in(daypass, "grace")


@pytest.fixture(scope="session")
def public(daypass):
    """An anonymous client of the identity pool API."""
    return aws.anonymous(daypass, "cognito-identity")
