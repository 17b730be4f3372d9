"""What tests expect of refusals."""

import contextlib

import pytest
from botocore.exceptions import ClientError


@contextlib.contextmanager
def refused(*codes, status=None):
    """Expects that boto3 is refused with one of these codes."""
    with pytest.raises(ClientError) as caught:
        yield caught
    error, metadata = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    assert error["Code"] in codes, error
    assert status in (None, metadata["HTTPStatusCode"]), metadata


def assert_refused(answer, *codes, status=400):
    """Expects the same of an answer on the wire."""
    assert (answer.status, answer.code in codes) == (status, True), answer
