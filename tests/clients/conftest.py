"""One server for the whole run, and the people and clients that most tests need. A test that stops or
reconfigures a server starts its own."""

import os

import pytest

import aws
import login
from server import Daypass


def pytest_addoption(parser):
    parser.addoption("--regenerate", action="store_true", help="write the documents that tests compare, as `gen` does")


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
def ada_credentials(daypass, ada):
    return aws.credentials_of(daypass, ada)


@pytest.fixture(scope="session")
def grace_credentials(daypass, grace):
    return aws.credentials_of(daypass, grace)


@pytest.fixture(scope="session")
def ada_s3(daypass, ada_credentials):
    return aws.s3(daypass, ada_credentials)


@pytest.fixture(scope="session")
def grace_s3(daypass, grace_credentials):
    return aws.s3(daypass, grace_credentials)


@pytest.fixture(scope="session")
def pools(daypass):
    """The developer's client of the identity pool API."""
    return aws.developer(daypass, "cognito-identity")


@pytest.fixture(scope="session")
def public(daypass):
    """An anonymous client of the identity pool API."""
    return aws.anonymous(daypass, "cognito-identity")
