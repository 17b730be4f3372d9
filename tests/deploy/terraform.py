"""Terraform without Terraform: the module as python-hcl2 reads it, and the IAM documents of `policies/`, which are
written so that filling in variables is all it takes to evaluate them."""

import re
from pathlib import Path
from typing import Any

import hcl2

from conftest import DEPLOY

MODULE = DEPLOY / "terraform"
_STATEMENTS = re.compile(r"\$\{jsonencode\(\{Version = \"2012-10-17\", Statement = (.+)\}\)\}")
_CHOICE = re.compile(r"\$\{var\.(\w+) \? (\[.*?\]) : (\[.*?\])\}")


def blocks(directory: Path, kind: str) -> dict[str, dict[str, Any]]:
    """All blocks of a kind in a directory, by their labels: `aws_iam_role.function`, `name`."""
    found = {}
    for file in sorted(directory.glob("*.tf")):
        for block in read(file).get(kind, []):
            labels, body = [], block
            while not body.get("__is_block__"):
                ((label, body),) = body.items()
                labels.append(_unquoted(label))
            assert ".".join(labels) not in found or not labels
            found.setdefault(".".join(labels), {}).update(_plain(body))
    return found


def read(file: Path) -> dict[str, Any]:
    with file.open() as text:
        return hcl2.load(text)


def documents(variables: dict[str, Any]) -> dict[str, Any]:
    """What each output of `policies/` is with these variables."""
    directory = MODULE / "policies"
    assert variables.keys() == blocks(directory, "variable").keys()
    local = blocks(directory, "locals")[""]
    return {
        name: {"Version": "2012-10-17", "Statement": _statements(output["value"], local, variables)}
        for name, output in blocks(directory, "output").items()
    }


def _statements(value: str, local: dict[str, Any], variables: dict[str, Any]) -> list[Any]:
    wanted = _STATEMENTS.fullmatch(value)[1]
    if wanted.startswith("local."):
        return _fill(local[wanted.removeprefix("local.")], local, variables)
    name = re.fullmatch(r"\[for statement in local\.(\w+) : statement if length\(statement\.Resource\) > 0\]", wanted)[1]
    return [statement for statement in _fill(local[name], local, variables) if statement["Resource"]]


def _fill(node: Any, local: dict[str, Any], variables: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_fill(item, local, variables) for item in node]
    if isinstance(node, dict):
        return {key: _fill(value, local, variables) for key, value in node.items()}
    if whole := re.fullmatch(r"\$\{(var|local)\.(\w+)\}", node):
        return variables[whole[2]] if whole[1] == "var" else _fill(local[whole[2]], local, variables)
    if choice := _CHOICE.fullmatch(node):
        chosen = choice[2] if variables[choice[1]] else choice[3]
        return re.findall(r'"([^"]*)"', chosen)
    return re.sub(r"\$(\$\{[^}]*\})|\$\{var\.(\w+)\}", lambda m: m[1] or variables[m[2]], node)


def _plain(node: Any) -> Any:
    """Without the parser's own marks, comments, and quotes around strings and labels."""
    if isinstance(node, dict):
        return {_unquoted(key): _plain(value) for key, value in node.items() if not key.startswith("__")}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return _unquoted(node) if isinstance(node, str) else node


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
