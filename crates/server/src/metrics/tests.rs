//! What stands in the text, and that `docs/observe.md` says the same.

use std::collections::{BTreeMap, BTreeSet};

use daypass_core::ground::clock::SignedDuration;
use daypass_core::store::{StoreOutcome, StoreWatch, StoreWork};

use super::*;

/// With everything that some installation has.
fn full() -> Metrics {
    let metrics = Metrics::default();
    let region = metrics.of_region(&Region::parse("us-east-1").unwrap());
    region.knows("GetOpenIdToken", "ok");
    let _ = (metrics.of_exporter("siem"), metrics.of_signatures(Algorithm::Es256));
    metrics.stand(Timestamp::UNIX_EPOCH, &[turn(None)], Some(StoreConnections::default()));
    metrics
}

fn turn(next_in: Option<SignedDuration>) -> Turn {
    let rotation = Some(SignedDuration::from_hours(24));
    Turn { algorithm: Algorithm::Es256, age: SignedDuration::from_secs(7), next_in, rotation }
}

fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|it| it == *line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_happened_stands_in_the_text() {
    let metrics = Metrics::default();
    metrics.exchanged("ok");
    metrics.exchanged("ok");
    metrics.exchanged("proof_refused");
    let region = metrics.of_region(&Region::parse("us-east-1").expect("a Region"));
    region.called("GetOpenIdTokenForDeveloperIdentity", "throttled");
    region.queued(Duration::from_millis(700));
    region.circuit(true);
    let waiting = (region.waiting(), region.waiting());
    drop(waiting.0);
    let text = metrics.text();
    assert_lines(
        &text,
        &[
            "daypass_exchanges_total{code=\"ok\"} 2",
            "daypass_exchanges_total{code=\"proof_refused\"} 1",
            "daypass_pool_calls_total{region=\"us-east-1\",operation=\"GetOpenIdTokenForDeveloperIdentity\",outcome=\"throttled\"} 1",
            "daypass_pool_queue_length{region=\"us-east-1\"} 1",
            "daypass_pool_queue_seconds_bucket{le=\"0.5\",region=\"us-east-1\"} 0",
            "daypass_pool_queue_seconds_bucket{le=\"1.0\",region=\"us-east-1\"} 1",
            "daypass_pool_queue_seconds_count{region=\"us-east-1\"} 1",
            "daypass_pool_circuit_open{region=\"us-east-1\"} 1",
        ],
    );
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn what_can_be_known_is_there_before_anything_happens() {
    let metrics = Metrics::default();
    metrics.knows_provider("discord");
    let version = env!("CARGO_PKG_VERSION");
    assert_lines(
        &metrics.text(),
        &[
            &format!("daypass_build_info{{version=\"{version}\"}} 1"),
            "daypass_requests_total{route=\"/v1/sessions/{id}\",status=\"5xx\"} 0",
            "daypass_request_seconds_count{group=\"aws\"} 0",
            "daypass_requests_under_way 0",
            "daypass_requests_refused_early_total 0",
            "daypass_exchanges_total{code=\"ok\"} 0",
            "daypass_provider_call_seconds_count{provider=\"discord\",outcome=\"resting\"} 0",
            "daypass_store_seconds_count{work=\"commit\",outcome=\"lost\"} 0",
            "daypass_audit_append_seconds_count{outcome=\"failed\"} 0",
            "daypass_audit_gathering_failures_total 0",
        ],
    );
}

#[test]
fn how_things_stand_is_told() {
    let metrics = Metrics::default();
    let (door, store) = (metrics.of_listener(), metrics.of_store());
    door.limits(8_192, 2_048);
    let held = (door.connection(), door.request(), door.request());
    drop(held.2);
    store.did(StoreWork::Commit, StoreOutcome::Busy, Duration::from_millis(20));
    metrics.of_signatures(Algorithm::Es256).signed(true, Duration::from_micros(40));
    metrics.appended(false, Duration::from_millis(1));
    metrics.gathered(None);
    metrics.signed_head(Timestamp::from_second(100).unwrap());
    let connections = StoreConnections { limit: 10, open: 4, idle: 1, waiting: 2 };
    let now = Timestamp::from_second(160).unwrap();
    metrics.stand(now, &[turn(Some(SignedDuration::from_mins(5)))], Some(connections));
    assert_lines(
        &metrics.text(),
        &[
            "daypass_connections 1",
            "daypass_connections_limit 8192",
            "daypass_requests_under_way 1",
            "daypass_requests_limit 2048",
            "daypass_store_seconds_bucket{le=\"0.03\",work=\"commit\",outcome=\"busy\"} 1",
            "daypass_store_connections_open 4",
            "daypass_store_connections_waiting 2",
            "daypass_signature_seconds_count{algorithm=\"ES256\",outcome=\"ok\"} 1",
            "daypass_signing_key_age_seconds{algorithm=\"ES256\"} 7",
            "daypass_signing_key_rotation_seconds{algorithm=\"ES256\"} 86400",
            "daypass_signing_key_announced{algorithm=\"ES256\"} 1",
            "daypass_audit_append_seconds_count{outcome=\"failed\"} 1",
            "daypass_audit_gathering_failures_total 1",
            "daypass_audit_head_age_seconds 60",
        ],
    );
}

/// Each metric as an expression names it, with its labels and its type.
fn told(text: &str) -> BTreeMap<String, (BTreeSet<String>, String)> {
    let mut told = BTreeMap::new();
    for kind in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = kind.split_once(' ').unwrap();
        let (suffix, sample) = match kind {
            "counter" => ("_total", "_total"),
            "info" => ("_info", "_info"),
            "histogram" => ("", "_count"),
            _ => ("", ""),
        };
        let sample = format!("{name}{sample}");
        let rest = text
            .lines()
            .find_map(|line| line.strip_prefix(&sample).filter(|rest| rest.starts_with(['{', ' '])));
        let rest = rest.unwrap_or_else(|| panic!("{name} has no sample"));
        told.insert(format!("{name}{suffix}"), (labels(rest), kind.to_owned()));
    }
    told
}

