"""What is exported is what the standards say it is. Each kind of event is held against the published schema of its class in
OCSF 1.3.0, as a package that is not ours makes JSON Schema of it, and a message to a collector is read by OpenTelemetry's
own types. The examples are what the program exports: a test of its own compares them."""

import json
from functools import cache

import pytest
from google.protobuf import json_format
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from support.server import REPOSITORY

EXAMPLES = REPOSITORY / "crates/server/src/export"
EVENTS = [json.loads(line) for line in (EXAMPLES / "ocsf/examples.jsonl").read_text().splitlines()]


@cache
def published():
    return OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.3.0"))


@cache
def schema_of(class_uid, profiles):
    name = published().lookup_class_name_from_uid(class_uid)
    schema = published().get_class_schema(class_name=name, profiles=list(profiles))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def validator(event):
    """By its class and the profiles that it names: no other attribute is taken."""
    return schema_of(event["class_uid"], tuple(event["metadata"].get("profiles", ())))


def kind(event):
    return f"{event['metadata']['event_code']}-{event['status']}"


@pytest.mark.parametrize("event", EVENTS, ids=kind)
def test_an_event_is_one_of_its_class(event):
    faults = [f"{error.json_path}: {error.message[:300]}" for error in validator(event).iter_errors(event)]
    assert not faults, "\n".join(faults)


def test_the_schema_refuses_what_is_none():
    event = EVENTS[0]
    for broken in (
        {name: value for name, value in event.items() if name != "time"},
        {**event, "severity_id": "low"},
        {**event, "nothing_of_the_kind": 1},
    ):
        assert list(validator(event).iter_errors(broken)), broken


def test_a_message_to_a_collector_is_one_of_otlp():
    """Strictly: a member that the message does not have is an error, and so is a number of 64 bits that is too long."""
    text = (EXAMPLES / "otlp/example.json").read_text()
    [logs] = json_format.Parse(text, ExportLogsServiceRequest()).resource_logs
    [scope] = logs.scope_logs
    assert scope.scope.name == "daypass.audit"
    for record in scope.log_records:
        event = json.loads(record.body.string_value)
        assert not list(validator(event).iter_errors(event))
        assert record.time_unix_nano == event["time"] * 1_000_000
