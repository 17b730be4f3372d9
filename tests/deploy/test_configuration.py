"""The JSON Schema of configurations, read by another validator than ours: examples fit it, mistakes do not."""

import json
import re
import tomllib
from typing import Any

import jsonschema
import pytest
from conftest import DEPLOY, ROOT

SCHEMA = json.loads((ROOT / "docs/reference/daypass.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
# An example without a table is a few keys of one, which its page names.
HAS_A_TABLE = re.compile(r"^ *\[", re.MULTILINE)
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
EXAMPLES = [
    pytest.param(example, id=f"{page.name}-{number}")
    for page in PAGES
    for number, example in enumerate(re.findall(r"^ *```toml\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE))
    # A part [public] is the catalogue's, and no operator's.
    if HAS_A_TABLE.search(example) and not example.startswith("[public]")
]


def mistakes(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def secret_files(node: Any) -> list[str]:
    """The files that a configuration says its secrets are in."""
    if isinstance(node, dict):
        if node.keys() == {"file"}:
            return [node["file"]]
        return [file for child in node.values() for file in secret_files(child)]
    return [file for child in node for file in secret_files(child)] if isinstance(node, list) else []


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_configuration_of_the_deployment_fits() -> None:
    assert mistakes((DEPLOY / "sam/daypass.toml").read_text()) == []


def test_docs_have_examples() -> None:
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_docs_tell_people_to_write_fits(example: str) -> None:
    assert mistakes(example) == []


GOOD = """
public_url = "https://login.example.com"
master_key = { file = "master-key" }
store.url = "sqlite:daypass.db"
[pool]
name = "my-app"
developer_provider = "login.example.com"
region = "us-east-1"
account_id = "000000000000"
[[provider]]
id = "snapchat"
client_id = "ours"
client_secret = { env = "SNAP_SECRET" }
cache_verified = "30s"
[[app]]
id = "web"
origins = []
redirect_uris = []
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("public_url =", "public_uri ="),
        ('store.url = "sqlite:daypass.db"\n', ""),
        ('store.url = "sqlite:daypass.db"', 'store = { url = "postgres://a@b/c", password = { aws = "rds" } }'),
        ('store.url = "sqlite:daypass.db"', 'store = { url = "postgres://a@b/c", dialect = "aurora" }'),
        ('{ file = "master-key" }', '"c2VjcmV0"'),
        ('{ file = "master-key" }', '{ file = "a", env = "B" }'),
        ('name = "my-app"\n', ""),
        ('name = "my-app"', 'name = "my-app"\ndriver = "cognito"'),
        ('name = "my-app"', 'name = "my-app"\nrole_mapping_rules = 401'),
        ('"30s"', '"30"'),
        ('id = "snapchat"\n', ""),
        ('client_id = "ours"', 'client_id = "ours"\npkce = "perhaps"'),
        ('client_id = "ours"', 'client_id = "ours"\nprofile.redirect = true'),
        ("redirect_uris = []", ""),
        ("redirect_uris = []", 'redirect_uris = "https://app.example.com/"'),
    ],
)
def test_mistakes_do_not_fit(before: str, after: str) -> None:
    assert mistakes(GOOD) == []
    assert before in GOOD
    assert mistakes(GOOD.replace(before, after, 1)) != []


def test_a_token_stands_for_a_password() -> None:
    store = 'store = { url = "postgres://a@b/c", password = { aws = "iam" }, dialect = "dsql" }'
    assert mistakes(GOOD.replace('store.url = "sqlite:daypass.db"', store)) == []
