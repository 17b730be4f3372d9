"""docs/native.md: its commands, as they stand there, in one shell. What a reader fills in comes from the answer before."""

import json
import re
import tomllib
from urllib.parse import parse_qs, urlsplit

import pytest
from commands import Shell, commands, filled_in

from support.browser import Browser
from support.server import REPOSITORY, Daypass

PAGE = (REPOSITORY / "docs/native.md").read_text()
TOML = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
#: By name of the variable, where the answer has it.
ANSWERED = {
    "IDENTITY": ("identity_id",),
    "ACCESS_KEY": ("credentials", "access_key_id"),
    "SECRET_KEY": ("credentials", "secret_access_key"),
    "SESSION_TOKEN": ("credentials", "session_token"),
    "REFRESH": ("refresh_token",),
}


def answered(name, answer):
    """What a reader fills in for a variable."""
    if name == "CODE":
        return answer["code"]
    for key in ANSWERED[name]:
        answer = answer[key]
    return answer


@pytest.fixture(scope="module")
def daypass(tmp_path_factory):
    home = tmp_path_factory.mktemp("native")
    (home / "daypass.toml").write_text(TOML)
    with Daypass(home / "state", config=home / "daypass.toml") as running:
        yield running


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def answer_at(address, app):
    """What the app is told at its redirect URI, once Ada has signed in."""
    back = Browser("ada").address_after_login(f"{address}&provider=snapchat")
    assert back.startswith(app), back
    return {name: value for name, [value] in parse_qs(urlsplit(back).query).items()}


def test_the_commands_lead_from_a_sign_in_to_a_sign_out(daypass, shell):
    ports = {"http://127.0.0.1:9400": daypass.server_url, "http://127.0.0.1:9401": daypass.s3_url}
    answer, said = {}, []
    for command in commands(PAGE):
        for written, there in ports.items():
            command = command.replace(written, there)
        text = shell.run(filled_in(command, lambda name: answered(name, answer)))
        said.append((command.split()[0], text))
        if "/oauth2/authorize" in text:
            answer = answer_at(text, "com.example.notes:/callback?")
            assert (answer["iss"], answer["state"]) == (daypass.server_url, shell.run('echo "$STATE"'))
        elif "refresh_token" in text:
            assert json.loads(text)["refresh_token"] != answer.get("refresh_token")
            answer = json.loads(text)
            assert answer["credentials"]["expires_in"] == 3600
            assert answer["refresh_expires_in"] == 30 * 24 * 3600
        elif "sessions" in text:
            assert [session["device"] for session in json.loads(text)["sessions"]] == ["Pixel 9"]

    listed = shell.run('curl -sS "$DAYPASS/v1/sessions" -H "authorization: Bearer $REFRESH"')
    assert json.loads(listed)["status"] == 401
    refreshed = shell.run('curl -sS "$DAYPASS/oauth2/token" -d grant_type=refresh_token -d client_id=notes-app -d refresh_token="$REFRESH"')
    assert json.loads(refreshed)["reason"] == "signed_out"
    assert [name for name, _ in said].count("curl") == 5


@pytest.mark.parametrize("redirect_uri", ["https://notes.example.com/callback", "http://127.0.0.1:49152/callback"])
def test_the_other_kinds_of_redirect_uris_are_taken_as_well(daypass, shell, redirect_uri):
    first, token = [command for command in commands(PAGE) if "/oauth2/authorize" in command or "code_verifier" in command]
    for command in commands(PAGE)[:4]:
        shell.run(command.replace("http://127.0.0.1:9400", daypass.server_url))
    address = shell.run(first.replace("com.example.notes:/callback", redirect_uri))
    code = answer_at(address, f"{redirect_uri}?")["code"]
    answer = shell.run(f"CODE='{code}'\n" + token.replace("com.example.notes:/callback", redirect_uri))
    assert json.loads(answer)["identity_id"].startswith("us-east-1:")


def test_the_page_registers_what_it_speaks_of():
    [app] = tomllib.loads(TOML)["app"]
    assert all(f"`{uri}`" in PAGE for uri in app["redirect_uris"])
