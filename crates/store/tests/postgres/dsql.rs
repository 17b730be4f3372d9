//! What is asked of Aurora DSQL, by a stand-in for it: PostgreSQL at its level of isolation, behind what lets in by IAM and refuses
//! what DSQL refuses. It finds conflicts earlier than DSQL does, by waiting.

use std::sync::Arc;

use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::store::SharedStore;
use daypass_core::store::items::engine::{Committed, Effect, Engine, EngineError, Guard, Stamp};
use daypass_store::{Open, PostgresDialect, PostgresEngine, PostgresUrl};
use futures::future::{join_all, try_join_all};

use crate::aws::{Aws, Service};
use crate::cluster::Schema;
use crate::engine::{
    change, is_as_in_memory, keeps_any_bytes_in_their_order, key,
    makes_one_at_most_of_two_that_rest_on_each_others_absence, makes_one_of_racing_changes, put,
};
use crate::iam::over;
use crate::meanwhile::{Case, cases, contents, play_on, spawn, told, until_it_waits};
use crate::trouble::all_of;

const LEVEL: &str = "repeatable read";

/// A schema, and what leads there.
struct Cluster {
    aws: Aws,
    schema: Schema,
}

impl Cluster {
    async fn new(level: &'static str) -> Self {
        Self { aws: Aws::start(Service::Dsql, level).await, schema: Schema::new().await }
    }

    fn url(&self, parameters: &str) -> PostgresUrl {
        let name = self.schema.name();
        let url = self.aws.url(name, "daypass", &format!("application_name={name}&{parameters}"));
        url.with_dialect(PostgresDialect::Dsql)
    }

    async fn engine(&self) -> Arc<PostgresEngine> {
        Arc::new(self.aws.open(&self.url("")).await.unwrap())
    }

    /// Every one was let in, and nothing was asked that DSQL refuses.
    fn understood_everything(&self) {
        let seen = self.aws.seen();
        assert!(seen.tokens.iter().all(|(_, refused)| refused.is_none()), "{seen:?}");
        assert_eq!(seen.refused, Vec::<String>::new());
    }
}

async fn store() -> (SharedStore, Cluster) {
    let cluster = Cluster::new(LEVEL).await;
    let engine = cluster.aws.open(&cluster.url("connections=8")).await.unwrap();
    (over(engine), cluster)
}

daypass_core::contract_tests!(dsql, store().await);

#[tokio::test]
async fn every_guard_and_effect_is_as_in_memory() {
    let cluster = Cluster::new(LEVEL).await;
    is_as_in_memory(&*cluster.engine().await).await;
    cluster.understood_everything();
}

