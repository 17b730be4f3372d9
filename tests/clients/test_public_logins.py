"""Logins of public providers: unmodified boto3 brings ID tokens of a real issuer to a real `daypass up --config`."""

import json
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
from botocore.exceptions import ClientError

from federation import Federation
from issuer import CLIENT, UserPool
from support import aws

NO_MATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool."
UNSUPPORTED = "Token is not from a supported provider of this identity pool."
OTHER_ISSUER = "Invalid login token. Issuer doesn't match providerName"
BAD_SIGNATURE = "Invalid login token. Couldn't verify signed token."
NO_AUDIENCE = "Invalid login token. Missing a required claim: aud"
NO_TOKEN = "Invalid login token. Not a valid OpenId Connect identity token."
TAGS = "https://aws.amazon.com/tags"
PATIENCE = 60  # seconds; an issuer is asked for new keys twice a minute
MINUTE = 60


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    with Federation(tmp_path_factory.mktemp("federation")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def rotated(federation):
    """Somebody whose issuer takes a new key right after their login. It takes a while until the server may look for
    the key, so this comes first and the test about it last."""
    identity_id = federation.get_id(federation.rotating.logins("ada"))
    federation.rotating.rotate()
    return identity_id


@pytest.fixture
def person():
    """A subject that no test used before."""
    return f"person-{uuid.uuid4()}"


@pytest.fixture
def roles(federation):
    """Gives the pool roles and role mappings, and takes the mappings away afterwards."""

    def give(**settings):
        roles = {"authenticated": federation.daypass.role_arn, "unauthenticated": federation.daypass.guest_role_arn}
        federation.pools.set_identity_pool_roles(IdentityPoolId=federation.pool_id, Roles=roles, **settings)

    give()
    yield give
    give()


def folder(federation, identity_id, credentials):
    """What somebody with these credentials may do in the folder of an identity."""
    s3 = aws.s3(federation.daypass, credentials)
    at = {"Bucket": federation.daypass.bucket, "Key": f"{identity_id}/diary.txt"}
    return SimpleNamespace(
        write=lambda text: s3.put_object(**at, Body=text), read=lambda: s3.get_object(**at)["Body"].read()
    )


def now():
    return int(time.time())


# Who somebody is.


@pytest.mark.parametrize("provider", ["issuer", "other", "user_pool"])
def test_a_login_leads_to_one_identity(federation, person, provider):
    """By RS256 and by ES256, found by discovery and by the name of a user pool."""
    issuer = getattr(federation, provider)
    identity_id = federation.get_id(issuer.logins(person))
    assert federation.get_id(issuer.logins(person, iat=now() - MINUTE)) == identity_id
    assert federation.get_id(issuer.logins(person + "'s twin")) != identity_id
    assert federation.providers_of(identity_id) == [issuer.login_key]


def test_the_classic_token_names_the_login(federation, person):
    logins = federation.issuer.logins(person)
    token = federation.token(federation.get_id(logins), logins)
    key, arn = federation.issuer.login_key, federation.issuer.arn
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert (claims["sub"], claims["aud"]) == (token.identity_id, federation.pool_id)
    assert claims["amr"] == ["authenticated", key, f"{arn}:OIDC:{person}"]
    assumed = aws.assume_role(federation.daypass, token)
    assert assumed["SubjectFromWebIdentityToken"] == token.identity_id


def test_a_guest_who_logs_in_keeps_the_identity(federation, person, roles):
    guest, logins = federation.guest(), federation.issuer.logins(person)
    identity_id, _ = federation.credentials(guest, logins)
    assert guest == identity_id == federation.get_id(logins)
    with aws.refused("NotAuthorizedException", f"Access to Identity '{guest}' is forbidden.", 400):
        federation.credentials(guest, {})


def test_a_guest_who_turns_out_to_be_known_is_disabled(federation, person):
    logins, guest = federation.issuer.logins(person), federation.guest()
    identity_id = federation.get_id(logins)
    assert federation.token(guest, logins).identity_id == identity_id
    with aws.refused("NotAuthorizedException", f"Access to Identity '{guest}' is forbidden.", 400):
        federation.token(guest, logins)
    with aws.refused("NotAuthorizedException", f"Access to Identity '{guest}' is forbidden.", 400):
        federation.token(guest, {})


def test_a_second_login_is_linked_by_whoever_has_the_first(federation, person):
    first, second = federation.issuer.logins(person), federation.other.logins(person)
    identity_id = federation.get_id(first)
    assert federation.token(identity_id, {**first, **second}).identity_id == identity_id == federation.get_id(second)
    assert sorted(federation.providers_of(identity_id)) == sorted([*first, *second])


def test_two_people_become_one_and_the_older_identity_stays(federation, person):
    first, second = federation.issuer.logins(person), federation.other.logins(person)
    older, younger = federation.get_id(first), federation.get_id(second)
    assert federation.get_id({**first, **second}) == older == federation.get_id(second)
    with aws.refused("NotAuthorizedException", f"Access to Identity '{younger}' is forbidden.", 400):
        federation.token(younger, second)


def test_one_identity_never_has_two_users_of_one_provider(federation, person):
    logins, elsewhere = federation.issuer.logins(person), federation.other.logins(person)
    mine = federation.get_id(logins)
    theirs = federation.get_id({**federation.issuer.logins("not " + person), **elsewhere})
    with aws.refused("ResourceConflictException", status=400):
        federation.get_id({**logins, **elsewhere})
    assert (federation.get_id(logins), federation.get_id(elsewhere)) == (mine, theirs)


def test_nobody_is_let_into_somebody_elses_identity(federation, person):
    identity_id = federation.get_id(federation.issuer.logins(person))
    for intruder in (federation.issuer.logins("not " + person), federation.other.logins(person)):
        for ask in (federation.token, federation.credentials):
            with aws.refused("NotAuthorizedException", NO_MATCH, 400):
                ask(identity_id, intruder)
    assert federation.providers_of(identity_id) == [federation.issuer.login_key]


# What they may do.


def test_credentials_open_the_own_folder_and_no_other(federation, person, roles):
    logins, others = federation.issuer.logins(person), federation.user_pool.logins(person)
    identity_id, credentials = federation.credentials(federation.get_id(logins), logins)
    other_id, other_credentials = federation.credentials(federation.get_id(others), others)
    folder(federation, other_id, other_credentials).write(b"theirs")
    folder(federation, identity_id, credentials).write(b"mine")
    assert folder(federation, identity_id, credentials).read() == b"mine"
    with aws.refused("AccessDenied", status=403):
        folder(federation, other_id, credentials).read()
    with aws.refused("AccessDenied", status=403):
        folder(federation, other_id, credentials).write(b"mine now")
    assert folder(federation, other_id, other_credentials).read() == b"theirs"


def by_rules(federation, ambiguous):
    rules = [
        {"Claim": "plan", "MatchType": "Equals", "Value": "gold", "RoleARN": federation.role("editor")},
        {"Claim": "groups", "MatchType": "Contains", "Value": "staff", "RoleARN": federation.role("member")},
    ]
    configuration = {"RulesConfiguration": {"Rules": rules}}
    return {federation.issuer.arn: {"Type": "Rules", "AmbiguousRoleResolution": ambiguous, **configuration}}


def test_rules_choose_the_role(federation, person, roles):
    roles(RoleMappings=by_rules(federation, "AuthenticatedRole"))
    role_of = federation.role_of
    assert role_of(federation.issuer.logins(person, plan="gold")) == "editor"
    assert role_of(federation.issuer.logins(person, plan="golden")) == "authenticated"
    assert role_of(federation.issuer.logins(person, groups=["guests", "staff"])) == "member"
    both = federation.issuer.logins(person, plan="gold", groups=["staff"])
    assert role_of(both) == "editor", "the first rule that matches decides"
    assert role_of(both, CustomRoleArn=federation.role("member")) == "member"
    assert role_of(federation.other.logins(person, plan="gold")) == "authenticated", "the rules are another provider's"


def test_without_a_matching_rule_there_may_be_no_role(federation, person, roles):
    roles(RoleMappings=by_rules(federation, "Deny"))
    with aws.refused("NotAuthorizedException", status=400):
        federation.role_of(federation.issuer.logins(person, plan="silver"))
    with aws.refused("NotAuthorizedException", status=400):
        federation.role_of(federation.issuer.logins(person, plan="gold"), CustomRoleArn=federation.role("member"))


def test_the_chosen_role_decides_what_s3_allows(federation, person, roles):
    roles(RoleMappings=by_rules(federation, "AuthenticatedRole"))
    editor, reader = federation.issuer.logins(person, plan="gold"), federation.issuer.logins(person)
    identity_id = federation.get_id(editor)
    _, credentials = federation.credentials(identity_id, editor)
    folder(federation, "public", credentials).write(b"news")
    _, credentials = federation.credentials(identity_id, reader)
    with aws.refused("AccessDenied", status=403):
        folder(federation, "public", credentials).write(b"lies")


def test_a_user_pools_token_chooses_the_role(federation, person, roles):
    mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    roles(RoleMappings={federation.user_pool.mapping_key: mapping})
    allowed = [federation.role("editor"), federation.role("authenticated")]
    claims = {"cognito:roles": allowed, "cognito:preferred_role": federation.role("editor")}
    logins = federation.user_pool.logins(person, **claims)
    assert federation.role_of(logins) == "editor"
    assert federation.role_of(logins, CustomRoleArn=federation.role("authenticated")) == "authenticated"
    with aws.refused("NotAuthorizedException", status=400):
        federation.role_of(logins, CustomRoleArn=federation.role("member"))
    with aws.refused("NotAuthorizedException", status=400):
        federation.role_of(federation.user_pool.logins(person))


def test_a_pool_with_role_mappings_has_no_classic_flow(federation, person, roles):
    logins = federation.issuer.logins(person)
    identity_id = federation.get_id(logins)
    roles(RoleMappings=by_rules(federation, "AuthenticatedRole"))
    message = "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow."
    with aws.refused("InvalidParameterException", message, 400):
        federation.token(identity_id, logins)


@pytest.fixture
def tags(federation):
    """Sets which claims of the first issuer become session tags; afterwards, none do."""
    provider = {"IdentityProviderName": federation.issuer.arn}

    def choose(**choice):
        federation.pools.set_principal_tag_attribute_map(IdentityPoolId=federation.pool_id, **provider, **choice)

    yield choose
    choose(UseDefaults=False, PrincipalTags={})


def test_claims_become_session_tags(federation, person, roles, tags):
    tags(UseDefaults=False, PrincipalTags={"team": "department"})
    rules = by_rules(federation, "Deny")
    roles(RoleMappings=rules)
    red = federation.issuer.logins(person, groups=["staff"], department="red")
    _, credentials = federation.credentials(federation.get_id(red), red)
    folder(federation, "teams/red", credentials).write(b"plans")
    assert folder(federation, "teams/red", credentials).read() == b"plans"
    for closed in ("teams/blue", "teams/red2", "teams"):
        with aws.refused("AccessDenied", status=403):
            folder(federation, closed, credentials).read()


def test_a_claim_that_would_be_a_pattern_is_no_tag(federation, person, roles, tags):
    tags(UseDefaults=False, PrincipalTags={"team": "department"})
    logins = federation.issuer.logins(person, department="*")
    with aws.refused("InvalidParameterException", status=400):
        federation.credentials(federation.get_id(logins), logins)


def test_the_default_tags_are_the_client_and_the_person(federation, person, tags):
    logins = federation.issuer.logins(person)
    identity_id = federation.get_id(logins)
    for choice, expected in (
        ({"UseDefaults": True}, {"principal_tags": {"client": [CLIENT], "username": [person]}}),
        ({"UseDefaults": False, "PrincipalTags": {"team": "department"}}, None),
    ):
        tags(**choice)
        claims = jwt.decode(federation.token(identity_id, logins).token, options={"verify_signature": False})
        assert claims.get(TAGS) == expected


# What is no login.


def tampered(logins):
    """Another payload under the signature of a token."""
    ((key, token),) = logins.items()
    header, _, signature = token.split(".")
    payload = jwt.encode({**jwt.decode(token, options={"verify_signature": False}), "sub": "grace"}, "x" * 32)
    return {key: ".".join([header, payload.split(".")[1], signature])}


def unsigned(logins):
    ((key, token),) = logins.items()
    return {key: jwt.encode(jwt.decode(token, options={"verify_signature": False}), None, "none")}


BAD_LOGINS = {
    "expired": (None, lambda f: f.issuer.logins("ada", iat=now() - 20 * MINUTE, exp=now() - 10 * MINUTE)),
    "expired, of a user pool": (None, lambda f: f.user_pool.logins("ada", iat=now() - 2 * MINUTE, exp=now() - MINUTE)),
    "of another app": (UNSUPPORTED, lambda f: f.issuer.logins("ada", aud="another-app")),
    "of another app, among others": (UNSUPPORTED, lambda f: f.issuer.logins("ada", aud=[CLIENT, "another-app"])),
    "for another app to use": (UNSUPPORTED, lambda f: f.issuer.logins("ada", azp="another-app")),
    "of another client of the user pool": (UNSUPPORTED, lambda f: f.user_pool.logins("ada", aud="1another2345")),
    "of no app": (NO_AUDIENCE, lambda f: f.issuer.logins("ada", aud=None)),
    "the access token of a user pool": (NO_AUDIENCE, lambda f: f.user_pool.logins("ada", token_use="access")),
    "of nobody": (None, lambda f: f.issuer.logins("ada", sub="")),
    "of tomorrow": (None, lambda f: f.issuer.logins("ada", iat=now() + 86_400, exp=now() + 90_000)),
    "of an issuer that the pool does not take": (UNSUPPORTED, lambda f: {"accounts.google.com": f.issuer.token("ada")}),
    "of another issuer": (OTHER_ISSUER, lambda f: {f.issuer.login_key: f.other.token("ada")}),
    "of an issuer, as that of a user pool": (OTHER_ISSUER, lambda f: {UserPool.NAME: f.issuer.token("ada")}),
    "signed by somebody else": (BAD_SIGNATURE, lambda f: {f.issuer.login_key: f.issuer.forged("ada")}),
    "signed for something else": (BAD_SIGNATURE, lambda f: tampered(f.issuer.logins("ada"))),
    "not signed": (NO_TOKEN, lambda f: unsigned(f.issuer.logins("ada"))),
    "no token": (NO_TOKEN, lambda f: {f.issuer.login_key: "rubbish"}),
    "beside a good one": (None, lambda f: {**f.other.logins("ada"), **f.issuer.logins("ada", aud="another-app")}),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_LOGINS)
def test_a_bad_login_opens_no_door_and_leaves_nothing_behind(federation, roles, name):
    expected, logins_of = BAD_LOGINS[name]
    logins, guest = logins_of(federation), federation.guest()
    before = aws.identity_ids(federation.pools, federation.pool_id)
    for attempt in (
        lambda: federation.get_id(logins),
        lambda: federation.token(guest, logins),
        lambda: federation.credentials(guest, logins),
        lambda: federation.developer_token("user of " + name, Logins=logins),
        lambda: federation.public.unlink_identity(IdentityId=guest, Logins=logins, LoginsToRemove=[*logins]),
    ):
        with aws.refused("NotAuthorizedException", expected, 400) as caught:
            attempt()
        message = caught.value.response["Error"]["Message"]
        assert not any(token in message for token in logins.values())
    assert aws.identity_ids(federation.pools, federation.pool_id) == before
    assert federation.token(guest, {}).identity_id == guest, "the guest is as before"


def test_an_expired_token_is_told_apart(federation):
    expired_at = now() - 10 * MINUTE
    with aws.refused("NotAuthorizedException", status=400) as caught:
        federation.get_id(federation.issuer.logins("ada", iat=expired_at - 1, exp=expired_at))
    message = caught.value.response["Error"]["Message"]
    told, _, end = message.partition(" >= ")
    assert told.startswith("Invalid login token. Token expired: ")
    assert end == str(expired_at)


def test_clocks_may_differ_by_minutes(federation, person):
    identity_id = federation.get_id(federation.issuer.logins(person))
    for claims in ({"exp": now() - 4 * MINUTE}, {"iat": now() + 4 * MINUTE}):
        assert federation.get_id(federation.issuer.logins(person, **claims)) == identity_id


# Issuers come, go, and change.


def test_an_issuer_that_does_not_answer_is_not_the_persons_fault(federation, roles):
    guest, logins = federation.guest(), federation.gone.logins("ada")
    message = f"{federation.gone.login_key} cannot be asked about the login token."
    for ask in (
        lambda: federation.get_id(logins),
        lambda: federation.token(guest, logins),
        lambda: federation.credentials(guest, logins),
    ):
        with aws.refused("ExternalServiceException", message, 400):
            ask()
    assert federation.providers_of(guest) == []
    log = told_of(federation.daypass, "ExternalServiceException", 3)
    lines = [line for line in map(json.loads, log.splitlines()) if line.get("code") == "ExternalServiceException"]
    reasons = [line["cause"] for line in lines if "cause" in line]
    assert "discovery document" in reasons[-1], "the operator is told why"
    assert logins[federation.gone.login_key] not in log


def told_of(daypass, code, times):
    """The log, once it has told of a code so many times: nobody waits for it to be written before they are answered."""
    deadline = time.monotonic() + PATIENCE
    while True:
        log = (Path(daypass.dir) / "log.jsonl").read_text()
        if log.count(f'"code":"{code}","cause"') >= times and log.endswith("\n"):
            return log
        assert time.monotonic() < deadline, log



# A backend vouches for its own user, and the user's other logins come along.


def test_a_developer_user_with_a_public_login_beside(federation, person):
    logins = federation.issuer.logins(person)
    together = federation.developer_token(person, Logins=logins)
    assert federation.get_id(logins) == together.identity_id == federation.developer_token(person).identity_id
    claims = jwt.decode(together.token, options={"verify_signature": False})
    provider = federation.daypass.developer_provider
    assert claims["amr"] == [
        "authenticated",
        provider,
        f"{provider}:{federation.pool_id}:{person}",
        federation.issuer.login_key,
        f"{federation.issuer.arn}:OIDC:{person}",
    ]
    assert sorted(federation.providers_of(together.identity_id)) == sorted([provider, *logins])


def test_a_developer_user_joins_somebody_who_shows_their_login(federation, person):
    logins = federation.issuer.logins(person)
    identity_id = federation.get_id(logins)
    with aws.refused("NotAuthorizedException", NO_MATCH, 400):
        federation.developer_token(person, IdentityId=identity_id)
    joined = federation.developer_token(person, IdentityId=identity_id, Logins=logins)
    assert joined.identity_id == identity_id


def test_a_developers_word_is_good_in_the_developers_call_alone(federation, person):
    with aws.refused("NotAuthorizedException", OTHER_ISSUER, 400):
        federation.get_id({federation.daypass.developer_provider: person})


def test_a_merge_of_developer_users_takes_their_public_logins_along(federation, person):
    logins = federation.issuer.logins(person)
    source = federation.developer_token(person, Logins=logins).identity_id
    destination = federation.developer_token(person + " the second").identity_id
    assert federation.merge(person, person + " the second") == destination
    assert federation.get_id(logins) == destination == federation.developer_token(person).identity_id
    with aws.refused("NotAuthorizedException", f"Access to Identity '{source}' is forbidden.", 400):
        federation.token(source, logins)
    shown = federation.pools.list_identities(IdentityPoolId=federation.pool_id, MaxResults=60, HideDisabled=True)
    assert source not in [identity["IdentityId"] for identity in shown["Identities"]]


def test_developer_users_with_two_users_of_one_provider_stay_two_people(federation, person):
    names = [person, person + " the second"]
    ids = [federation.developer_token(name, Logins=federation.issuer.logins(name)).identity_id for name in names]
    with aws.refused("ResourceConflictException", status=400):
        federation.merge(*names)
    assert [federation.developer_token(name).identity_id for name in names] == ids


# And an end.


def test_an_unlinked_login_leads_to_a_new_identity(federation, person):
    first, second = federation.issuer.logins(person), federation.other.logins(person)
    identity_id = federation.get_id({**first, **second})
    before = federation.token(identity_id, first)
    federation.public.unlink_identity(IdentityId=identity_id, Logins=second, LoginsToRemove=[*first])
    assert federation.get_id(second) == identity_id != federation.get_id(first)
    with aws.refused("AccessDenied", status=403):
        aws.assume_role(federation.daypass, before)
    aws.assume_role(federation.daypass, federation.token(identity_id, second))
    assert federation.providers_of(identity_id) == [*second]


def test_nobody_unlinks_somebody_elses_login(federation, person):
    logins = federation.issuer.logins(person)
    identity_id = federation.get_id(logins)
    for intruder in (federation.issuer.logins("not " + person), federation.other.logins(person)):
        with aws.refused("NotAuthorizedException", NO_MATCH, 400):
            federation.public.unlink_identity(IdentityId=identity_id, Logins=intruder, LoginsToRemove=[*logins])
    assert federation.get_id(logins) == identity_id


def test_nobody_reaches_an_identity_without_logins(federation, person):
    logins = federation.issuer.logins(person)
    identity_id = federation.get_id(logins)
    federation.public.unlink_identity(IdentityId=identity_id, Logins=logins, LoginsToRemove=[*logins])
    with aws.refused("NotAuthorizedException", f"Access to Identity '{identity_id}' is forbidden.", 400):
        federation.token(identity_id, {})
    with aws.refused("NotAuthorizedException", NO_MATCH, 400):
        federation.token(identity_id, logins)


def test_a_login_of_a_deleted_identity_begins_anew(federation, person):
    logins = federation.issuer.logins(person)
    identity_id = federation.get_id(logins)
    federation.pools.delete_identities(IdentityIdsToDelete=[identity_id])
    with aws.refused("ResourceNotFoundException", f"Identity '{identity_id}' not found.", 400):
        federation.token(identity_id, logins)
    assert federation.get_id(logins) != identity_id


def test_a_deleted_pool_takes_its_people_along(federation, person):
    pool = federation.pools.create_identity_pool(
        IdentityPoolName="short-lived",
        AllowUnauthenticatedIdentities=False,
        OpenIdConnectProviderARNs=[federation.issuer.arn],
    )
    logins = federation.issuer.logins(person)
    at = {"IdentityPoolId": pool["IdentityPoolId"]}
    identity_id = federation.public.get_id(**at, Logins=logins)["IdentityId"]
    assert identity_id != federation.get_id(logins), "a login has an identity in each pool"
    federation.pools.delete_identity_pool(**at)
    with aws.refused("ResourceNotFoundException", f"Identity '{identity_id}' not found.", 400):
        federation.token(identity_id, logins)
    with aws.refused("ResourceNotFoundException", status=400):
        federation.public.get_id(**at, Logins=logins)


def test_a_new_key_of_an_issuer_is_found(federation, rotated):
    """The last of all, see `rotated`."""
    logins, end = federation.rotating.logins("ada"), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            assert federation.get_id(logins) == rotated
        except ClientError as error:
            assert error.response["Error"]["Message"] == BAD_SIGNATURE
        else:
            break
    else:
        raise AssertionError("the new key was not found")
    with aws.refused("NotAuthorizedException", BAD_SIGNATURE, 400):
        federation.get_id({federation.rotating.login_key: federation.rotating.forged("ada")})
