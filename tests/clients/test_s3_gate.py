"""The one gate in front of S3: whose signature, over what, until when. Everything else is refused."""

import base64
import datetime
import secrets
from urllib.parse import quote, urlsplit

import pytest
from botocore import auth
from botocore.exceptions import ClientError

from support import aws, login

REFUSALS = {"AccessDenied", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "SignatureDoesNotMatch"}


@pytest.fixture(scope="module")
def mine(daypass, ada, ada_s3):
    key = f"{ada.identity_id}/gate.txt"
    ada_s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"mine")
    return key


def get_is_refused(daypass, credentials, key, **client):
    with pytest.raises(ClientError) as caught:
        aws.s3(daypass, credentials, **client).get_object(Bucket=daypass.bucket, Key=key)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    assert caught.value.response["Error"]["Code"] in REFUSALS, caught.value


def test_nobody(daypass, mine):
    with aws.refused("AccessDenied", status=403):
        aws.anonymous(daypass, "s3").get_object(Bucket=daypass.bucket, Key=mine)


def test_the_signature_of_another_decade(daypass, ada_credentials, mine):
    """SigV2 signs neither the host nor the body."""
    with aws.refused("InvalidRequest", status=400):
        aws.s3(daypass, ada_credentials, signature_version="s3").get_object(Bucket=daypass.bucket, Key=mine)


@pytest.mark.parametrize("at", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_tampered_session_token(daypass, ada_credentials, mine, at):
    """Two neighbours change, because the last character alone may carry bits that mean nothing."""
    token = ada_credentials["aws_session_token"]
    place = int(at * (len(token) - 2))
    changed = "".join("A" if character != "A" else "B" for character in token[place : place + 2])
    tampered = token[:place] + changed + token[place + 2 :]
    get_is_refused(daypass, {**ada_credentials, "aws_session_token": tampered}, mine)


@pytest.mark.parametrize("forged", [None, "x", "=" * 64, "A" * 800], ids=["absent", "short", "padding", "long"])
def test_a_forged_session_token(daypass, ada_credentials, mine, forged):
    get_is_refused(daypass, {**ada_credentials, "aws_session_token": forged}, mine)


def test_a_session_token_of_random_bytes(daypass, ada_credentials, mine):
    forged = base64.urlsafe_b64encode(secrets.token_bytes(600)).decode()
    get_is_refused(daypass, {**ada_credentials, "aws_session_token": forged}, mine)


@pytest.mark.parametrize("theirs", ["aws_session_token", "aws_secret_access_key", "aws_access_key_id"])
def test_parts_of_two_sessions(daypass, ada_credentials, grace_credentials, mine, theirs):
    get_is_refused(daypass, {**ada_credentials, theirs: grace_credentials[theirs]}, mine)


def test_parts_of_two_sessions_of_one_person(daypass, ada, ada_credentials, mine):
    other = aws.credentials_of(daypass, ada)
    mixed = {**ada_credentials, "aws_session_token": other["aws_session_token"]}
    get_is_refused(daypass, mixed, mine)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_request_of_another_time(daypass, ada_s3, mine, monkeypatch, minutes):
    set_clock(monkeypatch, minutes)
    with aws.refused("RequestTimeTooSkewed", status=403):
        ada_s3.get_object(Bucket=daypass.bucket, Key=mine)


class TestPresignedAddresses:
    """An address that carries its own permission: as much as was signed, and no longer than was signed."""

    @pytest.fixture
    def presign(self, daypass, ada_s3, mine):
        def presign(operation="get_object", seconds=300, key=mine, **parameters):
            parameters = {"Bucket": daypass.bucket, "Key": key, **parameters}
            return ada_s3.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)

        return presign

    def test_it_opens_the_object(self, presign):
        answer = login.HTTP.request("GET", presign())
        assert (answer.status, answer.data) == (200, b"mine")

    def test_it_takes_an_upload(self, daypass, ada, ada_s3, presign):
        key = f"{ada.identity_id}/presigned.txt"
        assert login.HTTP.request("PUT", presign("put_object", key=key), body=b"uploaded").status == 200
        assert ada_s3.get_object(Bucket=daypass.bucket, Key=key)["Body"].read() == b"uploaded"

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
    def test_for_another_method(self, presign, method):
        assert login.HTTP.request(method, presign(), body=b"changed").status in (403, 405)

    def test_for_another_object(self, presign):
        assert_refused(presign().replace("gate.txt", "gate2.txt"))

    def test_for_another_person(self, presign, ada, grace):
        mine, hers = quote(ada.identity_id, safe=""), quote(grace.identity_id, safe="")
        assert mine in presign()
        assert_refused(presign().replace(mine, hers))

    def test_for_another_person_although_rightly_signed(self, presign, grace):
        assert_refused(presign(key=f"{grace.identity_id}/gate.txt"), "AccessDenied")

    @pytest.mark.parametrize("parameter", ["X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Credential"])
    def test_with_a_parameter_changed(self, presign, parameter):
        assert_refused(change_digit(presign(), parameter))

    def test_with_another_answer_than_was_signed(self, presign):
        assert_refused(presign() + "&response-content-type=text%2Fhtml")

    def test_after_its_time(self, presign, monkeypatch):
        set_clock(monkeypatch, -6)
        assert_refused(presign(seconds=300), "AccessDenied")

    def test_before_its_time(self, presign, monkeypatch):
        set_clock(monkeypatch, 16)
        assert_refused(presign(seconds=300))

    def test_of_another_decade(self, daypass, ada_credentials, mine):
        s3 = aws.s3(daypass, ada_credentials, signature_version="s3-query")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": daypass.bucket, "Key": mine})
        assert "AWSAccessKeyId=" in url
        assert_refused(url)

    def test_for_longer_than_a_week(self, presign):
        assert_refused(presign(seconds=604_801))

    def test_without_the_session_token(self, presign):
        url = presign()
        query = [part for part in urlsplit(url).query.split("&") if not part.startswith("X-Amz-Security-Token=")]
        assert_refused(urlsplit(url)._replace(query="&".join(query)).geturl())


