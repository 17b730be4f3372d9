"""IAM's calls about roles, as boto3 makes them, under a running `up`."""

import json

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from support import aws
from support.server import Daypass
from test_roles import credentials, make_pool, vouch

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}]}


def trust(pool_id):
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": pool_id},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
                },
            }
        ],
    }


@pytest.fixture(scope="module")
def daypass(tmp_path_factory):
    """A server of its own: every change of a role has it take up its configuration anew."""
    running = Daypass(tmp_path_factory.mktemp("iam") / "state")
    yield running
    running.stop()


def iam_of(daypass, **credentials):
    return aws.developer(daypass, "iam", endpoint_url=daypass.server_url, region_name=daypass.region, **credentials)


@pytest.fixture
def iam(daypass):
    return iam_of(daypass)


@pytest.fixture
def pools(daypass):
    return aws.developer(daypass, "cognito-identity")


@pytest.fixture
def role(iam, pools, request):
    """A role of a new pool, gone afterwards."""
    pool_id = make_pool(pools)
    name = f"made.{abs(hash(request.node.name))}"[:60]
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(trust(pool_id)), Description="for <tests>"
    )["Role"]
    pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": made["Arn"]})
    yield {**made, "pool_id": pool_id}
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def may_put(daypass, pools, role):
    s3 = aws.s3(daypass, credentials(daypass, *vouch(pools, role["pool_id"])))
    try:
        s3.put_object(Bucket=daypass.bucket, Key="made/note", Body=b"")
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
        return False
    return True


def test_a_role_is_described_as_it_was_made(daypass, iam, role):
    name = role["RoleName"]
    assert role["Arn"] == f"arn:aws:iam::{daypass.account_id}:role/{name}"
    assert (role["Path"], role["MaxSessionDuration"], role["Description"]) == ("/", 3600, "for <tests>")
    assert role["AssumeRolePolicyDocument"] == trust(role["pool_id"])
    described = iam.get_role(RoleName=name)["Role"]
    assert described == {key: value for key, value in role.items() if key != "pool_id"}
    assert described in iam.get_paginator("list_roles").paginate().build_full_result()["Roles"]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []


def test_its_policies_count_as_soon_as_they_are_answered(daypass, iam, pools, role):
    name = role["RoleName"]
    assert not may_put(daypass, pools, role)
    iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=json.dumps(ALLOW))
    assert may_put(daypass, pools, role)
    iam.put_role_policy(RoleName=name, PolicyName="never", PolicyDocument=json.dumps(DENY))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["never", "write"]
    assert iam.get_role_policy(RoleName=name, PolicyName="never")["PolicyDocument"] == DENY
    assert not may_put(daypass, pools, role)
    iam.delete_role_policy(RoleName=name, PolicyName="never")
    assert may_put(daypass, pools, role)
    elsewhere = json.dumps(trust(daypass.identity_pool_id))
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=elsewhere)
    with aws.refused("InvalidIdentityPoolConfigurationException"):
        credentials(daypass, *vouch(pools, role["pool_id"]))


def test_a_role_that_is_deleted_opens_nothing_any_more(daypass, iam, pools):
    pool_id = make_pool(pools)
    arn = iam.create_role(RoleName="gone", AssumeRolePolicyDocument=json.dumps(trust(pool_id)))["Role"]["Arn"]
    pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": arn})
    iam.put_role_policy(RoleName="gone", PolicyName="write", PolicyDocument=json.dumps(ALLOW))
    with aws.refused("DeleteConflict", status=409):
        iam.delete_role(RoleName="gone")
    s3 = aws.s3(daypass, credentials(daypass, *vouch(pools, pool_id)))
    s3.put_object(Bucket=daypass.bucket, Key="made/note", Body=b"")
    iam.delete_role_policy(RoleName="gone", PolicyName="write")
    iam.delete_role(RoleName="gone")
    with aws.refused("AccessDenied"):
        s3.put_object(Bucket=daypass.bucket, Key="made/note", Body=b"")
    for call in (iam.get_role, iam.delete_role, iam.list_role_policies):
        with aws.refused("NoSuchEntity", status=404):
            call(RoleName="gone")


def test_roles_outlive_a_restart(tmp_path):
    first = Daypass(tmp_path / "state")
    made = iam_of(first).create_role(RoleName="kept", AssumeRolePolicyDocument=json.dumps(trust("us-east-1:p")))
    first.stop()
    second = Daypass(tmp_path / "state")
    try:
        assert iam_of(second).get_role(RoleName="kept")["Role"] == made["Role"]
    finally:
        second.stop()


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("EntityAlreadyExists", {"RoleName": "authenticated"}),
        ("EntityAlreadyExists", {"RoleName": "Authenticated"}),
        ("MalformedPolicyDocument", {"AssumeRolePolicyDocument": "{}"}),
        ("MalformedPolicyDocument", {"AssumeRolePolicyDocument": json.dumps(ALLOW)}),
        ("InvalidInput", {"Path": "/team/"}),
        ("InvalidInput", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("InvalidInput", {"PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        ("InvalidInput", {"MaxSessionDuration": 43201}),
    ],
)
def test_what_would_have_no_effect_is_refused_and_makes_nothing(iam, code, members):
    sound = {"RoleName": "never", "AssumeRolePolicyDocument": json.dumps(trust("us-east-1:p"))}
    with aws.refused(code):
        iam.create_role(**{**sound, **members})
    with aws.refused("NoSuchEntity"):
        iam.get_role(RoleName="never")


def test_a_policy_with_a_mistake_changes_nothing(iam, role):
    with aws.refused("MalformedPolicyDocument", status=400):
        iam.put_role_policy(RoleName=role["RoleName"], PolicyName="wrong", PolicyDocument='{"Statement": []}')
    assert iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"] == []
    with aws.refused("InvalidAction"):
        iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")


def test_nobody_makes_roles_who_has_no_right_to_it(daypass, iam, pools, role):
    """People of a role that does not allow it, whoever signs nothing or something else, and a role that may do one call."""
    attempt = {"RoleName": "stolen", "AssumeRolePolicyDocument": json.dumps(trust(role["pool_id"]))}
    iam.put_role_policy(
        RoleName=role["RoleName"],
        PolicyName="one",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "iam:GetRole", "Resource": role["Arn"]}],
            }
        ),
    )
    person = credentials(daypass, *vouch(pools, role["pool_id"]))
    hers = iam_of(daypass, **person)
    assert hers.get_role(RoleName=role["RoleName"])
    for call in (
        lambda: hers.create_role(**attempt),
        lambda: hers.get_role(RoleName="stolen"),
        lambda: hers.list_roles(),
        lambda: hers.put_role_policy(RoleName=role["RoleName"], PolicyName="all", PolicyDocument=json.dumps(ALLOW)),
    ):
        with aws.refused("AccessDenied", status=403):
            call()
    wrong = iam_of(daypass, **{**person, "aws_secret_access_key": "wrong"})
    with aws.refused("SignatureDoesNotMatch", status=403):
        wrong.get_role(RoleName=role["RoleName"])
    nobody = boto3.client(
        "iam",
        endpoint_url=daypass.server_url,
        region_name=daypass.region,
        config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1}),
    )
    with pytest.raises(nobody.exceptions.ClientError):
        nobody.create_role(**attempt)
    with aws.refused("NoSuchEntity"):
        iam.get_role(RoleName="stolen")
