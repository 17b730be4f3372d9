"""The function as it is deployed: with Amazon Cognito as its pool, and nothing of its own to keep."""

import json
import threading
import time

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cognito import CREDENTIALS, DEVELOPER_PROVIDER, POOL_ID, REGION, SECRET_KEY, TOKEN
from cognito import Cognito, claims, identity_of, pool
from events import SOURCES, event
from function import CLIENT_SECRET, Answer, Function, lay_out
from provider import NAME, proof

JSON = {"content-type": "application/json"}
ADA = "snapchat:ada"
IDLE = 0.5  # seconds for which Cognito keeps a connection
ROLE = {
    "AWS_ACCESS_KEY_ID": "ASIAOFTHEFUNCTION",
    "AWS_SECRET_ACCESS_KEY": "the-secret-key-of-the-function",
    "AWS_SESSION_TOKEN": "the-session-of-the-function",
}


def started(directory, provider, cognito):
    return Function(lay_out(directory, provider.url, pool=pool(cognito.url)), **ROLE)


@pytest.fixture(scope="module")
def running(tmp_path_factory, provider):
    with Cognito() as cognito, started(tmp_path_factory.mktemp("cognito"), provider, cognito) as function:
        yield function, cognito


@pytest.fixture
def function(running):
    return running[0]


@pytest.fixture
def cognito(running):
    running[1].calls.clear()
    return running[1]


@pytest.fixture
def own_cognito():
    with Cognito() as running:
        yield running


@pytest.fixture
def own_function(tmp_path, provider, own_cognito):
    with started(tmp_path, provider, own_cognito) as running:
        yield running


def request(source="http-api", **more):
    return event(source, "POST", "/v1/exchange", headers=JSON, body=json.dumps(proof() | more))


def exchange(function, time_left=30.0, **more):
    return function.invoke(request(**more), time_left=time_left)


def token_of(answer):
    assert answer.status == 200, answer.raw
    return answer.json()["token"]


