"""An OpenID token becomes temporary credentials, by Cognito's call and by STS's, and no other way. The other ways are
in `test_must_fail.py`."""

import datetime
import json

import pytest

from support import aws
from support.login import Person

NO_SUCH_ID = "us-east-1:00000000-0000-0000-0000-000000000000"
FORBIDDEN = "Not authorized to perform sts:AssumeRoleWithWebIdentity"


def identity(daypass, credentials):
    """Who STS says that these credentials are."""
    return aws.developer(daypass, "sts", **credentials).get_caller_identity()


def seconds_left(expiration):
    return (expiration - datetime.datetime.now(datetime.UTC)).total_seconds()


class TestEnhancedFlow:
    def test_credentials_are_ordinary_temporary_ones(self, daypass, public, ada):
        answer = public.get_credentials_for_identity(IdentityId=ada.identity_id, Logins=ada.logins)
        given = answer["Credentials"]
        assert answer["IdentityId"] == ada.identity_id
        assert given["AccessKeyId"].startswith("ASIA")
        assert len(given["AccessKeyId"]) == 20
        assert 3500 < seconds_left(given["Expiration"]) <= 3600

    def test_the_session_is_called_as_cognito_calls_it(self, daypass, ada_credentials):
        caller = identity(daypass, ada_credentials)
        role = daypass.role_arn.rsplit("/", 1)[1]
        session = f"assumed-role/{role}/CognitoIdentityCredentials"
        assert caller["Arn"] == f"arn:aws:sts::{daypass.account_id}:{session}"
        assert caller["UserId"].startswith("AROA")
        assert caller["UserId"].endswith(":CognitoIdentityCredentials")
        assert caller["Account"] == daypass.account_id

    def test_an_identity_that_does_not_exist(self, public, ada):
        with aws.refused("ResourceNotFoundException", f"Identity '{NO_SUCH_ID}' not found.", 400):
            public.get_credentials_for_identity(IdentityId=NO_SUCH_ID, Logins=ada.logins)

    def test_what_is_no_token_of_ours(self, public, ada):
        message = "Invalid login token. Not a Cognito token."
        with aws.refused("NotAuthorizedException", message, 400):
            public.get_credentials_for_identity(
                IdentityId=ada.identity_id, Logins={"cognito-identity.amazonaws.com": "invented"}
            )

    def test_the_developers_own_key_is_not_for_the_public(self, daypass, public, ada):
        with aws.refused("InvalidParameterException", "Please provide a valid public provider.", 400):
            public.get_credentials_for_identity(
                IdentityId=ada.identity_id, Logins={daypass.developer_provider: "snapchat:ada"}
            )

    def test_our_token_is_for_credentials_only(self, daypass, public, ada):
        message = "Invalid login token. Can't pass in a Cognito token."
        with aws.refused("NotAuthorizedException", message, 400):
            public.get_id(IdentityPoolId=daypass.identity_pool_id, Logins=ada.logins)


