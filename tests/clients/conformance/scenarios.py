"""For each operation, what has to be there so that it succeeds, and the calls that do. Every answer on the way is
checked against the model, so between them the calls show as much of each answer as there is to show."""

import uuid

from support import login

SCENARIOS = {}
PROVIDER = "login.my-app"
EVERY_SETTING = {
    "AllowUnauthenticatedIdentities": True,
    "AllowClassicFlow": True,
    "SupportedLoginProviders": {"graph.facebook.com": "7346241598935552"},
    "DeveloperProviderName": PROVIDER,
    "CognitoIdentityProviders": [
        {
            "ProviderName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_example",
            "ClientId": "client",
            "ServerSideTokenCheck": False,
        }
    ],
    "IdentityPoolTags": {"stage": "test", "empty": ""},
}


def scenario(operation):
    """Files a scenario under the operation that it makes succeed."""

    def file(play):
        assert operation not in SCENARIOS
        SCENARIOS[operation] = play
        return play

    return file


class Stage:
    """A running server, and what several scenarios need of it."""

    def __init__(self, cognito_identity, sts, federation):
        self.issuer, self.other_issuer, self.silent_issuer = federation.issuer, federation.other, federation.gone
        self.daypass, self.call, self.call_sts = cognito_identity.daypass, cognito_identity.call, sts.call
        self.account_id, self.region = self.daypass.account_id, self.daypass.region

    def pool(self, **settings):
        """A new pool that allows guests and has a developer provider; its ID."""
        settings = {"AllowUnauthenticatedIdentities": True, "DeveloperProviderName": PROVIDER, **settings}
        return self.call("CreateIdentityPool", IdentityPoolName="of a scenario", **settings)["IdentityPoolId"]

    def guest(self, pool_id):
        return self.call("GetId", IdentityPoolId=pool_id)["IdentityId"]

    def user(self, pool_id, name, **parameters):
        """The identity and token of a user of the developer's own."""
        parameters = {"Logins": {PROVIDER: name}, **parameters}
        return self.call("GetOpenIdTokenForDeveloperIdentity", IdentityPoolId=pool_id, **parameters)

    def role(self, name):
        return f"arn:aws:iam::{self.account_id}:role/{name}"

    def arn(self, pool_id):
        return f"arn:aws:cognito-identity:{self.region}:{self.account_id}:identitypool/{pool_id}"

    def oidc_arn(self, issuer):
        return f"arn:aws:iam::{self.account_id}:oidc-provider/{issuer}"

    def every_setting(self):
        """The settings of a pool that uses all that a pool can have here; `refusals.py` has the others."""
        return {**EVERY_SETTING, "OpenIdConnectProviderARNs": [self.oidc_arn("login.example.com")]}

    def public_pool(self):
        """A new pool that takes logins of the issuers; its ID."""
        issuers = self.issuer, self.other_issuer, self.silent_issuer
        return self.pool(OpenIdConnectProviderARNs=[issuer.arn for issuer in issuers])


@scenario("CreateIdentityPool")
def create_identity_pool(stage):
    stage.call("CreateIdentityPool", IdentityPoolName="bare", AllowUnauthenticatedIdentities=False)
    stage.call("CreateIdentityPool", IdentityPoolName="full", **stage.every_setting())


@scenario("UpdateIdentityPool")
def update_identity_pool(stage):
    pool_id = stage.pool()
    for settings in (stage.every_setting(), {"AllowUnauthenticatedIdentities": False}):
        stage.call("UpdateIdentityPool", IdentityPoolId=pool_id, IdentityPoolName="renamed", **settings)


@scenario("DescribeIdentityPool")
def describe_identity_pool(stage):
    for settings in ({}, stage.every_setting()):
        stage.call("DescribeIdentityPool", IdentityPoolId=stage.pool(**settings))


@scenario("ListIdentityPools")
def list_identity_pools(stage):
    stage.pool(), stage.pool()
    page = stage.call("ListIdentityPools", MaxResults=1)
    stage.call("ListIdentityPools", MaxResults=60, NextToken=page["NextToken"])


