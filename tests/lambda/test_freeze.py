"""Lambda freezes a function between its requests. Nothing that happened outside meanwhile may be a client's loss."""

import json
import time

import pytest

from events import event
from function import Function, lay_out
from provider import Provider, proof

JSON = {"content-type": "application/json"}
IDLE = 1.0  # seconds for which the provider keeps a connection


def exchange(function, code="a-code", **how):
    body = json.dumps(proof(code))
    return function.invoke(event("http-api", "POST", "/v1/exchange", headers=JSON, body=body), **how)


@pytest.fixture
def provider():
    with Provider(idle=IDLE) as running:
        yield running


@pytest.fixture
def function(tmp_path, provider):
    with Function(lay_out(tmp_path, provider.url)) as running:
        yield running


def test_a_connection_that_the_provider_closed_meanwhile_is_not_used(function, provider):
    """A code can be redeemed once: no second attempt would help."""
    for round in range(3):
        answer = exchange(function, f"code-{round}")
        assert answer.status == 200, answer.raw
        function.freeze()
        time.sleep(3 * IDLE)
        function.thaw()
    assert exchange(function, "the-last").status == 200
    assert provider.connections >= 4


def test_a_connection_that_ended_without_a_word_is_not_used(tmp_path):
    with Provider(idle=IDLE, silent=True) as provider, Function(lay_out(tmp_path, provider.url)) as function:
        assert exchange(function).status == 200
        before = provider.connections
        function.freeze()
        time.sleep(5)  # longer than any connection is kept
        function.thaw()
        for _ in range(5):
            assert exchange(function).status == 200
        assert (provider.connections, provider.lost) == (before + 1, 0)


def test_a_freeze_in_the_middle_of_a_request_is_survived(function):
    """Lambda does so when it has ended a request whose time was over."""
    request = function.api.send(event("http-api", path="/healthz"))
    function.freeze()
    time.sleep(1)
    function.thaw()
    function.api.receive(request)
    assert exchange(function).status == 200


def test_a_provider_that_hangs_is_given_up_before_lambda_gives_up_the_function(function, provider):
    provider.hang = True
    started = time.monotonic()
    answer = exchange(function, time_left=3.0)
    took = time.monotonic() - started
    assert answer.status == 503 and answer.json()["code"] == "timeout", answer.raw
    assert answer.header("retry-after")
    assert took < 3.0, took
    provider.hang = False
    assert exchange(function).status == 200


def test_a_provider_that_hangs_for_long_is_told_from_a_function_without_time(function, provider):
    provider.hang = True
    answer = exchange(function, time_left=30.0)
    assert answer.status == 503 and answer.json()["code"] == "provider_timeout", answer.raw
