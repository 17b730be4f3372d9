"""A message of traces is one of OpenTelemetry's, by its own types. The example is what the program sends: a test of its own compares
it."""

import base64
import json

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from support.server import REPOSITORY

EXAMPLE = json.loads((REPOSITORY / "crates/server/src/traces/example.json").read_text())
# OTLP writes these in hexadecimal, where JSON of Protocol Buffers has base64.
IDS = ("traceId", "spanId", "parentSpanId")


def test_a_message_of_traces_is_one_of_otlp():
    message = json.loads(json.dumps(EXAMPLE))
    for span in message["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        span.update({name: base64.b64encode(bytes.fromhex(span[name])).decode() for name in IDS})
    read = json_format.ParseDict(message, ExportTraceServiceRequest())
    (resource,) = read.resource_spans
    labels = {it.key: it.value.string_value for it in resource.resource.attributes}
    assert labels["service.name"] == "daypass" and labels["daypass.issuer"] == "https://login.example.com"
    request, part = resource.scope_spans[0].spans
    assert request.trace_id == part.trace_id == bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")
    assert request.parent_span_id == bytes.fromhex("00f067aa0ba902b7")
    assert part.parent_span_id == request.span_id != part.span_id and len(part.span_id) == 8
    assert (request.kind, part.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL)
    assert (request.status.code, part.status.code) == (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR)
    assert request.end_time_unix_nano - request.start_time_unix_nano == 4_000_000
    (status,) = request.attributes
    assert (status.key, status.value.int_value) == ("http.response.status_code", 200)
