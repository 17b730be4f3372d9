"""Identity pools as a developer makes and describes them, with boto3 and the written profile."""

import uuid

import pytest

from support import aws

NO_POOL = "us-east-1:00000000-0000-0000-0000-000000000000"


@pytest.fixture
def pool(pools):
    """A pool with every setting that boto3 can express and the server keeps."""
    return pools.create_identity_pool(
        IdentityPoolName=f"my app {uuid.uuid4().hex}",
        AllowUnauthenticatedIdentities=False,
        AllowClassicFlow=False,
        DeveloperProviderName="login.my-app",
        SupportedLoginProviders={"graph.facebook.com": "7346241598935552"},
        IdentityPoolTags={"stage": "test"},
    )


def body(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_pool_is_described_as_it_was_created(pools, pool):
    assert pool["IdentityPoolId"].startswith("us-east-1:")
    assert pool["DeveloperProviderName"] == "login.my-app"
    assert (pool["AllowUnauthenticatedIdentities"], pool["AllowClassicFlow"]) == (False, False)
    assert pool["SupportedLoginProviders"] == {"graph.facebook.com": "7346241598935552"}
    assert pool["IdentityPoolTags"] == {"stage": "test"}
    assert body(pools.describe_identity_pool(IdentityPoolId=pool["IdentityPoolId"])) == body(pool)


def test_what_was_never_set_is_absent(pools):
    bare = pools.create_identity_pool(IdentityPoolName="bare", AllowUnauthenticatedIdentities=False)
    required = {"IdentityPoolId", "IdentityPoolName", "AllowUnauthenticatedIdentities"}
    assert body(bare).keys() - {"IdentityPoolTags"} == required


def test_a_name_may_be_taken_twice(pools):
    twins = [
        pools.create_identity_pool(IdentityPoolName="twin", AllowUnauthenticatedIdentities=False) for _ in range(2)
    ]
    assert twins[0]["IdentityPoolId"] != twins[1]["IdentityPoolId"]


def test_the_paginator_meets_every_pool_once(daypass, pools, pool):
    pages = pools.get_paginator("list_identity_pools").paginate(PaginationConfig={"PageSize": 1})
    found = [(entry["IdentityPoolId"], entry["IdentityPoolName"]) for page in pages for entry in page["IdentityPools"]]
    assert len(found) == len(set(found)) >= 2
    assert (pool["IdentityPoolId"], pool["IdentityPoolName"]) in found
    assert daypass.identity_pool_id in dict(found)


def test_roles_are_kept_and_replaced_as_a_whole(daypass, pools, pool):
    pool_id = pool["IdentityPoolId"]
    assert not pools.get_identity_pool_roles(IdentityPoolId=pool_id).get("Roles")
    for roles in ({"authenticated": daypass.role_arn}, {"unauthenticated": daypass.role_arn}, {}):
        pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles=roles)
        answer = pools.get_identity_pool_roles(IdentityPoolId=pool_id)
        assert answer["IdentityPoolId"] == pool_id
        assert answer.get("Roles", {}) == roles


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("describe_identity_pool", {}),
        ("get_identity_pool_roles", {}),
        ("set_identity_pool_roles", {"Roles": {}}),
        ("list_identities", {"MaxResults": 1}),
        ("get_open_id_token_for_developer_identity", {"Logins": {"login.my-app": "someone"}}),
        ("lookup_developer_identity", {"DeveloperUserIdentifier": "someone"}),
    ],
)
def test_a_pool_that_does_not_exist(pools, operation, parameters):
    with aws.refused("ResourceNotFoundException", f"IdentityPool '{NO_POOL}' not found.", 400):
        getattr(pools, operation)(IdentityPoolId=NO_POOL, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters", "where", "constraint"),
    [
        (
            "create_identity_pool",
            {"IdentityPoolName": "bad/name", "AllowUnauthenticatedIdentities": False},
            "'bad/name' at 'identityPoolName'",
            r"Member must satisfy regular expression pattern: [\w\s+=,.@-]+",
        ),
        (
            "describe_identity_pool",
            {"IdentityPoolId": "US EAST:1"},
            "'US EAST:1' at 'identityPoolId'",
            r"Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+",
        ),
        (
            "list_identity_pools",
            {"MaxResults": 61},
            "'61' at 'maxResults'",
            "Member must have value less than or equal to 60",
        ),
    ],
)
def test_a_constraint_is_named_when_it_is_violated(pools, operation, parameters, where, constraint):
    message = f"1 validation error detected: Value {where} failed to satisfy constraint: {constraint}"
    with aws.refused("ValidationException", message, 400):
        getattr(pools, operation)(**parameters)


def test_a_page_token_that_nobody_issued(pools):
    with aws.refused("InvalidParameterException", status=400):
        pools.list_identity_pools(MaxResults=10, NextToken="invented")