def problem(answer, status, code):
    assert answer.header("content-type") == ["application/problem+json"], answer.raw
    assert (answer.status, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("source", SOURCES)
def test_an_exchange(function, cognito, source):
    answer = function.invoke(request(source))
    told = claims(token_of(answer))
    got = answer.json()
    assert got["identity_id"] == told["sub"] == identity_of(ADA)
    assert (got["region"], got["identity_pool_id"], got["user"]) == (REGION, POOL_ID, {"name": NAME})
    assert got["expires_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(told["exp"]))
    assert answer.header("cache-control") == ["no-store"]
    assert "credentials" not in got and [call.operation for call in cognito.calls] == [TOKEN]


def test_credentials_come_along_if_they_are_wanted(function, cognito):
    answer = exchange(function, credentials=True)
    token = token_of(answer)
    got = answer.json()["credentials"]
    assert (got["secret_access_key"], got["session_token"]) == (SECRET_KEY, "the-session-of-ada")
    assert [call.operation for call in cognito.calls] == [TOKEN, CREDENTIALS]
    assert cognito.calls[1].body == {
        "IdentityId": identity_of(ADA),
        "Logins": {"cognito-identity.amazonaws.com": token},
    }
    assert "authorization" not in cognito.calls[1].headers


def test_the_role_of_the_function_asks_for_this_login_in_this_pool_and_no_more(function, cognito):
    assert exchange(function).status == 200
    [call] = cognito.calls
    assert call.body == {"IdentityPoolId": POOL_ID, "Logins": {DEVELOPER_PROVIDER: ADA}}
    assert call.headers["x-amz-security-token"] == ROLE["AWS_SESSION_TOKEN"]
    assert call.headers["authorization"] == signed_by_the_role(cognito.url, call)


def signed_by_the_role(url, call):
    """What botocore would have sent in its place, over the headers that were signed."""
    fields = dict(part.split("=", 1) for part in call.headers["authorization"].split(" ", 1)[1].split(", "))
    names = fields["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} <= set(names)
    headers = {name: call.headers[name] for name in names}
    request = AWSRequest("POST", url + "/", headers=headers, data=call.raw)
    request.context["timestamp"] = call.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(*ROLE.values()), "cognito-identity", REGION)
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    scope = f"{ROLE['AWS_ACCESS_KEY_ID']}/{call.headers['x-amz-date'][:8]}/{REGION}/cognito-identity/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(names)}, Signature={signature}"


@pytest.mark.parametrize("silent", [False, True])
def test_a_connection_that_ends_in_a_freeze_is_nobodys_loss(tmp_path, provider, silent):
    """The proof is spent when Cognito is asked: the client could not try again."""
    with Cognito(IDLE, silent) as cognito, started(tmp_path, provider, cognito) as function:
        assert exchange(function, credentials=True).status == 200
        before = cognito.connections
        function.freeze()
        time.sleep(2 * IDLE)
        function.thaw()
        answer = exchange(function, credentials=True)
        assert answer.status == 200, (answer.raw, function.log.read_text())
        assert (cognito.connections > before, cognito.lost > 0) == (True, silent)


def wait_for_end(token):
    time.sleep(max(0, claims(token)["exp"] - time.time()) + 0.1)


def test_a_token_that_expired_in_a_freeze_is_not_handed_out_again(own_function, own_cognito):
    own_cognito.life = 2
    before = token_of(exchange(own_function))
    own_function.freeze()
    wait_for_end(before)
    own_function.thaw()
    after = token_of(exchange(own_function))
    assert claims(after)["exp"] > time.time() and after != before


def test_a_token_that_expired_on_its_way_is_not_handed_out(own_function, own_cognito):
    frozen = threading.Event()

    def freeze():
        own_function.freeze()
        frozen.set()

    own_cognito.life, own_cognito.meanwhile = 1, freeze
    sent = own_function.api.send(request())
    assert frozen.wait(10)
    time.sleep(1.1)
    own_function.thaw()
    kind, body = own_function.api.receive(sent)
    assert kind == "response", body
    problem(Answer(json.loads(body)), 503, "identity_pool_unavailable")
    own_cognito.life, own_cognito.meanwhile = 900, lambda: None
    assert exchange(own_function).status == 200


@pytest.mark.parametrize("operation", [TOKEN, CREDENTIALS])
def test_no_client_hears_of_throttling(function, cognito, operation):
    cognito.throttle[operation] = 4
    assert exchange(function, credentials=True).status == 200
    assert [call.operation for call in cognito.calls].count(operation) == 5


def test_a_pool_that_hangs_is_given_up_before_lambda_gives_up_the_function(own_function, own_cognito):
    own_cognito.hang = True
    started = time.monotonic()
    answer = exchange(own_function, time_left=2.0)
    took = time.monotonic() - started
    problem(answer, 503, "timeout")
    assert answer.header("retry-after") and took < 2.0, took
    own_cognito.hang = False
    assert exchange(own_function).status == 200


def test_a_pool_that_hangs_is_told_from_a_function_without_time(own_function, own_cognito):
    own_cognito.hang = True
    problem(exchange(own_function), 503, "identity_pool_unavailable")
    own_cognito.hang = False
    assert exchange(own_function).status == 200


def test_a_permission_that_the_role_lacks_is_in_the_log_and_no_secret_is(own_function, own_cognito):
    arn = f"arn:aws:cognito-identity:{REGION}:123456789012:identitypool/{POOL_ID}"
    own_cognito.refusal = (
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/daypass/daypass is not authorized to perform: "
        f"cognito-identity:{TOKEN} on resource: {arn} because no identity-based policy allows it",
    )
    answer = exchange(own_function, code="a-code-that-nobody-should-see")
    problem(answer, 500, "identity_pool_misconfigured")
    assert "123456789012" not in json.dumps(answer.raw)
    log = own_function.log.read_text()
    assert f"allow cognito-identity:{TOKEN} on {arn}" in log
    for secret in [ROLE["AWS_SECRET_ACCESS_KEY"], ROLE["AWS_SESSION_TOKEN"], CLIENT_SECRET, "a-code-that", "a-token"]:
        assert secret not in log


def test_the_log_of_an_exchange_holds_no_secret(function, cognito):
    answer = exchange(function, credentials=True)
    log = function.log.read_text()
    assert identity_of(ADA) in log
    keys = answer.json()["credentials"]
    for secret in [token_of(answer), keys["secret_access_key"], keys["session_token"], *list(ROLE.values())[1:]]:
        assert secret not in log


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_amazons_to_answer_is_not_there(function, cognito, source):
    target = {"x-amz-target": "AWSCognitoIdentityService.GetId", "content-type": "application/x-amz-json-1.1"}
    asked = json.dumps({"IdentityPoolId": POOL_ID})
    assert function.invoke(event(source, "POST", "/", headers=target, body=asked)).status == 404
    form = {"content-type": "application/x-www-form-urlencoded"}
    sts = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
    assert function.invoke(event(source, "POST", "/", headers=form, body=sts)).status == 404
    assert function.invoke(event(source, path="/", query=sts)).status == 404
    for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration"]:
        assert function.invoke(event(source, path=path)).status == 404, path
    assert cognito.calls == []
