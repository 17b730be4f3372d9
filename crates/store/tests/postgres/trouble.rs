//! Servers that are not there, not ours, or go away.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daypass_core::store::items::engine::{Committed, Engine, EngineError, Guard, Key, Stamp};
use daypass_store::{Open, PostgresEngine, PostgresOpenError, PostgresUrl};
use futures::future::{join_all, try_join_all};

use crate::LEVELS;
use crate::cluster::{Schema, client, folder};
use crate::engine::{key, put};
use crate::meanwhile::{contents, spawn, until_it_waits};
use crate::proxy;

fn parse(url: String) -> PostgresUrl {
    url.try_into().unwrap()
}

async fn refused(url: &PostgresUrl, open: Open) -> PostgresOpenError {
    PostgresEngine::open(url, open).await.err().expect("it cannot be opened")
}

/// An error with its causes, for people and for programmers.
pub fn all_of(error: &dyn Error) -> String {
    let cause = error.source().map(all_of).unwrap_or_default();
    format!("{error} {error:?} {cause}")
}

#[tokio::test]
async fn whoever_only_looks_makes_no_tables() {
    let url = Schema::new().await.url("", "");
    let error = refused(&url, Open::Existing).await;
    assert!(matches!(error, PostgresOpenError::NotThere { .. }), "{error}");
    assert!(error.to_string().contains("start Daypass with it once"), "{error}");
    PostgresEngine::open(&url, Open::OrMake).await.unwrap();
    PostgresEngine::open(&url, Open::Existing).await.unwrap();
}

#[tokio::test]
async fn tables_of_another_version_are_left_alone() {
    let schema = Schema::new().await;
    drop(schema.engine().await);
    schema.client().await.batch_execute("UPDATE daypass_schema SET version = 7").await.unwrap();
    for open in [Open::Existing, Open::OrMake] {
        let error = refused(&schema.url("", ""), open).await.to_string();
        assert!(error.contains("knows version 7, and this one knows version 2: run the newer"), "{error}");
    }
}

