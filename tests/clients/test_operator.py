"""What an operator asks and orders from the command line, beside a running server."""

import json
import subprocess
from pathlib import Path

import pytest
from support import aws, login
from support.server import program

KEY = "operator.txt"


def run(daypass, *command):
    return subprocess.run(
        [program(), *command, "--dir", daypass.dir], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def trail_of(daypass):
    files = sorted(Path(daypass.dir, "daypass.db-audit").glob("*.jsonl"))
    return "".join(file.read_text() for file in files)


def who(daypass, subject):
    asked = run(daypass, "audit", "who", subject)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


class TestAuditWho:
    def test_the_person_behind_an_identity(self, daypass, ada):
        answer = who(daypass, ada.identity_id)
        assert answer.startswith("person    snapchat:")
        assert "exchange" in answer

    def test_the_person_behind_an_access_key(self, daypass, ada, ada_credentials):
        answer = who(daypass, ada_credentials["aws_access_key_id"])
        assert answer.startswith("person    snapchat:")
        assert f"identity  {ada.identity_id}" in answer

    def test_the_person_behind_a_request(self, daypass, ada, grace_s3):
        with pytest.raises(aws.ClientError) as caught:
            grace_s3.get_object(Bucket=daypass.bucket, Key=f"{ada.identity_id}/secret.txt")
        request_id = caught.value.response["ResponseMetadata"]["RequestId"]
        answer = who(daypass, request_id)
        assert answer.startswith("person    snapchat:")
        assert "refused" in answer
        assert f"s3:GetObject arn:aws:s3:::{daypass.bucket}/{ada.identity_id}/secret.txt" in answer

    def test_nobody(self, daypass):
        asked = run(daypass, "audit", "who", "us-east-1:00000000-0000-4000-8000-000000000000")
        assert asked.returncode == 1
        assert "knows nothing" in asked.stderr

    def test_something_that_is_no_id(self, daypass):
        asked = run(daypass, "audit", "who", "Ada")
        assert (asked.returncode, asked.stdout) == (1, "")
        assert "request ID" in asked.stderr


def test_neither_trail_nor_log_holds_a_token_or_a_secret(daypass):
    code = login.authorize(daypass, "zoe").proof()
    answer = login.exchange(daypass, {**code, "credentials": True})
    credentials = answer["credentials"]
    with pytest.raises(login.Refused) as refused:
        login.exchange(daypass, code)
    secrets = [code["code"], code["code_verifier"], answer["token"]]
    secrets += [credentials["secret_access_key"], credentials["session_token"]]
    written = trail_of(daypass) + daypass.log_with(refused.value.problem["request_id"])
    written += who(daypass, credentials["access_key_id"])
    assert credentials["access_key_id"] in written
    assert not [secret for secret in secrets if secret in written]


def test_every_line_of_the_trail_is_an_event(daypass, ada):
    lines = [json.loads(line) for line in trail_of(daypass).splitlines()]
    events = [line for line in lines if "action" in line]
    mine = [event for event in events if event.get("identity_id") == ada.identity_id]
    assert {event["action"] for event in mine} >= {"exchange"}
    assert all(event["outcome"] in ("allowed", "refused") and event["request_id"] for event in events)
    assert all(event.get("reason") for event in events if event["outcome"] == "refused")


class TestRevoke:
    def test_an_identitys_credentials_and_tokens_end_at_once(self, daypass):
        zoe = login.log_in(daypass, "zoe")
        credentials = aws.credentials_of(daypass, zoe)
        s3, key = aws.s3(daypass, credentials), f"{zoe.identity_id}/{KEY}"
        s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"before")
        assert run(daypass, "revoke", zoe.identity_id).returncode == 0
        with aws.refused("ExpiredToken", status=400):
            s3.get_object(Bucket=daypass.bucket, Key=key)
        with aws.refused("NotAuthorizedException", f"Access to Identity '{zoe.identity_id}' is forbidden."):
            aws.credentials_of(daypass, zoe)
        with aws.refused("AccessDenied", status=403):
            aws.assume_role(daypass, zoe)

    def test_an_unknown_identity(self, daypass):
        revoked = run(daypass, "revoke", "us-east-1:00000000-0000-4000-8000-000000000000")
        assert revoked.returncode == 0, revoked.stderr
        assert "There is no identity of this ID now." in revoked.stdout

    def test_the_role_of_guests(self, daypass):
        revoked = run(daypass, "revoke", "unauthenticated")
        assert revoked.returncode == 0, revoked.stderr
        assert revoked.stdout.startswith("Sessions of unauthenticated that began until ")

    def test_an_unknown_role(self, daypass):
        revoked = run(daypass, "revoke", "authenticatd")
        assert revoked.returncode == 1
        assert "there is no role authenticatd" in revoked.stderr


def test_a_second_up_keeps_out_of_the_directory(daypass):
    second = run(daypass, "up", "--port", "0")
    assert (second.returncode, second.stdout) == (1, "")
    assert "another `daypass up` runs on" in second.stderr