@scenario("DeleteIdentityPool")
def delete_identity_pool(stage):
    stage.call("DeleteIdentityPool", IdentityPoolId=stage.pool())


@scenario("SetIdentityPoolRoles")
def set_identity_pool_roles(stage):
    pool_id = stage.pool(OpenIdConnectProviderARNs=[stage.oidc_arn("login.example.com")])
    stage.call("SetIdentityPoolRoles", IdentityPoolId=pool_id, Roles={})
    # As many rules as a provider may have.
    rule = {"Claim": "plan", "MatchType": "Equals", "Value": "gold", "RoleARN": stage.role("authenticated")}
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": [rule] * 24 + [{**rule, "MatchType": "StartsWith"}]},
    }
    stage.call(
        "SetIdentityPoolRoles",
        IdentityPoolId=pool_id,
        Roles={name: stage.role(name) for name in ("authenticated", "unauthenticated")},
        RoleMappings={
            stage.oidc_arn("login.example.com"): mapping,
        },
    )
    return pool_id


@scenario("GetIdentityPoolRoles")
def get_identity_pool_roles(stage):
    for pool_id in (stage.pool(), set_identity_pool_roles(stage)):
        stage.call("GetIdentityPoolRoles", IdentityPoolId=pool_id)


@scenario("GetId")
def get_id(stage):
    pool_id = stage.pool()
    stage.call("GetId", IdentityPoolId=pool_id)
    stage.call("GetId", IdentityPoolId=pool_id, AccountId=stage.account_id, Logins={})
    stage.call("GetId", IdentityPoolId=stage.public_pool(), Logins=stage.issuer.logins("ada"))


@scenario("GetOpenIdToken")
def get_open_id_token(stage):
    stage.call("GetOpenIdToken", IdentityId=stage.guest(stage.pool()))


@scenario("GetCredentialsForIdentity")
def get_credentials_for_identity(stage):
    person = login.log_in(stage.daypass, "ada")
    stage.call("GetCredentialsForIdentity", IdentityId=person.identity_id, Logins=person.logins)
    stage.call("GetCredentialsForIdentity", IdentityId=guest_with_a_role(stage))


def guest_with_a_role(stage):
    """Guests are off in the pool of the configuration, which is the one that the roles trust."""
    pool_id = stage.daypass.identity_pool_id
    pool = stage.call("DescribeIdentityPool", IdentityPoolId=pool_id)
    stage.call("UpdateIdentityPool", **{**pool, "AllowUnauthenticatedIdentities": True})
    roles = {name: stage.role(name) for name in ("authenticated", "unauthenticated")}
    stage.call("SetIdentityPoolRoles", IdentityPoolId=pool_id, Roles=roles)
    return stage.guest(pool_id)


@scenario("GetOpenIdTokenForDeveloperIdentity")
def get_open_id_token_for_developer_identity(stage):
    pool_id = stage.pool()
    guest = stage.guest(pool_id)
    stage.user(pool_id, "Ada", IdentityId=guest, PrincipalTags={"team": "red"}, TokenDuration=86_400)


@scenario("LookupDeveloperIdentity")
def lookup_developer_identity(stage):
    pool_id, identity_id = merged(stage)
    asked = {"IdentityPoolId": pool_id, "IdentityId": identity_id}
    page = stage.call("LookupDeveloperIdentity", **asked, MaxResults=1)
    stage.call("LookupDeveloperIdentity", **asked, NextToken=page["NextToken"])
    stage.call("LookupDeveloperIdentity", IdentityPoolId=pool_id, DeveloperUserIdentifier="Ada")


