"""Copies from and to moto. It knows pools and their settings, and neither roles nor principal tag maps, so that all
copies here leave those out."""

import pytest

from support import aws

SETTINGS = {
    "IdentityPoolName": "my app",
    "AllowUnauthenticatedIdentities": True,
    "DeveloperProviderName": "login.my-app",
    "SupportedLoginProviders": {"graph.facebook.com": "12345", "accounts.google.com": "app.google"},
    "OpenIdConnectProviderARNs": ["arn:aws:iam::123456789012:oidc-provider/login.example.com"],
    "CognitoIdentityProviders": [
        {
            "ProviderName": "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aaaaaaaaa",
            "ClientId": "client",
            "ServerSideTokenCheck": False,
        }
    ],
}
TAGS = {"team": "blue", "empty": ""}


def made(pools):
    return pools.create_identity_pool(**SETTINGS, IdentityPoolTags=TAGS)["IdentityPoolId"]


def ids(pools):
    return {pool["IdentityPoolId"] for pool in pools.list_identity_pools(MaxResults=60)["IdentityPools"]}


def check(pools, copy, source):
    pool = pools.describe_identity_pool(IdentityPoolId=copy)
    assert {name: pool[name] for name in SETTINGS} == SETTINGS
    assert pool["IdentityPoolTags"] == {**TAGS, "daypass:copied-from": source}


@pytest.mark.parametrize("start", ["moto", "daypass"])
def test_a_pool_goes_to_another_region_of_moto(start, moto, daypass, copy):
    if start == "moto":
        pools, origin = moto.client("cognito-identity", "us-east-1"), ("--from-profile", "moto")
    else:
        pools, origin = aws.developer(daypass, "cognito-identity"), ("--from-dir", daypass.dir)
    source, target = made(pools), moto.client("cognito-identity", "eu-west-1")
    way = ("--from", source, *origin, "--to", "eu-west-1", "--to-profile", "moto", "--settings-only")

    planned = copy(*way)
    assert (planned.returncode, ids(target)) == (0, set()), planned.stderr
    assert "  + DeveloperProviderName  login.my-app\n" in planned.stdout
    done = copy(*way, "--apply", "--verify")
    assert done.returncode == 0, done.stderr
    (copied,) = ids(target)
    assert copied.startswith("eu-west-1:")
    check(target, copied, source)

    again = copy(*way, "--apply", "--verify")
    assert again.returncode == 0, again.stderr
    assert "Both are set to the same." in again.stdout
    assert ids(target) == {copied}

    target.update_identity_pool(
        IdentityPoolId=copied,
        **{**SETTINGS, "AllowUnauthenticatedIdentities": False, "SupportedLoginProviders": {}},
    )
    found = copy(*way, "--verify")
    assert found.returncode == 1
    assert "  ~ AllowUnauthenticatedIdentities  false -> true\n" in found.stdout
    assert "  + SupportedLoginProviders graph.facebook.com  12345\n" in found.stdout
    assert copy(*way, "--apply", "--verify").returncode == 0
    check(target, copied, source)


def test_a_pool_comes_from_moto(moto, daypass, copy):
    source = made(moto.client("cognito-identity", "eu-west-1"))
    pools = aws.developer(daypass, "cognito-identity")
    before = ids(pools)
    # The only pool of its Region needs no name.
    way = ("--from", "eu-west-1", "--from-profile", "moto", "--to", "us-east-1", "--to-dir", daypass.dir)
    done = copy(*way, "--settings-only", "--apply", "--verify")
    assert done.returncode == 0, done.stderr
    (copied,) = ids(pools) - before
    check(pools, copied, source)


def test_what_an_end_does_not_know_is_a_failure(moto, copy):
    source = made(moto.client("cognito-identity", "us-east-1"))
    way = ("--from", source, "--from-profile", "moto", "--to", "eu-west-1", "--to-profile", "moto")
    failed = copy(*way, "--apply")
    assert failed.returncode == 1
    assert "GetIdentityPoolRoles in us-east-1, profile moto failed" in failed.stderr
    assert ids(moto.client("cognito-identity", "eu-west-1")) == set()
