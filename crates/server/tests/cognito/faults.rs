//! What a Region can do wrong, and what the operator or the client hears of it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use daypass_core::ground::clock::{ManualClock, SignedDuration};
use serde_json::json;
use tokio::net::TcpListener;

use crate::broker::{Amazon, Broker, Port, dated, table};
use crate::harness::{Answer, Credentials, Daypass};

pub const POOL: &str = "us-east-1:00000000-0000-4000-8000-00000000000a";

/// A Region that always says the same.
pub struct Fake {
    port: Port,
    asked: Arc<Mutex<u32>>,
}

impl Fake {
    async fn saying(status: u16, body: String) -> Self {
        let asked = Arc::<Mutex<u32>>::default();
        let count = asked.clone();
        let answer = move || {
            *count.lock().unwrap() += 1;
            let answer = (StatusCode::from_u16(status).unwrap(), body.clone());
            async { answer.into_response() }
        };
        let clock = Arc::new(ManualClock::at_second(1_790_000_000));
        Self { port: Port::open(dated(Router::new().fallback(answer), clock)).await, asked }
    }

    pub async fn throwing(exception: &str, message: &str) -> Self {
        let status = if exception == "InternalErrorException" { 500 } else { 400 };
        Self::saying(status, json!({"__type": exception, "message": message}).to_string()).await
    }

    pub fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }

    pub fn table(&self) -> String {
        table("us-east-1", POOL, self.port.address)
    }
}

/// An exchange in front of a Region, and what the audit trail says about it.
async fn exchange(tables: &str) -> (Answer, String) {
    let home = Daypass::start().await;
    exchange_at(&home, &Broker::start(&home, tables).await).await
}

async fn exchange_at(home: &Daypass, broker: &Broker) -> (Answer, String) {
    let login = home.sign_in("ada").await;
    let answer = broker.exchange(&login.proof()).await;
    let event = broker.audit_events().pop().unwrap();
    (answer, event["detail"].as_str().unwrap_or_default().to_owned())
}

