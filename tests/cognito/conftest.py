"""`daypass serve` with driver = "cognito" in front of Cognitos that others wrote, and in front of `daypass up`."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3
from support import login
from support.server import Daypass, program

pytest_plugins = ["support.fixtures"]

HTTP = urllib3.PoolManager(retries=False)
START_LIMIT = 60  # seconds; far more than anything here needs
REGION = "us-east-1"


class Serving:
    """A running `daypass serve` whose provider is the sandbox of a `daypass up`."""

    def __init__(self, directory, up, pool_id, endpoint_url=None, environment=None):
        directory.mkdir()
        (directory / "key").write_text("Bw" * 21 + "A=")
        url = f'endpoint_url = "{endpoint_url}"\n' if endpoint_url else ""
        sandbox = up.sandbox_url
        (directory / "daypass.toml").write_text(f"""
            public_url = "http://localhost:9400"
            master_key = {{ file = "key" }}
            [store]
            url = "sqlite:daypass.db"
            [network]
            allow_private = ["127.0.0.1"]
            [pool]
            driver = "cognito"
            developer_provider = "{up.developer_provider}"
            [[pool.region]]
            region = "{REGION}"
            pool_id = "{pool_id}"
            {url}
            [[provider]]
            id = "snapchat"
            client_id = "{login.our_app(up)["client_id"]}"
            client_secret = {{ file = "{Path(up.dir) / "sandbox-client-secret"}" }}
            authorize.url = "{sandbox}/accounts/oauth2/auth"
            exchange.url = "{sandbox}/accounts/oauth2/token"
            profile.url = "{sandbox}/v1/me"
            [[app]]
            id = "web"
            origins = []
            redirect_uris = {json.dumps(login.our_app(up)["redirect_uris"])}
        """)
        self.dir = directory
        self._log = directory / "log"
        self._environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", **(environment or {})}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [program(), "serve", "-c", str(directory / "daypass.toml"), "--listen", "127.0.0.1:0"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        self.url = f"http://{json.loads(line)['listen']}"

    def post(self, path, body):
        answer = HTTP.request("POST", self.url + path, json=body)
        return answer.status, answer.json()

    def command(self, *arguments):
        """What an operator types beside it; the last word takes the configuration."""
        return subprocess.run(
            [program(), *arguments, str(self.dir / "daypass.toml")],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def why(self, expected):
        """What the operator finds in the log, once this is in it: the log is written beside the answers."""
        end = time.monotonic() + 5
        while expected not in (text := self._log.read_text()) and time.monotonic() < end:
            time.sleep(0.02)
        return text

    def stop(self):
        self._process.terminate()
        self._process.communicate(timeout=30)


@pytest.fixture(scope="session")
def up(tmp_path_factory):
    with Daypass(tmp_path_factory.mktemp("up") / "daypass") as daypass:
        yield daypass


@pytest.fixture
def serve(tmp_path, up):
    running = []

    def start(*arguments, **more):
        running.append(Serving(tmp_path / f"serve-{len(running)}", up, *arguments, **more))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def emulator(command, environment, port, directory):
    """Starts an emulator, and ends it by its process ID."""
    log = (directory / "log").open("w")
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        deadline = time.monotonic() + START_LIMIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, (directory / "log").read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-p", str(port)]
    yield from emulator(command, {}, port, tmp_path_factory.mktemp("moto"))


@pytest.fixture(scope="session")
def ministack(tmp_path_factory):
    port = free_port()
    command = [str(Path(sys.executable).with_name("ministack"))]
    yield from emulator(command, {"GATEWAY_PORT": str(port)}, port, tmp_path_factory.mktemp("ministack"))
