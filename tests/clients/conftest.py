"""What the tests with clients share of the one server and its people. A test that stops or reconfigures a server starts
its own."""

import pytest

from support import aws

pytest_plugins = ["support.fixtures"]


def pytest_addoption(parser):
    parser.addoption("--regenerate", action="store_true", help="write the documents that tests compare, as `gen` does")


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
