//! What a server tells of itself when people have been there.

use daypass_core::ground::outbound::ProviderHttpError;
use http::Method;

use crate::harness::{Backend, BrokenAnswer, Daypass, TOKEN};

/// The value of a series, which is there.
#[track_caller]
fn value(daypass: &Daypass, series: &str) -> u64 {
    let text = daypass.app.metrics.text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is not in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn each_stage_of_a_login_is_measured() {
    let daypass = Daypass::start().on(Backend::sqlite()).await;
    daypass.enter("ada").await;
    let once = [
        "daypass_requests_total{route=\"/v1/exchange\",status=\"2xx\"}",
        "daypass_exchanges_total{code=\"ok\"}",
    ];
    for series in once {
        assert_eq!(value(&daypass, series), 1, "{series}");
    }
    for series in [
        "daypass_request_seconds_count{group=\"exchange\"}",
        "daypass_provider_call_seconds_count{provider=\"snapchat\",outcome=\"ok\"}",
        "daypass_store_seconds_count{work=\"read\",outcome=\"ok\"}",
        "daypass_store_seconds_count{work=\"commit\",outcome=\"ok\"}",
        "daypass_store_up",
        "daypass_signature_seconds_count{algorithm=\"RS512\",outcome=\"ok\"}",
        "daypass_audit_append_seconds_count{outcome=\"ok\"}",
    ] {
        assert!(value(&daypass, series) > 0, "{series}");
    }
}

#[tokio::test]
async fn what_a_provider_does_not_answer_is_seen_and_by_which() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    let failed = "daypass_provider_call_seconds_count{provider=\"snapchat\",outcome=\"timed_out\"}";
    assert_eq!(value(&daypass, failed), 0);
    let answer = || Err(ProviderHttpError::TimedOut);
    daypass.provider.break_with(BrokenAnswer { path: TOKEN, answer });
    daypass.exchange(&login.proof()).await;
    assert_eq!(value(&daypass, failed), 1);
}

#[tokio::test]
async fn nobody_makes_a_series_by_asking() {
    let daypass = Daypass::start().await;
    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let before = series(&daypass.app.metrics.text());
    for path in ["/wp-login.php", "/login/no-such-provider?user=ada", "/v1/sessions/1234", "/sdk/x"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let request = http::Request::builder().method(method).uri(path).body(String::new()).unwrap();
            daypass.send(request).await;
        }
    }
    let text = daypass.app.metrics.text();
    assert_eq!(series(&text), before);
    assert!(!["wp-login", "no-such-provider", "1234"].iter().any(|asked| text.contains(asked)), "{text}");
    assert!(value(&daypass, "daypass_requests_total{route=\"other\",status=\"4xx\"}") >= 3);
}

const TOKEN_OF_METRICS: &str = "0f9a0d3c1f8b4a7e";

#[tokio::test]
async fn whoever_may_read_them_sees_how_things_stand_now() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOKEN_OF_METRICS).unwrap();
    let table = format!("[metrics]\ntoken = {{ file = {:?} }}\n", file.path());
    let daypass = Daypass::start().with_tables(&table).await;
    daypass.advance(daypass_core::ground::clock::SignedDuration::from_hours(2));
    let request =
        http::Request::get("/metrics").header("authorization", format!("Bearer {TOKEN_OF_METRICS}"));
    let answer = daypass.send(request.body(String::new()).unwrap()).await;
    assert_eq!(answer.status, 200);
    for line in [
        "daypass_signing_key_age_seconds{algorithm=\"RS512\"} 7200",
        "daypass_signing_key_announced{algorithm=\"RS512\"} 0",
        "daypass_store_connections_open 0",
    ] {
        assert!(answer.body.lines().any(|it| it == line), "{line} is not in\n{}", answer.body);
    }
}
