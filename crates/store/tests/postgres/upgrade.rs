//! From one version of the tables to the next, with programs of both: the newer one knows a step more.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daypass_core::store::items::engine::{Committed, Engine, EngineError, Guard, Key, Stamp};
use daypass_store::{
    Open, PostgresEngine, PostgresOpenError, PostgresSchema, PostgresStep, PostgresUrl, PostgresVersion,
    Surroundings,
};
use futures::future::{join_all, try_join_all};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::cluster::Schema;
use crate::engine::{key, put};
use crate::meanwhile::until_it_waits;
use crate::proxy;

/// Older programs live with the first step. The second counts how often it was made.
const STEPS: &[PostgresStep] = &[
    PostgresStep::alike("ALTER TABLE daypass_item ADD COLUMN IF NOT EXISTS note text"),
    PostgresStep::alike("INSERT INTO made VALUES (1)"),
];

/// What the next program knows.
fn next(oldest: i64, patience: Duration) -> PostgresSchema {
    let version = PostgresVersion { oldest, steps: STEPS };
    let versions: Vec<_> = PostgresSchema::CURRENT.versions.iter().copied().chain([version]).collect();
    PostgresSchema { versions: versions.leak(), patience }
}

fn livable() -> PostgresSchema {
    next(2, PostgresSchema::CURRENT.patience)
}

/// A database of this version, with a table that counts.
async fn database() -> Schema {
    let schema = Schema::new().await;
    drop(schema.engine().await);
    schema.client().await.batch_execute("CREATE TABLE made (step bigint)").await.unwrap();
    schema
}

fn knowing(schema: &PostgresSchema) -> Surroundings {
    Surroundings { schema: *schema, ..Surroundings::default() }
}

async fn open(schema: &Schema, known: &PostgresSchema) -> Result<PostgresEngine, PostgresOpenError> {
    let url = schema.url("", &format!("application_name={}", schema.name()));
    PostgresEngine::open_in(&url, Open::OrMake, knowing(known)).await
}

async fn refused(schema: &Schema, open: Open, known: &PostgresSchema) -> String {
    PostgresEngine::open_in(&schema.url("", ""), open, knowing(known)).await.err().unwrap().to_string()
}

async fn number(schema: &Schema, of: &str) -> i64 {
    schema.client().await.query_one(&format!("SELECT {of}"), &[]).await.unwrap().get(0)
}

async fn version(schema: &Schema) -> i64 {
    number(schema, "version FROM daypass_migration").await
}

async fn times_made(schema: &Schema) -> i64 {
    number(schema, "count(*) FROM made").await
}

