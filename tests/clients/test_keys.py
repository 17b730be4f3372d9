"""Developer access keys as an operator makes them on the command line, beside a running server."""

import configparser
import json
import subprocess

import boto3
import pytest

from support import aws
from support.server import program

TOKENS = ("--preset", "tokens")


def key(daypass, *arguments):
    return subprocess.run(
        [program(), "key", *arguments, "--dir", daypass.dir],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def made(daypass, *arguments):
    """The key that a command printed, as keyword arguments for a client."""
    done = key(daypass, *arguments)
    assert done.returncode == 0, done.stderr
    block = configparser.ConfigParser()
    block.read_string(done.stdout)
    assert block.sections() == [arguments[1]]
    assert block[arguments[1]]["aws_secret_access_key"] not in done.stderr
    return dict(block[arguments[1]])


def vouch(daypass, credentials, pool_id=None):
    pools = aws.developer(daypass, "cognito-identity", **credentials)
    return pools.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool_id or daypass.identity_pool_id, Logins={daypass.developer_provider: "keys:ada"}
    )


def policy_file(tmp_path, *statements):
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return str(file)


def test_a_backend_vouches_in_its_pool_and_does_nothing_else(daypass, pools):
    backend = made(daypass, "create", "backend", *TOKENS)
    assert vouch(daypass, backend)["IdentityId"]
    with aws.refused(
        "AccessDeniedException",
        "User: arn:aws:iam::000000000000:user/backend is not authorized to perform: "
        "cognito-identity:ListIdentityPools on resource: *",
        status=400,
    ):
        aws.developer(daypass, "cognito-identity", **backend).list_identity_pools(MaxResults=1)
    other = pools.create_identity_pool(
        IdentityPoolName="other", AllowUnauthenticatedIdentities=False, DeveloperProviderName=daypass.developer_provider
    )["IdentityPoolId"]
    with aws.refused("AccessDeniedException", status=400):
        vouch(daypass, backend, other)
    of_other = made(daypass, "create", "backend-of-other", *TOKENS, "--pool", other)
    assert vouch(daypass, of_other, other)["IdentityId"]
    with aws.refused("AccessDenied", status=403):
        aws.developer(daypass, "s3", **backend).list_objects_v2(Bucket=daypass.bucket)


def test_the_printed_block_is_a_credentials_file(daypass, tmp_path, monkeypatch):
    file = tmp_path / "credentials"
    file.write_text(key(daypass, "create", "from-file", *TOKENS).stdout)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    session = boto3.Session(profile_name="from-file", region_name=daypass.region)
    caller = session.client("sts", endpoint_url=daypass.server_url, config=aws.ONCE).get_caller_identity()
    assert caller["Arn"] == "arn:aws:iam::000000000000:user/from-file"
    assert caller["UserId"].startswith("AIDA")


