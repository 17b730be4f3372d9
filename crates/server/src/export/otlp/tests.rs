use std::sync::Mutex;

use axum::http::{Response, StatusCode};
use daypass_core::audit::AuditOutcome;
use daypass_core::ground::outbound::ProviderHttpError;
use daypass_core::store::{EventPosition, KeptEvent};
use serde_json::{Value, json};

use super::super::testing::{Log, event};
use super::*;

/// A collector that gives one answer, and keeps what it was sent last.
struct Collector {
    answer: Result<Response<Bytes>, ProviderHttpError>,
    sent: Mutex<Option<Request<Bytes>>>,
}

#[async_trait]
impl ProviderHttp for Collector {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        *self.sent.lock().unwrap() = Some(request);
        self.answer.clone()
    }
}

fn otlp(http: Arc<Collector>) -> Otlp {
    Otlp {
        http,
        url: "https://collector.example.com/v1/logs?tenant=7".parse().unwrap(),
        headers: [("authorization".parse().unwrap(), HeaderValue::from_static("Bearer secret"))]
            .into_iter()
            .collect(),
        installation: "https://login.example.com".into(),
        exporter: "logs".into(),
        is_told: false.into(),
    }
}

fn batch() -> Batch {
    let mut refused = event(2);
    refused.outcome = AuditOutcome::Refused;
    let events = [event(1), refused].into_iter().zip(1..);
    let kept =
        events.map(|(event, line)| KeptEvent { position: EventPosition(line), event, damaged: 0 }).collect();
    Batch::of("trail", kept, usize::MAX).unwrap()
}

async fn deliver(status: u16, body: &'static str) -> (Answer, Request<Bytes>) {
    let answer = Response::builder().status(status).body(body.into()).unwrap();
    let http = Arc::new(Collector { answer: Ok(answer), sent: Mutex::default() });
    let answer = otlp(http.clone()).deliver(&batch()).await;
    (answer, http.sent.lock().unwrap().take().unwrap())
}

/// A message, for a reader that is not ours: tests/clients/test_export.py holds it against the types of OpenTelemetry.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/export/otlp/example.json");

#[tokio::test]
async fn the_example_is_what_is_exported() {
    let (_, request) = deliver(200, "{}").await;
    let message = String::from_utf8(request.body().to_vec()).unwrap() + "\n";
    if std::env::var_os("DAYPASS_REGENERATE").is_some() {
        std::fs::write(EXAMPLE, &message).unwrap();
    }
    let written = std::fs::read_to_string(EXAMPLE).unwrap_or_default();
    assert!(written == message, "{EXAMPLE} is stale: run `cargo xtask gen`");
}

#[tokio::test]
async fn a_collector_is_sent_a_record_for_each_event() {
    let (answer, request) = deliver(200, "{}").await;
    assert_eq!(answer, Answer::Taken { refused: 0 });
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/logs"));
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["authorization"], "Bearer secret");
    let message: Value = serde_json::from_slice(request.body()).unwrap();
    let logs = &message["resourceLogs"][0];
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let resource = logs["resource"]["attributes"].as_array().unwrap();
    for expected in [
        attribute("service.name", "daypass"),
        attribute("daypass.issuer", "https://login.example.com"),
        attribute("daypass.trail", "trail"),
    ] {
        assert!(resource.contains(&expected), "{expected}");
    }
    let records = logs["scopeLogs"][0]["logRecords"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["timeUnixNano"], "1000000000");
    assert_eq!(records[0]["observedTimeUnixNano"], "1000000000");
    assert_eq!((&records[0]["severityNumber"], &records[1]["severityNumber"]), (&json!(9), &json!(13)));
    assert_eq!(records[1]["attributes"][1], attribute("daypass.outcome", "refused"));
    let body: Value = serde_json::from_str(records[1]["body"]["stringValue"].as_str().unwrap()).unwrap();
    assert_eq!((&body["class_uid"], &body["unmapped"]["resource"]), (&json!(3002), &json!("2")));
}

#[tokio::test]
async fn records_that_the_collector_took_out_are_refused_for_good() {
    for (body, refused) in [
        ("", 0),
        ("no JSON", 0),
        (r#"{"partialSuccess":{}}"#, 0),
        (r#"{"partialSuccess":{"errorMessage":"a warning"}}"#, 0),
        (r#"{"partialSuccess":{"rejectedLogRecords":"1"}}"#, 1),
        (r#"{"partialSuccess":{"rejectedLogRecords":2,"errorMessage":"no"}}"#, 2),
        (r#"{"partialSuccess":{"rejectedLogRecords":"9999"}}"#, 2),
    ] {
        assert_eq!(deliver(200, body).await.0, Answer::Taken { refused }, "{body}");
    }
}

#[tokio::test]
async fn only_what_the_events_can_be_the_cause_of_is_a_refusal_of_them() {
    for status in [400, 413, 422] {
        let answer = deliver(status, "").await.0;
        assert_eq!(answer, Answer::Refused(format!("it answered {status}")));
    }
    for status in [301, 302, 401, 403, 404, 405, 408, 415, 429, 500, 501, 502, 503, 504] {
        let Answer::Away(why) = deliver(status, "").await.0 else { panic!("{status} is a refusal for good") };
        assert!(why.contains(&status.to_string()), "{why}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_has_taken_everything_and_is_told_once() {
    let too_long = || Err(ProviderHttpError::AnswerTooLarge { limit: 65_536, status: StatusCode::OK });
    let (log, _logging) = Log::begin();
    for (answer, lines) in [
        (too_long(), 1),
        (Ok(Response::new("no JSON".into())), 1),
        (Ok(Response::new(r#"{"partialSuccess":{"rejectedLogRecords":"many"}}"#.into())), 1),
        (Ok(Response::new("{}".into())), 0),
        (Ok(Response::new(Bytes::new())), 0),
    ] {
        let otlp = otlp(Arc::new(Collector { answer, sent: Mutex::default() }));
        for _ in 0..2 {
            assert_eq!(otlp.deliver(&batch()).await, Answer::Taken { refused: 0 });
        }
        let log = log.said();
        assert_eq!(log.matches("no answer of OTLP").count(), lines, "{log}");
        assert!(lines == 0 || log.contains("exporter=\"logs\""), "{log}");
    }
    let refusal = ProviderHttpError::AnswerTooLarge { limit: 65_536, status: StatusCode::BAD_REQUEST };
    let otlp = otlp(Arc::new(Collector { answer: Err(refusal), sent: Mutex::default() }));
    assert_eq!(otlp.deliver(&batch()).await, Answer::Refused("it answered 400".into()));
}
