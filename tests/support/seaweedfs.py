"""A real SeaweedFS on loopback, ended by its process ID."""

import contextlib
import json
import socket
import subprocess
import sysconfig
import threading
from pathlib import Path

ADMIN = {"aws_access_key_id": "adminkey", "aws_secret_access_key": "adminsecret"}
START_LIMIT = 60  # seconds; it needs one, so only a hang meets it
STOP_LIMIT = 30
GRPC = 10_000  # every service has a second port, for gRPC, so much above its own
SERVICES = ("master", "volume", "filer", "s3", "admin")


class Ports:
    """Ports that the system gives, one for each service, whose second one is free too. They are held until whoever
    they are for comes, so that nobody else is given them."""

    def __init__(self, services=SERVICES):
        self._held, found = contextlib.ExitStack(), []
        while len(found) < len(services):
            port = self._hold(0)
            with contextlib.suppress(OSError, OverflowError):
                self._hold(port + GRPC)
                found.append(port)
        self.by_service = dict(zip(services, found, strict=True))
        self.url = f"http://127.0.0.1:{self.by_service['s3']}"

    def _hold(self, port):
        return self._held.enter_context(socket.create_server(("127.0.0.1", port))).getsockname()[1]

    def release(self):
        self._held.close()


class SeaweedFS:
    """A running store, whose administrator is `ADMIN`. Its S3 and its STS answer at one URL; of anybody else it knows
    what `iam` says."""

    def __init__(self, directory, ports, iam=None):
        directory = Path(directory)
        data = directory / "data"
        data.mkdir(parents=True)
        s3 = {"name": "admin", "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        s3["credentials"] = [{"accessKey": ADMIN["aws_access_key_id"], "secretKey": ADMIN["aws_secret_access_key"]}]
        (directory / "s3.json").write_text(json.dumps({"identities": [s3]}))
        if iam:
            (directory / "iam.json").write_text(json.dumps(iam))
        self.url = ports.url
        ports.release()
        self._log = directory / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    Path(sysconfig.get_path("scripts")) / "weed",
                    "-logdir=",
                    "mini",
                    f"-dir={data}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    *(f"-{service}.port={port}" for service, port in ports.by_service.items()),
                    f"-s3.config={directory}/s3.json",
                    *([f"-s3.iam.config={directory}/iam.json"] if iam else []),
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    "-admin.ui=false",
                    "-webdav=false",
                    "-master.telemetry=false",
                ],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._await_readiness()

    def _await_readiness(self):
        watchdog = threading.Timer(START_LIMIT, self._process.kill)
        watchdog.start()
        ready = any("ready to use" in line for line in self._process.stdout)
        watchdog.cancel()
        if not ready:
            self._process.wait()
            raise AssertionError(f"SeaweedFS ended before it was ready:\n{self._log.read_text()}")
        # What it says from now on has to be taken from it, or it waits.
        self._drain = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._drain.start()

    def stop(self):
        # Asked to stop, it waits ten seconds for clients that keep their connections. What it stores is thrown away.
        self._process.kill()
        self._process.wait(timeout=STOP_LIMIT)
        self._drain.join(timeout=STOP_LIMIT)
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
