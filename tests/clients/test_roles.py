"""Roles of development: pools that were made through the API give them, and a file replaces their policies."""

import json

import pytest

from support import aws, login
from support.server import Daypass

PROVIDER = "login.mine"


def vouch(pools, pool_id, user="ada"):
    """The token of a developer's user, as logins."""
    made = pools.get_open_id_token_for_developer_identity(IdentityPoolId=pool_id, Logins={PROVIDER: user})
    return made["IdentityId"], {"cognito-identity.amazonaws.com": made["Token"]}


def make_pool(pools, **roles):
    pool_id = pools.create_identity_pool(
        IdentityPoolName="mine", AllowUnauthenticatedIdentities=True, DeveloperProviderName=PROVIDER
    )["IdentityPoolId"]
    if roles:
        pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles=roles)
    return pool_id


def credentials(daypass, identity_id, logins=None):
    public = aws.anonymous(daypass, "cognito-identity")
    given = public.get_credentials_for_identity(IdentityId=identity_id, **({"Logins": logins} if logins else {}))
    given = given["Credentials"]
    return aws.keywords(given["AccessKeyId"], given["SecretKey"], given["SessionToken"])


def test_a_pool_of_the_api_gives_the_roles_that_it_names(daypass, pools):
    pool_id = make_pool(pools, authenticated=daypass.role_arn, unauthenticated=daypass.guest_role_arn)
    identity_id, logins = vouch(pools, pool_id)
    s3 = aws.s3(daypass, credentials(daypass, identity_id, logins))
    s3.put_object(Bucket=daypass.bucket, Key=f"{identity_id}/note", Body=b"mine")
    with aws.refused("AccessDenied"):
        s3.put_object(Bucket=daypass.bucket, Key="us-east-1:somebody/note", Body=b"theirs")
    guest = aws.anonymous(daypass, "cognito-identity").get_id(IdentityPoolId=pool_id)["IdentityId"]
    assert credentials(daypass, guest)
    token = {"WebIdentityToken": logins["cognito-identity.amazonaws.com"], "RoleSessionName": "test"}
    assert aws.anonymous(daypass, "sts").assume_role_with_web_identity(RoleArn=daypass.role_arn, **token)


def test_a_pool_gives_nobody_a_role_that_it_does_not_name(daypass, pools):
    pool_id = make_pool(pools)
    identity_id, logins = vouch(pools, pool_id)
    with aws.refused("InvalidIdentityPoolConfigurationException"):
        credentials(daypass, identity_id, logins)
    token = {"WebIdentityToken": logins["cognito-identity.amazonaws.com"], "RoleSessionName": "test"}
    with aws.refused("AccessDenied"):
        aws.anonymous(daypass, "sts").assume_role_with_web_identity(RoleArn=daypass.role_arn, **token)


def test_a_role_for_one_kind_of_login_is_for_no_other_whatever_the_pool_says(daypass, pools):
    pool_id = make_pool(pools, authenticated=daypass.guest_role_arn, unauthenticated=daypass.role_arn)
    identity_id, logins = vouch(pools, pool_id)
    guest = aws.anonymous(daypass, "cognito-identity").get_id(IdentityPoolId=pool_id)["IdentityId"]
    for who in ((identity_id, logins), (guest,)):
        with aws.refused("InvalidIdentityPoolConfigurationException"):
            credentials(daypass, *who)


@pytest.fixture
def own(tmp_path):
    """A server whose file replaces a policy, and has a role for all pools that name it."""
    policy = lambda resource: json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{resource}"}],
        }
    )
    (tmp_path / "shared.json").write_text(policy("daypass-demo/shared/*"))
    (tmp_path / "staff.json").write_text(policy("daypass-demo/staff/*"))
    role = '[[role]]\nname = "{}"\npolicy = "{}.json"\n{}\n'
    (tmp_path / "daypass.toml").write_text(
        role.format("authenticated", "shared", "")
        + role.format("staff", "staff", 'pools = "naming"')
        + role.format("ours", "staff", "")
    )
    running = Daypass(tmp_path / "state", config=tmp_path / "daypass.toml")
    yield running
    running.stop()


def test_a_file_replaces_the_policy_and_says_which_pools_may_give_a_role(own):
    s3 = aws.s3(own, aws.credentials_of(own, login.log_in(own, "ada")))
    s3.put_object(Bucket=own.bucket, Key="shared/note", Body=b"")
    with aws.refused("AccessDenied"):
        s3.put_object(Bucket=own.bucket, Key="staff/note", Body=b"")
    pools = aws.developer(own, "cognito-identity")
    arn = lambda name: f"arn:aws:iam::{own.account_id}:role/{name}"
    pool_id = make_pool(pools, authenticated=arn("staff"))
    s3 = aws.s3(own, credentials(own, *vouch(pools, pool_id)))
    s3.put_object(Bucket=own.bucket, Key="staff/note", Body=b"")
    pool_id = make_pool(pools, authenticated=arn("ours"))
    with aws.refused("InvalidIdentityPoolConfigurationException"):
        credentials(own, *vouch(pools, pool_id))
