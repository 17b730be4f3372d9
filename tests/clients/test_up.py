"""`daypass up` as a program: its ready line, its state directory, its end."""

import os
import signal
import stat

import pytest

from support import aws, login
from support.server import Daypass

FIELDS = {
    "server_url", "s3_url", "sandbox_url", "issuer", "region", "account_id", "identity_pool_id", "developer_provider",
    "role_arn", "guest_role_arn", "bucket", "dir", "aws_config_file", "aws_shared_credentials_file", "aws_profile",
}  # fmt: skip


def test_the_ready_line_is_the_only_line_and_names_everything(tmp_path):
    daypass = Daypass(tmp_path / "state")
    assert daypass.ready.keys() >= FIELDS
    assert os.path.isabs(daypass.dir)
    assert daypass.stop() == (0, "")


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
