"""`daypass up` as a program: its ready line, its state directory, its end."""

import contextlib
import http.client
import json
import os
import signal
import stat
import subprocess

import pytest
from botocore.exceptions import ClientError

from support import aws, login
from support.server import Daypass, program

FIELDS = {
    "server_url", "s3_url", "sandbox_url", "issuer", "region", "account_id", "identity_pool_id", "developer_provider",
    "role_arn", "guest_role_arn", "bucket", "dir", "aws_config_file", "aws_shared_credentials_file", "aws_profile",
}  # fmt: skip


def test_the_ready_line_is_the_only_line_and_names_everything(tmp_path):
    daypass = Daypass(tmp_path / "state")
    assert daypass.ready.keys() >= FIELDS
    assert os.path.isabs(daypass.dir)
    assert daypass.stop() == (0, "")


def test_programs_hear_of_it_before_people_do(tmp_path):
    ready_file = tmp_path / "ready.json"
    ready_file.write_text('{"of": "an earlier one"}')
    command = [program(), "up", "--port", "0", "--dir", str(tmp_path / "state"), "--ready-file", str(ready_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        ready = json.loads(process.stdout.readline())
        assert process.stdout.readline() == "Daypass is up.\n"
        assert json.loads(ready_file.read_text()) == ready
        process.terminate()
        process.stdout.read()
    assert not ready_file.exists()


def test_a_presigned_url_works_with_the_written_profile_alone(daypass):
    s3 = aws.developer(daypass, "s3")
    s3.put_object(Bucket=daypass.bucket, Key="presigned.txt", Body=b"as it stands")
    wanted = {"Bucket": daypass.bucket, "Key": "presigned.txt"}
    url = s3.generate_presigned_url("get_object", Params=wanted)
    assert url.startswith(f"{daypass.s3_url}/{daypass.bucket}/presigned.txt?")
    answer = login.HTTP.request("GET", url)
    assert (answer.status, answer.data) == (200, b"as it stands")


def test_a_service_that_is_not_there_is_not_looked_for_at_aws(daypass):
    with pytest.raises(ClientError) as refused:
        aws.developer(daypass, "dynamodb").list_tables()
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"


def test_an_answer_before_the_end_of_a_body_reaches_who_still_sends(daypass):
    """A short rest is read and thrown away; of a long one the answer says that the connection ends."""
    path = f"/{daypass.bucket}/unsigned"
    with contextlib.closing(http.client.HTTPConnection(daypass.s3_url.removeprefix("http://"))) as connection:
        for _ in range(2):
            connection.request("PUT", path, body=b"x" * 1_000_000)
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("connection")) == (403, None)
            assert b"AccessDenied" in answer.read()
        connection.request("PUT", path, headers={"Content-Length": "20000000"})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("connection")) == (403, "close")
        answer.read()


def test_the_ports_are_consecutive(daypass):
    ports = [int(url.rsplit(":", 1)[1]) for url in (daypass.server_url, daypass.s3_url, daypass.sandbox_url)]
    assert ports == [daypass.port, daypass.port + 1, daypass.port + 2]


def test_the_written_key_is_readable_by_its_owner_alone(daypass):
    assert stat.S_IMODE(os.stat(daypass.aws_shared_credentials_file).st_mode) & 0o077 == 0


def test_it_says_that_it_is_alive_and_ready(daypass):
    for path in ("/healthz", "/readyz"):
        assert login.HTTP.request("GET", daypass.server_url + path).status == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["asked to end", "killed"])
def test_identities_keys_and_tokens_outlive_the_process(tmp_path, how):
    before = Daypass(tmp_path / "state")
    person = login.log_in(before, "ada")
    keys = login.get_json(f"{before.issuer}/.well-known/jwks.json")
    port, pool_id = before.port, before.identity_pool_id
    before.stop(how)

    with Daypass(tmp_path / "state", port) as after:
        assert after.identity_pool_id == pool_id
        assert login.get_json(f"{after.issuer}/.well-known/jwks.json") == keys
        assert aws.credentials_of(after, person)
        assert login.log_in(after, "ada").identity_id == person.identity_id
        assert aws.developer(after, "cognito-identity").describe_identity(IdentityId=person.identity_id)
