"""CloudFormation without CloudFormation: SAM's own transform, and the functions that our templates use, with
parameters that a person might give."""

import copy
import re
from typing import Any
from unittest import mock

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from conftest import DEPLOY

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
NO_VALUE = object()
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::StackName": "daypass",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": NO_VALUE,
}


class _NoManagedPolicies:
    """The transform asks IAM for these names, to resolve those that a template uses. Ours uses none."""

    def load(self) -> dict[str, str]:
        return {}


def read(name: str) -> dict[str, Any]:
    return yaml_parse((DEPLOY / "sam" / name).read_text())


def transformed(template: dict[str, Any]) -> dict[str, Any]:
    """What CloudFormation gets from `sam deploy`, which has put the package into a bucket before."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            assert resource["Properties"]["CodeUri"] == "build/"
            resource["Properties"]["CodeUri"] = "s3://bucket/package"
    with mock.patch.dict("os.environ", {"AWS_DEFAULT_REGION": REGION}):
        return transform(template, {}, _NoManagedPolicies())


class Stack:
    """A template, resolved as with these parameters and with these attributes of what was created."""

    def __init__(self, template: dict[str, Any], parameters: dict[str, str], created: dict[str, str]) -> None:
        self.template = template
        self.created = created
        self.values: dict[str, Any] = dict(PSEUDO)
        for name, parameter in template["Parameters"].items():
            self.values[name] = _value_of(name, parameter, parameters.get(name, parameter.get("Default")))
        assert parameters.keys() <= template["Parameters"].keys()

    def resource(self, name: str) -> dict[str, Any]:
        return self.resolve(self.template["Resources"][name]["Properties"])

    def exists(self, name: str) -> bool:
        condition = self.template["Resources"][name].get("Condition")
        return condition is None or self.holds(condition)

    def holds(self, condition: str) -> bool:
        return self.resolve(self.template["Conditions"][condition])

    def resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            items = [self.resolve(item) for item in node]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (function, argument), = node.items()
            if function == "Ref" or function.startswith("Fn::"):
                return getattr(self, "_" + function.removeprefix("Fn::").lower())(argument)
        members = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in members.items() if value is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        return self.values[name] if name in self.values else self.created[name]

    def _getatt(self, path: str | list[str]) -> str:
        return self.created[path if isinstance(path, str) else ".".join(path)]

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self.holds(condition) else otherwise)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(self.holds(each["Condition"]) if "Condition" in each else self.resolve(each) for each in argument)

    def _equals(self, argument: list[Any]) -> bool:
        left, right = (str(self.resolve(side)) for side in argument)
        return left == right

    def _join(self, argument: list[Any]) -> str:
        delimiter, items = argument
        return delimiter.join(self.resolve(items))

    def _split(self, argument: list[Any]) -> list[str]:
        delimiter, text = argument
        return self.resolve(text).split(delimiter)

    def _select(self, argument: list[Any]) -> Any:
        index, items = argument
        return self.resolve(items)[int(index)]

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in own:
                return self.resolve(own[name])
            return self._getatt(name) if "." in name else self._ref(name)

        return re.sub(r"\$\{([^}]+)\}", fill, text)


def _value_of(name: str, parameter: dict[str, Any], value: Any) -> Any:
    """Refuses what CloudFormation would refuse."""
    assert value is not None, f"{name} has to be given"
    values = str(value).split(",") if parameter["Type"] == "CommaDelimitedList" else [str(value)]
    for each in values:
        if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], each):
            raise ValueError(f"{name}: {each!r} does not match {parameter['AllowedPattern']}")
        if "AllowedValues" in parameter and each not in map(str, parameter["AllowedValues"]):
            raise ValueError(f"{name}: {each!r} is not one of {parameter['AllowedValues']}")
    return values if parameter["Type"] == "CommaDelimitedList" else value
