"""The unit, as systemd itself reads it. systemd-analyze runs no unit, so what the confinement does to Daypass is not
seen here."""

import os
import subprocess
from pathlib import Path

import pytest

from conftest import DEPLOY

UNIT = DEPLOY / "systemd/daypass.service"
PROGRAM = "/usr/local/bin/daypass"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there: systemd-analyze looks for it."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text()
    assert f"ExecStart={PROGRAM} serve -c /etc/daypass/daypass.toml --listen 127.0.0.1:9400\n" in text
    copy.write_text(text.replace(PROGRAM, "/bin/true"))
    return copy


def test_systemd_understands_every_line_of_the_agent(tmp_path: Path) -> None:
    """The user's own unit, which a manager of users would run."""
    agent = UNIT.with_name("daypass-agent.service")
    text = agent.read_text()
    assert f"ExecStart={PROGRAM} agent --port 9410\n" in text
    copy = tmp_path / agent.name
    copy.write_text(text.replace(PROGRAM, "/bin/true"))
    verify = ["systemd-analyze", "--user", "--man=no", "verify", copy]
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": os.defpath}
    ran = subprocess.run(verify, capture_output=True, text=True, check=False, env=environment)
    about_it = [line for line in (ran.stdout + ran.stderr).splitlines() if agent.name in line]
    assert (ran.returncode, about_it) == (0, [])


def settings() -> set[str]:
    return set(UNIT.read_text().splitlines())


def test_systemd_understands_every_line(unit: Path) -> None:
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    about_it = [line for line in (ran.stdout + ran.stderr).splitlines() if UNIT.name in line]
    assert (ran.returncode, about_it) == (0, [])


def test_systemd_finds_it_confined(unit: Path) -> None:
    """`--threshold=15` fails at an exposure above 1.5 of 10; services without any confinement have 9.6."""
    analyze = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit]
    ran = subprocess.run(analyze, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "line",
    [
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "StateDirectory=daypass",
        "LoadCredential=secret:/etc/daypass/secrets",
        "NoNewPrivileges=yes",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources",
        "CapabilityBoundingSet=",
        "LimitNOFILE=65536",
    ],
)
def test_what_the_docs_promise_is_there(line: str) -> None:
    assert line in settings()


def test_no_secret_is_in_the_environment() -> None:
    assert not [line for line in settings() if line.startswith(("Environment", "PassEnvironment", "SetCredential"))]
