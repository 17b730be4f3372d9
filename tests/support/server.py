"""A real `daypass up`, started as a user starts it and ended by its process ID."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
START_LIMIT = 60  # seconds; far more than it needs, so that only a hang meets it
STOP_LIMIT = 30
LOG_LIMIT = 30


def program():
    """The binary under test: `DAYPASS_BIN`, or where cargo leaves a release build."""
    return os.environ.get("DAYPASS_BIN") or str(REPOSITORY / "target/release/daypass")


class Daypass:
    """A running server. What its ready line says can be read as attributes: `daypass.server_url`."""

    def __init__(self, directory, port=0, config=None):
        self._log = Path(directory).with_suffix(".log")
        additions = ["--config", str(config)] if config else []
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [program(), "up", "--port", str(port), "--dir", str(directory), *additions],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.ready = self._read_ready_line()

    def __getattr__(self, name):
        try:
            return self.__dict__["ready"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _read_ready_line(self):
        watchdog = threading.Timer(START_LIMIT, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            self.stop()
            raise AssertionError(f"`daypass up` ended before it was ready:\n{self._log.read_text()}")
        return json.loads(line)

    def stop(self, how=signal.SIGTERM):
        """Ends the server; answers its exit status and whatever else it printed on stdout."""
        self._process.send_signal(how)
        rest, _ = self._process.communicate(timeout=STOP_LIMIT)
        return self._process.returncode, rest

    def log_with(self, words):
        """The log, once these words are in it: nobody waits for it to be written before they are answered."""
        deadline = time.monotonic() + LOG_LIMIT
        while True:
            log = Path(self.dir, "log.jsonl").read_text()
            if words in log:
                return log
            assert time.monotonic() < deadline, f"{words} is not in\n{log}"

    @property
    def port(self):
        """The first of its three ports."""
        return int(self.server_url.rsplit(":", 1)[1])

    def environment(self):
        """The environment in which any AWS tool finds the written profile, and nothing of this machine's."""
        return {
            "AWS_CONFIG_FILE": self.aws_config_file,
            "AWS_SHARED_CREDENTIALS_FILE": self.aws_shared_credentials_file,
            "AWS_PROFILE": self.aws_profile,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
