"""What each source of events gets for a request."""

import base64
import json

import pytest

from events import SOURCES, event
from function import Function, lay_out
from provider import NAME, proof

JSON = {"content-type": "application/json"}
START = (
    "response_type=code&app=web&redirect_uri=https%3A%2F%2Fapp.example.com%2Fsigned-in"
    f"&code_challenge={'c' * 43}&code_challenge_method=S256&state=a%26b"
)


@pytest.fixture(params=SOURCES)
def source(request):
    return request.param


def problem(answer, status, code):
    assert answer.status == status, answer.raw
    assert answer.header("content-type") == ["application/problem+json"]
    told = answer.json()
    assert (told["status"], told["code"]) == (status, code)
    assert answer.header("x-amzn-requestid") == [told["request_id"]]


def test_health(function, source):
    answer = function.invoke(event(source, path="/healthz"))
    assert (answer.status, answer.body) == (200, b"ok\n")
    described = answer.raw.get("statusDescription")
    assert described == ("200 OK" if source.startswith("alb") else None)


def test_an_exchange(function, source):
    answer = function.invoke(event(source, "POST", "/v1/exchange", headers=JSON, body=json.dumps(proof())))
    assert answer.status == 200, answer.raw
    assert answer.json()["user"] == {"name": NAME}
    assert answer.json()["token"].count(".") == 2
    assert answer.header("cache-control") == ["no-store"]


def test_a_body_in_base64(function, source):
    body = base64.b64encode(json.dumps(proof()).encode()).decode()
    answer = function.invoke(event(source, "POST", "/v1/exchange", headers=JSON, body=body, base64=True))
    assert answer.status == 200, answer.raw


def test_a_body_that_is_no_exchange(function, source):
    for body in ['{"provider": "snapchat"}', "{", "", None]:
        answer = function.invoke(event(source, "POST", "/v1/exchange", headers=JSON, body=body))
        problem(answer, 400, "malformed_request")


def test_a_huge_body(function, source):
    body = json.dumps({"provider": "snapchat", "access_token": "x" * 5_000_000})
    answer = function.invoke(event(source, "POST", "/v1/exchange", headers=JSON, body=body))
    problem(answer, 413, "body_too_large")


def test_a_path_that_is_not_there(function, source):
    problem(function.invoke(event(source, path="/nothing")), 404, "not_found")
    problem(function.invoke(event(source, "DELETE", "/v1/exchange")), 405, "method_not_allowed")


def test_there_is_no_sign_in_page_whose_logins_could_not_end(function, source):
    """A store in memory cannot tell whether another instance has seen a login. The log says so when an instance starts."""
    for path in ["/login", "/login/snapchat", "/login/snapchat/callback"]:
        problem(function.invoke(event(source, path=path, query=START)), 404, "not_found")
    listed = function.invoke(event(source, path="/v1/providers")).json()["providers"]
    assert [(provider["id"], "login_url" in provider) for provider in listed] == [("snapchat", False)]
    assert "the sign-in page /login is absent" in function.log.read_text()


def test_a_page_of_another_app_is_turned_away(function, source):
    headers = JSON | {"origin": "https://evil.example"}
    answer = function.invoke(event(source, "POST", "/v1/exchange", headers=headers, body=json.dumps(proof())))
    problem(answer, 403, "origin_not_allowed")


def test_a_preflight(function, source):
    headers = {"origin": "https://app.example.com", "access-control-request-method": "POST"}
    answer = function.invoke(event(source, "OPTIONS", "/v1/exchange", headers=headers))
    assert answer.header("access-control-allow-origin") == ["https://app.example.com"]


@pytest.mark.parametrize("source", ["http-api", "rest-api"])
@pytest.mark.parametrize("stage", ["prod", "v1", "login"])
def test_a_stage_is_no_part_of_a_route(tmp_path, source, stage):
    public_url = f"https://r3pmxmplak.execute-api.us-east-1.amazonaws.com/{stage}"
    with Function(lay_out(tmp_path, public_url=public_url)) as function:
        for path in ["/healthz", "/v1/providers"]:
            assert function.invoke(event(source, path=path, stage=stage)).status == 200, path
        problem(function.invoke(event(source, path="/nothing", stage=stage)), 404, "not_found")


def test_the_base_path_of_a_custom_domain_is_no_part_of_a_route(tmp_path):
    with Function(lay_out(tmp_path, public_url="https://example.com/auth")) as function:
        mapped = event("rest-api", path="/healthz")
        mapped["path"] = mapped["requestContext"]["path"] = "/auth/healthz"
        assert function.invoke(mapped).status == 200
        assert function.invoke(event("alb", path="/auth/healthz")).status == 200
        assert function.invoke(event("function-url", path="/auth/healthz")).status == 200
        # An HTTP API does not show the base path of a custom domain's mapping.
        assert function.invoke(event("http-api", path="/healthz", stage="prod")).status == 200


@pytest.mark.parametrize(
    "path", ["/%68ealthz", "/healthz%2f..", "//healthz", "/x/../healthz", "/healthz?x=1", "/healthz#", "https://x/healthz"]
)
def test_no_path_is_decoded_or_tidied(function, path):
    for source in SOURCES:
        problem(function.invoke(event(source, path=path)), 404, "not_found")


@pytest.mark.parametrize(
    "unreadable",
    [
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"no JSON",
        b'{"Records": [{"eventSource": "aws:sqs", "body": "hunter2"}]}',
        b'{"httpMethod": "GET", "path": "/healthz"}',
        json.dumps(event("http-api") | {"requestContext": {"stage": "hunter2"}}).encode(),
        json.dumps(event("http-api") | {"headers": {"a b": "hunter2"}}).encode(),
        json.dumps(event("rest-api") | {"httpMethod": "hunter2 hunter2"}).encode(),
        json.dumps(event("alb") | {"body": "!hunter2", "isBase64Encoded": True}).encode(),
    ],
)
def test_an_event_that_is_no_request_is_refused_and_not_repeated(function, unreadable):
    answer = function.invoke(unreadable)
    assert (answer.status, answer.json()["code"]) == (400, "malformed_request")
    assert "hunter2" not in json.dumps(answer.raw) and "hunter2" not in function.log.read_text()


def test_the_log_is_json_and_holds_no_secret(function):
    code = "a-code-that-nobody-should-see"
    function.invoke(event("http-api", "POST", "/v1/exchange", headers=JSON, body=json.dumps(proof(code))))
    lines = function.lines()
    request = [line for line in lines if line.get("route") == "/v1/exchange"][-1]
    assert (request["method"], request["status"]) == ("POST", 200)
    recorded = [line for line in lines if line.get("request_id") == request["request_id"] and "action" in line]
    assert [line["source_ip"] for line in recorded] == ["192.0.2.252"], "as AWS says in the event"
    text = function.log.read_text()
    for secret in [code, "the-secret-of-the-client", "a-token"]:
        assert secret not in text
