"""Requests of the right form that an operation has to refuse, one a line: the errors that the model names and that can
be brought about. Each builds what it needs and answers the members of the request."""

from conformance.model import NO_ID
from conformance.scenarios import PROVIDER, merged

NOT_FOUND, INVALID, CONFLICT = "ResourceNotFoundException", "InvalidParameterException", "ResourceConflictException"
NO_LOGIN, MISCONFIGURED = "NotAuthorizedException", "InvalidIdentityPoolConfigurationException"
SILENT, TAKEN = "ExternalServiceException", "DeveloperUserAlreadyRegisteredException"
NOBODY = {"DeveloperUserIdentifier": "nobody"}
RUBBISH = {"accounts.google.com": "rubbish"}
UNCHECKED = {"AllowUnauthenticatedIdentities": False, "IdentityPoolName": "unchecked"}
USER_POOL = {"ProviderName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_example", "ClientId": "client"}
# Accepting this and not asking the user pool would promise what is not done.
CHECKED = {"CognitoIdentityProviders": [{**USER_POOL, "ServerSideTokenCheck": True}]}
# The same goes for assertions, which nothing here can verify.
SAML = {"SamlProviderARNs": ["arn:aws:iam::000000000000:saml-provider/example"]}
# Nobody could ever log in there.
NO_USER_POOL = {"CognitoIdentityProviders": [{"ProviderName": "Google", "ClientId": "client"}]}
NOBODYS_TAGS = {"IdentityProviderName": "accounts.google.com", "PrincipalTags": {"team": "department"}}
INVENTED = {"NextToken": "invented"}
OURS = {"DeveloperProviderName": PROVIDER}
DEVELOPER_TOKEN = "GetOpenIdTokenForDeveloperIdentity"


def in_pool(pool_id, **members):
    return {"IdentityPoolId": pool_id, **members}


def of(identity_id, **members):
    return {"IdentityId": identity_id, **members}


def guest(stage, **settings):
    return stage.guest(stage.pool(**settings))


def user(stage):
    """A user's identity, and the pool that it is in."""
    pool_id = stage.pool()
    return stage.user(pool_id, "Ada")["IdentityId"], pool_id


def token(stage, **members):
    """A request for a user's token, in a pool where the user Ada is known."""
    _, pool_id = user(stage)
    return in_pool(pool_id, **{"Logins": {PROVIDER: "Ada"}, **members})


def token_for_a_guest(stage):
    _, pool_id = user(stage)
    return in_pool(pool_id, Logins={PROVIDER: "Ada"}, IdentityId=stage.guest(pool_id))


def token_for_somebody_else(stage):
    identity_id, pool_id = user(stage)
    return in_pool(pool_id, Logins={PROVIDER: "Grace"}, IdentityId=identity_id)


def two_sides(stage):
    """An identity, and a user who has another one."""
    identity_id, pool_id = user(stage)
    stage.user(pool_id, "Grace")
    return in_pool(pool_id, IdentityId=identity_id, DeveloperUserIdentifier="Grace")


def silent_issuer(stage):
    return in_pool(stage.public_pool(), Logins=stage.silent_issuer.logins("ada"))


def two_people(stage):
    """Two logins of one request, of which the second leads to somebody who is another user of the first provider."""
    pool_id, ada, grace = stage.public_pool(), stage.issuer.logins("ada"), stage.issuer.logins("grace")
    elsewhere = stage.other_issuer.logins("grace")
    for logins in (ada, {**grace, **elsewhere}):
        stage.call("GetId", IdentityPoolId=pool_id, Logins=logins)
    return in_pool(pool_id, Logins={**ada, **elsewhere})


def merge(pool_id, source, destination):
    users = {"SourceUserIdentifier": source, "DestinationUserIdentifier": destination}
    return in_pool(pool_id, **OURS, **users)


def update(stage, **members):
    return in_pool(stage.pool(), **UNCHECKED, **members)


def rules(stage, count):
    """More rules than a provider may have, although no more than validation lets through."""
    oidc = stage.oidc_arn("login.example.com")
    rule = {"Claim": "plan", "MatchType": "Equals", "Value": "gold", "RoleARN": stage.role("authenticated")}
    mapping = {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule] * count}}
    pool_id = stage.pool(OpenIdConnectProviderARNs=[oidc])
    return in_pool(pool_id, Roles={}, RoleMappings={oidc: mapping})


def nobodys_mapping(stage):
    """Under the issuer, as in Logins, and not under the ARN."""
    pool_id = stage.pool(OpenIdConnectProviderARNs=[stage.oidc_arn("login.example.com")])
    mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    return in_pool(pool_id, Roles={}, RoleMappings={"login.example.com": mapping})


def assume(stage, **members):
    _, pool_id = user(stage)
    issued = stage.user(pool_id, "Ada")["Token"]
    return {"RoleArn": stage.daypass.role_arn, "RoleSessionName": "test", "WebIdentityToken": issued, **members}


