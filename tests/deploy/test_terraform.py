"""The Terraform module: python-hcl2 reads it, and what it says is what the SAM template says."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import cloudformation
import policies
import terraform
from conftest import ROOT
from terraform import MODULE, blocks

WITHOUT_VALIDATION = (
    "tags", "allow_guests", "principal_tags", "make_table", "alarm_topic_arn", "domain_name", "certificate_arn"
)
FILES = sorted(MODULE.rglob("*.tf"))


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(MODULE)) for file in FILES])
def test_every_file_can_be_read(file: Path) -> None:
    assert terraform.read(file)


@pytest.mark.parametrize("directory", [MODULE, MODULE / "policies", MODULE / "examples/basic"], ids=lambda d: d.name)
def test_what_is_used_is_declared_and_what_is_declared_is_used(directory: Path) -> None:
    text = "\n".join(file.read_text() for file in directory.glob("*.tf"))
    declared = {("var", name) for name in blocks(directory, "variable")}
    declared |= {("local", name) for name in blocks(directory, "locals").get("", {})}
    declared |= {("module", name) for name in blocks(directory, "module")}
    declared |= {tuple(name.split(".")) for name in blocks(directory, "resource")}
    declared |= {("data." + (kind := name.split("."))[0], kind[1]) for name in blocks(directory, "data")}
    pattern = r"\b(var|local|module|data\.aws_\w+|(?<!data\.)aws_\w+)\.(\w+)"
    used = {(kind, name) for kind, name in re.findall(pattern, text)}
    assert used <= declared
    passive = {kind for kind, _ in declared if kind.startswith("aws_")}
    assert {entry for entry in declared - used if entry[0] not in passive} == set()


def test_every_variable_and_output_is_described() -> None:
    for directory in (MODULE, MODULE / "policies", MODULE / "examples/basic"):
        for kind in ("variable", "output"):
            for name, block in blocks(directory, kind).items():
                assert block.get("description", "").endswith("."), f"{kind} {name}"
    for name, variable in blocks(MODULE, "variable").items():
        if name not in WITHOUT_VALIDATION:
            (validation,) = variable["validation"]
            assert validation["error_message"].endswith("."), name


def test_modules_get_exactly_the_variables_that_they_have() -> None:
    (inner,) = blocks(MODULE, "module").values()
    assert inner.keys() - {"source"} == blocks(MODULE / "policies", "variable").keys()
    (outer,) = blocks(MODULE / "examples/basic", "module").values()
    variables = blocks(MODULE, "variable")
    required = {name for name, variable in variables.items() if "default" not in variable}
    assert required <= outer.keys() - {"source"} <= variables.keys()


def test_wildcards_do_not_get_in_by_variables() -> None:
    variables = blocks(MODULE, "variable")
    for name, good, bad in [
        ("parameter_arns", policies.PARAMETERS[0], [policies.parameter("/daypass/*"), policies.SECRETS[0], "*"]),
        ("secret_arns", policies.SECRETS[0], [policies.secret("daypass/snap-??????"), policies.PARAMETERS[0]]),
        ("kms_key_arns", policies.KMS_KEY, [policies.KMS_KEY[:-36] + "*", "*"]),
        ("further_pool_arns", policies.pool_arn(policies.SECOND_POOL_ID), [policies.pool_arn("*"), "*"]),
    ]:
        (condition,) = re.findall(r'regex\("(.*?)", arn\)', variables[name]["validation"][0]["condition"])
        assert condition.startswith("^") and condition.endswith("$")
        assert re.search(condition, good), name
        assert not any(re.search(condition, arn) for arn in bad), name


def test_the_pool_has_no_guests_no_classic_flow_and_is_not_destroyed() -> None:
    pool = blocks(MODULE, "resource")["aws_cognito_identity_pool.this"]
    assert pool["allow_unauthenticated_identities"] == "${var.allow_guests}"
    assert blocks(MODULE, "variable")["allow_guests"]["default"] is False
    assert pool["allow_classic_flow"] is False
    assert pool["developer_provider_name"] == "${var.developer_provider}"
    assert pool["lifecycle"] == [{"prevent_destroy": True}]
    attachment = blocks(MODULE, "resource")["aws_cognito_identity_pool_roles_attachment.this"]
    assert attachment["roles"] == {"authenticated": "${aws_iam_role.authenticated.arn}"}


def test_the_table_is_the_one_that_daypass_describes(tmp_path: Path) -> None:
    text = (ROOT / "crates/server/src/cli/store/table.tf").read_text()
    (tmp_path / "table.tf").write_text(text)
    (described,) = blocks(tmp_path, "resource").values()
    ours = blocks(MODULE, "resource")["aws_dynamodb_table.this"]
    assert ours.pop("count") == "${var.table_name != null && var.make_table ? 1 : 0}"
    assert ours.pop("name") == "${var.table_name}" and described.pop("name") == "TABLE_NAME"
    assert ours.pop("tags") == '${merge({application = "daypass"}, var.tags)}'
    assert described.pop("tags") == {"application": "daypass"}
    assert ours == described


def test_every_role_has_the_policies_that_are_tested_and_no_other() -> None:
    resources = blocks(MODULE, "resource")
    iam = {name: body for name, body in resources.items() if name.startswith("aws_iam_")}
    assert {name: body.get("assume_role_policy", body.get("policy")) for name, body in iam.items()} == {
        "aws_iam_role.function": "${module.policies.function_trust}",
        "aws_iam_role_policy.function": "${module.policies.function}",
        "aws_iam_role.authenticated": "${module.policies.authenticated_trust}",
        "aws_iam_role_policy.authenticated": "${module.policies.authenticated}",
    }
    for kind in ("function", "authenticated"):
        assert iam[f"aws_iam_role_policy.{kind}"]["role"] == f"${{aws_iam_role.{kind}.id}}"


def test_it_leads_to_the_same_function_by_the_same_routes_as_sam() -> None:
    sam = cloudformation.read("template.yaml")
    events = sam["Resources"]["Function"]["Properties"]["Events"].values()
    wanted = {f"{event['Properties']['Method'].upper()} {event['Properties']['Path']}" for event in events}
    local = blocks(MODULE, "locals")[""]
    assert set(re.findall(r'"([^"]+)"', local["routes"])) == wanted
    line = sam["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"]
    assert local["access_log"] == json.loads(line)
    function, of_sam = blocks(MODULE, "resource")["aws_lambda_function.this"], sam["Resources"]["Function"]["Properties"]
    assert (function["runtime"], function["handler"]) == (of_sam["Runtime"], of_sam["Handler"])
    assert function["timeout"] == of_sam["Timeout"]


def test_alarms_and_defaults_are_those_of_sam() -> None:
    sam = cloudformation.read("template.yaml")
    names = {"Errors": "errors", "Throttles": "throttles", "Slow": "slow", "Failures": "failures"}
    for of_sam, name in names.items():
        alarm = sam["Resources"][f"{of_sam}Alarm"]["Properties"]
        module = blocks(MODULE, "resource")[f"aws_cloudwatch_metric_alarm.{name}"]
        for theirs, ours in [
            ("AlarmDescription", "alarm_description"),
            ("Namespace", "namespace"),
            ("MetricName", "metric_name"),
            ("Period", "period"),
            ("EvaluationPeriods", "evaluation_periods"),
            ("DatapointsToAlarm", "datapoints_to_alarm"),
            ("ComparisonOperator", "comparison_operator"),
            ("TreatMissingData", "treat_missing_data"),
        ]:
            assert alarm[theirs] == module[ours], (name, theirs)
    variables = blocks(MODULE, "variable")
    for theirs, ours in [
        ("Architecture", "architecture"),
        ("MemorySize", "memory_size"),
        ("ReservedConcurrency", "reserved_concurrency"),
        ("RateLimit", "rate_limit"),
        ("BurstLimit", "burst_limit"),
        ("TableName", "table_name"),
        ("LogRetentionDays", "log_retention_days"),
        ("SlowMilliseconds", "slow_milliseconds"),
    ]:
        default = variables[ours]["default"]
        assert str(sam["Parameters"][theirs]["Default"]) == str(default).removeprefix("${").removesuffix("}"), ours


@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform comes from no registry; it is not on the PATH")
@pytest.mark.parametrize("variant", policies.VARIANTS.values(), ids=policies.VARIANTS)
@pytest.mark.parametrize("principal_tags", [False, True])
def test_terraform_itself_makes_the_same_documents(
    tmp_path: Path, variant: dict[str, Any], *, principal_tags: bool
) -> None:
    """`policies/` has no provider, so Terraform needs no network for it."""
    shutil.copytree(MODULE / "policies", tmp_path, dirs_exist_ok=True)
    variables = policies.terraform_variables(variant, principal_tags=principal_tags)
    (tmp_path / "all.auto.tfvars.json").write_text(json.dumps(variables))
    for arguments in (["init", "-backend=false"], ["validate"], ["apply", "-auto-approve"]):
        run_terraform(tmp_path, *arguments)
    outputs = json.loads(run_terraform(tmp_path, "output", "-json"))
    made = {name: json.loads(output["value"]) for name, output in outputs.items()}
    assert made == terraform.documents(variables)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform comes from no registry; it is not on the PATH")
def test_terraform_would_format_nothing() -> None:
    run_terraform(MODULE, "fmt", "-check", "-recursive", "-diff")


def run_terraform(directory: Path, *arguments: str) -> str:
    command = ["terraform", f"-chdir={directory}", *arguments, *([] if arguments[0] == "fmt" else ["-no-color"])]
    # It asks its maker for newer versions unless told not to.
    environment = os.environ | {"CHECKPOINT_DISABLE": "1"}
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
