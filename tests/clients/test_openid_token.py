"""PyJWT, which has never heard of Daypass, finds the keys by discovery and verifies the token. What Daypass itself
makes of forged tokens is in `test_must_fail.py`."""

import base64

import jwt
import pytest

from support import aws, login

POOL_ARN = "https://cognito-identity.amazonaws.com/identity-pool-arn"


@pytest.fixture(scope="module")
def discovery(daypass):
    return login.get_json(f"{daypass.issuer}/.well-known/openid-configuration")


@pytest.fixture(scope="module")
def verify(daypass, discovery):
    keys = jwt.PyJWKClient(discovery["jwks_uri"])

    def verify(token):
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(token, key, ["RS512"], audience=daypass.identity_pool_id, issuer=daypass.issuer)

    return verify


def test_discovery_leads_to_the_keys(daypass, discovery):
    assert discovery["issuer"] == daypass.issuer
    assert "RS512" in discovery["id_token_signing_alg_values_supported"]
    keys = login.get_json(discovery["jwks_uri"])
    for path in ("jwks.json", "jwks_uri"):
        assert login.get_json(f"{daypass.issuer}/.well-known/{path}") == keys
    for key in keys["keys"]:
        assert (key["kty"], key["alg"], key["use"], key["e"]) == ("RSA", "RS512", "sig", "AQAB")
        assert key.keys().isdisjoint({"d", "p", "q", "dp", "dq", "qi"})
        assert set("+/=").isdisjoint(key["n"])
        assert len(base64.urlsafe_b64decode(key["n"] + "==")) == 256


def test_the_header_is_cognitos(daypass, ada):
    header = jwt.get_unverified_header(ada.token)
    assert list(header) == ["kid", "typ", "alg"]
    assert (header["typ"], header["alg"]) == ("JWS", "RS512")
    assert header["kid"].startswith(daypass.region)


def test_the_claims_are_cognitos_and_one_of_ours(daypass, ada, verify):
    claims = verify(ada.token)
    provider, pool_id = daypass.developer_provider, daypass.identity_pool_id
    assert list(claims) == ["sub", "aud", "amr", "iss", POOL_ARN, "exp", "iat", "iat_ms"]
    assert (claims["sub"], claims["aud"], claims["iss"]) == (ada.identity_id, pool_id, daypass.issuer)
    assert claims["amr"][:2] == ["authenticated", provider]
    assert claims["amr"][2].startswith(f"{provider}:{pool_id}:snapchat:")
    assert claims[POOL_ARN] == f"arn:aws:cognito-identity:{daypass.region}:{daypass.account_id}:identitypool/{pool_id}"
    assert claims["exp"] - claims["iat"] == 900
    assert claims["iat_ms"] // 1000 == claims["iat"]


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
def test_one_changed_character_is_noticed_by_both_sides(daypass, ada, verify, part):
    forged = altered(ada.token, part)
    with pytest.raises(jwt.PyJWTError):
        verify(forged)
    with aws.refused("NotAuthorizedException", status=400):
        aws.credentials_of(daypass, login.Person(ada.identity_id, forged))


def altered(token, part):
    """`token` with one character in the middle of one part replaced."""
    parts = token.split(".")
    middle = len(parts[part]) // 2
    other = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]
    return ".".join(parts)
