"""The AWS CLI, as the README tells a user to call it."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest


@pytest.fixture
def aws_cli(daypass, tmp_path):
    """Runs `aws` in an environment that holds the written profile and nothing else."""

    def run(*arguments, **environment):
        return subprocess.run(
            [Path(sys.executable).with_name("aws"), *map(str, arguments)],
            env={"PATH": os.defpath, "HOME": str(tmp_path), **daypass.environment(), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def as_ada(aws_cli, ada_credentials):
    """Runs `aws` with a person's temporary credentials; endpoints still come from the profile."""
    session = {name.upper(): value for name, value in ada_credentials.items()}
    return lambda *arguments: aws_cli(*arguments, **session)


def answer(finished):
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_it_lists_the_pools(daypass, aws_cli):
    listed = aws_cli("--profile", daypass.aws_profile, "cognito-identity", "list-identity-pools", "--max-results", 10)
    assert daypass.identity_pool_id in [pool["IdentityPoolId"] for pool in answer(listed)["IdentityPools"]]


def test_it_knows_who_calls(daypass, aws_cli):
    caller = answer(aws_cli("--profile", daypass.aws_profile, "sts", "get-caller-identity"))
    assert caller["Account"] == daypass.account_id


def test_it_moves_files(daypass, ada, as_ada, tmp_path):
    folder = f"s3://{daypass.bucket}/{ada.identity_id}/cli"
    (tmp_path / "here.txt").write_text("from the command line")
    for arguments in (
        ("cp", tmp_path / "here.txt", f"{folder}/there.txt"),
        ("cp", f"{folder}/there.txt", f"{folder}/copy.txt"),
        ("cp", f"{folder}/copy.txt", tmp_path / "back.txt"),
        ("rm", f"{folder}/copy.txt"),
    ):
        finished = as_ada("s3", *arguments)
        assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "back.txt").read_text() == "from the command line"
    listed = as_ada("s3", "ls", folder + "/").stdout.split()
    assert "there.txt" in listed
    assert "copy.txt" not in listed


@pytest.mark.parametrize("where", ["", "{grace}/"])
def test_it_is_refused_beyond_the_own_prefix(daypass, grace, as_ada, where):
    listed = as_ada("s3", "ls", f"s3://{daypass.bucket}/" + where.format(grace=grace.identity_id))
    assert listed.returncode != 0
    assert "AccessDenied" in listed.stderr
    assert listed.stdout == ""


def test_a_token_is_assumed_from_the_command_line(daypass, ada, aws_cli):
    answered = answer(
        aws_cli(
            "sts", "assume-role-with-web-identity",
            "--role-arn", daypass.role_arn,
            "--role-session-name", "cli",
            "--web-identity-token", ada.token,
        )
    )  # fmt: skip
    assert answered["SubjectFromWebIdentityToken"] == ada.identity_id


