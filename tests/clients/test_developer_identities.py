"""Developer authenticated identities: the backend vouches for a user of its own, and boto3 asks for the token."""

import datetime
import uuid
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from support import aws

PROVIDER = "login.my-app"


@pytest.fixture(scope="module")
def pool_id(pools):
    """A pool of its own, so that what it holds is known."""
    pool = pools.create_identity_pool(
        IdentityPoolName="developer identities", AllowUnauthenticatedIdentities=True, DeveloperProviderName=PROVIDER
    )
    return pool["IdentityPoolId"]


@pytest.fixture(scope="module")
def token_for(pools, pool_id):
    def token_for(user, **parameters):
        parameters = {"Logins": {PROVIDER: user}, **parameters}
        return pools.get_open_id_token_for_developer_identity(IdentityPoolId=pool_id, **parameters)

    return token_for


@pytest.fixture
def user():
    """A user identifier that no test used before, of the characters that identifiers really have."""
    return f"did:test+{uuid.uuid4()}@example.com /=é"


def claims(answer):
    return jwt.decode(answer["Token"], options={"verify_signature": False})


def test_a_user_has_one_identity_and_a_new_token_each_time(token_for, pool_id, user):
    first, second = token_for(user), token_for(user)
    assert first["IdentityId"] == second["IdentityId"] == claims(first)["sub"]
    assert claims(first)["amr"] == ["authenticated", PROVIDER, f"{PROVIDER}:{pool_id}:{user}"]


def test_twenty_racing_first_logins_get_one_identity(token_for, user):
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: token_for(user), range(20)))
    assert len({answer["IdentityId"] for answer in answers}) == 1


@pytest.mark.parametrize("seconds", [1, 300, 86_400])
def test_the_caller_decides_how_long_the_token_lives(token_for, user, seconds):
    issued = claims(token_for(user, TokenDuration=seconds))
    assert issued["exp"] - issued["iat"] == seconds


def test_a_token_never_lives_longer_than_a_day(token_for, user):
    with aws.refused("ValidationException", status=400):
        token_for(user, TokenDuration=86_401)


def test_tags_become_a_claim_of_arrays(token_for, user):
    issued = claims(token_for(user, PrincipalTags={"team": "red", "plan": "gold"}))
    assert issued["https://aws.amazon.com/tags"] == {"principal_tags": {"plan": ["gold"], "team": ["red"]}}


@pytest.mark.parametrize("value", ["*", "a?c"])
def test_a_tag_value_that_some_store_would_take_for_a_pattern(token_for, user, value):
    with aws.refused("InvalidParameterException", status=400):
        token_for(user, PrincipalTags={"team": value})


def test_a_guest_who_logs_in_keeps_the_identity(public, pools, pool_id, token_for, user):
    guest = public.get_id(IdentityPoolId=pool_id)["IdentityId"]
    assert token_for(user, IdentityId=guest)["IdentityId"] == guest
    assert token_for(user)["IdentityId"] == guest
    assert pools.describe_identity(IdentityId=guest)["Logins"] == [PROVIDER]


def test_a_user_cannot_be_given_a_second_identity(public, pool_id, token_for, user):
    token_for(user)
    guest = public.get_id(IdentityPoolId=pool_id)["IdentityId"]
    message = "This developer user identifier is already registered with Cognito."
    with aws.refused("DeveloperUserAlreadyRegisteredException", message, 400):
        token_for(user, IdentityId=guest)


def test_nobody_is_put_into_somebody_elses_identity(token_for, user):
    owned = token_for(user)["IdentityId"]
    message = "Logins don't match. Please include at least one valid login for this identity or identity pool."
    with aws.refused("NotAuthorizedException", message, 400):
        token_for(user + " the second", IdentityId=owned)


def test_an_identity_of_another_pool(daypass, pools, ada, token_for, user):
    with aws.refused("ResourceNotFoundException", status=400):
        token_for(user, IdentityId=ada.identity_id)


@pytest.mark.parametrize("logins", [{"login.other-app": "someone"}, {"accounts.google.com": "token"}])
def test_a_provider_that_the_pool_does_not_have(token_for, user, logins):
    message = "This identity pool does not support the specified developer provider"
    with aws.refused("InvalidParameterException", message, 400):
        token_for(user, Logins=logins)


class TestLookup:
    def test_by_either_side_and_by_both(self, pools, pool_id, token_for, user):
        identity_id = token_for(user)["IdentityId"]
        for known in ({"IdentityId": identity_id}, {"DeveloperUserIdentifier": user}):
            for more in ({}, {"IdentityId": identity_id, "DeveloperUserIdentifier": user}):
                answer = pools.lookup_developer_identity(IdentityPoolId=pool_id, **known | more)
                assert answer["IdentityId"] == identity_id
                assert answer["DeveloperUserIdentifierList"] == [user]

    def test_sides_that_do_not_belong_together(self, pools, pool_id, token_for, user):
        token_for(user)
        other = token_for(user + " the second")["IdentityId"]
        with aws.refused("ResourceConflictException", status=400):
            pools.lookup_developer_identity(IdentityPoolId=pool_id, IdentityId=other, DeveloperUserIdentifier=user)

    def test_neither_side(self, pools, pool_id):
        with aws.refused("InvalidParameterException", status=400):
            pools.lookup_developer_identity(IdentityPoolId=pool_id)

    def test_a_user_who_never_logged_in_and_is_not_created_by_the_question(self, pools, pool_id, user):
        for _ in range(2):
            with aws.refused("ResourceNotFoundException", status=400):
                pools.lookup_developer_identity(IdentityPoolId=pool_id, DeveloperUserIdentifier=user)


def test_an_identity_is_described_without_its_user(pools, token_for, user):
    identity_id = token_for(user)["IdentityId"]
    described = pools.describe_identity(IdentityId=identity_id)
    assert (described["IdentityId"], described["Logins"]) == (identity_id, [PROVIDER])
    age = datetime.datetime.now(datetime.UTC) - described["CreationDate"]
    assert abs(age) < datetime.timedelta(minutes=1)
    assert described["LastModifiedDate"] >= described["CreationDate"]


def test_listing_meets_every_identity_once(pools, pool_id, token_for, user):
    made = {token_for(f"{user} {number}")["IdentityId"] for number in range(3)}
    found = aws.identity_ids(pools, pool_id, page_size=1)
    assert len(found) == len(set(found))
    assert made <= set(found)
