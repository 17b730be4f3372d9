"""The stores that every test of this suite asks, by the same scripts: Daypass with its developer's key, Daypass with a
person's temporary credentials, moto, which shows that the scripts are fair, and SeaweedFS as a second opinion."""

import contextlib
from dataclasses import dataclass, field

import boto3
from botocore.config import Config

from support import aws, login, moto, seaweedfs
from support.server import Daypass

NAMES = ("daypass", "person", "moto", "seaweedfs")
# Those whose credentials may make and remove buckets.
WITH_BUCKETS = ("daypass", "moto", "seaweedfs")
# Those that are Daypass.
OURS = ("daypass", "person")

BUCKET = "suite"
LIMIT = 20  # seconds; only what hangs meets it


@dataclass(frozen=True)
class Store:
    """One end of S3: where it is, and what a test may do there: everything below `prefix` of `bucket`."""

    name: str
    url: str
    bucket: str
    credentials: dict
    prefix: str = ""
    region: str = "us-east-1"
    # The Daypass that this is, if it is one.
    daypass: object = None
    _clients: dict = field(default_factory=dict)

    def client(self, **config):
        """boto3's client, which does not try again: that would hide an answer that it should not have got."""
        key = repr(sorted(config.items()))
        if key not in self._clients:
            usual = {"signature_version": "s3v4", "s3": {"addressing_style": "path"}, "read_timeout": LIMIT}
            self._clients[key] = boto3.client(
                "s3",
                endpoint_url=self.url,
                region_name=self.region,
                config=aws.ONCE.merge(Config(**usual | config)),
                **self.credentials,
            )
        return self._clients[key]

    @property
    def keys(self):
        """The access key ID, the secret and, if there is one, the session token."""
        return tuple(self.credentials.values())

    def environment(self):
        """What tells any program of AWS's family where this is and who asks."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return dict(zip(names, self.keys, strict=False)) | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def of_developer(daypass):
    key_id, secret = aws.developer_key(daypass)
    credentials = {"aws_access_key_id": key_id, "aws_secret_access_key": secret}
    return Store("daypass", daypass.s3_url, daypass.bucket, credentials, region=daypass.region, daypass=daypass)


def of_person(daypass, name="ada"):
    person = login.log_in(daypass, name)
    credentials = aws.credentials_of(daypass, person)
    prefix = f"{person.identity_id}/"
    return Store("person", daypass.s3_url, daypass.bucket, credentials, prefix, daypass.region, daypass)


@contextlib.contextmanager
def running(name, directory):
    """The store of this name, started for the tests."""
    match name:
        case "daypass" | "person":
            with Daypass(directory / "state") as daypass:
                yield of_developer(daypass) if name == "daypass" else of_person(daypass)
        case "moto":
            with moto.Moto() as server:
                yield with_bucket(Store(name, server.url, BUCKET, moto.CREDENTIALS))
        case "seaweedfs":
            ports = seaweedfs.Ports()
            with seaweedfs.SeaweedFS(directory, ports) as server:
                yield with_bucket(Store(name, server.url, BUCKET, seaweedfs.ADMIN))


def with_bucket(store):
    store.client().create_bucket(Bucket=store.bucket)
    return store
