//! What a collector is sent: an `ExportLogsServiceRequest` of OTLP in JSON, where numbers of 64 bits are texts.

use daypass_core::audit::AuditOutcome;
use serde::Serialize;

use crate::export::batch::{Batch, Exported};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
    resource_logs: [ResourceLogs<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs<'a> {
    resource: Resource<'a>,
    scope_logs: [ScopeLogs<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs<'a> {
    scope: Scope,
    log_records: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    time_unix_nano: String,
    observed_time_unix_nano: String,
    severity_number: u32,
    severity_text: &'static str,
    body: Value<'a>,
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: Value<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Value<'a> {
    string_value: &'a str,
}

/// The message of a batch.
pub(super) fn of<'a>(installation: &'a str, batch: &'a Batch) -> Message<'a> {
    let version = env!("CARGO_PKG_VERSION");
    let attributes = vec![
        attribute("service.name", "daypass"),
        attribute("service.version", version),
        attribute("daypass.issuer", installation),
        attribute("daypass.trail", &batch.trail),
    ];
    let log_records = batch.events.iter().map(record).collect();
    let scope = Scope { name: "daypass.audit", version };
    let scope_logs = [ScopeLogs { scope, log_records }];
    Message { resource_logs: [ResourceLogs { resource: Resource { attributes }, scope_logs }] }
}

fn record(exported: &Exported) -> Record<'_> {
    let event = &exported.event;
    let (severity_number, severity_text, outcome) = match event.outcome {
        AuditOutcome::Allowed => (9, "INFO", "allowed"),
        AuditOutcome::Refused => (13, "WARN", "refused"),
    };
    // An event is observed when it is decided.
    let time = event.time.as_nanosecond().to_string();
    Record {
        time_unix_nano: time.clone(),
        observed_time_unix_nano: time,
        severity_number,
        severity_text,
        body: Value { string_value: &exported.ocsf },
        attributes: vec![
            attribute("daypass.action", event.action.name()),
            attribute("daypass.outcome", outcome),
            attribute("daypass.request_id", event.request_id.as_str()),
        ],
    }
}

fn attribute<'a>(key: &'static str, string_value: &'a str) -> Attribute<'a> {
    Attribute { key, value: Value { string_value } }
}
