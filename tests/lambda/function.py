"""The function: the real program under the name `bootstrap` beside its configuration, as the zip file of
`cargo xtask package` holds them, started as Lambda starts it."""

import base64
import json
import os
import shutil
import signal
import subprocess

from runtime_api import RuntimeApi
from support.server import program

START_LIMIT = 30  # seconds, so that only a hang meets it
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
CLIENT_SECRET = "the-secret-of-the-client"

CONFIGURATION = """
public_url = "{public_url}"
master_key = {master_key}

[store]
url = "memory:"

{pool}
[network]
allow_private = ["127.0.0.1"]

[[provider]]
id = "snapchat"
client_id = "the-client"
client_secret = {client_secret}
exchange.url = "{provider}/token"
profile.url = "{provider}/me"

[[app]]
id = "web"
origins = ["https://app.example.com"]
redirect_uris = ["https://app.example.com/signed-in"]
"""

EMBEDDED_POOL = """
[pool]
name = "my-app"
developer_provider = "login.example.com"
region = "us-east-1"
account_id = "123456789012"

[[role]]
name = "authenticated"
policy = "policy.json"
"""


def lay_out(
    directory,
    provider="http://127.0.0.1:1",
    public_url="https://login.example.com",
    master_key='{ env = "MASTER_KEY" }',
    client_secret='{ env = "CLIENT_SECRET" }',
    pool=EMBEDDED_POOL,
):
    """What is in the zip file."""
    shutil.copy2(program(), directory / "bootstrap")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    (directory / "policy.json").write_text(json.dumps(policy))
    text = CONFIGURATION.format(
        provider=provider, public_url=public_url, master_key=master_key, client_secret=client_secret, pool=pool
    )
    (directory / "daypass.toml").write_text(text)
    return directory


class Answer:
    """What whoever sent the event gets to see."""

    def __init__(self, raw):
        self.raw = raw
        self.status = raw["statusCode"]
        body = raw["body"]
        self.body = base64.b64decode(body) if raw["isBase64Encoded"] else body.encode()

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        several = self.raw.get("multiValueHeaders") or {}
        found = [value for key, values in several.items() if key.lower() == name for value in values]
        return found or [value for key, value in self.raw.get("headers", {}).items() if key.lower() == name]


class Function:
    """A running function, in an environment that has nothing of this machine's."""

    def __init__(self, directory, **environment):
        self.api = RuntimeApi()
        self.log = directory / "function.log"
        variables = {
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "daypass",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_REGION": "us-east-1",
            "LAMBDA_TASK_ROOT": str(directory),
            "_HANDLER": "bootstrap",
            "MASTER_KEY": MASTER_KEY,
            "CLIENT_SECRET": CLIENT_SECRET,
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [directory / "bootstrap"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=variables | environment,
            )

    def __enter__(self):
        assert self.api.asked.wait(START_LIMIT), self.log.read_text()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.api.stop()

    def invoke(self, event, **how):
        """The function's response. An error of the function is none, whatever the event holds."""
        kind, body = self.api.receive(self.api.send(event, **how))
        assert kind == "response", body
        return Answer(json.loads(body))

    def end(self):
        """Waits for a function that ends by itself; answers its exit status."""
        status = self.process.wait(START_LIMIT)
        self.api.stop()
        return status

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        # A thread on another processor stops a moment later.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def lines(self):
        """What is in CloudWatch afterwards."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]
