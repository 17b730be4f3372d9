"""What lax implementations let through, one attempt a line. Each has its code; none may repeat the token that it was
tried with. Elsewhere, with what they are about: signatures (`test_signatures.py`), session tokens and presigned URLs
(`test_s3_gate.py`), other people's objects (`test_s3_refusals.py`), proofs of other apps (`test_exchange.py`),
somebody else's identity (`test_developer_identities.py`), guests (`test_guests.py`), violated constraints
(`test_conformance.py`).

A trust policy without `aud` or `amr` cannot be sent over this API; `crates/core/src/iam/tests/trust.rs` shows that
none can be constructed: `a_policy_that_does_not_check_the_pool_is_refused`,
`a_policy_that_does_not_check_the_kind_of_login_is_refused`, `every_allow_has_to_check`."""

import base64
import datetime
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from functools import cached_property

import jwt
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance import answers
from conformance.model import NO_ID
from support import aws, login
from support.login import Person

COGNITO, GOOGLE = "cognito-identity.amazonaws.com", "accounts.google.com"
PROVIDER = "login.other-app"
TAGS = "https://aws.amazon.com/tags"
FOREIGN_ROLE = "arn:aws:iam::999999999999:role/authenticated"
PATIENCE = 30  # seconds; a token of one second is over long before
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SERVICE = "AWSCognitoIdentityService"
NO_LOGIN, INVALID = "NotAuthorizedException", "InvalidParameterException"
REFUSED = {NO_LOGIN, INVALID}
NO_TOKEN, DENIED, UNFIT, UNKNOWN = "InvalidIdentityToken", "AccessDenied", "ValidationError", "InvalidClientTokenId"
UNSIGNED, ALTERED = "MissingAuthenticationTokenException", "InvalidSignatureException"
ALTERED_OR_INCOMPLETE = {ALTERED, "IncompleteSignatureException"}
NOT_FOUND, MISCONFIGURED = "ResourceNotFoundException", "InvalidIdentityPoolConfigurationException"