def test_a_key_reads_objects_if_its_policy_says_so(daypass, tmp_path, ada, ada_s3):
    ada_s3.put_object(Bucket=daypass.bucket, Key=f"{ada.identity_id}/keys.txt", Body=b"seen")
    objects = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{daypass.bucket}/*"}
    reader = made(daypass, "create", "reader", "--policy", policy_file(tmp_path, objects))
    s3 = aws.developer(daypass, "s3", **reader)
    read = s3.get_object(Bucket=daypass.bucket, Key=f"{ada.identity_id}/keys.txt")
    assert read["Body"].read() == b"seen"
    for refused in (
        lambda: s3.put_object(Bucket=daypass.bucket, Key=f"{ada.identity_id}/keys.txt", Body=b"changed"),
        lambda: s3.list_buckets(),
        lambda: s3.get_bucket_location(Bucket=daypass.bucket),
    ):
        with aws.refused("AccessDenied", status=403):
            refused()
    with aws.refused("NotImplemented", status=501):
        s3.get_bucket_accelerate_configuration(Bucket=daypass.bucket)


def test_a_disabled_key_ends_with_the_next_request(daypass):
    backend = made(daypass, "create", "disabled", *TOKENS)
    key_id = backend["aws_access_key_id"]
    vouch(daypass, backend)
    assert key(daypass, "disable", key_id).stdout == f"The access key {key_id} of disabled is disabled.\n"
    with aws.refused("UnrecognizedClientException", status=400):
        vouch(daypass, backend)
    with aws.refused("InvalidAccessKeyId", status=403):
        aws.developer(daypass, "s3", **backend).list_buckets()
    assert key(daypass, "enable", key_id).returncode == 0
    assert vouch(daypass, backend)["IdentityId"]


def test_a_rotated_key_takes_over(daypass):
    old = made(daypass, "create", "rotated", *TOKENS)
    new = made(daypass, "rotate", "rotated")
    assert vouch(daypass, old)["IdentityId"] == vouch(daypass, new)["IdentityId"]
    third = key(daypass, "rotate", "rotated")
    assert (third.returncode, third.stdout) == (1, "")
    assert "two access keys of that name are enabled" in third.stderr
    old_id = old["aws_access_key_id"]
    early = key(daypass, "delete", old_id)
    assert (early.returncode, early.stdout) == (1, "")
    assert "comes first" in early.stderr
    assert key(daypass, "disable", old_id).returncode == 0
    assert key(daypass, "delete", old_id).returncode == 0
    assert vouch(daypass, new)["IdentityId"]
    listed = key(daypass, "list").stdout
    assert old_id not in listed
    assert new["aws_access_key_id"] in listed


def test_the_list_fits_a_terminal_and_shows_no_secret(daypass):
    backend = made(daypass, "create", "listed", *TOKENS)
    listed = key(daypass, "list").stdout
    assert listed.splitlines()[0].split() == ["ID", "STATE", "CREATED", "NAME"]
    assert any(line.split()[::3] == [backend["aws_access_key_id"], "listed"] for line in listed.splitlines())
    assert max(map(len, listed.splitlines())) <= 80
    assert backend["aws_secret_access_key"] not in listed


def test_the_policy_is_shown_as_it_was_given(daypass, tmp_path):
    file = policy_file(tmp_path, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    made(daypass, "create", "shown", "--policy", file)
    assert key(daypass, "policy", "shown").stdout == (tmp_path / "policy.json").read_text() + "\n"


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("create", "up", "--preset", "admin"), "daypass key rotate up"),
        (("create", "x", "--preset", "tokens", "--pool", "us-east-1:0a"), "there is no pool us-east-1:0a"),
        (("create", "x", "--preset", "admin", "--pool", "us-east-1:0a"), "leave --pool out"),
        (("create", "x", "--policy", "nowhere.json"), "cannot read nowhere.json"),
        (("rotate", "nobody"), "there is no access key of nobody"),
        (("policy", "nobody"), "there is no access key of nobody"),
        (("disable", "AKIAIOSFODNN7EXAMPLE"), "daypass key list"),
        (("delete", "AKIAIOSFODNN7EXAMPLE"), "daypass key list"),
    ],
)
def test_a_refusal_names_the_cure(daypass, arguments, cure):
    done = key(daypass, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert cure in done.stderr


def test_a_policy_with_a_mistake_is_refused_with_the_place(daypass, tmp_path):
    file = policy_file(tmp_path, {"Effect": "Allow", "Action": "*", "Resource": "pool"})
    done = key(daypass, "create", "mistaken", "--policy", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{file}: statement 1, Resource: " in done.stderr
    assert "mistaken" not in key(daypass, "list").stdout


def test_every_change_is_in_the_trail_without_the_secret(daypass):
    backend = made(daypass, "create", "trailed", *TOKENS)
    key(daypass, "disable", backend["aws_access_key_id"])
    asked = subprocess.run(
        [program(), "audit", "who", backend["aws_access_key_id"], "--dir", daypass.dir],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "create_key" in asked
    assert "disable_key" in asked
    assert "user trailed" in asked
    assert backend["aws_secret_access_key"] not in asked