class TestCognitoIdentity:
    """The commands of `aws cognito-identity`, by kind, in the shorthand that their help pages show."""

    @pytest.fixture
    def cli(self, aws_cli):
        """Runs one command that has to succeed; what it printed, if it printed anything."""

        def run(command, *arguments):
            finished = aws_cli("cognito-identity", command, *arguments)
            assert finished.returncode == 0, finished.stderr
            return json.loads(finished.stdout) if finished.stdout else None

        return run

    @pytest.fixture
    def pool(self, cli):
        """A pool of this test's own; its ID."""
        return cli(
            "create-identity-pool",
            "--identity-pool-name", f"cli {uuid.uuid4().hex}",
            "--allow-unauthenticated-identities",
            "--developer-provider-name", "login.my-app",
            "--supported-login-providers", "graph.facebook.com=7346241598935552",
            "--identity-pool-tags", "stage=test",
        )["IdentityPoolId"]  # fmt: skip

    @pytest.fixture
    def arn(self, daypass, pool):
        return f"arn:aws:cognito-identity:{daypass.region}:{daypass.account_id}:identitypool/{pool}"

    @pytest.fixture
    def token_for(self, cli, pool):
        """A token for a user of the developer's own; its identity."""

        def token_for(user, *arguments):
            return cli(
                "get-open-id-token-for-developer-identity",
                "--identity-pool-id", pool,
                "--logins", f"login.my-app={user}",
                *arguments,
            )["IdentityId"]  # fmt: skip

        return token_for

    def test_a_pool_is_described_updated_and_deleted(self, cli, aws_cli, pool):
        described = cli("describe-identity-pool", "--identity-pool-id", pool)
        assert described["SupportedLoginProviders"] == {"graph.facebook.com": "7346241598935552"}
        updated = cli(
            "update-identity-pool",
            "--identity-pool-id", pool,
            "--identity-pool-name", "renamed",
            "--no-allow-unauthenticated-identities",
        )  # fmt: skip
        assert (updated["IdentityPoolName"], updated["AllowUnauthenticatedIdentities"]) == ("renamed", False)
        assert "SupportedLoginProviders" not in updated
        assert cli("delete-identity-pool", "--identity-pool-id", pool) is None
        gone = aws_cli("cognito-identity", "describe-identity-pool", "--identity-pool-id", pool)
        assert "(ResourceNotFoundException)" in gone.stderr

    def test_roles_and_rules_are_set_and_read(self, daypass, cli, pool, tmp_path):
        rule = {"Claim": "plan", "MatchType": "Equals", "Value": "gold", "RoleARN": daypass.role_arn}
        mapping = {
            "Type": "Rules",
            "AmbiguousRoleResolution": "Deny",
            "RulesConfiguration": {"Rules": [rule]},
        }
        oidc = f"arn:aws:iam::{daypass.account_id}:oidc-provider/login.example.com"
        (tmp_path / "mappings.json").write_text(json.dumps({oidc: mapping}))
        cli(
            "update-identity-pool",
            "--identity-pool-id", pool,
            "--identity-pool-name", "with rules",
            "--no-allow-unauthenticated-identities",
            "--open-id-connect-provider-arns", oidc,
        )  # fmt: skip
        set_roles = cli(
            "set-identity-pool-roles",
            "--identity-pool-id", pool,
            "--roles", f"authenticated={daypass.role_arn}",
            "--role-mappings", f"file://{tmp_path / 'mappings.json'}",
        )  # fmt: skip
        assert set_roles is None
        read = cli("get-identity-pool-roles", "--identity-pool-id", pool)
        assert read["Roles"] == {"authenticated": daypass.role_arn}
        assert read["RoleMappings"] == {oidc: mapping}

    def test_tags_are_put_on_and_taken_off(self, cli, arn):
        cli("tag-resource", "--resource-arn", arn, "--tags", "team=red,stage=live")
        assert cli("list-tags-for-resource", "--resource-arn", arn)["Tags"] == {"team": "red", "stage": "live"}
        cli("untag-resource", "--resource-arn", arn, "--tag-keys", "team", "stage")
        assert not cli("list-tags-for-resource", "--resource-arn", arn).get("Tags")

    def test_a_map_of_tags_is_set_and_read(self, cli, pool):
        whose = ("--identity-pool-id", pool, "--identity-provider-name", "graph.facebook.com")
        for answered in (
            cli("set-principal-tag-attribute-map", *whose, "--no-use-defaults", "--principal-tags", "team=department"),
            cli("get-principal-tag-attribute-map", *whose),
        ):
            assert answered == {
                "IdentityPoolId": pool,
                "IdentityProviderName": "graph.facebook.com",
                "UseDefaults": False,
                "PrincipalTags": {"team": "department"},
            }

    def test_a_guest_comes_and_goes(self, cli, pool):
        guest = cli("get-id", "--identity-pool-id", pool)["IdentityId"]
        assert cli("get-open-id-token", "--identity-id", guest)["IdentityId"] == guest
        assert "Logins" not in cli("describe-identity", "--identity-id", guest)
        listed = cli("list-identities", "--identity-pool-id", pool, "--max-results", 60, "--hide-disabled")
        assert [identity["IdentityId"] for identity in listed["Identities"]] == [guest]
        deleted = cli("delete-identities", "--identity-ids-to-delete", guest)
        assert not deleted.get("UnprocessedIdentityIds")
        assert cli("list-identities", "--identity-pool-id", pool, "--max-results", 60)["Identities"] == []

    def test_users_are_looked_up_merged_and_unlinked(self, cli, pool, token_for):
        token_for("Ada", "--token-duration", 300, "--principal-tags", "team=red")
        identity_id = token_for("Countess Lovelace")
        merged = cli(
            "merge-developer-identities",
            "--identity-pool-id", pool,
            "--developer-provider-name", "login.my-app",
            "--source-user-identifier", "Ada",
            "--destination-user-identifier", "Countess Lovelace",
        )  # fmt: skip
        assert merged["IdentityId"] == identity_id == token_for("Ada")
        found = cli("lookup-developer-identity", "--identity-pool-id", pool, "--identity-id", identity_id)
        assert sorted(found["DeveloperUserIdentifierList"]) == ["Ada", "Countess Lovelace"]
        unlinked = cli(
            "unlink-developer-identity",
            "--identity-pool-id", pool,
            "--identity-id", identity_id,
            "--developer-provider-name", "login.my-app",
            "--developer-user-identifier", "Ada",
        )  # fmt: skip
        assert unlinked is None
        assert token_for("Ada") != identity_id

    def test_a_person_gets_credentials(self, daypass, ada, cli, aws_cli):
        logins = f"cognito-identity.amazonaws.com={ada.token}"
        given = cli("get-credentials-for-identity", "--identity-id", ada.identity_id, "--logins", logins)["Credentials"]
        session = {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }
        caller = answer(aws_cli("sts", "get-caller-identity", **session))
        assert caller["Arn"].endswith("/CognitoIdentityCredentials")

    def test_a_refusal_is_told_in_aws_words(self, aws_cli):
        refused = aws_cli("cognito-identity", "describe-identity-pool", "--identity-pool-id", "US EAST:1")
        assert refused.returncode == 255
        assert "(ValidationException)" in refused.stderr
        assert "1 validation error detected: Value 'US EAST:1' at 'identityPoolId'" in refused.stderr
