"""Who may call the developer's operations: whoever signs with the developer's key, over exactly this request."""

import datetime
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import boto3
import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import aws

STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"
WEEK = 604_800


def test_a_wrong_secret(daypass):
    key_id, _ = aws.developer_key(daypass)
    impostor = aws.developer(daypass, "cognito-identity", aws_access_key_id=key_id, aws_secret_access_key="guessed")
    with aws.refused("InvalidSignatureException", status=400):
        impostor.list_identity_pools(MaxResults=1)


def test_an_unknown_key(daypass):
    _, secret = aws.developer_key(daypass)
    stranger = aws.developer(
        daypass, "cognito-identity", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key=secret
    )
    with aws.refused("UnrecognizedClientException", status=400):
        stranger.list_identity_pools(MaxResults=1)


def test_no_signature(daypass, public):
    with aws.refused("MissingAuthenticationTokenException", status=400):
        public.list_identity_pools(MaxResults=1)


def test_a_persons_temporary_credentials(daypass, ada_credentials):
    """They reach what their role allows, and that is not the pool: else anybody could vouch for anybody."""
    person = aws.developer(daypass, "cognito-identity", **ada_credentials)
    with aws.refused("AccessDeniedException", status=400):
        person.get_open_id_token_for_developer_identity(
            IdentityPoolId=daypass.identity_pool_id, Logins={daypass.developer_provider: "snapchat:anybody"}
        )


def test_a_body_changed_on_the_way(daypass):
    pools = aws.developer(daypass, "cognito-identity")

    def change(request, **_):
        request.body = request.body.replace(b'"MaxResults": 1', b'"MaxResults": 9')

    pools.meta.events.register("before-send.cognito-identity", change)
    with aws.refused("InvalidSignatureException", status=400):
        pools.list_identity_pools(MaxResults=1)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_of_another_time(daypass, monkeypatch, minutes):
    pools = aws.developer(daypass, "cognito-identity")
    sign_at(monkeypatch, datetime.timedelta(minutes=minutes))
    with aws.refused("InvalidSignatureException", status=400):
        pools.list_identity_pools(MaxResults=1)


def test_a_signature_for_another_region(daypass):
    key_id, secret = aws.developer_key(daypass)
    elsewhere = boto3.client(
        "cognito-identity",
        endpoint_url=daypass.server_url,
        region_name="eu-west-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=aws.ONCE,
    )
    with aws.refused("InvalidSignatureException", status=400):
        elsewhere.list_identity_pools(MaxResults=1)


def test_a_signature_for_another_service(daypass):
    """The identity pool's client is misled to sign for STS, by the same key in the same Region."""
    pools = aws.developer(daypass, "cognito-identity")
    pools.meta.events.register(
        "choose-signer.cognito-identity",
        lambda context, **_: context.setdefault("signing", {}).update(signing_name="sts"),
    )
    with aws.refused("InvalidSignatureException", status=400):
        pools.list_identity_pools(MaxResults=1)


def sign_at(monkeypatch, offset):
    """Has botocore sign as if it were another time."""
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_: now + offset)


def presigned(daypass, expires=60, **credentials):
    """The URL by which Vault, EKS and others learn who somebody is."""
    sts = aws.developer(daypass, "sts", **credentials)
    return sts.generate_presigned_url("get_caller_identity", ExpiresIn=expires, HttpMethod="GET")


def fetch(url, headers=None, method="GET"):
    """The answer to a request that nobody signs: status, and the text of an XML element by its name."""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    root = ElementTree.fromstring(body)
    return status, lambda name: root.findtext(f".//{STS}{name}")


def assert_not_believed(url, code="SignatureDoesNotMatch", **request):
    status, text = fetch(url, **request)
    assert (status, text("Code")) == (403, code), text("Message")


def test_a_presigned_url_says_who_signed_it(daypass, ada_credentials):
    status, text = fetch(presigned(daypass))
    assert (status, text("Account")) == (200, daypass.account_id)
    assert text("Arn").startswith(f"arn:aws:iam::{daypass.account_id}:user/")
    assert text("UserId").startswith("AIDA")

    status, text = fetch(presigned(daypass, **ada_credentials))
    assert status == 200
    assert text("Arn").endswith("/CognitoIdentityCredentials")


def test_a_presigned_url_as_the_authenticator_of_eks_makes_it(daypass):
    """It signs the name of its cluster as a header, so that one cluster's URL is none at another's."""
    url = f"{daypass.server_url}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest(method="GET", url=url, headers={"x-k8s-aws-id": "mine"})
    signer = auth.SigV4QueryAuth(Credentials(*aws.developer_key(daypass)), "sts", daypass.region, expires=60)
    signer.add_auth(request)
    assert fetch(request.url, headers={"x-k8s-aws-id": "mine"})[0] == 200
    assert_not_believed(request.url, headers={"x-k8s-aws-id": "yours"})
    assert_not_believed(request.url, code="IncompleteSignature")


def test_a_presigned_url_outside_its_window(daypass, monkeypatch):
    for offset, expires in [(16, WEEK), (-2, 60)]:
        with monkeypatch.context() as patch:
            sign_at(patch, datetime.timedelta(minutes=offset))
            url = presigned(daypass, expires)
        assert_not_believed(url)
    with monkeypatch.context() as patch:
        sign_at(patch, datetime.timedelta(days=-6))
        url = presigned(daypass, WEEK)
    assert fetch(url)[0] == 200


def test_a_presigned_url_for_longer_than_a_week(daypass):
    assert_not_believed(presigned(daypass, WEEK + 1), code="IncompleteSignature")


def test_a_presigned_url_with_one_character_changed(daypass):
    """Each parameter in turn, at its end."""
    url = urllib.parse.urlsplit(presigned(daypass))
    parameters = urllib.parse.parse_qsl(url.query)
    assert len(parameters) == 8
    for index, (name, value) in enumerate(parameters):
        if name in ("Action", "Version"):
            continue
        other = value[:-1] + ("1" if value[-1] != "1" else "2")
        changed = [*parameters[:index], (name, other), *parameters[index + 1 :]]
        status, text = fetch(url._replace(query=urllib.parse.urlencode(changed)).geturl())
        assert status == 403, name
        assert text("Code") in ("SignatureDoesNotMatch", "IncompleteSignature"), name


def test_a_presigned_url_sent_by_another_method(daypass):
    assert_not_believed(presigned(daypass), method="POST")


@pytest.mark.parametrize(("service", "region"), [("sts", "eu-west-1"), ("cognito-identity", None), ("s3", None)])
def test_a_presigned_url_for_another_region_or_service(daypass, service, region):
    request = AWSRequest(
        method="GET", url=f"{daypass.server_url}/?Action=GetCallerIdentity&Version=2011-06-15"
    )
    credentials = Credentials(*aws.developer_key(daypass))
    auth.SigV4QueryAuth(credentials, service, region or daypass.region, expires=60).add_auth(request)
    assert_not_believed(request.url)