class TestAssumeRole:
    def test_the_answer_names_who_and_for_whom(self, daypass, ada):
        answer = aws.assume_role(daypass, ada, RoleSessionName="on-a-phone")
        assert answer["SubjectFromWebIdentityToken"] == ada.identity_id
        assert answer["Audience"] == daypass.identity_pool_id
        assert answer["Provider"]
        assert answer["AssumedRoleUser"]["Arn"].endswith("/on-a-phone")
        assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":on-a-phone")
        assert "PackedPolicySize" not in answer
        assert 3500 < seconds_left(answer["Credentials"]["Expiration"]) <= 3600
        caller = identity(daypass, aws.assumed(answer))
        assert caller["Arn"] == answer["AssumedRoleUser"]["Arn"]
        assert caller["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]

    def test_the_caller_decides_how_long(self, daypass, ada):
        answer = aws.assume_role(daypass, ada, DurationSeconds=900)
        assert 800 < seconds_left(answer["Credentials"]["Expiration"]) <= 900

    @pytest.mark.parametrize("seconds", [43_200, 43_201])
    def test_longer_than_the_role_allows(self, daypass, ada, seconds):
        with aws.refused("ValidationError", status=400):
            aws.assume_role(daypass, ada, DurationSeconds=seconds)

    def test_a_session_policy_takes_away(self, daypass, ada, ada_s3):
        key = f"{ada.identity_id}/session-policy.txt"
        ada_s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"hers")
        s3 = aws.s3(daypass, aws.assumed(aws.assume_role(daypass, ada, Policy=allow("s3:GetObject"))))
        assert s3.get_object(Bucket=daypass.bucket, Key=key)["Body"].read() == b"hers"
        with aws.refused("AccessDenied", status=403):
            s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"changed")

    def test_a_session_policy_never_gives(self, daypass, ada, grace, grace_s3):
        key = f"{grace.identity_id}/session-policy.txt"
        grace_s3.put_object(Bucket=daypass.bucket, Key=key, Body=b"hers")
        s3 = aws.s3(daypass, aws.assumed(aws.assume_role(daypass, ada, Policy=allow("s3:*"))))
        with aws.refused("AccessDenied", status=403):
            s3.get_object(Bucket=daypass.bucket, Key=key)

    @pytest.mark.parametrize("policy", ["{", "[]", '{"Statement":[{"Effect":"Maybe"}]}'])
    def test_a_session_policy_that_cannot_be_read(self, daypass, ada, policy):
        with aws.refused("MalformedPolicyDocument", status=400):
            aws.assume_role(daypass, ada, Policy=policy)

    @pytest.mark.parametrize("name", ["nobody", "AUTHENTICATED"])
    def test_a_role_that_is_not_there(self, daypass, ada, name):
        arn = f"arn:aws:iam::{daypass.account_id}:role/{name}"
        with aws.refused("AccessDenied", FORBIDDEN, 403):
            aws.assume_role(daypass, ada, RoleArn=arn)

    @pytest.mark.parametrize("token", ["no token at all", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
    def test_what_is_no_token(self, daypass, ada, token):
        with aws.refused("InvalidIdentityToken", status=400):
            aws.assume_role(daypass, Person(ada.identity_id, token))

    def test_a_session_name_with_a_colon(self, daypass, ada):
        with aws.refused("ValidationError", status=400):
            aws.assume_role(daypass, ada, RoleSessionName=ada.identity_id)

    def test_tags_of_the_token_become_tags_of_the_session(self, daypass, pools):
        tagged = pools.get_open_id_token_for_developer_identity(
            IdentityPoolId=daypass.identity_pool_id,
            Logins={daypass.developer_provider: "tagged user"},
            PrincipalTags={"team": "red"},
        )
        person = Person(tagged["IdentityId"], tagged["Token"])
        s3 = aws.s3(daypass, aws.assumed(aws.assume_role(daypass, person, Policy=allow_tagged("red"))))
        s3.put_object(Bucket=daypass.bucket, Key=f"{person.identity_id}/tagged.txt", Body=b"red")
        s3 = aws.s3(daypass, aws.assumed(aws.assume_role(daypass, person, Policy=allow_tagged("blue"))))
        with aws.refused("AccessDenied", status=403):
            s3.put_object(Bucket=daypass.bucket, Key=f"{person.identity_id}/tagged.txt", Body=b"blue")


class TestCallerIdentity:
    def test_of_the_developer(self, daypass):
        caller = aws.developer(daypass, "sts").get_caller_identity()
        assert caller["Account"] == daypass.account_id
        assert caller["Arn"].startswith(f"arn:aws:iam::{daypass.account_id}:")

    def test_of_an_unknown_key(self, daypass, ada_credentials):
        with aws.refused("InvalidClientTokenId", status=403):
            identity(daypass, {**ada_credentials, "aws_session_token": "invented"})

    def test_of_a_wrong_secret(self, daypass, ada_credentials):
        with aws.refused("SignatureDoesNotMatch", status=403):
            identity(daypass, {**ada_credentials, "aws_secret_access_key": "guessed"})

    def test_of_nobody(self, daypass):
        with aws.refused("MissingAuthenticationToken", status=403):
            aws.anonymous(daypass, "sts").get_caller_identity()


def allow_tagged(team):
    """A session policy for those of one team."""
    condition = {"StringEquals": {"aws:PrincipalTag/team": team}}
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
