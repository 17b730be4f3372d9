"""The AWS CLI, as the README tells a user to call it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def aws_cli(daypass, tmp_path):
    """Runs `aws` in an environment that holds the written profile and nothing else."""

    def run(*arguments, **environment):
        return subprocess.run(
            [Path(sys.executable).with_name("aws"), *map(str, arguments)],
            env={"PATH": os.defpath, "HOME": str(tmp_path), **daypass.environment(), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def as_ada(aws_cli, ada_credentials):
    """Runs `aws` with a person's temporary credentials; endpoints still come from the profile."""
    session = {name.upper(): value for name, value in ada_credentials.items()}
    return lambda *arguments: aws_cli(*arguments, **session)


def answer(finished):
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_it_lists_the_pools(daypass, aws_cli):
    listed = aws_cli("--profile", daypass.aws_profile, "cognito-identity", "list-identity-pools", "--max-results", 10)
    assert daypass.identity_pool_id in [pool["IdentityPoolId"] for pool in answer(listed)["IdentityPools"]]


def test_it_knows_who_calls(daypass, aws_cli):
    caller = answer(aws_cli("--profile", daypass.aws_profile, "sts", "get-caller-identity"))
    assert caller["Account"] == daypass.account_id


def test_it_moves_files(daypass, ada, as_ada, tmp_path):
    folder = f"s3://{daypass.bucket}/{ada.identity_id}/cli"
    (tmp_path / "here.txt").write_text("from the command line")
    for arguments in (
        ("cp", tmp_path / "here.txt", f"{folder}/there.txt"),
        ("cp", f"{folder}/there.txt", f"{folder}/copy.txt"),
        ("cp", f"{folder}/copy.txt", tmp_path / "back.txt"),
        ("rm", f"{folder}/copy.txt"),
    ):
        finished = as_ada("s3", *arguments)
        assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "back.txt").read_text() == "from the command line"
    listed = as_ada("s3", "ls", folder + "/").stdout.split()
    assert "there.txt" in listed
    assert "copy.txt" not in listed


@pytest.mark.parametrize("where", ["", "{grace}/"])
def test_it_is_refused_beyond_the_own_prefix(daypass, grace, as_ada, where):
    listed = as_ada("s3", "ls", f"s3://{daypass.bucket}/" + where.format(grace=grace.identity_id))
    assert listed.returncode != 0
    assert "AccessDenied" in listed.stderr
    assert listed.stdout == ""


def test_a_token_is_assumed_from_the_command_line(daypass, ada, aws_cli):
    answered = answer(
        aws_cli(
            "sts", "assume-role-with-web-identity",
            "--role-arn", daypass.role_arn,
            "--role-session-name", "cli",
            "--web-identity-token", ada.token,
        )
    )  # fmt: skip
    assert answered["SubjectFromWebIdentityToken"] == ada.identity_id
