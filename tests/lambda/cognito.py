"""Amazon Cognito, as far as the driver for it asks: Amazon Cognito Federated Identities API Reference."""

import base64
import collections
import json
import time
import uuid

from stub import Stub

REGION = "us-east-1"
POOL_ID = f"{REGION}:00000000-0000-4000-8000-000000000000"
DEVELOPER_PROVIDER = "login.example.com"
TOKEN = "GetOpenIdTokenForDeveloperIdentity"
CREDENTIALS = "GetCredentialsForIdentity"
SECRET_KEY = "the-secret-key-of-ada"

Call = collections.namedtuple("Call", "operation headers body raw")


class Cognito(Stub):
    """`calls` is what it was asked. `throttle` tells how many calls of an operation are too many, `refusal` is what all
    calls are answered instead, as type and message, and `life` for how many seconds tokens are good. `meanwhile` is
    called when a question is there and its answer is not."""

    def __init__(self, idle=None, silent=False):
        self.calls = []
        self.throttle = collections.Counter()
        self.refusal = None
        self.life = 900
        self.meanwhile = lambda: None
        super().__init__(idle, silent)

    def answer(self, path, headers, body):
        operation = headers["x-amz-target"].removeprefix("AWSCognitoIdentityService.")
        call = Call(operation, headers, json.loads(body), body)
        self.calls.append(call)
        self.meanwhile()
        status, answer = self._answer_to(call)
        return status, "application/x-amz-json-1.1", json.dumps(answer).encode()

    def _answer_to(self, call):
        if self.throttle[call.operation]:
            self.throttle[call.operation] -= 1
            return 400, {"__type": "TooManyRequestsException", "message": "Rate exceeded"}
        if self.refusal:
            kind, message = self.refusal
            return 400, {"__type": kind, "Message": message}
        return 200, self._token(call.body) if call.operation == TOKEN else self._credentials(call.body)

    def _token(self, asked):
        identity_id = identity_of(asked["Logins"][DEVELOPER_PROVIDER])
        claims = {
            "sub": identity_id,
            "aud": asked["IdentityPoolId"],
            "exp": int(time.time()) + self.life,
            "jti": str(uuid.uuid4()),
        }
        token = ".".join(segment(part) for part in [{"alg": "RS512"}, claims, "a signature that nobody verifies"])
        return {"IdentityId": identity_id, "Token": token}

    def _credentials(self, asked):
        keys = {"AccessKeyId": "ASIAADAADAADAADAADAA", "SecretKey": SECRET_KEY, "SessionToken": "the-session-of-ada"}
        return {"IdentityId": asked["IdentityId"], "Credentials": keys | {"Expiration": int(time.time()) + 3600}}


def identity_of(login):
    return f"{REGION}:{uuid.uuid5(uuid.NAMESPACE_URL, login)}"


def segment(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def pool(url):
    """The configuration for it."""
    return f"""
[pool]
driver = "cognito"
developer_provider = "{DEVELOPER_PROVIDER}"

[[pool.region]]
region = "{REGION}"
pool_id = "{POOL_ID}"
endpoint_url = "{url}"
"""
