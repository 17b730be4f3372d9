"""moto, an emulator of AWS that others wrote, on loopback, ended by its process ID."""

import subprocess
import sys
import threading

import boto3

from support import aws
from support.server import START_LIMIT, STOP_LIMIT

CREDENTIALS = {"aws_access_key_id": "moto", "aws_secret_access_key": "moto"}


class Moto:
    """A running `moto_server`. It says on stderr where it listens."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._read_url()
        # Whoever writes to a full pipe waits.
        self._reader = threading.Thread(target=self._process.stderr.read)
        self._reader.start()

    def _read_url(self):
        watchdog = threading.Timer(START_LIMIT, self._process.kill)
        watchdog.start()
        for line in self._process.stderr:
            if "Running on " in line:
                watchdog.cancel()
                return line.split("Running on ")[1].strip()
        raise AssertionError("moto ended before it was ready")

    def stop(self):
        self._process.terminate()
        self._process.wait(timeout=STOP_LIMIT)
        self._reader.join()
        self._process.stderr.close()

    def client(self, service, region):
        return boto3.client(service, endpoint_url=self.url, region_name=region, config=aws.ONCE, **CREDENTIALS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
