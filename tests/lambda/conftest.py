"""One function for the tests that leave no trace in it; what stops, freezes or misleads one starts its own."""

import pytest

from function import Function, lay_out
from provider import Provider


@pytest.fixture(scope="session")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="session")
def function(tmp_path_factory, provider):
    with Function(lay_out(tmp_path_factory.mktemp("function"), provider.url)) as running:
        yield running
