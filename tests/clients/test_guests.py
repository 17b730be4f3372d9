"""Guests, who have an identity without a login: off unless the developer asks for them, and confined when on."""

import jwt
import pytest

from support import aws
from support.login import Person

NO_GUESTS = "Unauthenticated access is not supported for this identity pool."
NO_ROLE = "Invalid identity pool configuration. Check assigned IAM roles for this pool."


@pytest.fixture(scope="module")
def pool_id(pools):
    pool = pools.create_identity_pool(IdentityPoolName="with guests", AllowUnauthenticatedIdentities=True)
    return pool["IdentityPoolId"]


@pytest.fixture
def guest_id(public, pool_id):
    return public.get_id(IdentityPoolId=pool_id)["IdentityId"]


def test_guests_are_off_unless_asked_for(daypass, public):
    with aws.refused("NotAuthorizedException", NO_GUESTS, 400):
        public.get_id(IdentityPoolId=daypass.identity_pool_id)


def test_every_guest_is_a_new_identity(public, pools, pool_id, guest_id):
    assert public.get_id(IdentityPoolId=pool_id)["IdentityId"] != guest_id
    described = pools.describe_identity(IdentityId=guest_id)
    assert "Logins" not in described


def test_a_guests_token_says_so(public, pool_id, guest_id):
    answer = public.get_open_id_token(IdentityId=guest_id)
    claims = jwt.decode(answer["Token"], options={"verify_signature": False})
    assert (claims["sub"], claims["aud"], claims["amr"]) == (guest_id, pool_id, ["unauthenticated"])
    assert claims["exp"] - claims["iat"] == 600


def test_a_guest_without_a_role_has_no_credentials(public, guest_id):
    with aws.refused("InvalidIdentityPoolConfigurationException", NO_ROLE, 400):
        public.get_credentials_for_identity(IdentityId=guest_id)


def test_the_role_of_people_who_logged_in_does_not_trust_a_guest(daypass, public, pools, pool_id, guest_id):
    pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"unauthenticated": daypass.role_arn})
    with aws.refused("InvalidIdentityPoolConfigurationException", NO_ROLE, 400):
        public.get_credentials_for_identity(IdentityId=guest_id)
    token = public.get_open_id_token(IdentityId=guest_id)["Token"]
    with aws.refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403):
        aws.assume_role(daypass, Person(guest_id, token))


def test_somebody_who_logged_in_is_no_guest_any_more(public, ada):
    message = f"Access to Identity '{ada.identity_id}' is forbidden."
    for ask in (public.get_open_id_token, public.get_credentials_for_identity):
        with aws.refused("NotAuthorizedException", message, 400):
            ask(IdentityId=ada.identity_id)


def test_the_classic_flow_can_be_turned_off(public, pools):
    pool = pools.create_identity_pool(
        IdentityPoolName="enhanced flow only", AllowUnauthenticatedIdentities=True, AllowClassicFlow=False
    )
    guest_id = public.get_id(IdentityPoolId=pool["IdentityPoolId"])["IdentityId"]
    message = "Basic (classic) flow is not enabled, please use enhanced flow."
    with aws.refused("InvalidParameterException", message, 400):
        public.get_open_id_token(IdentityId=guest_id)
