"""docs/reference/openapi.json, read by a validator that is not ours; and the commands of docs/reference/http.md, as they stand
there, in one shell."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from commands import Shell, commands, filled_in
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from support.browser import Browser
from support.server import REPOSITORY

DOCUMENT = json.loads((REPOSITORY / "docs/reference/openapi.json").read_text())
PAGE = (REPOSITORY / "docs/reference/http.md").read_text()


def test_the_document_is_one():
    validate(DOCUMENT)
    with pytest.raises(OpenAPIValidationError):
        validate({**DOCUMENT, "paths": {"/v1/exchange": {"post": {"responses": 200}}}})


class Reader:
    """Somebody who goes through the page, and signs in in a browser where it says so."""

    def __init__(self, daypass, directory):
        self.shell, self._server_url = Shell(directory), daypass.server_url
        self._token = next(command for command in commands(PAGE) if "grant_type=authorization_code" in command)
        self._session = {}

    def run(self, command):
        command = command.replace("http://127.0.0.1:9400", self._server_url)
        text = self.shell.run(filled_in(command, self._value))
        answer = json.loads(text) if text.startswith("{") else {}
        assert not {"error", "code"} & answer.keys(), f"{command}\n{text}"
        if "refresh_token" in answer:
            self._session = answer
        if "revoke" in command or "DELETE" in command:
            self._session = {}
        return text

    def _value(self, name):
        if name == "CODE":
            return self._code()
        if not self._session:
            self.shell.run(f"CODE='{self._code()}'")
            self._session = json.loads(self.shell.run(self._token))
        return self._session[{"REFRESH": "refresh_token", "SESSION": "session_id"}[name]]

    def _code(self):
        address = self.shell.run('echo "$DAYPASS/oauth2/authorize?$QUERY"')
        back = Browser("ada").address_after_login(f"{address}&provider=snapchat")
        answer = parse_qs(urlsplit(back).query)
        assert (answer["state"], answer["iss"]) == (["xyzzy"], [self._server_url])
        return answer["code"][0]


def test_the_commands_do_what_the_page_says(daypass, tmp_path):
    reader = Reader(daypass, tmp_path)
    said = {command: reader.run(command) for command in commands(PAGE)}
    reader.shell.close()
    asked = [command for command in said if command.startswith("curl")]
    paths = {re.search(r'\$DAYPASS(/[^"$?]*[^"$?/])', command)[1] for command in asked}
    described = {path for path in DOCUMENT["paths"] if "{" not in path and not path.startswith(("/login", "/device"))}
    assert described - paths == {"/oauth2/authorize", "/oauth2/device_authorization", "/.well-known/jwks_uri", "/metrics"}
    assert len(asked) == len(paths) + 3, "a refresh, and two ways to sign out, besides"