@dataclass
class World:
    """Everything that an attacker may have got hold of."""

    daypass: object
    public: object
    pools: object

    @cached_property
    def ada(self):
        return self.user("Ada, who must fail", *self.ours)

    @cached_property
    def grace(self):
        return self.user("Grace, who must fail", *self.ours)

    @cached_property
    def session(self):
        """Ada's temporary credentials."""
        return aws.credentials_of(self.daypass, self.ada)

    @property
    def ours(self):
        """The pool of the configuration, which its role trusts, and the developer's key there."""
        return self.daypass.identity_pool_id, self.daypass.developer_provider

    @cached_property
    def pool_id(self):
        """Another pool of the same server, which allows guests."""
        pool = self.pools.create_identity_pool(
            IdentityPoolName="other", AllowUnauthenticatedIdentities=True, DeveloperProviderName=PROVIDER
        )
        return pool["IdentityPoolId"]

    @cached_property
    def stranger(self):
        """Somebody who logged in, at the other pool."""
        return self.user("stranger")

    @property
    def guest(self):
        """A new guest of the other pool, with the token of one."""
        identity_id = self.public.get_id(IdentityPoolId=self.pool_id)["IdentityId"]
        return Person(identity_id, self.public.get_open_id_token(IdentityId=identity_id)["Token"])

    @property
    def former_guest(self):
        """Somebody who logged in meanwhile, with the token from before."""
        guest = self.guest
        self.user("was a guest " + guest.identity_id, IdentityId=guest.identity_id)
        return guest

    @cached_property
    def expired(self):
        """Somebody with a token that was good for one second. The server says when that second is over."""
        person = self.user("short-lived", *self.ours, TokenDuration=1)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                aws.credentials_of(self.daypass, person)
            except ClientError:
                return person
        raise AssertionError("a token of one second is good for ever")

    def user(self, name, pool_id=None, provider=PROVIDER, **parameters):
        answer = self.pools.get_open_id_token_for_developer_identity(
            IdentityPoolId=pool_id or self.pool_id, Logins={provider: name}, **parameters
        )
        return Person(answer["IdentityId"], answer["Token"])

    # What may be done with a token or with logins.

    def credentials(self, token, of=None):
        return self.credentials_by({COGNITO: token}, of)

    def credentials_by(self, logins, of=None, **parameters):
        identity_id = (of or self.ada).identity_id
        return self.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins, **parameters)

    def assume(self, token, **parameters):
        return aws.assume_role(self.daypass, Person(self.ada.identity_id, token), **parameters)

    def token_by(self, logins, of):
        return self.public.get_open_id_token(IdentityId=of.identity_id, Logins=logins)

    def identity_by(self, logins, pool_id=None):
        return self.public.get_id(IdentityPoolId=pool_id or self.daypass.identity_pool_id, Logins=logins)

    def act_with(self, **credentials):
        return aws.developer(self.daypass, "sts", **{**self.session, **credentials}).get_caller_identity()

    def credentials_as(self, role_arn):
        return self.credentials_by(self.ada.logins, CustomRoleArn=role_arn)

    def role(self, name):
        return f"arn:aws:iam::{self.daypass.account_id}:role/{name}"

    @property
    def developer_key(self):
        key_id, secret = aws.developer_key(self.daypass)
        return {"aws_access_key_id": key_id, "aws_secret_access_key": secret}

    @property
    def tomorrow(self):
        return amz_date(datetime.timedelta(days=1))

    @property
    def minutes_later(self):
        return amz_date(datetime.timedelta(minutes=5))

    @property
    def developer(self):
        return self.daypass.developer_provider

    def credentials_with_role(self, role_arn):
        """Somebody of the other pool asks for credentials after the pool was given this role."""
        self.pools.set_identity_pool_roles(IdentityPoolId=self.pool_id, Roles={"authenticated": role_arn})
        return self.credentials(self.stranger.token, of=self.stranger)

    def signed(self, change=lambda request: None, service="cognito-identity"):
        """A call of the developer's with something changed between the signature and the server."""
        headers = {"Content-Type": answers.JSON_TYPE, "X-Amz-Target": f"{SERVICE}.ListIdentityPools"}
        request = AWSRequest("POST", f"{self.daypass.server_url}/", headers=headers, data=b'{"MaxResults":1}')
        SigV4Auth(Credentials(*aws.developer_key(self.daypass)), service, self.daypass.region).add_auth(request)
        change(request)
        answer = login.HTTP.request("POST", request.url, body=request.data, headers=dict(request.headers))
        if answer.status != 200:
            code, message = answers.check_json_error(answer)
            raise ClientError({"Error": {"Code": code, "Message": message}}, "ListIdentityPools")

    # Forgeries of Ada's token.

    def forged(self, sign=lambda text: b"", claims=None, **header):
        """Her token with other claims or another header, signed anew."""
        header = {"kid": self.key["kid"], "typ": "JWS", "alg": "RS512", **header}
        header = {name: value for name, value in header.items() if value is not None}
        parts = [header, {**self.claims, **(claims or {})}]
        text = ".".join(encode(as_json(part)) for part in parts)
        return f"{text}.{encode(sign(text.encode()))}"

    def with_her_signature(self, claims=None, **header):
        return self.forged(lambda _: decode(self.ada.token.split(".")[2]), claims, **header)

    def by_another_key(self, **header):
        return self.forged(lambda text: jwt.get_algorithm_by_name("RS512").sign(text, self.another_key), **header)

    def by_secret(self, algorithm, secret, digest):
        return self.forged(lambda text: hmac.digest(secret, text, digest), alg=algorithm)

    @cached_property
    def claims(self):
        return jwt.decode(self.ada.token, options={"verify_signature": False})

    @cached_property
    def key(self):
        (key,) = login.get_json(f"{self.daypass.issuer}/.well-known/jwks.json")["keys"]
        return key

    @cached_property
    def pem(self):
        return jwt.PyJWK(self.key).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @cached_property
    def another_key(self):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def another_jwk(self):
        return json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.another_key.public_key()))

    def spliced(self, *people):
        return ".".join(person.token.split(".")[part] for part, person in enumerate(people))