# Why, by which operation, and with which code.
REFUSALS = [
    ("a check that is not made", "CreateIdentityPool", INVALID, lambda s: {**UNCHECKED, **CHECKED}),
    ("a check that is not made", "UpdateIdentityPool", INVALID, lambda s: update(s, **CHECKED)),
    ("assertions", "CreateIdentityPool", INVALID, lambda s: {**UNCHECKED, **SAML}),
    ("assertions", "UpdateIdentityPool", INVALID, lambda s: update(s, **SAML)),
    ("renamed provider", "UpdateIdentityPool", INVALID, lambda s: update(s, DeveloperProviderName="login.renamed")),
    ("a client without a user pool", "CreateIdentityPool", INVALID, lambda s: {**UNCHECKED, **NO_USER_POOL}),
    ("no user pool's name", "UpdateIdentityPool", INVALID, lambda s: update(s, **NO_USER_POOL)),
    ("nobody's mapping", "SetIdentityPoolRoles", INVALID, nobodys_mapping),
    ("nobody's tags", "SetPrincipalTagAttributeMap", INVALID, lambda s: in_pool(s.pool(), **NOBODYS_TAGS)),
    ("a rule too many", "SetIdentityPoolRoles", INVALID, lambda s: rules(s, 26)),
    ("rules that are valid yet too many", "SetIdentityPoolRoles", INVALID, lambda s: rules(s, 400)),
    ("invented page", "ListIdentityPools", INVALID, lambda s: {"MaxResults": 1, **INVENTED}),
    ("invented page", "ListIdentities", INVALID, lambda s: in_pool(s.pool(), MaxResults=1, **INVENTED)),
    ("no guests", "GetId", NO_LOGIN, lambda s: in_pool(s.pool(AllowUnauthenticatedIdentities=False))),
    ("rubbish", "GetId", NO_LOGIN, lambda s: in_pool(s.pool(), Logins=RUBBISH)),
    ("silent issuer", "GetId", SILENT, silent_issuer),
    ("two people", "GetId", CONFLICT, two_people),
    ("no guest", "GetOpenIdToken", NO_LOGIN, lambda s: of(user(s)[0])),
    ("rubbish", "GetOpenIdToken", NO_LOGIN, lambda s: of(guest(s), Logins=RUBBISH)),
    ("no classic flow", "GetOpenIdToken", INVALID, lambda s: of(guest(s, AllowClassicFlow=False))),
    ("no guest", "GetCredentialsForIdentity", NO_LOGIN, lambda s: of(user(s)[0])),
    ("rubbish", "GetCredentialsForIdentity", NO_LOGIN, lambda s: of(guest(s), Logins=RUBBISH)),
    ("developer's key", "GetCredentialsForIdentity", INVALID, lambda s: of(user(s)[0], Logins={PROVIDER: "Ada"})),
    ("no role", "GetCredentialsForIdentity", MISCONFIGURED, lambda s: of(guest(s))),
    ("other provider", DEVELOPER_TOKEN, INVALID, lambda s: token(s, Logins={"login.other-app": "Ada"})),
    ("unknown identity", DEVELOPER_TOKEN, NOT_FOUND, lambda s: token(s, IdentityId=NO_ID)),
    ("somebody else's identity", DEVELOPER_TOKEN, NO_LOGIN, token_for_somebody_else),
    ("a second identity", DEVELOPER_TOKEN, TAKEN, token_for_a_guest),
    ("neither side", "LookupDeveloperIdentity", INVALID, lambda s: in_pool(s.pool())),
    ("unknown user", "LookupDeveloperIdentity", NOT_FOUND, lambda s: in_pool(s.pool(), **NOBODY)),
    ("two people", "LookupDeveloperIdentity", CONFLICT, two_sides),
    ("unknown destination", "MergeDeveloperIdentities", NOT_FOUND, lambda s: merge(merged(s)[0], "Ada", "nobody")),
    ("unknown source", "MergeDeveloperIdentities", NOT_FOUND, lambda s: merge(merged(s)[0], "nobody", "Ada")),
    ("unknown user", "UnlinkDeveloperIdentity", NOT_FOUND, lambda s: {**two_sides(s), **OURS, **NOBODY}),
    ("two people", "UnlinkDeveloperIdentity", CONFLICT, lambda s: {**two_sides(s), **OURS}),
    ("rubbish", "UnlinkIdentity", NO_LOGIN, lambda s: of(user(s)[0], Logins=RUBBISH, LoginsToRemove=[*RUBBISH])),
    ("role of another pool", "AssumeRoleWithWebIdentity", "AccessDenied", assume),
    ("no token", "AssumeRoleWithWebIdentity", "InvalidIdentityToken", lambda s: assume(s, WebIdentityToken="none")),
]
