"""Who gets no credentials of SeaweedFS, and what the operator hears of it."""

import json
import subprocess
import time
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import s3_at, set_roles, write_config
from support import aws, login
from support.seaweedfs import Ports
from support.server import Daypass, program
from trust import BUCKET, role_arn

NO_ROLE = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
LIMIT = 30  # seconds; a token of one second is over long before


def sts_of(store):
    """An anonymous client of the store's STS, as an app would have that knows the store."""
    config = aws.ONCE.merge(Config(signature_version=UNSIGNED))
    return boto3.client("sts", endpoint_url=store.url, region_name="us-east-1", config=config)


def assume(store, person, role="Person"):
    return sts_of(store).assume_role_with_web_identity(
        RoleArn=role_arn(role), RoleSessionName="test", WebIdentityToken=person.token
    )


def run(daypass, *command):
    done = subprocess.run(
        [program(), *command, "--dir", daypass.dir], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cause_of(daypass, request_id):
    """The line that tells the operator why. Nobody waits for the log to be written before they are answered."""
    deadline = time.monotonic() + LIMIT
    while True:
        for line in Path(daypass.dir, "log.jsonl").read_text().splitlines(keepends=True):
            if request_id in line and '"cause"' in line and line.endswith("\n"):
                return json.loads(line)
        assert time.monotonic() < deadline, request_id


def test_the_store_takes_our_tokens_from_an_app_as_well(store, ada):
    s3_at(store, aws.assumed(assume(store, ada))).list_objects_v2(Bucket=BUCKET, Prefix=f"private/{ada.identity_id}/")


def test_an_expired_token_is_worth_nothing_to_the_store_or_to_us(daypass, store, public):
    answer = login.exchange(daypass, {**login.authorize(daypass, "ada").proof(), "token_duration": 1})
    person, deadline = login.Person(answer["identity_id"], answer["token"]), time.monotonic() + LIMIT
    with pytest.raises(ClientError) as caught:
        while time.monotonic() < deadline:
            assume(store, person)
    assert caught.value.response["Error"]["Code"] == "ExpiredTokenException"
    with aws.refused("NotAuthorizedException", status=400) as caught:
        public.get_credentials_for_identity(IdentityId=person.identity_id, Logins=person.logins)
    assert "Token expired" in str(caught.value)


def test_a_token_that_was_tampered_with_is_worth_nothing_to_the_store(store, ada, grace):
    head, _, signature = ada.token.split(".")
    forged = login.Person(grace.identity_id, ".".join([head, grace.token.split(".")[1], signature]))
    with pytest.raises(ClientError) as caught:
        assume(store, forged)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_a_guests_token_does_not_open_the_role_of_people(daypass, store, public, pools):
    guest = public.get_id(IdentityPoolId=daypass.identity_pool_id)["IdentityId"]
    token = public.get_open_id_token(IdentityId=guest)["Token"]
    with pytest.raises(ClientError) as caught:
        assume(store, login.Person(guest, token))
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_nobody_chooses_a_role_that_the_pool_does_not_give(public, store, ada):
    with aws.refused("NotAuthorizedException", status=400):
        public.get_credentials_for_identity(
            IdentityId=ada.identity_id, Logins=ada.logins, CustomRoleArn=role_arn("Owner")
        )


@pytest.fixture
def role_of_everybody(daypass, pools):
    """Gives the pool another role for people, for as long as a test takes."""
    yield lambda arn: set_roles(pools, daypass, authenticated=arn)
    set_roles(pools, daypass)


@pytest.mark.parametrize("role", ["none", "Guest"])
def test_a_role_that_the_store_does_not_know_or_that_trusts_others(
    daypass, public, store, ada, role_of_everybody, role
):
    role_of_everybody(role_arn(role))
    with aws.refused("InvalidIdentityPoolConfigurationException", NO_ROLE, 400) as caught:
        public.get_credentials_for_identity(IdentityId=ada.identity_id, Logins=ada.logins)
    request_id = caught.value.response["ResponseMetadata"]["RequestId"]
    line = cause_of(daypass, request_id)
    assert line["level"] == "ERROR"
    for part in (store.url, role_arn(role), "trust policy", daypass.identity_pool_id, "AccessDenied"):
        assert part in line["cause"]
    with login.refused(500, "identity_pool_misconfigured"):
        login.exchange(daypass, {**login.authorize(daypass, "ada").proof(), "credentials": True})


def test_a_pool_that_the_store_does_not_know(daypass, public, pools, store):
    pool = pools.create_identity_pool(IdentityPoolName="unknown there", AllowUnauthenticatedIdentities=True)
    roles = {"unauthenticated": daypass.guest_role_arn}
    pools.set_identity_pool_roles(IdentityPoolId=pool["IdentityPoolId"], Roles=roles)
    guest = public.get_id(IdentityPoolId=pool["IdentityPoolId"])["IdentityId"]
    with aws.refused("InvalidIdentityPoolConfigurationException", NO_ROLE, 400):
        public.get_credentials_for_identity(IdentityId=guest)


@pytest.mark.parametrize("value", ["*", "r?d", "${jwt:sub}"])
def test_a_tag_that_the_store_would_take_for_a_pattern(daypass, pools, value):
    with aws.refused("InvalidParameterException", status=400):
        pools.get_open_id_token_for_developer_identity(
            IdentityPoolId=daypass.identity_pool_id,
            Logins={daypass.developer_provider: "tagged"},
            PrincipalTags={"team": value},
        )


def test_a_revoked_identity_gets_no_more_though_what_it_has_goes_on(daypass, public, store):
    person = login.log_in(daypass, "alan")
    s3, folder = s3_at(store, aws.credentials_of(daypass, person)), f"private/{person.identity_id}/"
    run(daypass, "revoke", person.identity_id)
    with aws.refused("NotAuthorizedException", f"Access to Identity '{person.identity_id}' is forbidden.", 400):
        public.get_credentials_for_identity(IdentityId=person.identity_id, Logins=person.logins)
    s3.list_objects_v2(Bucket=BUCKET, Prefix=folder)


def test_the_person_behind_a_key_of_the_store(daypass, ada, ada_credentials):
    answer = run(daypass, "audit", "who", ada_credentials["aws_access_key_id"])
    assert answer.startswith("person    snapchat:")
    assert f"identity  {ada.identity_id}" in answer
    assert role_arn("Person") in answer


def test_nothing_written_holds_a_secret_of_the_store(daypass, ada, ada_credentials):
    written = "".join(file.read_text() for file in Path(daypass.dir, "daypass.db-audit").glob("*.jsonl")) + Path(daypass.dir, "log.jsonl").read_text()
    assert ada_credentials["aws_access_key_id"] in written
    for secret in (ada_credentials["aws_secret_access_key"], ada_credentials["aws_session_token"], ada.token, "eyJ"):
        assert secret not in written


def test_a_store_that_is_not_there(tmp_path):
    nobody = Ports(["s3"])
    nobody.release()
    config = write_config(tmp_path, nobody.url)
    with Daypass(tmp_path / "state", config=config) as daypass:
        person = login.log_in(daypass, "ada")
        with aws.refused("ServiceUnavailableException", status=503):
            aws.credentials_of(daypass, person)
        with login.refused(503, "credentials_unavailable"):
            login.exchange(daypass, {**login.authorize(daypass, "ada").proof(), "credentials": True})
