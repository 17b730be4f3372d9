//! Traces on their way to a collector that a test has in its hands.

use async_trait::async_trait;
use axum::http::{HeaderValue, Request, Response};
use bytes::Bytes;
use daypass_core::ground::clock::{ManualClock, SignedDuration, Timestamp};
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use daypass_core::ground::random::SeededRandom;
use serde_json::{Value, json};

use super::*;

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// A collector: what it was sent, and how it answers.
#[derive(Default)]
struct Far {
    sent: Mutex<Vec<Request<Bytes>>>,
    answers: Mutex<Vec<u16>>,
    is_silent: bool,
}

#[async_trait]
impl ProviderHttp for Far {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        if self.is_silent {
            std::future::pending::<()>().await;
        }
        self.sent.lock().unwrap().push(request);
        let status = self.answers.lock().unwrap().pop().unwrap_or(200);
        Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
    }
}

impl Far {
    fn messages(&self) -> Vec<Value> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|request| serde_json::from_slice(request.body()).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Value> {
        let spans = |message: &Value| message["resourceSpans"][0]["scopeSpans"][0]["spans"].clone();
        self.messages().iter().flat_map(|message| spans(message).as_array().unwrap().clone()).collect()
    }
}

struct World {
    traces: Traces,
    far: Arc<Far>,
    metrics: Arc<Metrics>,
    clock: Arc<ManualClock>,
}

fn world(ratio: u64, far: Far) -> World {
    let (far, metrics) = (Arc::new(far), Arc::new(Metrics::default()));
    let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_790_000_000).unwrap()));
    let collector = Collector {
        http: far.clone(),
        url: "https://collector.example.com/v1/traces?tenant=7".parse().unwrap(),
        headers: headers("authorization", "Bearer hunter2"),
        issuer: "https://login.example.com".into(),
    };
    let tools =
        Tools { metrics: metrics.clone(), random: Arc::new(SeededRandom::new(1)), clock: clock.clone() };
    World { traces: Traces::to(collector, ratio, tools), far, metrics, clock }
}

fn started(ratio: u64) -> World {
    let world = world(ratio, Far::default());
    world.traces.start();
    world
}

fn headers(name: &'static str, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))])
}

impl World {
    /// A request that has one part.
    async fn answer(&self) {
        let trace = self.traces.begin(&HeaderMap::new(), false).unwrap();
        within(trace.clone(), async { sign() }).await;
        let labels =
            [("http.route", "/v1/exchange"), ("daypass.code", ""), ("http.response.status_code", "200")];
        trace.conclude("POST /v1/exchange", &labels, false);
        self.traces.end(trace);
    }

    #[track_caller]
    fn assert_counted(&self, outcome: &str, count: usize) {
        let line = format!("daypass_spans_total{{outcome=\"{outcome}\"}} {count}\n");
        let text = self.metrics.text();
        assert!(text.contains(&line), "{line}{text}");
    }
}

fn sign() {
    let labels = [("daypass.algorithm", "ES256")];
    part(
        &Part { name: "sign", is_asked: false, labels: &labels, has_failed: true },
        Duration::from_millis(3),
    );
}

#[tokio::test(start_paused = true)]
async fn a_trace_is_the_request_and_its_parts_as_the_protocol_has_them() {
    let world = started(u64::MAX);
    world.answer().await;
    world.traces.flush().await;
    let messages = world.far.messages();
    let resource = &messages[0]["resourceSpans"][0]["resource"]["attributes"];
    assert_eq!(resource[0], json!({"key": "service.name", "value": {"stringValue": "daypass"}}));
    let spans = world.far.spans();
    let [request, part] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((&request["name"], &request["kind"]), (&"POST /v1/exchange".into(), &2.into()));
    assert_eq!((&part["name"], &part["kind"]), (&"sign".into(), &1.into()));
    assert_eq!((request["traceId"].as_str().unwrap().len(), &request["parentSpanId"]), (32, &"".into()));
    assert_eq!((&part["traceId"], &part["parentSpanId"]), (&request["traceId"], &request["spanId"]));
    assert_ne!(part["spanId"], request["spanId"]);
    assert_eq!((&request["status"], &part["status"]), (&json!({}), &json!({"code": 2})));
    assert_eq!(
        request["attributes"],
        json!([
            {"key": "http.route", "value": {"stringValue": "/v1/exchange"}},
            {"key": "http.response.status_code", "value": {"intValue": "200"}}
        ])
    );
    let nanoseconds = |name: &str| part[name].as_str().unwrap().parse::<i128>().unwrap();
    assert_eq!(nanoseconds("endTimeUnixNano") - nanoseconds("startTimeUnixNano"), 3_000_000);
    assert_eq!(nanoseconds("endTimeUnixNano") / 1_000_000_000, 1_790_000_000);
    let sent = world.far.sent.lock().unwrap();
    assert_eq!((sent[0].method().as_str(), sent[0].uri().query()), ("POST", Some("tenant=7")));
    assert_eq!(sent[0].headers()["content-type"], "application/json");
    assert_eq!(sent[0].headers()["authorization"], "Bearer hunter2");
    world.assert_counted("sent", 2);
}