def assert_refused(url, code=None):
    answer = login.HTTP.request("GET", url)
    assert answer.status in (400, 403), answer.data
    assert b"mine" not in answer.data
    if code:
        assert f"<Code>{code}</Code>".encode() in answer.data


def change_digit(url, parameter):
    parts = urlsplit(url)
    query = [change(part) if part.startswith(parameter + "=") else part for part in parts.query.split("&")]
    assert query != parts.query.split("&")
    return parts._replace(query="&".join(query)).geturl()


def change(part):
    """`part` with its first digit replaced by another."""
    place = next(index for index, character in enumerate(part) if character.isdigit())
    return part[:place] + ("1" if part[place] != "1" else "2") + part[place + 1 :]


def set_clock(monkeypatch, minutes):
    """Lets botocore believe that it is so many minutes later."""
    moved = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_: moved)


def test_what_stands_in_a_document_is_not_in_the_log(daypass, ada_credentials, mine):
    """Not even in one that cannot be read."""
    word, s3 = secrets.token_hex(16), aws.s3(daypass, ada_credentials)

    def break_off(params, **_):
        params["body"] = params["body"].replace(b"</Tagging>", b"")
        for name in [name for name in params["headers"] if name.lower().startswith(("content-md5", "x-amz-checksum", "x-amz-sdk"))]:
            del params["headers"][name]

    s3.meta.events.register_last("before-call.s3.PutObjectTagging", break_off)
    with aws.refused("MalformedXML", status=400):
        tags = [{"Key": "a", "Value": word}]
        s3.put_object_tagging(Bucket=daypass.bucket, Key=mine, Tagging={"TagSet": tags})
    # Lines are written in order: what came before the next refusal is there with it.
    with aws.refused("NoSuchKey", status=404) as caught:
        aws.s3(daypass, ada_credentials).get_object(Bucket=daypass.bucket, Key=f"{mine}-no")
    assert word not in daypass.log_with(caught.value.response["ResponseMetadata"]["RequestId"])
