//! A Region that loses some answers: what is safe is asked once more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::random::{Random, SeededRandom};
use http::Request;
use serde_json::{Value, json};

use crate::broker::{Broker, InProcess, table};
use crate::faults::POOL;
use crate::harness::Daypass;

/// A token of Amazon's for whoever is named, with an identity of their own.
fn token(body: &Value) -> (u16, Value) {
    let user = body["Logins"]["login.daypass.local"].as_str().unwrap();
    let number: u32 = user.bytes().map(u32::from).sum();
    let identity = format!("us-east-1:00000000-0000-4000-8000-{number:012x}");
    let claims = json!({"sub": identity, "aud": POOL, "exp": 1_790_000_900});
    let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    (200, json!({"IdentityId": identity, "Token": token}))
}

fn failure() -> (u16, Value) {
    (500, json!({"__type": "InternalErrorException", "message": "x"}))
}

async fn broker(home: &Daypass, amazon: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) -> Broker {
    let tables = table("us-east-1", POOL, "127.0.0.1:1".parse().unwrap());
    Broker::start_within(home, home.network.clone(), InProcess::new(amazon), &tables).await
}

#[tokio::test(start_paused = true)]
async fn a_fifth_of_failures_loses_few_logins() {
    let home = Daypass::start().await;
    let (random, calls) = (SeededRandom::new(7), Arc::<AtomicU32>::default());
    let counted = calls.clone();
    let amazon = move |body: &Value| {
        counted.fetch_add(1, Ordering::Relaxed);
        let [byte] = (&random as &dyn Random).bytes();
        if byte < 51 { failure() } else { token(body) }
    };
    let broker = broker(&home, amazon).await;
    let mut lost = 0;
    for _ in 0..500 {
        let login = home.sign_in("ada").await;
        let answer = broker.exchange(&login.proof()).await;
        if answer.status != 200 {
            answer.assert_problem(503, "identity_pool_unavailable");
            lost += 1;
        }
    }
    assert!((8..=35).contains(&lost), "{lost} of 500: a fifth of a fifth are 20");
    let calls = calls.load(Ordering::Relaxed);
    assert!((560..=640).contains(&calls), "{calls}: a fifth more than logins");
    let metrics = broker.app.metrics.text();
    assert!(!metrics.contains("daypass_pool_circuit_open{region=\"us-east-1\"} 1"), "{metrics}");
}

/// Whose login was taken away again in between would lose it a second time.
#[tokio::test(start_paused = true)]
async fn a_merge_is_not_made_twice() {
    let home = Daypass::start().await;
    let merges = Arc::<AtomicU32>::default();
    let counted = merges.clone();
    let amazon = move |body: &Value| {
        if body.get("SourceUserIdentifier").is_none() {
            return token(body);
        }
        counted.fetch_add(1, Ordering::Relaxed);
        failure()
    };
    let broker = broker(&home, amazon).await;
    let mut body = home.sign_in("grace").await.proof();
    body["first"] = home.sign_in("ada").await.proof();
    let request = Request::post("/v1/link").header("content-type", "application/json");
    let answer = broker.send(request.body(body.to_string()).unwrap()).await;
    answer.assert_problem(503, "identity_pool_unavailable");
    assert_eq!(merges.load(Ordering::Relaxed), 1);
}
