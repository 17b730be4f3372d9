//! `/metrics` is closed unless the operator opens it.

use http::Request;

use crate::broker::{Amazon, Broker};

async fn ask(broker: &Broker, authorization: Option<&str>) -> crate::harness::Answer {
    let mut request = Request::get("/metrics");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    broker.send(request.body(String::new()).unwrap()).await
}

#[tokio::test]
async fn there_is_nothing_without_a_token() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    ask(&broker, None).await.assert_problem(404, "not_found");
    ask(&broker, Some("Bearer x")).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn whoever_shows_the_token_reads_it() {
    let amazon = Amazon::start("us-east-1").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2\n").unwrap();
    let table = format!("{}[metrics]\ntoken = {{ file = {:?} }}\n", amazon.table(), file.path());
    let broker = Broker::start(&amazon.daypass, &table).await;
    let login = amazon.daypass.sign_in("ada").await;
    assert_eq!(broker.exchange(&login.proof()).await.status, 200);
    broker.exchange(&login.proof()).await.assert_problem(401, "proof_refused");
    for wrong in [None, Some("Bearer hunter"), Some("Basic hunter2"), Some("hunter2")] {
        ask(&broker, wrong).await.assert_problem(401, "metrics_token_refused");
    }
    let answer = ask(&broker, Some("Bearer hunter2")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, daypass_server::metrics::CONTENT_TYPE)
    );
    for line in [
        "daypass_exchanges_total{code=\"ok\"} 1",
        "daypass_exchanges_total{code=\"proof_refused\"} 1",
        "daypass_pool_calls_total{region=\"us-east-1\",operation=\"GetOpenIdTokenForDeveloperIdentity\",outcome=\"ok\"} 1",
    ] {
        assert!(answer.body.contains(line), "{line}\n{}", answer.body);
    }
}
