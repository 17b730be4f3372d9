"""AWS's own model of the API against a running server: every operation succeeds in the form that the model gives its
answer, and every constraint of every input is kept up, in AWS's words. `docs/compatibility.md` says what it shows."""

import re

import pytest
from botocore.credentials import Credentials

from conformance import document, model, violations
from conformance.findings import Findings
from conformance.refusals import REFUSALS
from conformance.scenarios import SCENARIOS, Stage
from conformance.wire import CognitoIdentity, Sts
from federation import Federation
from support import aws, login

OPERATIONS = model.COGNITO_IDENTITY.operation_names
ACTIONS = ["AssumeRoleWithWebIdentity", "GetCallerIdentity"]
# Members of STS that are refused or ignored as a whole; the document says so.
NOT_ENFORCED = {"ProviderId", "PolicyArns", "MinimumSessionTokenSize"}
# What stands before an operation: the signature, the policy of the caller, the reading of the request.
FRONT_END = {
    "ValidationException", "ValidationError", "SerializationException", "MissingAuthenticationTokenException",
    "MissingAuthenticationToken", "AccessDeniedException", "AccessDenied",
}  # fmt: skip

findings = Findings((model.COGNITO_IDENTITY, OPERATIONS, ()), (model.STS, ACTIONS, NOT_ENFORCED))
CONSTRAINTS = [constraint for operation in findings for constraint in operation.constraints]


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    """A server of its own, because the scenarios change the pool of the configuration."""
    with Federation(tmp_path_factory.mktemp("conformance")) as running:
        yield running


@pytest.fixture(scope="module")
def own_daypass(federation):
    return federation.daypass


@pytest.fixture(scope="module")
def cognito_identity(own_daypass):
    return CognitoIdentity(own_daypass, findings)


@pytest.fixture(scope="module")
def sts(own_daypass):
    return Sts(own_daypass, findings)


@pytest.fixture(scope="module")
def stage(cognito_identity, sts, federation):
    return Stage(cognito_identity, sts, federation)


@pytest.fixture(scope="module")
def ada_session(own_daypass):
    session = aws.credentials_of(own_daypass, login.log_in(own_daypass, "ada"))
    return Credentials(*session.values())


@pytest.fixture
def wire(request, operation):
    """The service that has the operation of the test."""
    return request.getfixturevalue("sts" if operation in ACTIONS else "cognito_identity")


every_operation = pytest.mark.parametrize("operation", [*OPERATIONS, *ACTIONS])


@every_operation
def test_an_operation_succeeds_in_the_form_of_the_model(stage, operation):
    SCENARIOS[operation](stage)
    assert findings.of(operation).has_succeeded


@pytest.mark.parametrize(
    ("operation", "constraint"), [pytest.param(c.operation, c, id=str(c)) for c in CONSTRAINTS]
)
def test_a_constraint_of_the_model_is_kept_up_in_aws_words(wire, operation, constraint):
    findings.of(operation).tried.add(constraint)
    shape = wire.input_shape(operation)
    broken = model.breaking(model.shape_at(shape, constraint.steps), constraint.kind)
    code, message = wire.refusal(operation, model.placed(shape, constraint.steps, broken))
    expected = wire.shown(violations.message(violations.expected(shape, constraint.steps, broken)))
    assert code == wire.validation_code, message
    assert re.fullmatch(expected, message, re.DOTALL), f"\n{message}\nis not\n{expected}"
    findings.of(operation).proven.add(constraint)


@every_operation
def test_who_may_call_is_what_the_model_says(wire, operation):
    """A public operation is read without a signature; of any other, nothing is read before the signature is."""
    shape = wire.input_shape(operation)
    code, _ = wire.refusal(operation, {} if wire.is_public(operation) else model.example(shape), signed=False)
    assert code == (wire.validation_code if wire.is_public(operation) else wire.no_signature)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_member_of_another_type_is_not_read(cognito_identity, operation):
    shape = cognito_identity.input_shape(operation)
    for name, member in shape.members.items():
        for value in ({"text": {}}, 1.5, "text", True, ["text"]):
            if not is_of_type(member, value):
                code, _ = cognito_identity.refusal(operation, {**model.example(shape), name: value})
                assert code == "SerializationException", (name, value)


def is_of_type(shape, value):
    """Whether a value has the type of its shape, all the way down."""
    match shape.type_name:
        case "structure":
            known = [(inner, value.get(name)) for name, inner in shape.members.items()] if type(value) is dict else None
            return known is not None and all(member is None or is_of_type(inner, member) for inner, member in known)
        case "map":
            return type(value) is dict and all(is_of_type(shape.value, entry) for entry in value.values())
        case "list":
            return type(value) is list and all(is_of_type(shape.member, element) for element in value)
    return type(value) is {"string": str, "boolean": bool, "integer": int, "long": int}[shape.type_name]


def names_something(operation):
    """Whether an operation is about a pool or an identity. The model names the error for ListIdentityPools, too."""
    members = model.COGNITO_IDENTITY.operation_model(operation).input_shape.members
    is_modelled = "ResourceNotFoundException" in findings.of(operation).modelled_errors
    return is_modelled and bool(members.keys() & {"IdentityPoolId", "IdentityId", "ResourceArn"})


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if names_something(name)])
def test_what_does_not_exist_is_not_found(own_daypass, cognito_identity, stage, operation):
    parameters = model.example(cognito_identity.input_shape(operation))
    instead = {
        "Roles": {},
        "DeveloperUserIdentifier": "nobody",
        "ResourceArn": stage.arn(model.NO_ID),
    }
    members = cognito_identity.input_shape(operation).members
    parameters |= {name: value for name, value in instead.items() if name in members}
    code, message = cognito_identity.refusal(operation, parameters)
    assert code == "ResourceNotFoundException", message
    assert message in (f"IdentityPool '{model.NO_ID}' not found.", f"Identity '{model.NO_ID}' not found.")


