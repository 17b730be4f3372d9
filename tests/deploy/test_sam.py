"""The SAM templates: what the linter says, what SAM makes of them, and what reaches the internet."""

import json
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import cloudformation
import policies
from conftest import DEPLOY, ROOT

FUNCTION_PARAMETERS = {"IdentityPoolId": policies.POOL_ID, "ParameterArns": ",".join(policies.PARAMETERS)}
DOMAIN = {
    "DomainName": "login.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/55555555-5555-4555-8555-555555555555",
}
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
# What the function has no use for: Amazon issues the tokens and answers the AWS operations.
OF_THE_EMBEDDED_POOL = {"/", "/.well-known/openid-configuration", "/.well-known/jwks.json", "/.well-known/jwks_uri"}
# The figures of whichever instance happens to answer say nothing about the others.
NOT_REACHABLE = OF_THE_EMBEDDED_POOL | {"/metrics"}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return cloudformation.transformed(cloudformation.read("template.yaml"))


class Created(dict[str, str]):
    """Any attribute of any resource has a name."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"


def stack(template: dict[str, Any], **parameters: str) -> cloudformation.Stack:
    return cloudformation.Stack(template, FUNCTION_PARAMETERS | parameters, Created())


def described_table() -> dict[str, Any]:
    """What `daypass store describe --as cloudformation` prints, of our table."""
    text = (ROOT / "crates/server/src/cli/store/table.yaml").read_text()
    (resource,) = yaml.safe_load(text.replace("TABLE_NAME", policies.TABLE))["Resources"].values()
    return resource


def only(template: dict[str, Any], kind: str) -> list[str]:
    return [name for name, resource in template["Resources"].items() if resource["Type"] == kind]


def test_the_linter_has_nothing_to_say() -> None:
    templates = sorted(map(str, (DEPLOY / "sam").glob("*.yaml")))
    assert len(templates) == 2
    linter = Path(sysconfig.get_path("scripts")) / "cfn-lint"
    said = subprocess.run([linter, "--include-checks", "I", "--", *templates], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_sam_adds_no_role_of_its_own(template: dict[str, Any]) -> None:
    """A function without a role gets one from SAM that may write every log there is."""
    assert only(template, "AWS::IAM::Role") == ["FunctionRole"]
    assert not only(template, "AWS::IAM::Policy") + only(template, "AWS::IAM::ManagedPolicy")
    role = stack(template).resource("FunctionRole")
    assert "ManagedPolicyArns" not in role
    assert stack(template).resource("Function")["Role"] == "<FunctionRole.Arn>"


def test_the_function_is_what_package_makes(template: dict[str, Any]) -> None:
    function = stack(template).resource("Function")
    assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap")
    assert function["Architectures"] == ["arm64"]
    assert stack(template, Architecture="x86_64").resource("Function")["Architectures"] == ["x86_64"]
    assert "Environment" not in function, "secrets come by reference, and nothing else is needed"
    assert function["LoggingConfig"] == {"LogGroup": "<FunctionLog>", "LogFormat": "Text"}
    assert "ReservedConcurrentExecutions" not in function
    assert stack(template, ReservedConcurrency="10").resource("Function")["ReservedConcurrentExecutions"] == "10"


def test_requests_go_to_the_version_that_the_alias_names(template: dict[str, Any]) -> None:
    (alias,) = only(template, "AWS::Lambda::Alias")
    assert stack(template).resource(alias)["Name"] == "live"
    for operation in operations(template).values():
        uri = operation["x-amazon-apigateway-integration"]["uri"]
        assert "${FunctionAliaslive}" in str(uri)
    for permission in only(template, "AWS::Lambda::Permission"):
        properties = template["Resources"][permission]["Properties"]
        assert properties["FunctionName"] == {"Ref": alias}
        assert properties["Principal"] == "apigateway.amazonaws.com"
        assert properties["SourceArn"]["Fn::Sub"][1]["__ApiId__"] == {"Ref": "Api"}


def operations(template: dict[str, Any]) -> dict[tuple[str, str], Any]:
    (api,) = only(template, "AWS::ApiGatewayV2::Api")
    paths = template["Resources"][api]["Properties"]["Body"]["paths"]
    return {(method, path): operation for path, methods in paths.items() for method, operation in methods.items()}


def test_every_path_of_the_router_is_reachable_or_known_not_to_be(template: dict[str, Any]) -> None:
    router = (ROOT / "crates/server/src/routes.rs").read_text()
    paths = set(re.findall(r'\.route\(\s*"([^"]+)"', router))
    assert {"/v1/exchange", "/oauth2/token", "/login/{provider}/callback"} <= paths
    patterns = [re.escape(path).replace(r"\{proxy\+\}", ".+") for _, path in operations(template)]
    closed = {path for path in paths if not any(re.fullmatch(pattern, path) for pattern in patterns)}
    assert closed == NOT_REACHABLE & paths, (
        "decide about each new path of routes.rs: a route in deploy/sam and deploy/terraform, or NOT_REACHABLE"
    )


def test_the_access_log_has_no_query(template: dict[str, Any]) -> None:
    (name,) = only(template, "AWS::ApiGatewayV2::Stage")
    stage = stack(template).resource(name)
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert set(line.values()) == {
        "$context.requestId",
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.path",
        "$context.status",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.integrationLatency",
    }
    assert stage["AccessLogSettings"]["DestinationArn"] == "<AccessLog.Arn>"


def test_the_stage_is_throttled_by_what_cognito_takes(template: dict[str, Any]) -> None:
    (name,) = only(template, "AWS::ApiGatewayV2::Stage")
    settings = stack(template).resource(name)["DefaultRouteSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (50, 100)


def test_logs_end_and_are_kept_as_long_as_asked(template: dict[str, Any]) -> None:
    groups = only(template, "AWS::Logs::LogGroup")
    assert sorted(groups) == ["AccessLog", "FunctionLog"]
    for group in groups:
        assert stack(template, LogRetentionDays="90").resource(group)["RetentionInDays"] == "90"


def test_alarms_watch_what_is_there_and_tell_whom_they_are_told_to(template: dict[str, Any]) -> None:
    alarms = {name: stack(template).resource(name) for name in only(template, "AWS::CloudWatch::Alarm")}
    watched = {(alarm["Namespace"], alarm["MetricName"], str(alarm["Dimensions"])) for alarm in alarms.values()}
    function = str([{"Name": "FunctionName", "Value": "<Function>"}])
    assert watched == {
        ("AWS/Lambda", "Errors", function),
        ("AWS/Lambda", "Throttles", function),
        ("AWS/Lambda", "Duration", function),
        ("AWS/ApiGateway", "5xx", str([{"Name": "ApiId", "Value": "<Api>"}])),
    }
    assert alarms["SlowAlarm"]["ExtendedStatistic"] == "p99"
    for name, alarm in alarms.items():
        assert "AlarmActions" not in alarm
        assert stack(template, AlarmTopicArn=TOPIC).resource(name)["AlarmActions"] == [TOPIC]


def test_a_domain_replaces_the_name_that_aws_gives(template: dict[str, Any]) -> None:
    servers = template["Resources"]["Api"]["Properties"]["Body"]["servers"]
    closed = "x-amazon-apigateway-endpoint-configuration"
    without, with_domain = stack(template), stack(template, **DOMAIN)
    assert without.resolve(servers)[0][closed] == {"disableExecuteApiEndpoint": False}
    assert with_domain.resolve(servers)[0][closed] == {"disableExecuteApiEndpoint": True}
    assert not without.exists("Domain") and with_domain.exists("Domain") and with_domain.exists("DomainMapping")
    url = template["Outputs"]["Url"]["Value"]
    assert (without.resolve(url), with_domain.resolve(url)) == ("<Api.ApiEndpoint>", "https://login.example.com")


def test_the_table_is_the_one_that_daypass_describes(template: dict[str, Any]) -> None:
    ours, described = dict(template["Resources"]["Table"]), described_table()
    assert ours.pop("Condition") == "MakesTable"
    assert stack(template).resource("Table") == described.pop("Properties")
    del ours["Properties"]
    assert ours == described


def test_a_table_is_made_unless_there_is_one_or_none_is_wanted(template: dict[str, Any]) -> None:
    assert stack(template).exists("Table")
    for parameters in ({"TableName": ""}, {"MakeTable": "false"}, {"TableName": "", "MakeTable": "false"}):
        assert not stack(template, **parameters).exists("Table")
    there = stack(template, MakeTable="false").resource("FunctionRole")
    assert policies.TABLE_ARN in str(there) and policies.TABLE_ARN not in str(stack(template, TableName=""))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TableName", "*"),
        ("TableName", "people/*"),
        ("MakeTable", "yes"),
        ("IdentityPoolId", "*"),
        ("IdentityPoolId", "us-east-1:*"),
        ("SecondIdentityPoolId", "*"),
        ("ParameterArns", "*"),
        ("ParameterArns", policies.parameter("/daypass/*")),
        ("ParameterArns", f"{policies.PARAMETERS[0]},{policies.parameter('/*')}"),
        ("ParameterArns", policies.SECRETS[0]),
        ("SecretArns", policies.secret("daypass/snap-??????")),
        ("KmsKeyArn", "arn:aws:kms:us-east-1:123456789012:key/*"),
        ("KmsKeyArn", "arn:aws:kms:us-east-1:123456789012:alias/daypass"),
        ("Architecture", "riscv"),
    ],
)
def test_wildcards_do_not_get_in_by_parameters(template: dict[str, Any], name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        stack(template, **{name: value})


def test_the_pool_has_no_guests_and_outlives_its_stack() -> None:
    template = cloudformation.read("pool.yaml")
    pool = template["Resources"]["IdentityPool"]
    assert pool["DeletionPolicy"] == "RetainExceptOnCreate"
    assert pool["Properties"]["AllowUnauthenticatedIdentities"] is False
    assert pool["Properties"]["AllowClassicFlow"] is False
    roles = template["Resources"]["RoleAttachment"]["Properties"]["Roles"]
    assert roles.keys() == {"authenticated"}


def test_the_example_holds_no_secret_and_names_what_the_docs_create() -> None:
    example = tomllib.loads((DEPLOY / "sam/daypass.toml").read_text())
    assert example["pool"]["driver"] == "cognito"
    parameters = cloudformation.read("template.yaml")["Parameters"]
    assert example["store"] == {"url": f"dynamodb:{parameters['TableName']['Default']}"}
    references = [example["master_key"], *(provider["client_secret"] for provider in example["provider"])]
    page = (ROOT / "docs/deploy-aws.md").read_text()
    for reference in references:
        assert reference.keys() == {"ssm"}
        assert f"--name {reference['ssm']}" in page
