//! Many at once. A thousand logins a second in front of a quota of fifty: everybody who waits as long as they are told gets in, and
//! no proof is shown twice. Time passes by itself where nothing else happens.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use bytes::Bytes;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use futures::future::join_all;
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::broker::{Broker, InProcess, table};
use crate::faults::POOL;
use crate::harness::Daypass;

const LOGINS: u64 = 3_000;
const QUOTA: f64 = 50.0;
const GREEDY: &str = "greedy";

/// A provider that takes its time, and each proof once, but for those of whom wants more than others.
#[derive(Default)]
struct Provider(Mutex<HashSet<String>>);

#[async_trait]
impl ProviderHttp for Provider {
    #[expect(clippy::disallowed_methods, reason = "the clock is paused")]
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let token = request.headers()["authorization"].to_str().unwrap().replace("Bearer ", "");
        if !token.starts_with(GREEDY) && !self.0.lock().unwrap().insert(token.clone()) {
            return Ok(Response::builder().status(401).body(Bytes::new()).unwrap());
        }
        let body = json!({"data": {"me": {"externalId": token, "displayName": "One"}}});
        Ok(Response::new(body.to_string().into()))
    }
}

/// Amazon: a bucket of fifty that is refilled fifty times a second.
struct Amazon {
    bucket: Mutex<(f64, Instant)>,
    throttled: Mutex<u32>,
    served: Mutex<u32>,
}

impl Amazon {
    fn answer(&self, body: &Value) -> (u16, Value) {
        let mut bucket = self.bucket.lock().unwrap();
        let now = Instant::now();
        let turns = (bucket.0 + now.duration_since(bucket.1).as_secs_f64() * QUOTA).min(QUOTA);
        if turns < 1.0 {
            *bucket = (turns, now);
            *self.throttled.lock().unwrap() += 1;
            return (400, json!({"__type": "TooManyRequestsException", "message": "Rate exceeded"}));
        }
        *bucket = (turns - 1.0, now);
        *self.served.lock().unwrap() += 1;
        let user = body["Logins"]["login.daypass.local"].as_str().unwrap();
        let number: u64 = user.rsplit('-').next().unwrap().parse().unwrap();
        let id = format!("us-east-1:00000000-0000-4000-8000-{number:012x}");
        let claims = json!({"sub": id, "aud": POOL, "exp": 1_790_000_900});
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
        (200, json!({"IdentityId": id, "Token": token}))
    }
}

/// One who comes in the first seconds, and comes back when told to. Answers how long it took, and how often it was
/// sent away.
#[expect(clippy::disallowed_methods, reason = "the clock is paused")]
async fn client(broker: &Broker, number: u64) -> (Duration, u32) {
    tokio::time::sleep(Duration::from_millis(number)).await;
    let (came, mut sent_away) = (Instant::now(), 0);
    let proof = json!({"provider": "snapchat-token", "access_token": format!("token-{number}")});
    loop {
        let answer = broker.exchange(&proof).await;
        if answer.status == 200 {
            return (came.elapsed(), sent_away);
        }
        answer.assert_problem(503, "identity_pool_busy");
        sent_away += 1;
        let seconds = answer.header("retry-after").parse().unwrap();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// A Region behind its quota, and Daypass before it.
async fn broker(turns: f64) -> (Arc<Amazon>, Broker) {
    let home = Daypass::start().await;
    let amazon = Arc::new(Amazon {
        bucket: Mutex::new((turns, Instant::now())),
        throttled: Mutex::default(),
        served: Mutex::default(),
    });
    let answering = amazon.clone();
    let network = InProcess::new(move |body| answering.answer(body));
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let tables = table("us-east-1", POOL, nowhere);
    let broker = Broker::start_within(&home, Arc::new(Provider::default()), network, &tables).await;
    (amazon, broker)
}

/// As many at once as a quota of Amazon's lets through, which somebody else uses up at the beginning.
async fn crowd(used_up: bool) -> (Arc<Amazon>, String, Vec<(Duration, u32)>, Duration) {
    let start = Instant::now();
    let (amazon, broker) = broker(if used_up { -2.0 * QUOTA } else { QUOTA }).await;
    let waits = join_all((0..LOGINS).map(|number| client(&broker, number))).await;
    (amazon, broker.app.metrics.text(), waits, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn everybody_gets_in_who_comes_back_when_told_to() {
    let (amazon, metrics, waits, took) = crowd(false).await;
    assert_eq!(waits.len() as u64, LOGINS);
    assert_eq!(u64::from(*amazon.served.lock().unwrap()), LOGINS);
    let throttled = *amazon.throttled.lock().unwrap();
    assert!(waits.iter().any(|(_, times)| *times > 0), "some were sent away, and came back");
    let least = Duration::from_secs(59);
    assert!(took >= least && took < least.mul_f64(1.3), "{took:?}: the quota allows no less than {least:?}");
    assert!(throttled < 50, "{throttled}");
    let queued = format!("daypass_pool_queue_seconds_count{{region=\"us-east-1\"}} {LOGINS}");
    assert!(metrics.contains(&queued), "{metrics}");
    assert!(metrics.contains("daypass_pool_queue_length{region=\"us-east-1\"} 0"), "{metrics}");
    assert!(metrics.contains(&format!("daypass_exchanges_total{{code=\"ok\"}} {LOGINS}")), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn throttling_reaches_nobody_where_others_use_the_quota_too() {
    let (amazon, metrics, _, took) = crowd(true).await;
    assert_eq!(u64::from(*amazon.served.lock().unwrap()), LOGINS);
    assert!(*amazon.throttled.lock().unwrap() > 50, "it was throttled");
    let never = "operation=\"GetOpenIdTokenForDeveloperIdentity\",outcome=\"throttled\"} 0\n";
    assert!(!metrics.contains(never), "{metrics}");
    assert!(took < Duration::from_mins(2), "{took:?}");
}

/// Nobody's exchanges that differ in something that anybody may choose are to keep the others waiting.
#[expect(clippy::disallowed_methods, reason = "the clock is paused")]
#[tokio::test(start_paused = true)]
async fn one_person_who_wants_everything_delays_nobody() {
    let (amazon, broker) = broker(0.0).await;
    let greedy = async |seconds: u64| {
        let proof = json!({"provider": "snapchat-token", "access_token": "greedy-9999999", "token_duration": seconds});
        broker.exchange(&proof).await
    };
    let others = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        join_all((0..20).map(|number| client(&broker, number))).await
    };
    let (greedy, others) = tokio::join!(join_all((0..900).map(|it| greedy(900 + it))), others);
    for (took, sent_away) in &others {
        assert!(*took < Duration::from_millis(1_500) && *sent_away == 0, "{others:?}");
    }
    let (served, refused): (Vec<_>, Vec<_>) = greedy.iter().partition(|answer| answer.status == 200);
    assert!((4..50).contains(&served.len()), "{}: a few at once", served.len());
    for answer in &refused {
        answer.assert_problem(429, "too_many_at_once");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let calls = *amazon.served.lock().unwrap() as usize;
    assert_eq!(calls, served.len() + 20, "who is refused costs nothing of the quota");
}
