"""One Daypass whose credentials come from one SeaweedFS, and the people in it."""

import boto3
import pytest
from botocore.config import Config

from support import aws
from support.seaweedfs import ADMIN, Ports, SeaweedFS
from support.server import Daypass
from trust import BUCKET, iam, role_arn

pytest_plugins = ["support.fixtures"]


def write_config(directory, url):
    """What a developer writes to have credentials of the store at `url`."""
    file = directory / "daypass.toml"
    file.write_text(
        f'[credentials]\nsource = "sts"\nurl = "{url}"\nduration = "1h"\n\n[credentials.roles]\n'
        f'"{role_arn("authenticated")}" = "{role_arn("Person")}"\n'
        f'"{role_arn("unauthenticated")}" = "{role_arn("Guest")}"\n'
    )
    return file


@pytest.fixture(scope="session")
def ports():
    return Ports()


@pytest.fixture(scope="session")
def daypass(tmp_path_factory, ports):
    directory = tmp_path_factory.mktemp("daypass")
    config = write_config(directory, ports.url)
    with Daypass(directory / "state", config=config) as running:
        yield running


@pytest.fixture(scope="session")
def store(tmp_path_factory, ports, daypass):
    directory = tmp_path_factory.mktemp("seaweedfs")
    with SeaweedFS(directory, ports, iam(daypass.issuer, daypass.identity_pool_id)) as running:
        admin = s3_at(running, ADMIN)
        admin.create_bucket(Bucket=BUCKET)
        admin.put_object(Bucket=BUCKET, Key="public/hello.txt", Body=b"hello")
        yield running


def s3_at(store, credentials):
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    return boto3.client(
        "s3", endpoint_url=store.url, region_name="us-east-1", config=aws.ONCE.merge(config), **credentials
    )


@pytest.fixture(scope="session")
def pools(daypass):
    """The developer's client of it, for a pool that takes guests."""
    client = aws.developer(daypass, "cognito-identity")
    pool = client.describe_identity_pool(IdentityPoolId=daypass.identity_pool_id)
    pool.pop("ResponseMetadata")
    client.update_identity_pool(**{**pool, "AllowUnauthenticatedIdentities": True})
    set_roles(client, daypass)
    return client


def set_roles(pools, daypass, **other):
    roles = {"authenticated": daypass.role_arn, "unauthenticated": daypass.guest_role_arn, **other}
    pools.set_identity_pool_roles(IdentityPoolId=daypass.identity_pool_id, Roles=roles)


@pytest.fixture(scope="session")
def ada_credentials(daypass, ada, store):
    return aws.credentials_of(daypass, ada)


@pytest.fixture(scope="session")
def ada_s3(store, ada_credentials):
    return s3_at(store, ada_credentials)


@pytest.fixture(scope="session")
def grace_s3(daypass, store, grace):
    return s3_at(store, aws.credentials_of(daypass, grace))
