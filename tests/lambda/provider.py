"""An identity provider that speaks as Snapchat does."""

import json

from stub import Stub

NAME = "Ada Lovelace"


class Provider(Stub):
    """`secrets` is how clients proved who they are."""

    def __init__(self, idle=None, silent=False):
        self.secrets = []
        super().__init__(idle, silent)

    def answer(self, path, headers, body):
        if path == "/token":
            self.secrets.append(headers["authorization"])
            answer = {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600}
        else:
            answer = {"data": {"me": {"externalId": "ada", "displayName": NAME}}}
        return 200, "application/json", json.dumps(answer).encode()


def proof(code="a-code"):
    """What an app sends to /v1/exchange."""
    return {
        "provider": "snapchat",
        "code": code,
        "code_verifier": "v" * 43,
        "redirect_uri": "https://app.example.com/signed-in",
    }
