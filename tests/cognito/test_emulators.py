"""Neither moto nor ministack can answer an exchange: the one's token is a random number, the other has no
GetOpenIdTokenForDeveloperIdentity. What can be shown is that the SDK's signed calls reach them, and that what they answer
becomes the refusal that the documentation promises."""

import re

import boto3
import pytest
from support import login

KEY = {"aws_access_key_id": "AKIAAAAAAAAAAAAAAAAA", "aws_secret_access_key": "secret"}
ENVIRONMENT = {name.upper(): value for name, value in KEY.items()}
UNKNOWN = "us-east-1:00000000-0000-4000-8000-000000000000"


def pool(endpoint_url, up):
    client = boto3.client("cognito-identity", "us-east-1", endpoint_url=endpoint_url, **KEY)
    return client.create_identity_pool(
        IdentityPoolName="p", AllowUnauthenticatedIdentities=False, DeveloperProviderName=up.developer_provider
    )["IdentityPoolId"]


def exchange(server, up, **wishes):
    return server.post("/v1/exchange", {**login.authorize(up, "ada").proof(), **wishes})


def test_a_guest_is_looked_at_before_moto_is_given_one(moto, up, serve):
    """Whose the identity is, moto cannot say: LookupDeveloperIdentity is not there, and without it nobody is upgraded."""
    server = serve(pool(moto, up), moto, environment=ENVIRONMENT)
    guest = "us-east-1:00000000-0000-4000-8000-00000000000b"
    status, problem = exchange(server, up, identity_id=guest)
    assert (status, problem["code"]) == (503, "identity_pool_unavailable")
    assert "with status 500, makes no sense" in server.why("with status 500, makes no sense")


def test_ministack_has_no_such_operation(ministack, up, serve):
    server = serve(pool(ministack, up), ministack, environment=ENVIRONMENT)
    status, problem = exchange(server, up)
    assert (status, problem["code"]) == (503, "identity_pool_unavailable")
    assert "GetOpenIdTokenForDeveloperIdentity" in server.why("GetOpenIdTokenForDeveloperIdentity")


@pytest.mark.parametrize("name", ["ada", "grace"])
def test_our_own_pool_can_do_it(up, serve, name):
    server = serve(up.identity_pool_id, environment=up.environment())
    status, answer = server.post("/v1/exchange", {**login.authorize(up, name).proof(), "credentials": True})
    assert status == 200, answer
    assert answer["identity_id"] == login.exchange(up, login.authorize(up, name).proof())["identity_id"]
    given = answer["credentials"]
    sts = boto3.client(
        "sts",
        "us-east-1",
        endpoint_url=up.server_url,
        aws_access_key_id=given["access_key_id"],
        aws_secret_access_key=given["secret_access_key"],
        aws_session_token=given["session_token"],
    )
    assert sts.get_caller_identity()["Arn"].endswith("/CognitoIdentityCredentials")


def test_an_operator_looks_a_person_up(up, serve):
    server = serve(up.identity_pool_id, environment=up.environment())
    _, answer = server.post("/v1/exchange", login.authorize(up, "zoe").proof())
    (person,) = re.findall("person +(.+)", server.command("audit", "who", answer["identity_id"], "--config").stdout)
    found = server.command("pool", "lookup", person, "--config")
    assert (found.returncode, found.stdout.split()) == (0, ["us-east-1", answer["identity_id"]]), found.stderr
    nobody = server.command("pool", "lookup", "nobody", "--config")
    assert (nobody.returncode, nobody.stderr) == (1, "daypass: no pool knows nobody\n")


def test_a_pool_that_is_not_there_is_the_operators_to_mend(up, serve):
    server = serve(UNKNOWN, environment=up.environment())
    status, problem = exchange(server, up)
    assert (status, problem["code"]) == (500, "identity_pool_misconfigured")
    assert "check [[pool.region]]" in server.why("check [[pool.region]]")


def test_no_credentials_are_the_operators_to_mend(up, serve):
    server = serve(UNKNOWN, up.server_url)
    status, problem = exchange(server, up)
    assert (status, problem["code"]) == (500, "identity_pool_misconfigured")
    assert "there are no AWS credentials" in server.why("there are no AWS credentials")
