"""Somebody's machine, on which the commands of the terminal are typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import botocore.session

from support.browser import Browser
from support.server import STOP_LIMIT, program


class Terminal:
    """Somebody's machine, with a home directory and nothing in it."""

    def __init__(self, daypass, home):
        self.daypass, self.home = daypass, home

    def environment(self, **more):
        return {"PATH": os.defpath, "HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true", **more}

    def start(self, *arguments):
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        command = [program(), *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment(), text=True, **pipes)

    def run(self, *arguments, **environment):
        return self._run(program(), *arguments, **environment)

    def aws(self, *arguments, **environment):
        return self._run(Path(sys.executable).with_name("aws"), *arguments, **environment)

    def _run(self, *command, **environment):
        return subprocess.run(
            [*map(str, command)],
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def log_in(self, person, *arguments, by_paste=False):
        """What `daypass login` printed at its end."""
        login = self.start("login", self.daypass.server_url, "--provider", "snapchat", "--no-browser", *arguments)
        address = next(line.strip() for line in login.stderr if "/oauth2/authorize?" in line)
        browser, pasted = Browser(person), None
        if by_paste:
            pasted = browser.address_after_login(address) + "\n"
        else:
            _, status, page = browser.open(address)
            assert (status, "You are signed in" in page) == (200, True), page
        stdout, stderr = login.communicate(pasted, timeout=STOP_LIMIT)
        assert login.returncode == 0, stderr
        return stdout

    def whoami(self):
        return json.loads(done(self.run("whoami", "--json")))

    def session(self, **environment):
        """A session of boto3 as a program on this machine would have it."""
        session = botocore.session.Session()
        session.set_config_variable("config_file", str(self.home / ".aws/config"))
        session.set_config_variable("credentials_file", os.devnull)
        for name, value in environment.items():
            session.set_config_variable(name, value)
        return boto3.Session(botocore_session=session)


def done(finished):
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