#[tokio::test]
async fn tables_that_were_half_made_are_finished() {
    let schema = Schema::new().await;
    drop(schema.engine().await);
    let undo = "DELETE FROM daypass_schema; DROP INDEX daypass_item_forgotten_at";
    schema.client().await.batch_execute(undo).await.unwrap();
    let error = refused(&schema.url("", ""), Open::Existing).await;
    assert!(matches!(error, PostgresOpenError::NotThere { .. }), "{error}");
    drop(schema.engine().await);
    schema.client().await.batch_execute("DROP INDEX daypass_item_forgotten_at").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_make_the_tables_at_once() {
    for level in LEVELS.repeat(3) {
        let schema = Schema::new().await;
        let engines = try_join_all((0..8).map(|_| {
            let url = schema.url(&format!("-cdefault_transaction_isolation%3D{level}"), "");
            async move { PostgresEngine::open(&url, Open::OrMake).await }
        }))
        .await
        .unwrap();
        let a = key("a", []);
        let changes = [put(&a, Guard::Absent, b"")];
        assert_eq!(engines[0].commit(Stamp(1), &changes).await.unwrap(), Committed::Kept);
        assert_eq!(engines[7].commit(Stamp(1), &changes).await.unwrap(), Committed::Broken);
    }
}

#[tokio::test]
async fn a_search_path_to_nowhere_is_told() {
    let folder = folder().display();
    let url = format!("postgres:///postgres?host={folder}&user=postgres&options=-csearch_path%3Dnowhere");
    let error = refused(&parse(url), Open::OrMake).await.to_string();
    assert!(error.contains("search path leads to no schema"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_the_cure_and_without_the_password() {
    let nowhere = tempfile::tempdir().unwrap();
    let there = folder().display();
    let port = proxy::no_tls().await;
    for (url, told) in [
        (format!("postgres://ada:hunter2@/db?host={}", nowhere.path().display()), "see whether it runs"),
        (format!("postgres://locked:hunter2@/postgres?host={there}"), "see to user and password"),
        (
            format!("postgres:///postgres?host={there}&user=locked&password=hunter2"),
            "see to user and password",
        ),
        (format!("postgres://postgres:hunter2@/nowhere?host={there}"), "there is no such database"),
        (format!("postgres://ada:hunter2@localhost:{port}/db?sslmode=require"), "does not support TLS"),
    ] {
        let url = parse(url);
        assert!(!format!("{url:?} {url}").contains("hunter2"));
        let error = refused(&url, Open::OrMake).await;
        assert!(error.to_string().contains(told), "{error}");
        assert!(!all_of(&error).contains("hunter2"), "{}", all_of(&error));
    }
}

#[tokio::test]
async fn who_is_to_be_trusted_is_who_the_url_says() {
    let (schema, port) = (Schema::new().await, proxy::tls().await);
    let open = async |host: &str, parameters: String| {
        let schema = schema.name();
        let options = format!("options=-csearch_path%3D{schema}");
        let url = parse(format!("postgres://postgres@{host}:{port}/postgres?{options}&{parameters}"));
        PostgresEngine::open(&url, Open::OrMake).await
    };
    let trusting = format!("sslrootcert={}", proxy::CERTIFICATE);
    let engine = open("localhost", trusting.clone()).await.unwrap();
    assert_eq!(engine.read(&[key("a", [])]).await.unwrap(), [None]);
    let stranger = open("localhost", "sslmode=require".to_owned()).await.err().unwrap().to_string();
    assert!(
        stranger.contains("invalid peer certificate") && stranger.contains("sslrootcert=FILE"),
        "{stranger}"
    );
    let another =
        open("db.example", format!("{trusting}&hostaddr=127.0.0.1")).await.err().unwrap().to_string();
    assert!(another.contains("certificate not valid for name \"db.example\""), "{another}");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let nobody = open("localhost", format!("sslrootcert={file}")).await.err().unwrap().to_string();
    assert!(nobody.contains("file of certificates in PEM"), "{nobody}");
}

/// Where something else than the server's own sessions knows the names of statements.
#[tokio::test(flavor = "multi_thread")]
async fn statements_that_get_lost_on_the_way_are_not_prepared_any_more() {
    let (schema, loses) = (Schema::new().await, Arc::new(AtomicBool::new(false)));
    let port = proxy::losing_statements(loses.clone()).await;
    let options = format!("options=-csearch_path%3D{}", schema.name());
    let url = parse(format!("postgres://postgres@127.0.0.1:{port}/postgres?{options}"));
    let engine = Arc::new(PostgresEngine::open(&url, Open::OrMake).await.unwrap());
    let commit = async |number: u8| {
        let changes = [put(&key("a", [number]), Guard::Absent, b"")];
        engine.commit(Stamp(1), &changes).await.unwrap()
    };
    assert_eq!(commit(0).await, Committed::Kept);
    loses.store(true, Ordering::Relaxed);
    let committed = join_all((1..9).map(commit)).await;
    assert_eq!(committed, [Committed::Kept; 8]);
    assert_eq!(engine.page(b"a", None, 100).await.unwrap().len(), 9);
}

pub const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";

async fn named_engine(schema: &Schema, parameters: &str) -> Arc<PostgresEngine> {
    let url = schema.url("", &format!("application_name={}&{parameters}", schema.name()));
    Arc::new(PostgresEngine::open(&url, Open::OrMake).await.unwrap())
}

pub async fn read_patiently(engine: &PostgresEngine, key: &Key) -> Vec<Option<Vec<u8>>> {
    // As many as there are connections, at most.
    for _ in 0..16 {
        match engine.read(std::slice::from_ref(key)).await {
            Err(EngineError::Busy(_)) => {}
            items => return items.unwrap().into_iter().map(|item| item.map(|item| item.content)).collect(),
        }
    }
    panic!("it does not heal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_killed_is_made_anew() {
    let schema = Schema::new().await;
    let (engine, a) = (named_engine(&schema, "").await, key("a", []));
    for number in 0..10 {
        // Several connections, so that there are several to lose.
        let reads = join_all((0..4).map(|_| read_patiently(&engine, &a))).await;
        assert_eq!(reads.len(), 4);
        client().await.execute(KILL, &[&schema.name()]).await.unwrap();
        if number % 2 == 0 {
            schema.until_sessions(0..=0, "true").await;
        }
        let content = [number];
        match engine.commit(Stamp(1), &[put(&a, Guard::Any, &content)]).await {
            Ok(Committed::Kept) => {
                assert_eq!(read_patiently(&engine, &a).await, [Some(content.to_vec())]);
            }
            lost => assert!(matches!(lost, Err(EngineError::Lost(_))), "{lost:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_killed_is_lost() {
    let schema = Schema::new().await;
    let (engine, a) = (named_engine(&schema, "").await, key("a", []));
    let before = [put(&a, Guard::Absent, b"before")];
    assert_eq!(engine.commit(Stamp(1), &before).await.unwrap(), Committed::Kept);
    let other = schema.client().await;
    other.batch_execute("BEGIN; SELECT FROM daypass_item FOR UPDATE").await.unwrap();
    let committing = spawn(&engine, &[put(&a, Guard::Any, b"after")]);
    until_it_waits(&schema).await;
    client().await.execute(KILL, &[&schema.name()]).await.unwrap();
    let lost = committing.await.unwrap();
    assert!(matches!(lost, Err(EngineError::Lost(_))), "{lost:?}");
    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(read_patiently(&engine, &a).await, [Some(b"before".to_vec())]);
}

/// Takes as long as the engine waits for an answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_is_lost_and_called_off() {
    let schema = Schema::new().await;
    let (engine, a) = (named_engine(&schema, "connections=1").await, key("a", []));
    let before = [put(&a, Guard::Absent, b"before")];
    assert_eq!(engine.commit(Stamp(1), &before).await.unwrap(), Committed::Kept);
    let other = schema.client().await;
    other.batch_execute("BEGIN; SELECT FROM daypass_item FOR UPDATE").await.unwrap();
    let committing = spawn(&engine, &[put(&a, Guard::Any, b"after")]);
    until_it_waits(&schema).await;
    let busy = engine.read(std::slice::from_ref(&a)).await;
    assert!(matches!(busy, Err(EngineError::Busy(_))), "{busy:?}");
    let lost = committing.await.unwrap();
    assert!(matches!(lost, Err(EngineError::Lost(_))), "{lost:?}");
    assert_eq!(contents(&engine, std::slice::from_ref(&a)).await, [Some(b"before".to_vec())]);
    // The one that reads is there, and the other one goes without having its lock.
    schema.until_sessions(0..=1, "true").await;
    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(contents(&engine, &[a]).await, [Some(b"before".to_vec())]);
}

/// Whoever waits may go away: the connection is not given to others before it has answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_waits_for_any_more_is_in_nobodys_way() {
    let schema = Schema::new().await;
    let (engine, a) = (named_engine(&schema, "connections=1").await, key("a", []));
    let before = [put(&a, Guard::Absent, b"before")];
    assert_eq!(engine.commit(Stamp(1), &before).await.unwrap(), Committed::Kept);
    let other = schema.client().await;
    other.batch_execute("BEGIN; SELECT FROM daypass_item FOR UPDATE").await.unwrap();
    let committing = spawn(&engine, &[put(&a, Guard::Any, b"after")]);
    until_it_waits(&schema).await;
    committing.abort();
    assert_eq!(read_patiently(&engine, &a).await, [Some(b"before".to_vec())]);
    other.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn a_server_that_only_lets_read_is_told() {
    let schema = Schema::new().await;
    drop(schema.engine().await);
    let error = refused(&schema.url("-cdefault_transaction_read_only%3Don", ""), Open::Existing).await;
    assert!(error.to_string().contains("does not allow writes"), "{error}");
}