@scenario("MergeDeveloperIdentities")
def merged(stage):
    """Two users who are one person: the pool and their identity."""
    pool_id = stage.pool()
    stage.user(pool_id, "Ada")
    identity_id = stage.user(pool_id, "Countess Lovelace")["IdentityId"]
    survivor = stage.call(
        "MergeDeveloperIdentities",
        SourceUserIdentifier="Ada",
        DestinationUserIdentifier="Countess Lovelace",
        DeveloperProviderName=PROVIDER,
        IdentityPoolId=pool_id,
    )
    assert survivor["IdentityId"] == identity_id
    return pool_id, identity_id


@scenario("UnlinkDeveloperIdentity")
def unlink_developer_identity(stage):
    pool_id = stage.pool()
    stage.call(
        "UnlinkDeveloperIdentity",
        IdentityId=stage.user(pool_id, "Ada")["IdentityId"],
        IdentityPoolId=pool_id,
        DeveloperProviderName=PROVIDER,
        DeveloperUserIdentifier="Ada",
    )


@scenario("UnlinkIdentity")
def unlink_identity(stage):
    logins = stage.issuer.logins("ada")
    identity_id = stage.call("GetId", IdentityPoolId=stage.public_pool(), Logins=logins)["IdentityId"]
    stage.call("UnlinkIdentity", IdentityId=identity_id, Logins=logins, LoginsToRemove=[*logins])


@scenario("DescribeIdentity")
def describe_identity(stage):
    pool_id = stage.pool()
    for identity_id in (stage.guest(pool_id), stage.user(pool_id, "Ada")["IdentityId"]):
        stage.call("DescribeIdentity", IdentityId=identity_id)


@scenario("ListIdentities")
def list_identities(stage):
    pool_id = stage.pool()
    stage.guest(pool_id), stage.user(pool_id, "Ada")
    page = stage.call("ListIdentities", IdentityPoolId=pool_id, MaxResults=1)
    stage.call(
        "ListIdentities", IdentityPoolId=pool_id, MaxResults=60, HideDisabled=True, NextToken=page["NextToken"]
    )


@scenario("DeleteIdentities")
def delete_identities(stage):
    pool_id = stage.pool()
    never_was = f"{stage.region}:{uuid.uuid4()}"
    stage.call("DeleteIdentities", IdentityIdsToDelete=[stage.guest(pool_id), stage.guest(pool_id), never_was])


@scenario("SetPrincipalTagAttributeMap")
def set_principal_tag_attribute_map(stage):
    oidc = stage.oidc_arn("login.example.com")
    pool_id = stage.pool(OpenIdConnectProviderARNs=[oidc])
    for choice in ({"UseDefaults": True}, {"UseDefaults": False, "PrincipalTags": {"team": "department"}}):
        stage.call("SetPrincipalTagAttributeMap", IdentityPoolId=pool_id, IdentityProviderName=oidc, **choice)
    return {"IdentityPoolId": pool_id, "IdentityProviderName": oidc}


@scenario("GetPrincipalTagAttributeMap")
def get_principal_tag_attribute_map(stage):
    stage.call("GetPrincipalTagAttributeMap", **set_principal_tag_attribute_map(stage))


@scenario("TagResource")
def tag_resource(stage):
    arn = stage.arn(stage.pool())
    stage.call("TagResource", ResourceArn=arn, Tags={"stage": "test", "empty": ""})
    return arn


@scenario("UntagResource")
def untag_resource(stage):
    stage.call("UntagResource", ResourceArn=tag_resource(stage), TagKeys=["stage", "never set"])


@scenario("ListTagsForResource")
def list_tags_for_resource(stage):
    for arn in (stage.arn(stage.pool()), tag_resource(stage)):
        stage.call("ListTagsForResource", ResourceArn=arn)


@scenario("AssumeRoleWithWebIdentity")
def assume_role_with_web_identity(stage):
    person = login.log_in(stage.daypass, "ada")
    stage.call_sts(
        "AssumeRoleWithWebIdentity",
        RoleArn=stage.daypass.role_arn,
        RoleSessionName="on-a-phone",
        WebIdentityToken=person.token,
    )


@scenario("GetCallerIdentity")
def get_caller_identity(stage):
    stage.call_sts("GetCallerIdentity")