/// The names within `{route="/v1/sessions/{id}",status="2xx"} 0`.
fn labels(sample: &str) -> BTreeSet<String> {
    let inside = sample.strip_prefix('{').and_then(|rest| rest.rsplit_once('}')).map_or("", |it| it.0);
    let names = inside.split("\",").filter_map(|label| Some(label.split_once("=\"")?.0.to_owned()));
    names.collect()
}

/// The rows of the page, likewise: "| `name{label,label}` | type | What |".
fn written(page: &str) -> BTreeMap<String, (BTreeSet<String>, String)> {
    let row = |line: &str| {
        let (metric, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let kind = rest.split_once(" | ")?.0;
        let (name, labels) = metric.split_once('{').unwrap_or((metric, "}"));
        let labels = labels.strip_suffix('}')?.split(',').filter(|it| !it.is_empty()).map(str::to_owned);
        let is_metric = name.starts_with("daypass_") || name.starts_with("process_");
        is_metric.then(|| (name.to_owned(), (labels.collect(), kind.to_owned())))
    };
    page.lines().filter_map(row).collect()
}

#[test]
fn the_page_has_every_metric_with_its_labels_and_no_other() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/observe.md");
    let written = written(&std::fs::read_to_string(page).unwrap());
    let told = told(&full().text());
    for (name, told) in &told {
        assert_eq!(written.get(name), Some(told), "docs/observe.md, {name}");
    }
    let gone: Vec<_> = written.keys().filter(|name| !told.contains_key(*name)).collect();
    assert!(gone.is_empty(), "docs/observe.md has what is not there: {gone:?}");
    assert!(told.len() > 40, "{told:?}");
}
