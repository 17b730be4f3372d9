"""`daypass serve` with the embedded pool, as an operator runs it in production."""

import base64
import configparser
import hashlib
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from support import aws
from support.server import START_LIMIT, STOP_LIMIT, program

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
CONFIGURATION = """
public_url = "https://login.example.com"
master_key = { file = "master-key" }

[store]
url = "sqlite:daypass.db"

[pool]
name = "my-app"
developer_provider = "login.example.com"
region = "eu-west-1"
account_id = "123456789012"

[[role]]
name = "authenticated"
policy = "policy.json"
"""


@pytest.fixture
def installation(tmp_path):
    (tmp_path / "master-key").write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    (tmp_path / "daypass.toml").write_text(CONFIGURATION)
    return tmp_path


def change(installation, before, after):
    file = installation / "daypass.toml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


class Serving:
    """A running server. It is started from another directory than the configuration's."""

    def __init__(self, installation):
        self._installation = installation
        log = installation / "serve.log"
        with log.open("a") as stderr:
            self._process = subprocess.Popen(
                [program(), "serve", "--config", installation / "daypass.toml", "--listen", "127.0.0.1:0"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd="/",
                text=True,
            )
        self.ready = json.loads(self._process.stdout.readline() or "null")
        assert self.ready, log.read_text()
        self.url = f"http://{self.ready['listen']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def stop(self):
        """Ends it as a service manager does; answers its status and the events of its audit trail."""
        self._process.send_signal(signal.SIGTERM)
        written, _ = self._process.communicate(timeout=STOP_LIMIT)
        assert written == "", "nothing but the line of the start is for stdout"
        listed = command(self._installation, "audit", "list", "--json")
        return self._process.returncode, [json.loads(line) for line in listed.stdout.splitlines()]

    def client(self, credentials):
        return boto3.client(
            "cognito-identity", endpoint_url=self.url, region_name="eu-west-1", config=aws.ONCE, **credentials
        )

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read()


def command(installation, *arguments):
    return subprocess.run(
        [program(), *arguments, "--config", installation / "daypass.toml"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def backend_key(installation):
    made = command(installation, "key", "create", "backend", "--preset", "tokens")
    assert made.returncode == 0, made.stderr
    block = configparser.ConfigParser()
    block.read_string(made.stdout)
    return dict(block["backend"])


def refusal(installation):
    """What the server says that does not start."""
    done = subprocess.run(
        [program(), "serve", "-c", installation / "daypass.toml", "--listen", "127.0.0.1:0"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
        check=False,
    )
    assert done.returncode == 1 and done.stdout == "", done
    return done.stderr


def token(serving, credentials, pool_id):
    return serving.client(credentials).get_open_id_token_for_developer_identity(
        IdentityPoolId=pool_id, Logins={"login.example.com": "ada"}
    )


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify_trail(installation):
    """As docs/audit-trail.md says it, by nothing of ours."""
    key = json.loads(command(installation, "audit", "key").stdout)
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    link, heads = bytes(32), 0
    for file in sorted((installation / "daypass.db-audit").glob("*.jsonl")):
        for line in file.read_bytes().splitlines():
            body, _, rest = line.rpartition(b',"chain":"')
            said = json.loads(line)
            if "head" in said:
                signed, _, signature = said["head"].rpartition(".")
                public.verify(decoded(signature), signed.encode())
                head = json.loads(decoded(signed.split(".")[1]))
                assert (head["n"], decoded(head["chain"])) == (said["n"] - 1, link)
                heads += 1
            link = hashlib.sha256(link + body).digest()
            assert decoded(rest.removesuffix(b'"}').decode()) == link, said
    assert heads > 0


def test_a_backend_gets_tokens_before_and_after_a_restart(installation):
    with Serving(installation) as serving:
        assert serving.ready["public_url"] == "https://login.example.com"
        assert serving.get("/readyz") == b"ready\n"
        credentials = backend_key(installation)
        policy = json.loads(command(installation, "key", "policy", "backend").stdout)
        pool_id = policy["Statement"][0]["Resource"].rsplit("/", 1)[1]
        assert pool_id.startswith("eu-west-1:")
        first = token(serving, credentials, pool_id)
        keys = serving.get("/.well-known/jwks.json")
        status, audit = serving.stop()
        assert status == 0
        tokens = [event["identity_id"] for event in audit if event["action"] == "token"]
        assert tokens == [first["IdentityId"]]
        verify_trail(installation)
    with Serving(installation) as serving:
        assert token(serving, credentials, pool_id)["IdentityId"] == first["IdentityId"]
        assert serving.get("/.well-known/jwks.json") == keys
        who = command(installation, "audit", "who", first["IdentityId"])
        assert "person    ada" in who.stdout


def test_there_is_nothing_in_it_that_is_for_development(installation):
    with Serving(installation) as serving:
        for path in ("/", "/playground/config.json", "/playground/sdk/index.js"):
            with pytest.raises(urllib.error.HTTPError, match="404") as refused:
                serving.get(path)
            refused.value.close()


def test_pages_get_the_browser_sdk_of_this_version(installation):
    with Serving(installation) as serving:
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            serving.get("/sdk/index.js")
        (address,) = re.findall(r"import (/sdk/[^ ]+/index\.js)", json.load(refused.value)["detail"])
        with urllib.request.urlopen(serving.url + address, timeout=10) as answer:
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            assert answer.headers["access-control-allow-origin"] == "*"
            assert b"createDaypass" in answer.read()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('master_key = { file = "master-key" }', "", "master_key: missing: write `master_key = {"),
        ('"master-key"', '"nowhere"', "master_key: cannot read"),
        ('"master-key"', '"policy.json"', "`openssl rand -base64 32` makes a key"),
        ('url = "sqlite:daypass.db"', 'url = "mysql://x"', 'write "sqlite:FILE", "postgres://USER@HOST/DATABASE"'),
        ('[store]\nurl = "sqlite:daypass.db"', "", "[store]: missing"),
        ('"https://login.example.com"\nm', '"http://login.example.com"\nm', "must start with https://"),
        ('"policy.json"', '"nowhere.json"', "cannot read"),
        ("[store]", "[stores]", "stores: unknown key; did you mean `store`?"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(installation, before, after, words):
    change(installation, before, after)
    assert words in refusal(installation)
    assert not (installation / "daypass.db").exists()


def test_another_master_key_opens_nothing(installation):
    with Serving(installation) as serving:
        serving.stop()
    (installation / "master-key").write_bytes(base64.b64encode(os.urandom(32)))
    assert "master key" in refusal(installation)


def test_a_store_in_memory_is_nobody_elses(installation):
    change(installation, "sqlite:daypass.db", "memory:")
    with Serving(installation) as serving:
        assert serving.get("/readyz") == b"ready\n"
        assert "can be seen by nobody but its own process" in command(installation, "key", "list").stderr
