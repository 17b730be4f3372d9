"""The tests of conformance expect texts and forms that they make from the model. These here expect what was written by
hand, so that no mistake of theirs can agree with one of the server's."""

import re

import pytest

from conformance import answers, model, violations
from conformance.model import ELEMENT, KEY, VALUE

LENGTHS = "[Member must have length less than or equal to {}, Member must have length greater than or equal to {}]"
RULE = ("RoleMappings", VALUE, "RulesConfiguration", "Rules", ELEMENT)


@pytest.mark.parametrize(
    ("operation", "steps", "broken", "message"),
    [
        (
            "GetId", ("IdentityPoolId",), model.ABSENT,
            "1 validation error detected: Value null at 'identityPoolId' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "GetId", ("IdentityPoolId",), "",
            "2 validation errors detected: Value '' at 'identityPoolId' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; "
            "Value '' at 'identityPoolId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+",
        ),
        (
            "GetId", ("Logins", VALUE), "x" * 50_001,
            "1 validation error detected: Value '***' at 'logins' failed to satisfy constraint: "
            f"Map value must satisfy constraint: {LENGTHS.format(50_000, 1)}",
        ),
        (
            "TagResource", ("Tags", KEY), "",
            "1 validation error detected: Value '{=name}' at 'tags' failed to satisfy constraint: "
            f"Map keys must satisfy constraint: {LENGTHS.format(128, 1)}",
        ),
        (
            "TagResource", ("Tags", VALUE), "x" * 257,
            f"1 validation error detected: Value '{{name={'x' * 250}…' at 'tags' failed to satisfy constraint: "
            f"Map value must satisfy constraint: {LENGTHS.format(256, 0)}",
        ),
        (
            "CreateIdentityPool", ("OpenIdConnectProviderARNs", ELEMENT), "arn",
            "1 validation error detected: Value '[arn]' at 'openIdConnectProviderARNs' failed to satisfy constraint: "
            f"Member must satisfy constraint: {LENGTHS.format(2048, 20)}",
        ),
        (
            "CreateIdentityPool", ("CognitoIdentityProviders", ELEMENT, "ClientId"), "a client",
            "1 validation error detected: Value 'a client' at 'cognitoIdentityProviders.1.member.clientId' "
            r"failed to satisfy constraint: Member must satisfy regular expression pattern: [\w_]+",
        ),
        (
            "SetIdentityPoolRoles", ("RoleMappings", VALUE, "Type"), "None",
            "1 validation error detected: Value 'None' at 'roleMappings.name.member.type' "
            "failed to satisfy constraint: Member must satisfy enum value set: [Token, Rules]",
        ),
        (
            "SetIdentityPoolRoles", (*RULE, "Claim"), model.ABSENT,
            "1 validation error detected: Value null at "
            "'roleMappings.name.member.rulesConfiguration.rules.1.member.claim' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "GetOpenIdTokenForDeveloperIdentity", ("TokenDuration",), 86_401,
            "1 validation error detected: Value '86401' at 'tokenDuration' failed to satisfy constraint: "
            "Member must have value less than or equal to 86400",
        ),
    ],
)  # fmt: skip
def test_a_violation_is_told_as_aws_tells_it(operation, steps, broken, message):
    shape = model.COGNITO_IDENTITY.operation_model(operation).input_shape
    assert re.fullmatch(violations.message(violations.expected(shape, steps, broken)), message)


def test_every_limit_of_a_nested_shape_is_a_constraint():
    found = {str(constraint) for constraint in model.constraints(model.COGNITO_IDENTITY, "SetIdentityPoolRoles")}
    claim = f"SetIdentityPoolRoles {'.'.join(RULE)}.Claim"
    assert found >= {f"{claim} required", f"{claim} max 64", f"{claim} min 1", f"{claim} pattern"}
    assert f"SetIdentityPoolRoles {'.'.join(RULE[:-1])} max 400" in found


@pytest.mark.parametrize("kind", ["max", "min", "pattern", "enum"])
def test_a_request_is_valid_but_for_its_one_fault(kind):
    """Else a server could refuse it for something else than what is tested."""
    for operation in model.COGNITO_IDENTITY.operation_names:
        shape = model.COGNITO_IDENTITY.operation_model(operation).input_shape
        assert faults(shape, model.example(shape)) == 0
        for constraint in model.constraints(model.COGNITO_IDENTITY, operation):
            if constraint.kind == kind:
                broken = model.breaking(model.shape_at(shape, constraint.steps), kind)
                only_these = len(violations.broken_phrases(model.shape_at(shape, constraint.steps), broken))
                too_few_keys = constraint.steps == ("Roles",)
                found = faults(shape, model.placed(shape, constraint.steps, broken))
                assert found == only_these + too_few_keys > 0, constraint


def faults(shape, value):
    """How many constraints a value breaks, wherever in it."""
    count = len(violations.broken_phrases(shape, value)) if shape.type_name != "boolean" else 0
    match shape.type_name:
        case "structure":
            count += sum(faults(shape.members[name], member) for name, member in value.items())
        case "list":
            count += sum(faults(shape.member, element) for element in value)
        case "map":
            count += sum(faults(shape.key, key) + faults(shape.value, entry) for key, entry in value.items())
    return count


@pytest.mark.parametrize(
    "wrong",
    [
        {"Identities": [{"IdentityId": model.NO_ID, "UserId": "unknown to the model"}]},
        {"Identities": [{"IdentityId": "no id"}]},
        {"Identities": [{"CreationDate": "2026-11-23T08:30:00Z"}]},
        {"Identities": [{"Logins": None}]},
        {"Identities": {}},
        {"NextToken": 1},
    ],
)
def test_an_answer_of_another_form_is_noticed(wrong):
    shape = model.COGNITO_IDENTITY.operation_model("ListIdentities").output_shape
    answers.check_value(shape, {"Identities": [{"IdentityId": model.NO_ID, "CreationDate": 1.5}]}, "right")
    with pytest.raises(AssertionError):
        answers.check_value(shape, wrong, "wrong")
