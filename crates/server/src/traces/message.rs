//! What a collector is sent: an `ExportTraceServiceRequest` of OTLP in JSON (OTLP 1.x, "JSON Protobuf Encoding"), where IDs are
//! hexadecimal and numbers of 64 bits are texts.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::span::{Span, Trace};

/// The message of some traces of an installation.
pub(super) fn of(issuer: &str, traces: &[Arc<Trace>]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let resource = [("service.name", "daypass"), ("service.version", version), ("daypass.issuer", issuer)];
    let spans: Vec<Value> = traces.iter().flat_map(|trace| spans(trace)).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource.map(|(name, value)| label(name, value))},
        "scopeSpans": [{"scope": {"name": "daypass", "version": version}, "spans": spans}],
    }]})
}

fn spans(trace: &Trace) -> Vec<Value> {
    let spans = trace.spans();
    spans.iter().zip(trace.first..).map(|(span, id)| message(trace, span, id)).collect()
}

fn message(trace: &Trace, span: &Span, id: u64) -> Value {
    let is_first = id == trace.first;
    let parent =
        if is_first { trace.parent.map(|it| hex(&it)) } else { Some(hex(&trace.first.to_be_bytes())) };
    json!({
        "traceId": hex(&trace.id),
        "spanId": hex(&id.to_be_bytes()),
        "parentSpanId": parent.unwrap_or_default(),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": span.from.to_string(),
        "endTimeUnixNano": span.until.to_string(),
        "attributes": span.labels.iter().map(|(name, value)| label(name, value)).collect::<Vec<_>>(),
        "status": if span.has_failed { json!({"code": 2}) } else { json!({}) },
    })
}

/// What is a number by its meaning (OpenTelemetry, semantic conventions of HTTP spans).
const NUMBERS: [&str; 1] = ["http.response.status_code"];

fn label(name: &str, value: &str) -> Value {
    let kind = if NUMBERS.contains(&name) { "intValue" } else { "stringValue" };
    json!({"key": name, "value": {kind: value}})
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text
}
