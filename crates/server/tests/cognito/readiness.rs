//! Whether the broker can let anybody in, which shows before anybody comes.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Future;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided};
use daypass_core::ground::clock::{Clock, SignedDuration, Timestamp};

use crate::broker::{Broker, table};
use crate::faults::{POOL, closed_port};
use crate::harness::Daypass;

/// Whoever hands out our credentials, and how often they were asked.
#[derive(Debug, Clone)]
struct HandingOut(Arc<Mutex<(What, u32)>>);

#[derive(Debug, Clone, Copy)]
enum What {
    Nothing,
    NothingNow,
    AKey { until: Option<Timestamp> },
}

impl HandingOut {
    fn of(what: What) -> Self {
        Self(Arc::new(Mutex::new((what, 0))))
    }

    fn change(&self, what: What) {
        self.0.lock().unwrap().0 = what;
    }

    fn asked(&self) -> u32 {
        self.0.lock().unwrap().1
    }

    fn answer(&self) -> Provided {
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        match state.0 {
            What::Nothing => Err(CredentialsError::not_loaded("nobody has any")),
            What::NothingNow => Err(CredentialsError::provider_error("hunter2")),
            What::AKey { until } => {
                let until = until.map(Into::into);
                Ok(AwsCredentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, until, "test"))
            }
        }
    }
}

impl ProvideCredentials for HandingOut {
    fn provide_credentials<'a>(&'a self) -> Future<'a>
    where
        Self: 'a,
    {
        Future::ready(self.answer())
    }
}

async fn broker(credentials: &HandingOut) -> Broker {
    let home = Daypass::start().await;
    let region = table("us-east-1", POOL, closed_port().await);
    Broker::start_trusting(&home, credentials.clone(), &region).await
}

/// What `/readyz` says is missing.
async fn missing(broker: &Broker) -> String {
    let answer = broker.get("/readyz").await;
    answer.assert_problem(503, "not_ready");
    assert!(!answer.body.contains("hunter2"), "{answer:?}");
    answer.json()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_broker_without_aws_credentials_is_not_ready_and_says_so() {
    let nobody = broker(&HandingOut::of(What::Nothing)).await;
    assert!(missing(&nobody).await.contains("there are no AWS credentials: give the machine"));
    let late = broker(&HandingOut::of(What::NothingNow)).await;
    assert!(missing(&late).await.contains("does not do so at the moment"));
    let until = late.clock.now();
    let expired = broker(&HandingOut::of(What::AKey { until: Some(until) })).await;
    assert!(missing(&expired).await.contains("have expired"));
    for alive in [&nobody, &late, &expired] {
        assert_eq!(alive.get("/healthz").await.status, 200);
    }
}

#[tokio::test]
async fn whoever_watches_often_has_the_credentials_looked_for_seldom() {
    let credentials = HandingOut::of(What::Nothing);
    let broker = broker(&credentials).await;
    for _ in 0..3 {
        missing(&broker).await;
    }
    assert_eq!(credentials.asked(), 1);
    credentials.change(What::AKey { until: None });
    broker.clock.advance(SignedDuration::from_secs(5));
    for _ in 0..3 {
        assert_eq!(broker.get("/readyz").await.status, 200);
    }
    assert_eq!(credentials.asked(), 2);
    credentials.change(What::Nothing);
    broker.clock.advance(SignedDuration::from_secs(30));
    missing(&broker).await;
}
