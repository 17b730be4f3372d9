"""A store that instances share: what counts once counts once over all of them, and the hosted login is there. The table is an
emulator's."""

import base64
import hashlib
import json
import os
import socket
import subprocess
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from events import event
from function import MASTER_KEY, CLIENT_SECRET, Function, lay_out

SOURCE = "http-api"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT_URI = "https://app.example.com/signed-in"
START = urlencode(
    {
        "response_type": "code",
        "app": "web",
        "redirect_uri": REDIRECT_URI,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "the-state",
    }
)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated"}
START_LIMIT = 30  # seconds, so that only a hang meets it


@pytest.fixture(scope="module")
def endpoint():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    emulator = subprocess.Popen(
        [os.environ["DAYPASS_TEST_DYNOXIDE"], "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + START_LIMIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert time.monotonic() < end and emulator.poll() is None, "the emulator does not start"
    yield f"http://127.0.0.1:{port}"
    emulator.kill()
    emulator.wait()


@pytest.fixture(scope="module")
def directory(tmp_path_factory, provider, endpoint):
    laid_out = lay_out(tmp_path_factory.mktemp("dynamodb"), provider.url)
    file = laid_out / "daypass.toml"
    file.write_text(file.read_text().replace('"memory:"', f'"dynamodb:daypass?endpoint={endpoint}"'))
    made = command(laid_out, "store", "create")
    assert "is there, and has a store in it" in made.stdout, made
    return laid_out


@pytest.fixture(scope="module")
def instances(directory):
    with Function(directory, **CREDENTIALS) as one, Function(directory, **CREDENTIALS) as other:
        yield one, other


def command(directory, *arguments, region="us-east-1"):
    """The program of the function, as an operator runs it."""
    environment = {"MASTER_KEY": MASTER_KEY, "CLIENT_SECRET": CLIENT_SECRET, "AWS_REGION": region}
    return subprocess.run(
        [directory / "bootstrap", *arguments, "--config", directory / "daypass.toml"],
        env=environment | CREDENTIALS,
        capture_output=True,
        text=True,
    )


def location(answer):
    assert answer.status in (302, 303), answer.raw
    return urlsplit(answer.header("location")[0])


def sign_in(begun_by, ended_by):
    """The hosted login, whose two halves different instances answer; the one-time code that it ends with."""
    to_provider = begun_by.invoke(event(SOURCE, path="/login/snapchat", query=START))
    state = parse_qs(location(to_provider).query)["state"][0]
    back = event(SOURCE, path="/login/snapchat/callback", query=urlencode({"state": state, "code": "a-code"}))
    back["cookies"] = [cookie.split(";")[0] for cookie in to_provider.raw["cookies"]]
    to_app = ended_by.invoke(back)
    again = begun_by.invoke(back)
    assert again.status == 400, "a state counts once, over all instances"
    found = parse_qs(location(to_app).query)
    assert found["state"] == ["the-state"]
    return found["code"][0]


def post(function, path, **form):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return function.invoke(event(SOURCE, "POST", path, headers=headers, body=urlencode(form)))


def redeem(function, code):
    return post(
        function,
        "/oauth2/token",
        grant_type="authorization_code",
        client_id="web",
        code=code,
        redirect_uri=REDIRECT_URI,
        code_verifier=VERIFIER,
    )


def refresh(function, token):
    return post(function, "/oauth2/token", grant_type="refresh_token", client_id="web", refresh_token=token)


def test_a_person_signs_in_and_stays_signed_in_over_two_instances(instances):
    one, other = instances
    code = sign_in(one, other)
    signed_in = redeem(one, code)
    assert signed_in.status == 200, signed_in.raw
    tokens = signed_in.json()
    renewed = refresh(other, tokens["refresh_token"])
    assert renewed.status == 200, renewed.raw
    assert renewed.json()["identity_id"] == tokens["identity_id"]
    assert redeem(other, code).json()["error"] == "invalid_grant", "a code counts once"
    ended = refresh(one, renewed.json()["refresh_token"])
    assert ended.json()["reason"] == "reused", "and ends what it began if it is shown again"
    again = redeem(other, sign_in(other, one))
    assert again.json()["identity_id"] == tokens["identity_id"]


def test_what_is_revoked_counts_at_every_instance_at_once(instances, directory):
    one, other = instances
    tokens = redeem(one, sign_in(one, other)).json()
    revoked = command(directory, "revoke", tokens["identity_id"])
    assert revoked.returncode == 0, revoked
    for function in instances:
        assert refresh(function, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_the_trail_has_what_every_instance_decided(instances, directory):
    one, other = instances
    tokens = redeem(one, sign_in(one, other)).json()
    about = command(directory, "audit", "who", tokens["identity_id"], "--json")
    actions = {json.loads(line)["action"] for line in about.stdout.splitlines()}
    assert actions <= {"exchange", "refresh", "revoke", "sign_out"} and "exchange" in actions, about
    listed = command(directory, "audit", "list", "--json")
    assert {"sign_in", "exchange"} <= {json.loads(line)["action"] for line in listed.stdout.splitlines()}
    verified = command(directory, "audit", "verify")
    assert verified.returncode == 0 and "is as it was written" in verified.stdout, verified


def test_a_table_is_written_in_one_region_until_another_one_takes_over(tmp_path, provider, endpoint):
    laid_out = lay_out(tmp_path, provider.url)
    file = laid_out / "daypass.toml"
    url = f"dynamodb:daypass-regions?endpoint={endpoint}"
    file.write_text(file.read_text().replace('"memory:"', f'"{url}"'))
    for task in (["store", "create"], ["key", "create", "backend", "--preset", "admin"]):
        assert command(laid_out, *task).returncode == 0
    refused = command(laid_out, "key", "list", region="eu-west-1")
    assert refused.returncode == 1 and "is written in us-east-1, and this is eu-west-1" in refused.stderr, refused
    taken = command(laid_out, "store", "take-over", region="eu-west-1")
    assert "was written in us-east-1, and is written here from now on." in taken.stdout, taken
    assert "backend" in command(laid_out, "key", "list", region="eu-west-1").stdout
    told = command(laid_out, "audit", "list", "--action", "take_over", region="eu-west-1").stdout
    assert "written in eu-west-1 from now on, and in us-east-1 before" in told, told
    again = command(laid_out, "store", "take-over", region="eu-west-1")
    assert "is written here already." in again.stdout, again
    refused = command(laid_out, "key", "list")
    assert "`daypass store take-over`" in refused.stderr, refused

    file.write_text(file.read_text().replace(url, "sqlite:daypass.db"))
    refused = command(laid_out, "store", "take-over")
    assert refused.returncode == 1 and "no table of DynamoDB's" in refused.stderr, refused