#[tokio::test]
async fn any_bytes_are_kept_and_pages_are_in_their_order() {
    let cluster = Cluster::new(LEVEL).await;
    keeps_any_bytes_in_their_order(&*cluster.engine().await).await;
    cluster.understood_everything();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_changes_one_is_made() {
    let cluster = Cluster::new(LEVEL).await;
    let engine = cluster.engine().await;
    makes_one_of_racing_changes(&engine).await;
    makes_one_at_most_of_two_that_rest_on_each_others_absence(&Cluster::new(LEVEL).await.engine().await)
        .await;
    cluster.understood_everything();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_make_the_tables_at_once() {
    for _ in 0..5 {
        let cluster = Cluster::new(LEVEL).await;
        let engines =
            try_join_all((0..8).map(async |_| cluster.aws.open(&cluster.url("")).await)).await.unwrap();
        let changes = [put(&key("a", []), Guard::Absent, b"")];
        assert_eq!(engines[0].commit(Stamp(1), &changes).await.unwrap(), Committed::Kept);
        assert_eq!(engines[7].commit(Stamp(1), &changes).await.unwrap(), Committed::Broken);
        cluster.understood_everything();
    }
}

/// Of those that what somebody else does meanwhile is a surprise for.
fn surprises() -> impl Iterator<Item = Case> {
    cases().into_iter().filter(|case| match case.guard {
        Guard::Any => true,
        Guard::Absent => !case.is_there,
        Guard::Is(stamp) => case.is_there && stamp == Stamp(1),
    })
}

/// Keys are in hexadecimal.
fn meanwhile(case: &Case) -> String {
    case.meanwhile.replace("'a'", "'61'")
}

async fn play(case: &Case, level: &'static str) -> (Result<Committed, EngineError>, Vec<Option<Vec<u8>>>) {
    let cluster = Cluster::new(level).await;
    play_on(&cluster.engine().await, &cluster.schema, case, &meanwhile(case), "COMMIT").await
}

/// What only was looked at is written, too: two snapshots would not see that they rest on each other.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_meanwhile_is_a_conflict() {
    let mut looks = 0;
    for case in surprises() {
        looks += u8::from(case.effect == Effect::Nothing);
        let (committed, found) = play(&case, LEVEL).await;
        assert!(matches!(committed, Err(EngineError::Busy(_))), "{}: {committed:?}", told(&case));
        let of_a = (!case.meanwhile.starts_with("DELETE") || case.meanwhile.contains("INSERT"))
            .then(|| b"theirs".to_vec());
        assert_eq!(found, [of_a, Some(b"before".to_vec())], "{}", told(&case));
    }
    assert!(looks >= 3, "{looks}");
}

/// Where somebody has set the level wrong, or it is no DSQL.
#[tokio::test(flavor = "multi_thread")]
async fn at_a_lower_level_nothing_is_made_of_what_changed_meanwhile_unless_it_may_be() {
    for case in surprises() {
        let (committed, contents) = play(&case, "read committed").await;
        if committed.unwrap() == Committed::Broken {
            assert_eq!(contents[1], Some(b"before".to_vec()), "{}", told(&case));
        } else {
            assert_eq!(case.committed, Committed::Kept, "{}", told(&case));
            assert_eq!(
                contents,
                [case.content.map(<[u8]>::to_vec), Some(b"ours".to_vec())],
                "{}",
                told(&case)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_and_made_anew_meanwhile_stays() {
    let cluster = Cluster::new(LEVEL).await;
    let (engine, a) = (cluster.engine().await, key("a", []));
    let past = Timestamp::from_second(1).unwrap();
    let old = change(&a, Guard::Absent, Effect::Put { content: Vec::new(), forgotten_at: Some(past) });
    assert_eq!(engine.commit(Stamp(1), &[old]).await.unwrap(), Committed::Kept);
    let other = cluster.schema.client().await;
    other.batch_execute("BEGIN; UPDATE daypass_item SET forgotten_at = NULL, content = 'new'").await.unwrap();
    let forgetting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.forget(past).await }
    });
    until_it_waits(&cluster.schema).await;
    other.batch_execute("COMMIT").await.unwrap();
    assert!(matches!(forgetting.await.unwrap(), Err(EngineError::Busy(_))), "there may be more");
    assert_eq!(contents(&engine, &[a]).await, [Some(b"new".to_vec())]);
}

/// DSQL calls nothing off, and a request to do so takes a connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_waits_for_any_more_is_not_called_off() {
    let cluster = Cluster::new(LEVEL).await;
    let (engine, a) = (cluster.engine().await, key("a", []));
    let before = [put(&a, Guard::Absent, b"before")];
    assert_eq!(engine.commit(Stamp(1), &before).await.unwrap(), Committed::Kept);
    let other = cluster.schema.client().await;
    other.batch_execute("BEGIN; SELECT FROM daypass_item FOR UPDATE").await.unwrap();
    let committing = spawn(&engine, &[put(&a, Guard::Any, b"after")]);
    until_it_waits(&cluster.schema).await;
    committing.abort();
    assert!(committing.await.unwrap_err().is_cancelled());
    assert_eq!(contents(&engine, &[a]).await, [Some(b"before".to_vec())]);
    other.batch_execute("ROLLBACK").await.unwrap();
    cluster.understood_everything();
}

/// DSQL ends them after an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_nearly_an_hour_old_is_not_used_any_more() {
    let cluster = Cluster::new(LEVEL).await;
    let engine = cluster.engine().await;
    let connections = async |minutes| {
        cluster.aws.clock.advance(SignedDuration::from_mins(minutes));
        engine.read(&[key("a", [])]).await.unwrap();
        cluster.aws.seen().tokens.len()
    };
    let first = connections(0).await;
    assert_eq!(connections(44).await, first);
    assert_eq!(connections(11).await, first + 1);
    assert_eq!(connections(44).await, first + 1);
    cluster.understood_everything();
}

#[tokio::test]
async fn the_user_admin_comes_by_a_token_for_it() {
    let cluster = Cluster::new(LEVEL).await;
    let admin = cluster.aws.url(cluster.schema.name(), "admin", "").with_dialect(PostgresDialect::Dsql);
    let engine = cluster.aws.open(&admin).await.unwrap();
    join_all((0..4).map(|_| engine.forget(Timestamp::MIN))).await;
    let tokens = cluster.aws.seen().tokens;
    assert!(tokens.iter().all(|(token, _)| token.contains("Action=DbConnectAdmin")), "{tokens:?}");
    let refused = cluster.aws.open_as(&admin, "of somebody else").await.err().unwrap();
    assert!(refused.to_string().contains("dsql:DbConnectAdmin for admin"), "{refused}");
}

#[tokio::test]
async fn another_dialect_than_that_of_the_tables_is_told() {
    let schema = Schema::new().await;
    drop(schema.engine().await);
    let url = schema.url("", "").with_dialect(PostgresDialect::Dsql).by_password();
    let engine = PostgresEngine::open(&url, Open::OrMake).await.unwrap();
    let refused = engine.read(&[key("a", [])]).await.unwrap_err();
    assert!(all_of(&refused).contains("made for another one"), "{}", all_of(&refused));
    // PostgreSQL does not know ASYNC.
    let url = Schema::new().await.url("", "").with_dialect(PostgresDialect::Dsql).by_password();
    let refused = PostgresEngine::open(&url, Open::OrMake).await.err().unwrap();
    assert!(refused.to_string().contains("whether it has the `dialect`"), "{refused}");
}
