//! Whoever is let in by a token of IAM, each connection by its own.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::ground::clock::{SignedDuration, SystemClock};
use daypass_core::ground::random::SystemRandom;
use daypass_core::store::SharedStore;
use daypass_core::store::items::engine::{Committed, Engine, Guard, Stamp};
use daypass_core::store::items::{ItemStore, Pace};
use daypass_store::{PostgresEngine, PostgresOpenError, PostgresUrl};
use futures::future::join_all;

use crate::aws::{Aws, Service};
use crate::cluster::{Schema, client};
use crate::engine::{key, put};
use crate::trouble::{KILL, all_of, read_patiently};

/// Lets others get on, and waits for nothing.
struct Yielding;

#[async_trait]
impl Pace for Yielding {
    async fn pause(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// A store over an engine.
pub fn over(engine: PostgresEngine) -> SharedStore {
    Arc::new(ItemStore::new(
        Arc::new(engine),
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
        Arc::new(Yielding),
    ))
}

async fn store() -> (SharedStore, Aws) {
    let (aws, schema) = (Aws::start(Service::Rds, "read committed").await, Schema::new().await);
    let engine = aws.open(&aws.url(schema.name(), "ada", "connections=8").by_iam()).await.unwrap();
    (over(engine), aws)
}

daypass_core::contract_tests!(
    rds_by_iam,
    store().await,
    [
        a_fresh_store_answers,
        a_pool_comes_back_as_it_was_added,
        pages_of_pools_neither_repeat_nor_skip,
        a_deleted_pool_is_gone_with_its_identities_and_logins,
        random_changes_come_out_as_the_model_says,
    ]
);

/// An error says nothing that lets anybody in.
fn shows_no_token(aws: &Aws, error: &dyn Error) {
    let said = all_of(error);
    assert!(!said.contains("hunter2") && !said.contains("X-Amz"), "{said}");
    for (token, _) in aws.seen().tokens {
        let signature = token.rsplit_once('=').unwrap().1;
        assert!(!said.contains(signature), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connection_has_a_token_of_its_own() {
    let (aws, schema) = (Aws::start(Service::Rds, "read committed").await, Schema::new().await);
    let url = aws.url(schema.name(), "ada", &format!("application_name={}", schema.name())).by_iam();
    let engine = Arc::new(aws.open(&url).await.unwrap());
    let a = key("a", []);
    assert_eq!(engine.commit(Stamp(1), &[put(&a, Guard::Absent, b"a")]).await.unwrap(), Committed::Kept);
    let few = aws.seen().tokens.len();
    assert_eq!(read_patiently(&engine, &a).await, [Some(b"a".to_vec())]);
    assert_eq!(aws.seen().tokens.len(), few, "one connection is enough for one who asks after the other");
    // As many at once need more connections.
    join_all((0..4).map(|_| read_patiently(&engine, &a))).await;
    let many = aws.seen().tokens.len();
    assert!(many > few, "{many}");
    // A token of before would not count any more.
    aws.clock.advance(SignedDuration::from_mins(16));
    client().await.execute(KILL, &[&schema.name()]).await.unwrap();
    assert_eq!(read_patiently(&engine, &a).await, [Some(b"a".to_vec())]);
    let seen = aws.seen().tokens;
    assert!(seen.len() > many && seen.iter().all(|(_, refused)| refused.is_none()), "{seen:?}");
    assert_ne!(seen.first().unwrap().0, seen.last().unwrap().0);
}

#[tokio::test]
async fn a_token_of_other_credentials_is_refused_with_the_cure_and_not_shown() {
    let (aws, schema) = (Aws::start(Service::Rds, "read committed").await, Schema::new().await);
    let url = aws.url(schema.name(), "ada", "").by_iam();
    let refused = aws.open_as(&url, "hunter2 of somebody else").await.err().unwrap();
    assert!(refused.to_string().contains("need rds-db:connect"), "{refused}");
    assert_eq!(aws.seen().tokens.last().unwrap().1.as_deref(), Some("another signature"));
    shows_no_token(&aws, &refused);
    assert!(!format!("{url:?} {url}").contains("X-Amz"));
}

#[tokio::test]
async fn a_token_that_is_not_for_this_database_is_refused() {
    let (aws, schema) = (Aws::start(Service::Rds, "read committed").await, Schema::new().await);
    let url = aws.url(schema.name(), "ada", "region=us-east-1").by_iam();
    let refused = aws.open(&url).await.err().unwrap();
    assert!(refused.to_string().contains("does not accept the token"), "{refused}");
    assert!(aws.seen().tokens.last().unwrap().1.is_some());
    // One for DSQL is not for RDS.
    let dsql = Aws::start(Service::Dsql, "repeatable read").await;
    let refused = dsql.open(&dsql.url(schema.name(), "ada", "").by_iam()).await.err().unwrap();
    assert!(dsql.seen().tokens.last().unwrap().1.as_ref().unwrap().contains("another place"), "{refused}");
    shows_no_token(&aws, &refused);
}

/// The clock of who signs, or of who looks, is wrong.
#[tokio::test]
async fn a_token_counts_for_a_quarter_of_an_hour() {
    let (aws, schema) = (Aws::start(Service::Rds, "read committed").await, Schema::new().await);
    let url = aws.url(schema.name(), "ada", "").by_iam();
    for (late, is_in) in [(-1, false), (0, true), (899, true), (900, false)] {
        let elsewhere = aws.by_a_clock_that_is_behind(SignedDuration::from_secs(late));
        let opened = elsewhere.open(&url).await;
        assert_eq!(opened.is_ok(), is_in, "{late}");
        if let Err(refused) = opened {
            assert!(refused.to_string().contains("this machine the right time"), "{refused}");
            assert_eq!(aws.seen().tokens.last().unwrap().1.as_deref(), Some("expired"));
        }
    }
}

#[tokio::test]
async fn nobody_is_asked_where_a_token_would_travel_in_the_clear() {
    let aws = Aws::start(Service::Rds, "read committed").await;
    let url = format!("postgres://ada@localhost:{}/postgres?sslmode=disable", aws.port);
    let url = PostgresUrl::try_from(url).unwrap().by_iam();
    let refused = aws.open(&url).await.err().unwrap();
    assert!(matches!(refused, PostgresOpenError::Contradiction { .. }), "{refused}");
    assert!(refused.to_string().contains("sslmode=require"), "{refused}");
    assert_eq!(aws.seen().tokens, []);
}
