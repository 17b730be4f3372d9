"""Whether an answer has the form that the model gives it, read from the bytes, not by botocore's forgiving parser."""

import datetime
import json
import re
import uuid
import xml.etree.ElementTree as ElementTree

from conformance import model
from conformance.violations import broken_phrases

JSON_TYPE = "application/x-amz-json-1.1"
TYPES = {"string": str, "boolean": bool, "integer": int, "long": int, "structure": dict, "map": dict, "list": list}
STS_NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"


def check_json_success(operation, answer):
    """A successful answer (docs/reference/cognito-identity.md, 1.2); what it says, or `None`
    if the operation says nothing."""
    check_headers(answer, JSON_TYPE)
    if operation.output_shape is None:
        assert answer.data == b""
        return None
    said = read_compact_json(answer)
    check_value(operation.output_shape, said, operation.name)
    return said


def check_json_error(answer):
    """A refusal (docs/reference/cognito-identity.md, 1.3); its code and message."""
    check_headers(answer, JSON_TYPE)
    said = read_compact_json(answer)
    code, message = said.values()
    assert list(said) == ["__type", "Message" if code == "AccessDeniedException" else "message"]
    assert answer.headers["x-amzn-errortype"] == f"{code}:"
    assert answer.status == (500 if code == "InternalErrorException" else 400)
    return code, message


def check_headers(answer, content_type):
    assert answer.headers["Content-Type"] == content_type
    assert str(uuid.UUID(answer.headers["x-amzn-RequestId"])) == answer.headers["x-amzn-RequestId"]
    assert answer.headers["Date"].endswith(" GMT")


def read_compact_json(answer):
    text = answer.data.decode()
    between_texts = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert not re.search(r"\s", between_texts), "the answer is not compact"
    assert not re.search(r"\d[eE]", between_texts), "not every client reads a number with an exponent"
    return json.loads(text)


def check_value(shape, value, where):
    """A value of an answer: its type, its constraints, and nothing that the model does not know."""
    if shape.type_name == "timestamp":
        assert type(value) in (int, float), where
        return
    assert type(value) is TYPES[shape.type_name], f"{where}: {value!r} is no {shape.type_name}"
    if shape.metadata.keys() & {"min", "max", "pattern", "enum"}:
        assert not broken_phrases(shape, value), where
    match shape.type_name:
        case "structure":
            assert value.keys() <= shape.members.keys(), f"{where}: {value.keys() - shape.members.keys()}"
            assert value.keys() >= set(shape.required_members), where
            for name, member in value.items():
                check_value(shape.members[name], member, f"{where}.{name}")
        case "list":
            for number, element in enumerate(value, 1):
                check_value(shape.member, element, f"{where}.{number}")
        case "map":
            for key, entry in value.items():
                check_value(shape.key, key, f"{where} key")
                check_value(shape.value, entry, f"{where}.{key}")


def check_query_success(operation, answer):
    """A successful answer of STS (docs/reference/cognito-identity.md, 1.4), as the values that the
    model describes."""
    check_headers(answer, "text/xml")
    root = ElementTree.fromstring(answer.data)
    assert root.tag == f"{STS_NAMESPACE}{operation.name}Response"
    result, metadata = root
    assert result.tag == f"{STS_NAMESPACE}{operation.name}Result"
    assert metadata.tag == f"{STS_NAMESPACE}ResponseMetadata"
    assert [child.tag for child in metadata] == [f"{STS_NAMESPACE}RequestId"]
    assert metadata[0].text == answer.headers["x-amzn-RequestId"]
    said = _read_xml(operation.output_shape, result)
    check_value(operation.output_shape, said, operation.name)
    return said


def check_query_error(answer):
    check_headers(answer, "text/xml")
    error, request_id = ElementTree.fromstring(answer.data)
    assert [child.tag for child in error] == [STS_NAMESPACE + name for name in ("Type", "Code", "Message")]
    assert request_id.text == answer.headers["x-amzn-RequestId"]
    kind, code, message = (child.text for child in error)
    assert (kind, answer.status // 100) == ("Sender", 4)
    return code, message


def _read_xml(shape, element):
    match shape.type_name:
        case "structure":
            names = [child.tag.removeprefix(STS_NAMESPACE) for child in element]
            assert len(names) == len(set(names))
            assert set(names) <= shape.members.keys(), set(names) - shape.members.keys()
            return {name: _read_xml(shape.members[name], child) for name, child in zip(names, element, strict=True)}
        case "timestamp":
            return datetime.datetime.strptime(element.text, "%Y-%m-%dT%H:%M:%SZ").timestamp()
        case "integer":
            return int(element.text)
    assert shape.type_name in model.SCALARS
    return element.text
