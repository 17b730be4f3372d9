"""Authlib, unmodified, from the metadata alone: people sign in on the pages of Daypass, and their ID tokens are shown to a
pool that trusts it as an OpenID provider, by unmodified boto3."""

import json
import secrets
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from botocore.exceptions import ClientError
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet

from support import aws
from support.browser import Browser
from support.login import HTTP, bare_access_token, get_json
from support.server import Daypass

APP = "shop"
REDIRECT_URI = "https://app.example.com/signed-in"
SCOPE = "openid profile offline_access"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def table(heading, **keys):
    """Of the values that stand here, TOML and JSON have the same form."""
    return "\n".join([f"[[{heading}]]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""])


APP_TABLE = table("app", id=APP, origins=["https://app.example.com"], redirect_uris=[REDIRECT_URI])


@pytest.fixture(scope="module")
def daypass(tmp_path_factory):
    """A server whose pool trusts it as an OpenID provider, which takes knowing its address: so it starts twice."""
    directory = tmp_path_factory.mktemp("openid")
    config = directory / "more.toml"
    config.write_text(APP_TABLE)
    with Daypass(directory / "state", config=config) as first:
        port, issuer = first.port, first.issuer
    arn = f"arn:aws:iam::{first.account_id}:oidc-provider/{login_key(first)}"
    config.write_text(APP_TABLE + table("oidc_provider", arn=arn, issuer=issuer, audiences=[APP]))
    with Daypass(directory / "state", port, config) as running:
        aws.developer(running, "cognito-identity").update_identity_pool(
            IdentityPoolId=running.identity_pool_id,
            IdentityPoolName="openid",
            AllowUnauthenticatedIdentities=False,
            DeveloperProviderName=running.developer_provider,
            OpenIdConnectProviderARNs=[arn],
        )
        yield running


def login_key(daypass):
    """The key in `Logins`: the issuer without its scheme."""
    return daypass.issuer.split("://", 1)[1]


class Client:
    """A session of Authlib's, as an app makes it of the metadata."""

    def __init__(self, daypass):
        self.metadata = get_json(f"{daypass.server_url}/.well-known/openid-configuration")
        self._keys = KeySet.import_key_set(get_json(self.metadata["jwks_uri"]))
        self.oauth = OAuth2Session(
            APP,
            redirect_uri=REDIRECT_URI,
            scope=SCOPE,
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
            revocation_endpoint_auth_method="none",
            token_endpoint=self.metadata["token_endpoint"],
        )

    def sign_in(self, person="ada"):
        """What the token endpoint answers, and what Authlib believes of the ID token."""
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        address, state = self.oauth.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, provider="snapchat"
        )
        back = Browser(person).address_after_login(address)
        answer = dict(
            self.oauth.fetch_token(
                self.metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
            )
        )
        return SimpleNamespace(answer=answer, claims=self.claims(answer, nonce))

    def claims(self, answer, nonce=None):
        token = jwt.decode(answer["id_token"], self._keys, self.metadata["id_token_signing_alg_values_supported"])
        options = {"iss": {"value": self.metadata["issuer"]}, "aud": {"value": APP}}
        expected = {"nonce": nonce, "access_token": answer["access_token"], "client_id": APP}
        claims = CodeIDToken(token.claims, token.header, options, expected)
        claims.validate()
        return claims

    def refresh(self, answer):
        return dict(self.oauth.refresh_token(self.metadata["token_endpoint"], answer["refresh_token"]))

    def revoke(self, answer):
        return self.oauth.revoke_token(self.metadata["revocation_endpoint"], answer["refresh_token"], "refresh_token")

    def exchange(self, **parameters):
        return dict(self.oauth.fetch_token(self.metadata["token_endpoint"], grant_type=TOKEN_EXCHANGE, **parameters))


@pytest.fixture
def client(daypass):
    return Client(daypass)


def refused(error):
    return pytest.raises(OAuthError, match=f"^{error}: ")


def test_somebody_signs_in_and_the_id_token_is_believed(daypass, client):
    session = client.sign_in()
    assert (session.claims["idp"], session.claims["name"]) == ("snapchat", "Ada")
    assert session.claims["sub"] == session.answer["identity_id"]
    assert client.sign_in("grace").claims["sub"] != session.claims["sub"]
    with pytest.raises(InvalidClaimError, match="nonce"):
        client.claims(session.answer, "of another login")


def test_a_session_goes_on_with_an_id_token_each_time(client):
    session = client.sign_in()
    again = client.refresh(session.answer)
    assert again["refresh_token"] != session.answer["refresh_token"]
    claims = client.claims(again)
    assert {name: claims[name] for name in ("sub", "sid", "auth_time")} == {
        name: session.claims[name] for name in ("sub", "sid", "auth_time")
    }


def test_who_signed_out_goes_on_no_more(client):
    answer = client.sign_in().answer
    assert client.revoke(answer).status_code == 200
    with refused("invalid_grant"):
        client.refresh(answer)


def test_a_token_that_was_replaced_ends_the_session(client):
    first = client.sign_in().answer
    newest = client.refresh(client.refresh(first))
    for answer in (first, newest):
        with refused("invalid_grant"):
            client.refresh(answer)


def test_a_providers_token_is_exchanged(daypass, client):
    subject = {"subject_token_type": ACCESS_TOKEN, "subject_issuer": "snapchat-token", "scope": SCOPE}
    answer = client.exchange(subject_token=bare_access_token(daypass, "ada"), **subject)
    assert answer["issued_token_type"] == ACCESS_TOKEN
    assert client.claims(answer)["idp"] == "snapchat-token"
    assert client.claims(client.refresh(answer))["sub"] == answer["identity_id"]
    with refused("invalid_request"):
        client.exchange(subject_token="made-up", **subject)


def test_the_app_is_told_at_its_redirect_uri_and_by_whom(client):
    address, state = client.oauth.create_authorization_url(
        client.metadata["authorization_endpoint"], code_verifier=secrets.token_urlsafe(48), prompt="none"
    )
    back = HTTP.request("GET", address, redirect=False).headers["Location"]
    told = dict(parse_qsl(urlsplit(back).query))
    assert back.startswith(REDIRECT_URI)
    assert (told["error"], told["state"], told["iss"]) == ("login_required", state, client.metadata["issuer"])


def test_a_pool_that_trusts_daypass_takes_the_id_token(daypass, client):
    session = client.sign_in()
    logins = {login_key(daypass): session.answer["id_token"]}
    public = aws.anonymous(daypass, "cognito-identity")
    identity_id = public.get_id(IdentityPoolId=daypass.identity_pool_id, Logins=logins)["IdentityId"]
    assert identity_id != session.claims["sub"]
    given = public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]
    credentials = aws.keywords(given["AccessKeyId"], given["SecretKey"], given["SessionToken"])
    arn = aws.developer(daypass, "sts", **credentials).get_caller_identity()["Arn"]
    assert arn.endswith("/CognitoIdentityCredentials")
    key = f"{identity_id}/note.txt"
    aws.s3(daypass, credentials).put_object(Bucket=daypass.bucket, Key=key, Body=b"hers")


def test_a_pool_takes_no_token_of_its_own_for_one_of_daypass(daypass, client):
    logins = {login_key(daypass): client.sign_in().answer["access_token"]}
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        aws.anonymous(daypass, "cognito-identity").get_id(IdentityPoolId=daypass.identity_pool_id, Logins=logins)