pub async fn closed_port() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
async fn every_exception_has_its_answer_and_the_operator_the_cure() {
    let cases = [
        (
            "ResourceNotFoundException",
            format!("IdentityPool '{POOL}' not found."),
            500,
            "identity_pool_misconfigured",
            "check [[pool.region]]",
        ),
        (
            "ResourceNotFoundException",
            POOL.into(),
            500,
            "identity_pool_misconfigured",
            "no pool us-east-1:0000",
        ),
        (
            "NotAuthorizedException",
            "Logins don't match.".into(),
            500,
            "identity_pool_misconfigured",
            "refuses",
        ),
        (
            "NotAuthorizedException",
            "Access to Identity 'us-east-1:0b' is forbidden.".into(),
            401,
            "identity_refused",
            "forbidden",
        ),
        (
            "InvalidParameterException",
            "This identity pool does not support the specified developer provider".into(),
            500,
            "identity_pool_misconfigured",
            "[pool] developer_provider",
        ),
        ("InvalidParameterException", "Something else".into(), 400, "malformed_request", "Something else"),
        ("ValidationException", "hunter2".into(), 400, "malformed_request", "ValidationException"),
        (
            "ResourceConflictException",
            "Conflict.".into(),
            409,
            "login_belongs_to_another_identity",
            "Conflict.",
        ),
        (
            "DeveloperUserAlreadyRegisteredException",
            "x".into(),
            409,
            "login_belongs_to_another_identity",
            "registered with another identity",
        ),
        (
            "InternalErrorException",
            "x".into(),
            503,
            "identity_pool_unavailable",
            "us-east-1 answered InternalErrorException",
        ),
        (
            "ExternalServiceException",
            "x".into(),
            503,
            "identity_pool_unavailable",
            "ExternalServiceException",
        ),
        (
            "AccessDeniedException",
            "User: arn:aws:sts::123456789012:assumed-role/daypass/i is not authorized".into(),
            500,
            "identity_pool_misconfigured",
            "allow cognito-identity:GetOpenIdTokenForDeveloperIdentity on arn:aws:cognito-identity:us-east-1:123456789012:identitypool/us-east-1:0000",
        ),
        (
            "UnrecognizedClientException",
            "x".into(),
            500,
            "identity_pool_misconfigured",
            "unknown in us-east-1",
        ),
        ("ExpiredTokenException", "x".into(), 500, "identity_pool_misconfigured", "have expired"),
        ("InvalidSignatureException", "x".into(), 500, "identity_pool_misconfigured", "secret access key"),
        (
            "MissingAuthenticationTokenException",
            "x".into(),
            500,
            "identity_pool_misconfigured",
            "Authorization header",
        ),
        (
            "UnknownOperationException",
            "x".into(),
            503,
            "identity_pool_unavailable",
            "answered 400 UnknownOperationException",
        ),
    ];
    let home = Daypass::start().await;
    for (exception, message, status, code, reason) in cases {
        let fake = Fake::throwing(exception, &message).await;
        let broker = Broker::start(&home, &fake.table()).await;
        let (answer, told) = exchange_at(&home, &broker).await;
        answer.assert_problem(status, code);
        assert!(told.contains(reason), "{exception}: {told}");
        assert!(!told.contains("hunter2") && !answer.body.contains("hunter2"), "{answer:?}");
        let attempts =
            if ["InternalErrorException", "ExternalServiceException"].contains(&exception) { 2 } else { 1 };
        assert_eq!(fake.asked(), attempts, "{exception}");
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_named() {
    let amazon = Amazon::start("us-east-1").await;
    for (minutes, way) in [(20, "20 minutes: it is ahead of"), (-20, "20 minutes: it is behind")] {
        let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
        broker.clock.advance(SignedDuration::from_mins(minutes));
        let (answer, reason) = exchange_at(&amazon.daypass, &broker).await;
        answer.assert_problem(500, "identity_pool_misconfigured");
        assert!(reason.contains(&format!("the clock is off by {way} Amazon's")), "{reason}");
    }
    let fake = Fake::throwing("InvalidSignatureException", "Signature expired").await;
    let home = Daypass::start().await;
    let broker = Broker::start(&home, &fake.table()).await;
    broker.clock.advance(SignedDuration::from_mins(10));
    let (_, reason) = exchange_at(&home, &broker).await;
    assert!(reason.contains("the clock is off by 10 minutes: it is ahead"), "{reason}");
}

#[tokio::test]
async fn keys_that_are_not_ours_are_named() {
    let amazon = Amazon::start("us-east-1").await;
    let unknown = Credentials::of_developer("AKIAAAAAAAAAAAAAAAAA", "secret");
    let wrong = Credentials::of_developer(&amazon.daypass.key.access_key_id, "hunter2");
    for (key, told) in [(unknown, "unknown in us-east-1"), (wrong, "secret access key does not belong")] {
        let broker = Broker::start_with(&amazon.daypass, &key, &amazon.table()).await;
        let (answer, reason) = exchange_at(&amazon.daypass, &broker).await;
        answer.assert_problem(500, "identity_pool_misconfigured");
        assert!(reason.contains(told), "{reason}");
        assert!(!reason.contains("hunter2"));
    }
}

#[tokio::test]
async fn garbage_is_an_outage() {
    let identity = "us-east-1:00000000-0000-4000-8000-00000000000b";
    for body in [
        String::new(),
        "<html>".into(),
        "{}".into(),
        json!({"IdentityId": identity}).to_string(),
        json!({"IdentityId": identity, "Token": "3064246829"}).to_string(),
        json!({"IdentityId": "nobody", "Token": "e30.e30.e30"}).to_string(),
    ] {
        let fake = Fake::saying(200, body.clone()).await;
        let (answer, reason) = exchange(&fake.table()).await;
        answer.assert_problem(503, "identity_pool_unavailable");
        assert!(reason.contains("makes no sense"), "{body}: {reason}");
        assert!(!reason.contains("3064246829"), "{reason}");
    }
    let (answer, reason) = exchange(&Fake::saying(502, "<html>".into()).await.table()).await;
    answer.assert_problem(503, "identity_pool_unavailable");
    assert!(reason.contains("502"), "{reason}");
}

#[tokio::test]
async fn a_region_without_a_server_is_an_outage() {
    let (answer, reason) = exchange(&table("us-east-1", POOL, closed_port().await)).await;
    answer.assert_problem(503, "identity_pool_unavailable");
    assert!(reason.contains("no connection to us-east-1"), "{reason}");
    assert_eq!(answer.header("retry-after"), "5");
}

/// Time passes by itself where nothing else happens, so that nobody waits.
#[tokio::test(start_paused = true)]
async fn a_region_that_never_answers_is_an_outage() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (answer, reason) = exchange(&table("us-east-1", POOL, silent.local_addr().unwrap())).await;
    answer.assert_problem(503, "identity_pool_unavailable");
    assert!(reason.contains("did not answer in time"), "{reason}");
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_tried_once_more() {
    let amazon = Amazon::start("us-east-1").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = daypass_server::routes::router(amazon.daypass.app.clone());
    let (_stop, stopped) = daypass_server::listen::Stop::channel();
    tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        daypass_server::listen::listen(listener, router, stopped).await;
    });
    let broker = Broker::start(&amazon.daypass, &table("us-east-1", amazon.daypass.pool_id(), address)).await;
    let (answer, _) = exchange_at(&amazon.daypass, &broker).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