def amz_date(later):
    return (datetime.datetime.now(datetime.UTC) + later).strftime("%Y%m%dT%H%M%SZ")


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def as_json(value):
    return json.dumps(value).encode()


def decode(text):
    return base64.urlsafe_b64decode(text + "==")


# What happens to a request between its signature and the server.


def header(name, value):
    """Another value for a header, or none."""

    def change(request):
        assert name in request.headers
        del request.headers[name]
        if value is not None:
            request.headers[name] = value

    return change


def member(name, change_value):
    return lambda request: setattr(request, name, change_value(getattr(request, name)))


def unsign(name):
    """Takes a header out of the list of those that are signed."""

    def change(request):
        authorization = request.headers["Authorization"]
        assert f";{name}" in authorization
        header("Authorization", authorization.replace(f";{name}", "", 1))(request)

    return change


# A token that was not issued as it stands. It opens neither of the two doors.
FORGERIES = {
    "no algorithm and no signature": lambda w: w.forged(alg="none"),
    "no algorithm, in other letters": lambda w: w.forged(alg="NoNe"),
    "no algorithm, and her signature": lambda w: w.with_her_signature(alg="none"),
    "an empty signature": lambda w: w.forged(),
    "HS256 with the public key as the secret": lambda w: w.by_secret("HS256", w.pem, hashlib.sha256),
    "HS512 with the public key as the secret": lambda w: w.by_secret("HS512", w.pem, hashlib.sha512),
    "HS512 with the published key as the secret": lambda w: w.by_secret("HS512", as_json(w.key), hashlib.sha512),
    "RS256 by the header, RS512 by the key": lambda w: w.with_her_signature(alg="RS256"),
    "PS512 by the header, RS512 by the key": lambda w: w.with_her_signature(alg="PS512"),
    "another key under our name": lambda w: w.by_another_key(),
    "another key under a name of its own": lambda w: w.by_another_key(kid="us-east-199"),
    "another key under no name": lambda w: w.by_another_key(kid=None),
    "another key that the header brings along": lambda w: w.by_another_key(jwk=w.another_jwk),
    "another key at an address in the header": lambda w: w.by_another_key(jku="http://127.0.0.1:9/jwks.json"),
    "a name that is a path": lambda w: w.by_another_key(kid="../../../../dev/null"),
    "another person in her token": lambda w: w.with_her_signature({"sub": w.grace.identity_id}),
    "another pool in her token": lambda w: w.with_her_signature({"aud": w.pool_id}),
    "a later end in her token": lambda w: w.with_her_signature({"exp": w.claims["exp"] + 86_400}),
    "another login in her token": lambda w: w.with_her_signature({"amr": ["authenticated", "login.daypass"]}),
    "tags in her token": lambda w: w.with_her_signature({TAGS: {"principal_tags": {"team": ["red"]}}}),
    "another issuer in her token": lambda w: w.with_her_signature({"iss": f"https://{COGNITO}"}),
    "somebody else's payload": lambda w: w.spliced(w.ada, w.grace, w.ada),
    "somebody else's signature": lambda w: w.spliced(w.ada, w.ada, w.grace),
    "a fourth part": lambda w: w.ada.token + ".e30",
    "padding": lambda w: w.ada.token + "==",
    "a blank at the end": lambda w: w.ada.token + " ",
    "a scheme in front": lambda w: "Bearer " + w.ada.token,
    "two tokens": lambda w: f"{w.ada.token},{w.ada.token}",
}  # fmt: skip

