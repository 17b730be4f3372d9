"""Who may call the developer's operations: whoever signs with the developer's key, over exactly this request."""

import datetime

import boto3
import pytest
from botocore import auth

import aws


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
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_: now + datetime.timedelta(minutes=minutes))
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
