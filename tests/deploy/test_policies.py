"""The IAM documents: that the file core's test asks our engine about is up to date, and what an engine cannot say."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import policies
import terraform
from conftest import ROOT
from policies import FILE, KMS_KEY, VARIANTS

UNDER_A_KEY = VARIANTS["both, under a key of ours"]


def functions(variant: dict[str, Any]) -> dict[str, dict[str, Any]]:
    filled = terraform.documents(policies.terraform_variables(variant))
    return {
        "sam": policies.sam_function(variant),
        "terraform": {"trust": filled["function_trust"], "policy": filled["function"]},
    }


def people() -> dict[str, dict[str, Any]]:
    filled = terraform.documents(policies.terraform_variables(VARIANTS["both"]))
    return {
        "sam": policies.sam_authenticated(),
        "terraform": {"trust": filled["authenticated_trust"], "policy": filled["authenticated"]},
    }


def test_the_file_that_core_reads_is_up_to_date(pytestconfig: pytest.Config) -> None:
    wanted = json.dumps(policies.build(), indent=1) + "\n"
    if pytestconfig.getoption("--regenerate"):
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(wanted)
    assert FILE.read_text() == wanted, "run `cargo xtask gen`, and look at what changed"


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_sam_and_terraform_give_the_function_the_same_rights(variant: dict[str, Any]) -> None:
    sam, module = functions(variant).values()
    assert normal(sam["policy"]) == normal(module["policy"])
    assert normal(sam["trust"]) == normal(module["trust"])


def test_sam_and_terraform_give_people_the_same_rights() -> None:
    sam, module = people().values()
    assert normal(sam["policy"]) == normal(module["policy"])
    assert normal(sam["trust"]) == normal(module["trust"])


def test_nobody_but_lambda_becomes_the_function() -> None:
    for role in functions(UNDER_A_KEY).values():
        (statement,) = normal(role["trust"])["Statement"]
        assert statement == {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["sts:AssumeRole"],
        }


def test_a_key_of_ours_is_used_through_the_two_services_only() -> None:
    """Our engine knows no `kms:ViaService`, so what it would say is asserted word by word."""
    without = functions({**UNDER_A_KEY, "key": None})
    for name, role in functions(UNDER_A_KEY).items():
        statements = normal(role["policy"])["Statement"]
        (decrypt,) = [statement for statement in statements if "kms:Decrypt" in statement["Action"]]
        services = ["ssm.us-east-1.amazonaws.com", "secretsmanager.us-east-1.amazonaws.com"]
        assert decrypt == {
            "Sid": "DecryptThem",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": [KMS_KEY],
            "Condition": {"StringEquals": {"kms:ViaService": services}},
        }
        rest = [statement for statement in statements if statement is not decrypt]
        assert rest == normal(without[name]["policy"])["Statement"]


def test_the_table_is_used_as_daypass_says_that_it_uses_it() -> None:
    described = json.loads((ROOT / "crates/server/src/cli/store/policy.json").read_text())
    (statement,) = described["Statement"]
    without = functions(VARIANTS["both"])
    for name, role in functions(VARIANTS["both, and a table"]).items():
        statements = normal(role["policy"])["Statement"]
        (table,) = [it for it in statements if it not in normal(without[name]["policy"])["Statement"]]
        assert (table["Action"], table["Resource"]) == (statement["Action"], [policies.TABLE_ARN])
    assert set(statement["Action"]) == set(policies.TABLE_CALLS + policies.TABLE_RIGHTS)


def test_a_wildcard_stands_for_streams_of_one_log_and_for_objects_of_ones_own_and_for_nothing_else() -> None:
    allowed = {
        f"{policies.LOG_GROUP}:*",
        f"arn:aws:s3:::{policies.BUCKET}/${{cognito-identity.amazonaws.com:sub}}/*",
        "${cognito-identity.amazonaws.com:sub}/*",
    }
    roles = [*functions({**UNDER_A_KEY, "table": policies.TABLE}).values(), *people().values()]
    for text in texts(roles):
        assert "*" not in text or text in allowed, text
        assert "?" not in text


def test_every_statement_allows_and_none_by_exception() -> None:
    for role in [*functions(UNDER_A_KEY).values(), *people().values()]:
        for document in role.values():
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow"
                assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from texts(child)


def normal(document: dict[str, Any]) -> dict[str, Any]:
    """One value and a list of it mean the same to IAM."""
    statements = [
        {
            key: [value] if key in ("Action", "Resource") and isinstance(value, str) else value
            for key, value in statement.items()
        }
        for statement in document["Statement"]
    ]
    return {**document, "Statement": statements}