@pytest.mark.parametrize(
    ("operation", "code", "request_of"), [pytest.param(*how, id=f"{how[0]} {why}") for why, *how in REFUSALS]
)
def test_an_error_of_the_model_is_answered_where_it_belongs(stage, wire, operation, code, request_of):
    assert wire.refusal(operation, request_of(stage))[0] == code


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if not findings.of(name).is_public])
def test_a_person_may_not_do_what_is_the_developers(own_daypass, cognito_identity, ada_session, operation):
    """A person's role says nothing of the pool. What is refused is named, and so is who."""
    parameters = model.example(cognito_identity.input_shape(operation))
    code, message = cognito_identity.refusal(operation, parameters, signed=ada_session)
    assert code == "AccessDeniedException"
    session = f"arn:aws:sts::{own_daypass.account_id}:assumed-role/"
    assert message.startswith(f"User: {session}")
    assert f" is not authorized to perform: cognito-identity:{operation} on resource: " in message


class TestByHand:
    """What the model does not say by itself."""

    def test_three_violations_at_once_are_told_together(self, cognito_identity):
        code, message = cognito_identity.refusal(
            "ListIdentities", {"IdentityPoolId": "US EAST:1", "MaxResults": 61, "NextToken": "page two"}
        )
        assert code == "ValidationException"
        assert message == (
            "3 validation errors detected: "
            r"Value 'US EAST:1' at 'identityPoolId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+; "
            "Value '61' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 60; "
            r"Value 'page two' at 'nextToken' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\S]+"
        )

    def test_one_value_can_break_two_constraints(self, cognito_identity):
        _, message = cognito_identity.refusal("DescribeIdentityPool", {"IdentityPoolId": ""})
        assert message == (
            "2 validation errors detected: Value '' at 'identityPoolId' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; "
            "Value '' at 'identityPoolId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+"
        )

    def test_members_are_told_in_the_order_of_the_model_not_of_the_request(self, cognito_identity):
        _, message = cognito_identity.refusal("ListIdentities", {"NextToken": "", "MaxResults": 0})
        members = re.findall(r" at '(\w+)'", message)
        assert members == ["identityPoolId", "maxResults", "nextToken", "nextToken"]

    def test_a_token_that_is_too_long_is_not_repeated(self, cognito_identity):
        token = "secret" * 10_000
        _, message = cognito_identity.refusal(
            "GetId", {"IdentityPoolId": model.NO_ID, "Logins": {"accounts.google.com": token}}
        )
        assert "secret" not in message

    def test_an_unknown_member_is_ignored(self, cognito_identity):
        cognito_identity.call("ListIdentityPools", MaxResults=1, MaxItems=1, Filters=[{"Name": "any"}])

    def test_null_is_absent(self, cognito_identity):
        cognito_identity.call("ListIdentityPools", MaxResults=1, NextToken=None)
        _, message = cognito_identity.refusal("ListIdentityPools", {"MaxResults": None})
        assert message == (
            "1 validation error detected: Value null at 'maxResults' failed to satisfy constraint: "
            "Member must not be null"
        )

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"MaxResults":1}{}', b'{"MaxResults":NaN}']
    )
    def test_what_is_no_json_object_is_not_read(self, cognito_identity, body):
        answer = cognito_identity.send_body("ListIdentityPools", body)
        assert cognito_identity.read_refusal("ListIdentityPools", answer)[0] == "SerializationException"

    @pytest.mark.parametrize("name", ["GetClientToken", "listIdentityPools", ""])
    def test_an_operation_that_is_not_there(self, cognito_identity, name):
        assert cognito_identity.refusal(name, {}, signed=True)[0] == "UnknownOperationException"

    @pytest.mark.parametrize("target", ["AWSCognitoIdentityProviderService.ListIdentityPools", "ListIdentityPools"])
    def test_an_operation_of_another_service(self, cognito_identity, monkeypatch, target):
        headers = {**cognito_identity.headers("ListIdentityPools"), "X-Amz-Target": target}
        monkeypatch.setattr(cognito_identity, "headers", lambda _: headers)
        answer = cognito_identity.send("ListIdentityPools", {"MaxResults": 1})
        assert cognito_identity.read_error(answer)[0] == "UnknownOperationException"

    def test_an_action_that_is_not_there(self, sts):
        assert sts.refusal("GetFederationToken", {}, signed=True)[0] == "InvalidAction"


class TestTheWhole:
    """What only the whole run can show. These come last, and a run of some tests cannot pass them."""

    @every_operation
    def test_nothing_of_the_model_is_left_out(self, operation):
        assert findings.of(operation).missing == []

    def test_every_operation_of_the_model_has_a_scenario_and_no_other_has(self):
        assert SCENARIOS.keys() == {*OPERATIONS, *ACTIONS}

    @every_operation
    def test_no_error_is_answered_that_the_model_does_not_name(self, operation):
        shown = findings.of(operation)
        assert shown.errors <= shown.modelled_errors | FRONT_END

    def test_the_document_says_what_was_shown(self, request):
        assert findings.were_all_tried(), "the document is about the whole of this file; run all of it"
        current = document.render(
            [findings.of(operation) for operation in OPERATIONS], [findings.of(action) for action in ACTIONS]
        )
        if request.config.getoption("--regenerate"):
            document.DOCUMENT.write_text(current)
        assert document.DOCUMENT.read_text() == current, "docs/compatibility.md is stale; run `cargo xtask gen`"
