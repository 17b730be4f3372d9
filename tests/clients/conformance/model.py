"""The services as botocore describes them, and every constraint in what their operations take."""

import re
from dataclasses import dataclass

from botocore.loaders import Loader
from botocore.model import ServiceModel

COGNITO_IDENTITY = ServiceModel(Loader().load_service_model("cognito-identity", "service-2"))
STS = ServiceModel(Loader().load_service_model("sts", "service-2"))

# How a path goes on inside a list or a map; any other step is the name of a member.
ELEMENT, KEY, VALUE = "[element]", "[key]", "[value]"
ABSENT = object()
# What a shape may say of itself; more than this would be a constraint that nobody looks at.
KNOWN = {"min", "max", "pattern", "enum", "required", "sensitive"}
SCALARS = {"string", "integer", "long", "boolean"}


@dataclass(frozen=True)
class Example:
    """Texts for one pattern: one that matches, the character that makes it longer, and one that does not match."""

    matching: str
    filler: str
    other: str
    # The pattern for Python, where its own syntax differs from AWS's.
    python: str | None = None


NO_ID = "us-east-1:00000000-0000-0000-0000-000000000000"
NO_ARN = "arn:aws:iam::000000000000:role/nobody"
CONTROL = "arn:aws:iam::000000000000:role/no\x01body"

EXAMPLES = {
    None: Example("name", "x", ""),
    r"[\w-]+:[0-9a-f-]+": Example(NO_ID, "0", "US EAST:1"),
    r"[\w\s+=,.@-]+": Example("my app", "x", "bad/name"),
    r"[\w._-]+": Example("login.my-app", "x", "bad/name"),
    r"[\w._:/-]+": Example("cognito-idp.us-east-1.amazonaws.com/us-east-1_x", "x", "bad name"),
    r"[\w.;_/-]+": Example("7346241598935552", "7", "bad app"),
    r"[\w_]+": Example("client", "x", "bad-client"),
    r"\d+": Example("123456789012", "1", "twelve"),
    r"[\S]+": Example("page", "x", "page two"),
    r"(un)?authenticated": Example("authenticated", "d", "everybody"),
    r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+": Example("plan", "x", "the plan", r"\S+"),
    r"[\w+=,.@-]*": Example("on-a-phone", "x", "on:a:phone"),
    r"[\u0009\u000A\u000D\u0020-\u00FF]+": Example("{}", " ", "{}\u0100"),
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+": Example(
        NO_ARN, "x", CONTROL, r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]+"
    ),
}


@dataclass(frozen=True)
class Constraint:
    """One thing that the model asks of one place in the input of one operation."""

    operation: str
    steps: tuple
    kind: str
    limit: object

    def __str__(self):
        limit = "" if self.kind in ("required", "enum", "pattern") else f" {self.limit}"
        return f"{self.operation} {'.'.join(self.steps)} {self.kind}{limit}"


def constraints(service, operation):
    """Every constraint in the input of an operation, in the order of the model."""
    shape = service.operation_model(operation).input_shape
    return [Constraint(operation, *found) for found in _walk(shape, ())] if shape else []


def _walk(shape, steps):
    unknown = shape.metadata.keys() - KNOWN
    assert not unknown, f"{shape.name} has constraints of a kind that is not tested: {unknown}"
    for name in shape.metadata.get("required", ()):
        yield (*steps, name), "required", None
    limits = [(kind, shape.metadata[kind]) for kind in ("max", "min", "pattern", "enum") if kind in shape.metadata]
    for kind, limit in limits:
        if not is_vacuous(shape, kind, limit):
            yield steps, kind, tuple(limit) if kind == "enum" else limit
    for step, inner in inside(shape):
        yield from _walk(inner, (*steps, step))


def is_vacuous(shape, kind, limit):
    """Nothing is shorter than nothing."""
    return kind == "min" and limit == 0 and shape.type_name not in ("integer", "long")


def inside(shape):
    """The steps that lead further, and the shapes that they lead to."""
    match shape.type_name:
        case "structure":
            return list(shape.members.items())
        case "list":
            return [(ELEMENT, shape.member)]
        case "map":
            return [(KEY, shape.key), (VALUE, shape.value)]
    assert shape.type_name in SCALARS, f"{shape.name} is a {shape.type_name}, which is not tested"
    return []


def shape_at(shape, steps):
    for step in steps:
        shape = dict(inside(shape))[step]
    return shape


def example(shape):
    """The least value that keeps all constraints."""
    match shape.type_name:
        case "structure":
            return {name: example(shape.members[name]) for name in shape.required_members}
        case "list":
            return [example(shape.member)]
        case "map":
            return {example(shape.key): example(shape.value)}
        case "boolean":
            return False
        case "integer" | "long":
            return shape.metadata.get("min", 1)
    if "enum" in shape.metadata:
        return shape.metadata["enum"][-1]
    text = _texts(shape).matching
    return NO_ARN if len(text) < shape.metadata.get("min", 0) else text


def breaking(shape, kind):
    """A value that breaks this constraint, and no other if that is possible."""
    if kind == "required":
        return ABSENT
    limit = shape.metadata[kind]
    match shape.type_name:
        case "integer" | "long":
            return limit + 1 if kind == "max" else limit - 1
        case "list":
            return [example(shape.member)] * (limit + 1 if kind == "max" else limit - 1)
        case "map":
            return _entries(shape, limit + 1)
    match kind:
        case "max":
            texts = _texts(shape)
            return texts.matching + texts.filler * (limit + 1 - len(texts.matching))
        case "min":
            return NO_ARN[: limit - 1]
        case "pattern":
            return _texts(shape).other
        case "enum":
            return "Sometimes"


def _entries(shape, count):
    """A map of so many entries, its keys in order. Where the pattern of a key leaves fewer, the last breaks it."""
    keys = [f"{example(shape.key)}-{number:03}" for number in range(count)]
    if "pattern" in shape.key.metadata:
        keys = ["authenticated", "unauthenticated", "visitor"]
        assert len(keys) == count
    return {key: example(shape.value) for key in keys}


def _texts(shape):
    pattern = shape.metadata.get("pattern")
    assert pattern in EXAMPLES, f"{shape.name} has a pattern that is not tested: {pattern}"
    return EXAMPLES[pattern]


def placed(shape, steps, value):
    """An input that keeps all constraints but has `value` at this place."""
    if not steps:
        return value
    step, *rest = steps
    inner = dict(inside(shape))[step]
    if step == ELEMENT:
        return [placed(inner, rest, value)]
    if step == KEY:
        return {value: example(shape.value)}
    if step == VALUE:
        return {example(shape.key): placed(inner, rest, value)}
    members = {**example(shape), step: placed(inner, rest, value)}
    return {name: member for name, member in members.items() if member is not ABSENT}


def matches(shape, text):
    """Whether a text matches the pattern of its shape, all of it."""
    pattern = shape.metadata["pattern"]
    python = EXAMPLES[pattern].python if pattern in EXAMPLES else None
    return re.fullmatch(python or pattern, text, re.ASCII) is not None
