"""`daypass login`, and everything that works with its session afterwards: the AWS CLI and boto3 by a profile, and by the
agent as containers have their credentials."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.config import Config
from terminal import Terminal, done

from support import aws
from support.server import STOP_LIMIT


@pytest.fixture
def terminal(daypass, tmp_path, monkeypatch):
    # What a profile runs, looks for its session here.
    monkeypatch.setenv("HOME", str(tmp_path))
    return Terminal(daypass, tmp_path)


def test_a_login_by_the_browser_leads_to_a_profile(daypass, terminal, tmp_path):
    said = terminal.log_in("ada", "--profile", "work")
    identity_id = terminal.whoami()["identity_id"]
    assert f"You are signed in at {daypass.server_url} as Ada. Your identity is {identity_id}." in said
    assert f"Try: aws --profile work s3 ls s3://{daypass.bucket}/{identity_id}/\n" in said

    folder = f"s3://{daypass.bucket}/{identity_id}/terminal"
    (tmp_path / "here.txt").write_text("from the terminal")
    done(terminal.aws("--profile", "work", "s3", "cp", tmp_path / "here.txt", f"{folder}/there.txt"))
    assert "there.txt" in done(terminal.aws("--profile", "work", "s3", "ls", f"{folder}/"))
    caller = json.loads(done(terminal.aws("--profile", "work", "sts", "get-caller-identity")))
    assert caller["Arn"].endswith("/CognitoIdentityCredentials")

    s3 = terminal.session(profile="work").client("s3", config=aws.ONCE)
    read = s3.get_object(Bucket=daypass.bucket, Key=f"{identity_id}/terminal/there.txt")
    assert read["Body"].read() == b"from the terminal"
    url = s3.generate_presigned_url("get_object", Params={"Bucket": daypass.bucket, "Key": "x"})
    assert url.startswith(f"{daypass.s3_url}/{daypass.bucket}/x?X-Amz-Algorithm=AWS4")


def test_who_has_no_browser_here_pastes_the_address(terminal):
    terminal.log_in("grace", by_paste=True)
    who = terminal.whoami()
    assert (who["name"], who["provider"], who["confirmed"]) == ("Grace", "snapchat", True)


def test_credentials_are_asked_for_once(daypass, terminal):
    terminal.log_in("ada")
    given = [json.loads(done(terminal.run("credentials"))) for _ in range(2)]
    assert given[0] == given[1]
    assert given[0]["Version"] == 1
    keys = aws.keywords(given[0]["AccessKeyId"], given[0]["SecretAccessKey"], given[0]["SessionToken"])
    folder = f"{terminal.whoami()['identity_id']}/"
    aws.s3(daypass, keys).list_objects_v2(Bucket=daypass.bucket, Prefix=folder)


def test_who_signed_out_is_signed_out(daypass, terminal):
    terminal.log_in("ada", "--profile", "work")
    given = json.loads(done(terminal.run("credentials")))
    keys = aws.keywords(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    identity_id = terminal.whoami()["identity_id"]
    assert done(terminal.run("logout")) == f"You are signed out at {daypass.server_url}.\n"
    refused = terminal.aws("--profile", "work", "s3", "ls", f"s3://{daypass.bucket}/{identity_id}/")
    assert refused.returncode != 0
    assert "you are not signed in" in refused.stderr
    assert f"type `daypass login {daypass.server_url}`" in refused.stderr
    # What was handed out before counts no longer, either.
    with pytest.raises(aws.ClientError):
        aws.s3(daypass, keys).list_objects_v2(Bucket=daypass.bucket, Prefix=f"{identity_id}/")
    terminal.log_in("ada")
    done(terminal.aws("--profile", "work", "s3", "ls", f"s3://{daypass.bucket}/{identity_id}/"))


def test_signing_out_everywhere_ends_other_machines(terminal, daypass, tmp_path):
    other = Terminal(daypass, tmp_path / "other")
    other.home.mkdir()
    terminal.log_in("ada")
    other.log_in("ada")
    done(terminal.run("logout", "--everywhere"))
    gone = other.run("whoami")
    assert gone.returncode != 0
    assert "is over" in gone.stderr


@pytest.fixture
def agent(terminal):
    """The variables that a running agent printed."""
    process = terminal.start("agent", "--port", "0", "--url", terminal.daypass.server_url)
    lines = [process.stdout.readline().strip().removeprefix("export ") for _ in range(2)]
    yield dict(line.split("=", 1) for line in lines)
    process.terminate()
    process.communicate(timeout=STOP_LIMIT)
    assert process.returncode == 0


def test_the_agent_serves_boto3_and_the_cli(daypass, terminal, agent, monkeypatch):
    terminal.log_in("ada")
    identity_id = terminal.whoami()["identity_id"]
    for name, value in agent.items():
        monkeypatch.setenv(name, value)
    s3 = terminal.session().client(
        "s3", endpoint_url=daypass.s3_url, region_name=daypass.region, config=Config(s3={"addressing_style": "path"})
    )
    s3.put_object(Bucket=daypass.bucket, Key=f"{identity_id}/agent.txt", Body=b"by the agent")
    assert s3._request_signer._credentials.method == "container-role"
    where = ["--endpoint-url", daypass.s3_url, "--region", daypass.region]
    listed = terminal.aws(*where, "s3", "ls", f"s3://{daypass.bucket}/{identity_id}/", **agent)
    assert "agent.txt" in done(listed)


def test_the_agent_says_what_to_type(terminal, agent):
    refused = terminal.aws("--region", "us-east-1", "s3", "ls", **agent)
    assert refused.returncode != 0
    assert "type `daypass login http" in refused.stderr


PROCESSES = 40


def test_of_forty_commands_at_expiry_one_refreshes(daypass, terminal):
    terminal.log_in("ada", "--profile", "work")
    identity_id = terminal.whoami()["identity_id"]
    folder = f"s3://{daypass.bucket}/{identity_id}/"
    (terminal.home / "here.txt").write_text("from the terminal")
    done(terminal.aws("--profile", "work", "s3", "cp", terminal.home / "here.txt", folder))
    (file,) = (terminal.home / ".local/state/daypass").glob("*.json")
    session = json.loads(file.read_text())
    credentials = session["state"]["signed_in"]["credentials"]
    credentials["asked_at"] -= 3600
    credentials["expires_at"] -= 3600
    file.write_text(json.dumps(session))

    listing = [Path(sys.executable).with_name("aws"), "--profile", "work", "s3", "ls", folder]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    commands = [
        subprocess.Popen([*map(str, listing)], env=terminal.environment(), text=True, **pipes) for _ in range(PROCESSES)
    ]
    assert {(command.communicate()[1], command.returncode) for command in commands} == {("", 0)}
    listed = terminal.run("audit", "list", "--json", "--limit", "500", "--dir", daypass.dir)
    events = [json.loads(line) for line in done(listed).splitlines()]
    refreshed = [it for it in events if it["action"] == "refresh" and it.get("identity_id") == identity_id]
    assert len(refreshed) == 1, refreshed
