"""Credentials that came by way of Daypass open one's own folder in SeaweedFS, and nobody else's."""

import contextlib
import datetime

import pytest
from botocore.exceptions import ClientError

from conftest import s3_at
from support import aws, login
from trust import BUCKET


@contextlib.contextmanager
def denied(status=403):
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status, caught.value.response


def folder(person):
    return f"private/{person.identity_id}"


def read(s3, key):
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def keys(s3, prefix):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def walk_own_folder(s3, person):
    key = f"{folder(person)}/walk.txt"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"mine")
    assert read(s3, key) == b"mine"
    assert key in keys(s3, f"{folder(person)}/")
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert key not in keys(s3, f"{folder(person)}/")


def test_everybody_has_their_own_folder(ada, ada_s3, grace, grace_s3):
    walk_own_folder(ada_s3, ada)
    walk_own_folder(grace_s3, grace)


def test_the_credentials_are_the_stores_own_and_last_an_hour(daypass, public, ada, ada_credentials):
    assert ada_credentials["aws_access_key_id"].startswith("ASIA")
    assert ada_credentials["aws_session_token"].startswith("eyJ")  # SeaweedFS's sessions are JWTs, ours are not
    answer = public.get_credentials_for_identity(IdentityId=ada.identity_id, Logins=ada.logins)
    left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.UTC)
    # The token that Ada showed lives for 15 minutes.
    assert datetime.timedelta(minutes=58) < left < datetime.timedelta(minutes=61)


class TestSomebodyElsesFolder:
    @pytest.fixture(autouse=True)
    def objects(self, ada, ada_s3, grace, grace_s3):
        self.hers, self.own = f"{folder(grace)}/diary.txt", f"{folder(ada)}/note.txt"
        grace_s3.put_object(Bucket=BUCKET, Key=self.hers, Body=b"secret")
        ada_s3.put_object(Bucket=BUCKET, Key=self.own, Body=b"note")
        yield
        assert read(grace_s3, self.hers) == b"secret"

    def test_get(self, ada_s3):
        with denied():
            ada_s3.get_object(Bucket=BUCKET, Key=self.hers)
        with denied():
            ada_s3.head_object(Bucket=BUCKET, Key=self.hers)

    def test_put(self, ada_s3):
        with denied():
            ada_s3.put_object(Bucket=BUCKET, Key=self.hers, Body=b"forged")
        with denied():
            ada_s3.create_multipart_upload(Bucket=BUCKET, Key=self.hers)

    @pytest.mark.parametrize("prefix", ["hers", "private/", ""])
    def test_list(self, ada_s3, grace, prefix):
        with denied():
            ada_s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{folder(grace)}/" if prefix == "hers" else prefix)

    def test_delete(self, ada_s3):
        with denied():
            ada_s3.delete_object(Bucket=BUCKET, Key=self.hers)

    def test_copy_from_it(self, ada, ada_s3):
        with denied():
            ada_s3.copy_object(
                Bucket=BUCKET, Key=f"{folder(ada)}/stolen.txt", CopySource={"Bucket": BUCKET, "Key": self.hers}
            )

    def test_copy_over_it(self, ada_s3):
        with denied():
            ada_s3.copy_object(Bucket=BUCKET, Key=self.hers, CopySource={"Bucket": BUCKET, "Key": self.own})

    def test_by_way_of_the_own_folder(self, ada, ada_s3, grace):
        with denied(400):
            ada_s3.get_object(Bucket=BUCKET, Key=f"{folder(ada)}/../{grace.identity_id}/diary.txt")


def test_an_exchange_brings_credentials_along(daypass, store, ada):
    answer = login.exchange(daypass, {**login.authorize(daypass, "ada").proof(), "credentials": True})
    given = answer["credentials"]
    key = aws.keywords(given["access_key_id"], given["secret_access_key"], given["session_token"])
    assert datetime.datetime.fromisoformat(given["expiration"]) > datetime.datetime.now(datetime.UTC)
    walk_own_folder(s3_at(store, key), ada)


class TestGuests:
    @pytest.fixture
    def guest_s3(self, daypass, store, public, pools):
        guest = public.get_id(IdentityPoolId=daypass.identity_pool_id)["IdentityId"]
        given = public.get_credentials_for_identity(IdentityId=guest)["Credentials"]
        return s3_at(store, aws.keywords(given["AccessKeyId"], given["SecretKey"], given["SessionToken"]))

    def test_a_guest_reads_what_is_public_and_writes_nothing(self, guest_s3):
        assert read(guest_s3, "public/hello.txt") == b"hello"
        assert keys(guest_s3, "public/") == ["public/hello.txt"]
        with denied():
            guest_s3.put_object(Bucket=BUCKET, Key="public/hello.txt", Body=b"forged")

    def test_a_guest_has_nothing_of_other_people(self, guest_s3, ada):
        with denied():
            guest_s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{folder(ada)}/")