/// Says each key that is kept, until it is told to stop.
async fn write(
    engine: Arc<PostgresEngine>,
    writer: usize,
    stop: Arc<AtomicBool>,
    kept: UnboundedSender<Key>,
) {
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let key = key(&format!("writer {writer}"), number.to_be_bytes());
        match engine.commit(Stamp(1), &[put(&key, Guard::Absent, b"kept")]).await {
            Ok(Committed::Kept) => kept.send(key).unwrap(),
            Err(EngineError::Busy(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn some_more(kept: &mut UnboundedReceiver<Key>, keys: &mut Vec<Key>) {
    for _ in 0..200 {
        keys.push(kept.recv().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_new_live_side_by_side_under_load_and_nothing_is_lost() {
    let schema = database().await;
    let old = Arc::new(schema.engine().await);
    let (stop, (sender, mut kept)) = (Arc::new(AtomicBool::new(false)), unbounded_channel());
    let begin = |engine: &Arc<PostgresEngine>, writer| {
        tokio::spawn(write(engine.clone(), writer, stop.clone(), sender.clone()))
    };
    let mut writers: Vec<_> = (0..3).map(|writer| begin(&old, writer)).collect();
    let mut keys = Vec::new();
    some_more(&mut kept, &mut keys).await;
    let known = livable();
    let engines = try_join_all((0..8).map(|_| open(&schema, &known))).await.unwrap();
    let new = engines.into_iter().map(Arc::new).collect::<Vec<_>>();
    assert_eq!((version(&schema).await, times_made(&schema).await), (3, 1));
    writers.push(begin(&new[0], 3));
    some_more(&mut kept, &mut keys).await;
    // One that was there before comes back.
    for how in [Open::OrMake, Open::AsItIs] {
        let again = PostgresEngine::open(&schema.url("", ""), how).await.unwrap();
        assert!(again.read(&keys[..1]).await.unwrap()[0].is_some());
    }
    stop.store(true, Ordering::Relaxed);
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    drop((old, sender));
    while let Some(key) = kept.recv().await {
        keys.push(key);
    }
    for keys in keys.chunks(100) {
        assert!(new[7].read(keys).await.unwrap().iter().all(Option::is_some));
    }
    assert_eq!((version(&schema).await, times_made(&schema).await), (3, 1));
    let is_there = "count(*) FROM daypass_item WHERE note IS NULL";
    assert_eq!(number(&schema, is_there).await, i64::try_from(keys.len()).unwrap());
}

#[tokio::test]
async fn a_version_that_an_older_program_cannot_live_with_is_refused_by_it() {
    let schema = database().await;
    drop(open(&schema, &next(3, Duration::ZERO)).await.unwrap());
    for open in [Open::OrMake, Open::Existing, Open::AsItIs] {
        let told = refused(&schema, open, &PostgresSchema::CURRENT).await;
        assert!(told.contains("knows version 3, and this one knows version 2: run the newer"), "{told}");
    }
    let due = PostgresEngine::steps_due(&schema.url("", "")).await.err().unwrap();
    assert!(matches!(due, PostgresOpenError::Newer { wanted: 3, known: 2, .. }), "{due}");
}

/// There is no step from what was never released, and its items would be misread.
#[tokio::test]
async fn a_database_of_before_the_first_release_is_refused_and_left_alone() {
    let schema = database().await;
    schema.client().await.batch_execute("UPDATE daypass_schema SET version = 1").await.unwrap();
    for migrated in ["UPDATE daypass_migration SET version = 1", "DROP TABLE daypass_migration"] {
        schema.client().await.batch_execute(migrated).await.unwrap();
        for open in [Open::OrMake, Open::Existing, Open::AsItIs] {
            let told = refused(&schema, open, &livable()).await;
            assert!(
                told.contains("of before the first release") && told.contains("`daypass store copy"),
                "{told}"
            );
        }
        for told in [
            PostgresEngine::steps_due(&schema.url("", "")).await.err(),
            PostgresEngine::migrate(&schema.url("", ""), &mut |_| {}).await.err(),
        ] {
            assert!(matches!(told, Some(PostgresOpenError::Unreleased { .. })), "{told:?}");
        }
    }
    assert_eq!((number(&schema, "version FROM daypass_schema").await, times_made(&schema).await), (1, 0));
    // What it says to do, to the letter.
    let told = refused(&schema, Open::Existing, &livable()).await;
    let drop = told.split('`').find(|words| words.starts_with("DROP TABLE")).unwrap();
    schema.client().await.batch_execute(drop).await.unwrap();
    PostgresEngine::open(&schema.url("", ""), Open::OrMake).await.unwrap();
}

#[tokio::test]
async fn an_older_version_is_left_alone_by_whoever_may_not_change_it() {
    let schema = database().await;
    for open in [Open::Existing, Open::AsItIs] {
        let told = refused(&schema, open, &livable()).await;
        assert!(
            told.contains("have version 2, and this Daypass needs version 3: `daypass migrate"),
            "{told}"
        );
    }
    assert_eq!(times_made(&schema).await, 0);
}

/// As docs/postgresql.md has it, for tables that are there.
#[tokio::test]
async fn tables_that_are_there_need_no_rights_but_to_read_and_write() {
    let schema = database().await;
    let name = schema.name();
    let role = format!(
        "CREATE ROLE user_{name} LOGIN; GRANT USAGE ON SCHEMA {name} TO user_{name};
         GRANT SELECT, INSERT, UPDATE, DELETE ON daypass_item TO user_{name}; GRANT SELECT ON daypass_schema, daypass_migration TO user_{name}"
    );
    schema.client().await.batch_execute(&role).await.unwrap();
    let url = || -> PostgresUrl { schema.text(&format!("user_{name}"), "", "").try_into().unwrap() };
    let use_it = async |open: Open| {
        let engine = PostgresEngine::open(&url(), open).await.unwrap();
        let committed = engine.commit(Stamp(1), &[put(&key("a", []), Guard::Any, b"")]).await;
        assert_eq!(committed.unwrap(), Committed::Kept);
    };
    for open in [Open::OrMake, Open::Existing, Open::AsItIs] {
        use_it(open).await;
    }
    let told =
        PostgresEngine::open_in(&url(), Open::OrMake, knowing(&livable())).await.err().unwrap().to_string();
    assert!(told.contains("for the owner of the schema"), "{told}");
    drop(open(&schema, &livable()).await.unwrap());
    assert_eq!((version(&schema).await, times_made(&schema).await), (3, 1));
    use_it(Open::AsItIs).await;
}

/// As docs/postgresql.md has it.
#[tokio::test]
async fn whoever_may_make_nothing_uses_what_the_owner_makes() {
    let schema = Schema::new().await;
    let name = schema.name();
    let role = format!(
        "CREATE ROLE server_{name} LOGIN; GRANT USAGE ON SCHEMA {name} TO server_{name};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {name} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO server_{name}"
    );
    schema.client().await.batch_execute(&role).await.unwrap();
    let url: PostgresUrl = schema.text(&format!("server_{name}"), "", "").try_into().unwrap();
    for (open, cure) in
        [(Open::OrMake, "for the owner of the schema"), (Open::AsItIs, "`daypass migrate -c FILE`")]
    {
        let told = PostgresEngine::open(&url, open).await.err().unwrap().to_string();
        assert!(told.contains(cure), "{told}");
    }
    let mut told = Vec::new();
    let due = PostgresEngine::steps_due(&schema.url("", "")).await.unwrap();
    for expected in [due.len(), 0] {
        let made = PostgresEngine::migrate(&schema.url("", ""), &mut |step| told.push(step.to_owned())).await;
        assert_eq!(made.unwrap(), expected);
    }
    assert_eq!((told, PostgresEngine::steps_due(&url).await.unwrap()), (due, vec![]));
    let engine = PostgresEngine::open(&url, Open::AsItIs).await.unwrap();
    let committed = engine.commit(Stamp(1), &[put(&key("a", []), Guard::Absent, b"")]).await;
    assert_eq!(committed.unwrap(), Committed::Kept);
}

const URL: &str = "DAYPASS_TEST_UPGRADED";

/// The URL of a schema for a child, which begins the steps and is killed within.
fn begin_in_a_child(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "upgrade::whoever_is_killed_in_the_middle_is_followed_when_the_lease_is_over"])
        .env(URL, url)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_in_the_middle_is_followed_when_the_lease_is_over() {
    if let Ok(url) = std::env::var(URL) {
        let url = url.try_into().unwrap();
        drop(PostgresEngine::open_in(&url, Open::OrMake, knowing(&livable())).await);
        return;
    }
    let schema = database().await;
    let other = schema.client().await;
    other.batch_execute("BEGIN; LOCK TABLE made IN SHARE MODE").await.unwrap();
    let mut killed =
        begin_in_a_child(&schema.text("postgres", "", &format!("application_name={}", schema.name())));
    until_it_waits(&schema).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What it asked last may be done yet, and is.
    other.batch_execute("ROLLBACK").await.unwrap();
    schema.until_sessions(0..=0, "true").await;
    assert_eq!((version(&schema).await, times_made(&schema).await), (2, 1));
    let told = refused(&schema, Open::OrMake, &next(2, Duration::ZERO)).await;
    assert!(
        told.contains("another Daypass changes the tables") && told.contains("within 0 seconds"),
        "{told}"
    );
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let url = schema.url("", "");
            tokio::spawn(async move {
                PostgresEngine::open_in(&url, Open::OrMake, knowing(&livable())).await.map(drop)
            })
        })
        .collect();
    assert_eq!((version(&schema).await, times_made(&schema).await), (2, 1));
    other.batch_execute("UPDATE daypass_migration SET until = now()").await.unwrap();
    for opened in join_all(waiting).await {
        opened.unwrap().unwrap();
    }
    // The step that was under way is made again, by one of them.
    assert_eq!((version(&schema).await, times_made(&schema).await), (3, 2));
}

/// It was held up for as long as its lease lasts, and somebody else has it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_to_a_lease_of_others_makes_nothing_more() {
    let schema = database().await;
    let other = schema.client().await;
    other.batch_execute("BEGIN; LOCK TABLE daypass_item IN SHARE MODE").await.unwrap();
    let url = schema.url("", &format!("application_name={}", schema.name()));
    let held_up =
        tokio::spawn(async move { PostgresEngine::open_in(&url, Open::OrMake, knowing(&livable())).await });
    until_it_waits(&schema).await;
    let taken = "UPDATE daypass_migration SET holder = 'other', until = now() + interval '20 seconds'";
    schema.client().await.batch_execute(taken).await.unwrap();
    other.batch_execute("ROLLBACK").await.unwrap();
    // It has made the step that was under way, and looks whether the other one is done.
    schema.until_sessions(1..=16, "state = 'idle' AND query LIKE '%FROM daypass_migration%'").await;
    assert_eq!((version(&schema).await, times_made(&schema).await), (2, 0));
    let done = "UPDATE daypass_migration SET version = 3, until = now()";
    schema.client().await.batch_execute(done).await.unwrap();
    drop(held_up.await.unwrap().unwrap());
    assert_eq!((version(&schema).await, times_made(&schema).await), (3, 0));
}

/// The clock of the database was an hour ahead when somebody took the lease.
#[tokio::test]
async fn a_lease_that_lasts_longer_than_one_can_is_none() {
    let schema = database().await;
    let ahead = "UPDATE daypass_migration SET holder = 'gone', until = now() + interval '1 hour'";
    schema.client().await.batch_execute(ahead).await.unwrap();
    drop(open(&schema, &next(2, Duration::ZERO)).await.unwrap());
    assert_eq!((version(&schema).await, times_made(&schema).await), (3, 1));
}

/// While it waited for the row, somebody took a lease that ends later than one that began before.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waited_for_the_row_does_not_take_a_lease_of_others() {
    let schema = database().await;
    let other = schema.client().await;
    other.batch_execute("BEGIN; SELECT FROM daypass_migration FOR UPDATE").await.unwrap();
    let url = schema.url("", &format!("application_name={}", schema.name()));
    let known = next(2, Duration::ZERO);
    let late =
        tokio::spawn(async move { PostgresEngine::open_in(&url, Open::OrMake, knowing(&known)).await });
    until_it_waits(&schema).await;
    let taken = "UPDATE daypass_migration SET holder = 'other', until = clock_timestamp() + interval '30 seconds'; COMMIT";
    other.batch_execute(taken).await.unwrap();
    let told = late.await.unwrap().err().unwrap();
    assert!(matches!(told, PostgresOpenError::Occupied { .. }), "{told}");
    assert_eq!((version(&schema).await, times_made(&schema).await), (2, 0));
}

/// Whatever was done without an answer is asked again, and comes to the same.
#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_are_asked_for_again() {
    for text in [
        "CREATE TABLE IF NOT EXISTS daypass_migration",
        "INSERT INTO daypass_migration",
        "SET holder = $1",
        "SELECT (SELECT version",
        "ADD COLUMN",
        "SET version = $2",
        "SET until = now() WHERE",
    ] {
        let schema = database().await;
        let port = proxy::losing_the_answer_to(text).await;
        let options = format!("options=-csearch_path%3D{}", schema.name());
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?{options}").try_into().unwrap();
        // Nobody waits until a lease of their own is over.
        let known = next(2, Duration::from_secs(10));
        drop(PostgresEngine::open_in(&url, Open::OrMake, knowing(&known)).await.unwrap());
        assert_eq!((version(&schema).await, times_made(&schema).await), (3, 1), "{text}");
        // It was given back.
        assert_eq!(
            number(&schema, "count(*) FROM daypass_migration WHERE until <= now()").await,
            1,
            "{text}"
        );
    }
}
