//! The right to read what is counted: the metrics. There is no other page of an operator on the wire.

use http::Request;

use super::assert_refused;
use crate::harness::{Answer, Daypass, HOST};

pub const DOORS: &[&str] = &["GET /metrics"];

async fn metrics(daypass: &Daypass, authorization: Option<&str>) -> Answer {
    let mut request = Request::get("/metrics");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    daypass.send(request.body(String::new()).unwrap()).await
}

#[tokio::test]
async fn the_metrics_are_for_whoever_has_their_token() {
    const TOKEN: &str = "a token of thirty-two characters";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOKEN).unwrap();
    let metrics_for = format!("[metrics]\ntoken = {{ file = {:?} }}\n", file.path());
    let daypass = Daypass::start().with_tables(&metrics_for).await;
    assert_eq!(metrics(&daypass, Some(&format!("Bearer {TOKEN}"))).await.status, 200);
    let of_person = daypass.enter("ada").await["token"].as_str().unwrap().to_owned();
    let signed = daypass
        .signer(&daypass.key)
        .sign(Request::get("/metrics").header("host", HOST).body(String::new()).unwrap());
    let signed = signed.headers()["authorization"].to_str().unwrap().to_owned();
    let shorter = format!("Bearer {}", &TOKEN[1..]);
    for (who, shown) in [
        ("nobody", None),
        ("somebody with an empty token", Some("Bearer ")),
        ("somebody with a part of it", Some(shorter.as_str())),
        ("somebody with another scheme", Some(TOKEN)),
        ("somebody who logged in", Some(&*format!("Bearer {of_person}"))),
        ("a developer", Some(&*signed)),
    ] {
        let answer = metrics(&daypass, shown).await;
        assert_refused(&answer, who, "GET /metrics");
        assert_eq!(answer.status, 401, "{who}: {answer:?}");
    }
}

#[tokio::test]
async fn without_a_token_there_are_no_metrics() {
    let daypass = Daypass::start().await;
    for shown in [None, Some("Bearer "), Some("Bearer token")] {
        assert_eq!(metrics(&daypass, shown).await.status, 404, "{shown:?}");
    }
}