# A real token or name in the wrong place.
MUST_FAIL = {
    "an expired token for credentials": (NO_LOGIN, lambda w: w.credentials(w.expired.token, of=w.expired)),
    "an expired token at STS": ("ExpiredTokenException", lambda w: w.assume(w.expired.token)),
    "Ada's token for Grace's identity": (NO_LOGIN, lambda w: w.credentials(w.ada.token, of=w.grace)),
    "Grace's token for Ada's identity": (NO_LOGIN, lambda w: w.credentials(w.grace.token, of=w.ada)),
    "another pool's token for this pool's identity": (NO_LOGIN, lambda w: w.credentials(w.stranger.token)),
    "this pool's token for another pool's identity": (NO_LOGIN, lambda w: w.credentials(w.ada.token, of=w.stranger)),
    "another pool's token for this pool's role": (DENIED, lambda w: w.assume(w.stranger.token)),
    "another pool's guest for this pool's role": (DENIED, lambda w: w.assume(w.guest.token)),
    "a guest's token for somebody who logged in": (NO_LOGIN, lambda w: w.credentials(w.guest.token)),
    "a former guest's own old token": (NO_LOGIN, lambda w: (p := w.former_guest) and w.credentials(p.token, of=p)),
    "her token under a public provider": (NO_LOGIN, lambda w: w.credentials_by({GOOGLE: w.ada.token})),
    "her token under the issuer's name": (NO_LOGIN, lambda w: w.credentials_by({w.daypass.issuer: w.ada.token})),
    "her token under our key in capitals": (NO_LOGIN, lambda w: w.credentials_by({COGNITO.upper(): w.ada.token})),
    "her token under the developer's key": (INVALID, lambda w: w.credentials_by({w.developer: w.ada.token})),
    "her token beside rubbish": (NO_LOGIN, lambda w: w.credentials_by({**w.ada.logins, GOOGLE: "x"})),
    "rubbish for her identity": (NO_LOGIN, lambda w: w.credentials_by({GOOGLE: "x"})),
    "rubbish for a guest's credentials": (NO_LOGIN, lambda w: w.credentials_by({GOOGLE: "x"}, of=w.guest)),
    "rubbish for a guest's token": (NO_LOGIN, lambda w: w.token_by({GOOGLE: "x"}, of=w.guest)),
    "rubbish for a new identity": (NO_LOGIN, lambda w: w.identity_by({GOOGLE: "x"}, w.pool_id)),
    "her token for a new token": (NO_LOGIN, lambda w: w.token_by(w.ada.logins, of=w.ada)),
    "a guest's token for a new token": (NO_LOGIN, lambda w: w.token_by(w.guest.logins, of=w.guest)),
    "the developer's key for an identity": (REFUSED, lambda w: w.identity_by({PROVIDER: "stranger"}, w.pool_id)),
    "the developer's key for a token": (REFUSED, lambda w: w.token_by({PROVIDER: "stranger"}, of=w.stranger)),
    "a token for the developer's own call": (REFUSED, lambda w: w.user("x", provider=COGNITO)),
    "a role that there is not, of her choice": (REFUSED, lambda w: w.credentials_as(w.role("administrator"))),
    "the role for guests, of her choice": (REFUSED, lambda w: w.credentials_as(w.role("unauthenticated"))),
    "a role of another account, of her choice": (REFUSED, lambda w: w.credentials_as(FOREIGN_ROLE)),
    "a role of another account at STS": (DENIED, lambda w: w.assume(w.ada.token, RoleArn=FOREIGN_ROLE)),
    "a pool with a role of another account": (MISCONFIGURED, lambda w: w.credentials_with_role(FOREIGN_ROLE)),
    "a pool with a role that trusts guests": (MISCONFIGURED, lambda w: w.credentials_with_role(w.daypass.guest_role_arn)),
    "a managed session policy": (UNFIT, lambda w: w.assume(w.ada.token, PolicyArns=[{"arn": READ_ONLY}])),
    "another provider at STS": (UNFIT, lambda w: w.assume(w.ada.token, ProviderId="www.amazon.com")),
    "a session token for an OpenID token": (NO_LOGIN, lambda w: w.credentials(w.session["aws_session_token"])),
    "a session token for an OpenID token at STS": (NO_TOKEN, lambda w: w.assume(w.session["aws_session_token"])),
    "an OpenID token for a session token": (UNKNOWN, lambda w: w.act_with(aws_session_token=w.ada.token)),
    "a developer's key with a session token": (UNKNOWN, lambda w: w.act_with(**w.developer_key)),
    "a session without its token": (UNKNOWN, lambda w: w.act_with(aws_session_token=None)),
    "an identity that never was": (NOT_FOUND, lambda w: w.credentials(w.ada.token, of=Person(NO_ID, ""))),
    "a signature for another service": (ALTERED_OR_INCOMPLETE, lambda w: w.signed(service="sts")),
    "a signature for another call": (ALTERED, lambda w: w.signed(header("X-Amz-Target", f"{SERVICE}.TagResource"))),
    "a signature for another day": (ALTERED_OR_INCOMPLETE, lambda w: w.signed(header("X-Amz-Date", w.tomorrow))),
    "a signature for another minute": (ALTERED, lambda w: w.signed(header("X-Amz-Date", w.minutes_later))),
    "a signature for another query": (ALTERED, lambda w: w.signed(member("url", lambda url: f"{url}?MaxResults=60"))),
    "a signature that names no operation": (ALTERED_OR_INCOMPLETE, lambda w: w.signed(unsign("x-amz-target"))),
    "a signature that names no host": (ALTERED_OR_INCOMPLETE, lambda w: w.signed(unsign("host"))),
    "one byte of the body changed": (ALTERED, lambda w: w.signed(member("data", lambda data: data[:-2] + b"2}"))),
    "one byte added to the body": (ALTERED, lambda w: w.signed(member("data", lambda data: data + b" "))),
    "no signature any more": (UNSIGNED, lambda w: w.signed(header("Authorization", None))),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(daypass, public, pools):
    """Its people are its own, so that their many refusals stay out of the audit trail of everybody else."""
    return World(daypass, public, pools)


def must_fail(codes, attempt, *arguments):
    with pytest.raises(ClientError) as caught:
        attempt(*arguments)
    error = caught.value.response["Error"]
    assert error["Code"] in ({codes} if isinstance(codes, str) else codes), error
    return error["Message"]


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize(("door", "code"), [("credentials", NO_LOGIN), ("assume", NO_TOKEN)])
def test_a_forged_token(world, name, door, code):
    forged = FORGERIES[name](world)
    message = must_fail(code, getattr(world, door), forged)
    assert forged not in message


@pytest.mark.parametrize("name", MUST_FAIL)
def test_what_must_fail(world, name):
    codes, attempt = MUST_FAIL[name]
    message = must_fail(codes, attempt, world)
    assert not any(person.token in message for person in (world.ada, world.grace))


def test_the_honest_attempts_succeed(world):
    """What is refused above is refused for its one fault."""
    world.signed()
    world.act_with()
    for person in (world.ada, world.grace):
        world.credentials(person.token, of=person)
        world.assume(person.token)


@pytest.mark.parametrize("ending", ["deleted", "unlinked", "merged"])
def test_the_token_of_an_identity_that_ended_meanwhile(world, pools, ending):
    """The signature is still good, and the end of the token is still to come."""
    pool_id, provider = world.ours
    user = f"about to be {ending}"
    person, other = (world.user(name, pool_id, provider) for name in (user, user + " into"))
    if ending == "deleted":
        pools.delete_identities(IdentityIdsToDelete=[person.identity_id])
    elif ending == "unlinked":
        pools.unlink_developer_identity(
            IdentityId=person.identity_id,
            IdentityPoolId=pool_id,
            DeveloperProviderName=provider,
            DeveloperUserIdentifier=user,
        )
    else:
        pools.merge_developer_identities(
            SourceUserIdentifier=user,
            DestinationUserIdentifier=user + " into",
            DeveloperProviderName=provider,
            IdentityPoolId=pool_id,
        )
    must_fail({NO_LOGIN, NOT_FOUND}, world.credentials, person.token, person)
    must_fail(DENIED, world.assume, person.token)
    world.credentials(other.token, of=other)
