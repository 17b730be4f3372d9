"""The unmodified clients of AWS, pointed at a Daypass. Not one of them is told more than a user would tell it:
an endpoint, or the written profile."""

import contextlib

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

# A client that tries again would hide an answer that it should not have got.
ONCE = Config(retries={"total_max_attempts": 1})


def anonymous(daypass, service):
    """A client without any credentials, such as a phone holds before it is logged in."""
    return boto3.client(
        service,
        endpoint_url=daypass.s3_url if service == "s3" else daypass.server_url,
        region_name=daypass.region,
        config=ONCE.merge(Config(signature_version=UNSIGNED)),
    )


def developer(daypass, service, **credentials):
    """A client that takes key, Region and endpoint from the profile that `up` wrote."""
    session = botocore.session.Session(profile=daypass.aws_profile)
    session.set_config_variable("config_file", daypass.aws_config_file)
    session.set_config_variable("credentials_file", daypass.aws_shared_credentials_file)
    return boto3.Session(botocore_session=session).client(service, config=ONCE, **credentials)


def developer_key(daypass):
    """The developer's access key ID and secret, as the profile holds them."""
    credentials = developer(daypass, "sts")._request_signer._credentials
    return credentials.access_key, credentials.secret_key


def credentials_of(daypass, person):
    """Temporary credentials by the enhanced flow, as keyword arguments for a client."""
    answer = anonymous(daypass, "cognito-identity").get_credentials_for_identity(
        IdentityId=person.identity_id, Logins=person.logins
    )
    given = answer["Credentials"]
    return keywords(given["AccessKeyId"], given["SecretKey"], given["SessionToken"])


def assume_role(daypass, person, **parameters):
    """`AssumeRoleWithWebIdentity`, the classic flow's last call."""
    parameters = {"RoleArn": daypass.role_arn, "RoleSessionName": "test", **parameters}
    return anonymous(daypass, "sts").assume_role_with_web_identity(WebIdentityToken=person.token, **parameters)


def assumed(answer):
    """The credentials in an answer of STS, as keyword arguments for a client."""
    given = answer["Credentials"]
    return keywords(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def keywords(key_id, secret, session_token):
    return {"aws_access_key_id": key_id, "aws_secret_access_key": secret, "aws_session_token": session_token}


def s3(daypass, credentials, signature_version="s3v4"):
    """S3 with temporary credentials."""
    config = Config(signature_version=signature_version, s3={"addressing_style": "path"})
    return boto3.client(
        "s3", endpoint_url=daypass.s3_url, region_name=daypass.region, config=ONCE.merge(config), **credentials
    )


def identity_ids(pools, pool_id, page_size=60):
    """The IDs of all identities of a pool, page by page; botocore has no paginator for this call."""
    found, more = [], {}
    while True:
        page = pools.list_identities(IdentityPoolId=pool_id, MaxResults=page_size, **more)
        found += [identity["IdentityId"] for identity in page["Identities"]]
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}


@contextlib.contextmanager
def refused(code, message=None, status=None):
    """Expects an error of AWS's form, as botocore reads it."""
    with pytest.raises(ClientError) as caught:
        yield caught
    error, metadata = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message
    if status is not None:
        assert metadata["HTTPStatusCode"] == status
    assert metadata.get("RequestId"), metadata


def lookup(pools, daypass, user):
    """The identity of a developer user identifier."""
    answer = pools.lookup_developer_identity(
        IdentityPoolId=daypass.identity_pool_id, DeveloperUserIdentifier=user
    )
    return answer["IdentityId"]
