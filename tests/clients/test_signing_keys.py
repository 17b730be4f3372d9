"""The keys that sign tokens: another algorithm, and a successor that an operator publishes beside a running server."""

import subprocess

import jwt
import pytest

from support import aws, login
from support.server import Daypass, program


@pytest.fixture(scope="module")
def es256(tmp_path_factory):
    directory = tmp_path_factory.mktemp("es256")
    config = directory / "daypass.toml"
    config.write_text('[tokens]\nalgorithm = "ES256"\n')
    with Daypass(directory / "state", config=config) as running:
        yield running


def jwk_set(daypass):
    return login.get_json(f"{daypass.issuer}/.well-known/jwks.json")["keys"]


def test_a_verifier_of_others_finds_the_key_by_discovery(es256):
    discovery = login.get_json(f"{es256.issuer}/.well-known/openid-configuration")
    assert discovery["id_token_signing_alg_values_supported"] == ["RS512", "ES256"]
    token = login.log_in(es256, "ada").token
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    key = jwt.PyJWKClient(discovery["jwks_uri"]).get_signing_key_from_jwt(token)
    verified = jwt.decode(token, key, ["ES256"], audience=es256.identity_pool_id, issuer=es256.issuer)
    assert verified["aud"] == es256.identity_pool_id
    # There are verifiers that look at the first key alone.
    assert [key["alg"] for key in jwk_set(es256)] == ["ES256", "RS512"]


def test_pool_sts_and_s3_take_it(es256):
    ada = login.log_in(es256, "ada")
    s3 = aws.s3(es256, aws.credentials_of(es256, ada))
    s3.put_object(Bucket=es256.bucket, Key=f"{ada.identity_id}/es256.txt", Body=b"seen")
    assert aws.assume_role(es256, ada)["Credentials"]["SessionToken"]
    header, payload, signature = ada.token.split(".")
    forged = login.Person(ada.identity_id, f"{header}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")
    with aws.refused("NotAuthorizedException", status=400):
        aws.credentials_of(es256, forged)


def key(daypass, *arguments):
    command = [program(), "key", *arguments, "--dir", daypass.dir]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_an_operator_publishes_a_successor_beside_the_server(tmp_path):
    before = Daypass(tmp_path / "state")
    try:
        [first] = [key["kid"] for key in jwk_set(before)]
        token = login.log_in(before, "ada")
        assert "15m at least" in key(before, "rotate-signing", "--publish", "1m").stderr
        rotated = key(before, "rotate-signing", "--publish", "15m")
        assert rotated.returncode == 0, rotated.stderr
        second = rotated.stdout.strip()
        assert second.startswith("us-east-1") and second != first
        assert "signs from" in rotated.stderr
        again = key(before, "rotate-signing")
        assert again.returncode != 0 and "published already" in again.stderr
        rows = key(before, "list-signing").stdout.splitlines()[1:]
        assert [row.split()[:2] + [row[37:46].strip()] for row in rows] == [
            [first, "RS512", "in use"],
            [second, "RS512", "published"],
        ]
        unknown = key(before, "rotate-signing", "--algorithm", "ES256")
        assert unknown.returncode != 0 and 'algorithm = "ES256"' in unknown.stderr
    finally:
        before.stop()
    with Daypass(tmp_path / "state", before.port) as after:
        assert [key["kid"] for key in jwk_set(after)] == [first, second]
        assert jwt.get_unverified_header(login.log_in(after, "ada").token)["kid"] == first
        assert aws.credentials_of(after, token)
        events = subprocess.run(
            [program(), "audit", "list", "--limit", "50", "--dir", after.dir], capture_output=True, text=True, check=True
        )
        assert "rotate_signing_key" in events.stdout and f"signing key {second}" in events.stdout