#[tokio::test(start_paused = true)]
async fn of_those_who_are_believed_the_caller_decides_and_the_trace_goes_on() {
    for ratio in [0, u64::MAX] {
        let world = started(ratio);
        assert!(world.traces.begin(&headers("traceparent", UNSAMPLED), true).is_none());
        let trace = world.traces.begin(&headers("traceparent", SAMPLED), true).unwrap();
        trace.conclude("GET /login", &[], false);
        world.traces.end(trace);
        world.traces.flush().await;
        let spans = world.far.spans();
        assert_eq!(spans[0]["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(spans[0]["parentSpanId"], "00f067aa0ba902b7");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_decides_nothing() {
    assert!(started(0).traces.begin(&headers("traceparent", SAMPLED), false).is_none());
    let all = started(u64::MAX).traces;
    for stranger in [SAMPLED, UNSAMPLED] {
        let trace = all.begin(&headers("traceparent", stranger), false).unwrap();
        assert_eq!(trace.parent, None);
        assert_ne!(trace.id[..2], [0x4b, 0xf9]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_malformed_decides_nothing_either() {
    let malformed = headers("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1");
    assert!(started(0).traces.begin(&malformed, true).is_none());
    assert!(started(u64::MAX).traces.begin(&malformed, true).is_some());
}

#[tokio::test(start_paused = true)]
async fn whoever_is_believed_passes_on_the_wishes_of_only_so_many() {
    let world = started(0);
    let wanted = || world.traces.begin(&headers("traceparent", SAMPLED), true).is_some();
    assert_eq!((0..1_000).filter(|_| wanted()).count(), 100);
    world.clock.advance(SignedDuration::from_secs(1));
    assert!(wanted());
}

#[tokio::test(start_paused = true)]
async fn a_ratio_is_kept_and_nothing_is_traced_before_somebody_delivers() {
    let quarter = started(u64::MAX / 4).traces;
    let traced = (0..10_000).filter(|_| quarter.begin(&HeaderMap::new(), false).is_some()).count();
    assert!((2_300..2_700).contains(&traced), "{traced}");
    let idle = world(u64::MAX, Far::default()).traces;
    assert!(idle.begin(&HeaderMap::new(), false).is_none());
    idle.flush().await;
}

#[tokio::test(start_paused = true)]
async fn traces_that_nobody_takes_are_lost_and_counted_and_nobody_waits() {
    let silent = world(u64::MAX, Far { is_silent: true, ..Far::default() });
    silent.traces.start();
    for _ in 0..2 * WAITING {
        silent.answer().await;
    }
    let text = silent.metrics.text();
    let lost = text.lines().find_map(|line| line.strip_prefix("daypass_spans_total{outcome=\"lost\"} "));
    let lost: usize = lost.unwrap().parse().unwrap();
    assert!(lost >= WAITING, "each of the last had two spans: {lost}");
    // The end does not wait for ever.
    silent.traces.flush().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_collector_refuses_is_lost_and_what_comes_later_is_not() {
    let world = world(u64::MAX, Far { answers: Mutex::new(vec![200, 503]), ..Far::default() });
    world.traces.start();
    for _ in 0..2 {
        world.answer().await;
        world.traces.flush().await;
    }
    world.assert_counted("lost", 2);
    world.assert_counted("sent", 2);
}

#[tokio::test(start_paused = true)]
async fn several_traces_are_sent_at_once_and_one_alone_after_a_while() {
    let world = started(u64::MAX);
    world.answer().await;
    world.answer().await;
    while world.far.sent.lock().unwrap().is_empty() {
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert_eq!((world.far.messages().len(), world.far.spans().len()), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_trace_has_a_size_and_outside_of_one_nothing_is_noted() {
    let world = started(u64::MAX);
    let trace = world.traces.begin(&HeaderMap::new(), false).unwrap();
    within(trace.clone(), async { (0..1_000).for_each(|_| sign()) }).await;
    sign();
    assert_eq!(trace.len(), 128);
}

/// A message, for a reader that is not ours: tests/clients/test_traces.py holds it against the types of OpenTelemetry.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/traces/example.json");

#[tokio::test(start_paused = true)]
async fn the_example_is_what_is_sent() {
    let world = started(0);
    let trace = world.traces.begin(&headers("traceparent", SAMPLED), true).unwrap();
    within(trace.clone(), async { sign() }).await;
    trace.conclude("POST /v1/exchange", &[("http.response.status_code", "200")], false);
    for (span, millisecond) in trace.spans().iter_mut().zip([4, 3]) {
        span.from = 1_790_000_000_000_000_000;
        span.until = span.from + millisecond * 1_000_000;
    }
    let message = format!("{:#}\n", message::of("https://login.example.com", &[trace]));
    if std::env::var_os("DAYPASS_REGENERATE").is_some() {
        std::fs::write(EXAMPLE, &message).unwrap();
    }
    let written = std::fs::read_to_string(EXAMPLE).unwrap_or_default();
    assert!(written == message, "{EXAMPLE} is stale: run `cargo xtask gen`");
}
