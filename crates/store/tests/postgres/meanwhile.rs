//! What happens between the moment that a commit sees and the one at which it has its locks: somebody else's transaction is held
//! open until the commit waits for it.

use std::sync::Arc;

use daypass_core::store::items::engine::{Change, Committed, Effect, Engine, EngineError, Guard, Key, Stamp};
use daypass_store::{Open, PostgresEngine};
use tokio::task::JoinHandle;

use crate::LEVELS;
use crate::cluster::Schema;
use crate::engine::{change, key, put};

/// Waits until something in a schema waits for a lock.
pub async fn until_it_waits(schema: &Schema) {
    schema.until_sessions(1..=1, "wait_event_type = 'Lock'").await;
}

pub fn spawn(engine: &Arc<PostgresEngine>, changes: &[Change]) -> JoinHandle<Result<Committed, EngineError>> {
    let (engine, changes) = (engine.clone(), changes.to_vec());
    tokio::spawn(async move { engine.commit(Stamp(9), &changes).await })
}

/// Of an item `a` that may be there with stamp 1, and of `b`, which is.
#[derive(Clone)]
pub struct Case {
    pub is_there: bool,
    /// What somebody else does to `a`.
    pub meanwhile: &'static str,
    pub guard: Guard,
    pub effect: Effect,
    pub committed: Committed,
    /// What `a` says in the end.
    pub content: Option<&'static [u8]>,
}

const UPDATE: &str = "UPDATE daypass_item SET stamp = 2, content = 'theirs' WHERE partition = 'a'";
const DELETE: &str = "DELETE FROM daypass_item WHERE partition = 'a'";
const INSERT: &str = "INSERT INTO daypass_item VALUES (2, NULL, 'a', '', 'theirs')";
const ANEW: &str = "DELETE FROM daypass_item WHERE partition = 'a'; INSERT INTO daypass_item VALUES (2, NULL, 'a', '', 'theirs')";

pub fn cases() -> Vec<Case> {
    let ours = || Effect::Put { content: b"ours".to_vec(), forgotten_at: None };
    let (is_old, is_new) = (Guard::Is(Stamp(1)), Guard::Is(Stamp(2)));
    let mut cases = Vec::new();
    let mut case = |is_there, meanwhile, guard, effect, committed, content| {
        cases.push(Case { is_there, meanwhile, guard, effect, committed, content });
    };
    let (kept, broken) = (Committed::Kept, Committed::Broken);
    let theirs: Option<&[u8]> = Some(b"theirs");
    for meanwhile in [UPDATE, ANEW] {
        case(true, meanwhile, is_old, ours(), broken, theirs);
        case(true, meanwhile, is_old, Effect::Delete, broken, theirs);
        case(true, meanwhile, is_old, Effect::Nothing, broken, theirs);
        case(true, meanwhile, Guard::Absent, ours(), broken, theirs);
        case(true, meanwhile, Guard::Absent, Effect::Nothing, broken, theirs);
        case(true, meanwhile, Guard::Any, ours(), kept, Some(b"ours"));
        case(true, meanwhile, Guard::Any, Effect::Delete, kept, None);
    }
    case(true, UPDATE, is_new, ours(), kept, Some(b"ours"));
    case(true, UPDATE, is_new, Effect::Delete, kept, None);
    case(true, DELETE, is_old, ours(), broken, None);
    case(true, DELETE, Guard::Absent, ours(), kept, Some(b"ours"));
    case(true, DELETE, Guard::Absent, Effect::Nothing, kept, None);
    case(true, DELETE, Guard::Any, ours(), kept, Some(b"ours"));
    case(true, DELETE, Guard::Any, Effect::Delete, kept, None);
    case(false, INSERT, Guard::Absent, ours(), broken, theirs);
    case(false, INSERT, Guard::Absent, Effect::Delete, broken, theirs);
    case(false, INSERT, Guard::Absent, Effect::Nothing, broken, theirs);
    case(false, INSERT, Guard::Any, ours(), kept, Some(b"ours"));
    case(false, INSERT, Guard::Any, Effect::Delete, kept, None);
    cases
}

/// The engine, and what somebody else does meanwhile, and undoes or not.
async fn play(case: &Case, level: &str, end: &str) -> (Result<Committed, EngineError>, Vec<Option<Vec<u8>>>) {
    let schema = Schema::new().await;
    let options = format!("-cdefault_transaction_isolation%3D{level}");
    let url = schema.url(&options, &format!("application_name={}", schema.name()));
    let engine = Arc::new(PostgresEngine::open(&url, Open::OrMake).await.unwrap());
    play_on(&engine, &schema, case, case.meanwhile, end).await
}

/// The same on an engine whose sessions have the name of the schema, in which what somebody else does is called as it is there.
pub async fn play_on(
    engine: &Arc<PostgresEngine>,
    schema: &Schema,
    case: &Case,
    meanwhile: &str,
    end: &str,
) -> (Result<Committed, EngineError>, Vec<Option<Vec<u8>>>) {
    let (a, b) = (key("a", []), key("b", []));
    let mut before = vec![put(&b, Guard::Absent, b"before")];
    if case.is_there {
        before.push(put(&a, Guard::Absent, b"before"));
    }
    assert_eq!(engine.commit(Stamp(1), &before).await.unwrap(), Committed::Kept);
    let other = schema.client().await;
    other.batch_execute(&format!("BEGIN; {meanwhile}")).await.unwrap();
    let of_a = change(&a, case.guard, case.effect.clone());
    let committing = spawn(engine, &[put(&b, Guard::Is(Stamp(1)), b"ours"), of_a]);
    until_it_waits(schema).await;
    other.batch_execute(end).await.unwrap();
    (committing.await.unwrap(), contents(engine, &[a, b]).await)
}

pub async fn contents(engine: &PostgresEngine, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
    let items = engine.read(keys).await.unwrap();
    items.into_iter().map(|item| item.map(|item| item.content)).collect()
}

pub fn told(case: &Case) -> String {
    format!("{}: {:?} {:?}", case.meanwhile, case.guard, case.effect)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_meanwhile_is_judged_as_it_was_committed() {
    for case in cases() {
        let (committed, contents) = play(&case, "read%5C%20committed", "COMMIT").await;
        assert_eq!(committed.unwrap(), case.committed, "{}", told(&case));
        let of_b: &[u8] = if case.committed == Committed::Kept { b"ours" } else { b"before" };
        let expected = [case.content.map(<[u8]>::to_vec), Some(of_b.to_vec())];
        assert_eq!(contents, expected, "{}", told(&case));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_meanwhile_that_is_taken_back_was_never_there() {
    for case in cases() {
        let (committed, contents) = play(&case, "read%5C%20committed", "ROLLBACK").await;
        let holds = match case.guard {
            Guard::Any => true,
            Guard::Absent => !case.is_there,
            Guard::Is(stamp) => case.is_there && stamp == Stamp(1),
        };
        let before = case.is_there.then(|| b"before".to_vec());
        let of_a = match (&case.effect, holds) {
            (_, false) | (Effect::Nothing, true) => before,
            (Effect::Put { content, .. }, true) => Some(content.clone()),
            (Effect::Delete, true) => None,
        };
        let of_b: &[u8] = if holds { b"ours" } else { b"before" };
        assert_eq!(committed.unwrap() == Committed::Kept, holds, "{}", told(&case));
        assert_eq!(contents, [of_a, Some(of_b.to_vec())], "{}", told(&case));
    }
}

/// Above READ COMMITTED the server refuses, or finds the same.
#[tokio::test(flavor = "multi_thread")]
async fn at_higher_levels_a_change_meanwhile_is_a_reason_to_ask_again() {
    for level in &LEVELS[1..] {
        for case in cases() {
            let (committed, contents) = play(&case, level, "COMMIT").await;
            match committed {
                Err(EngineError::Busy(_)) => {}
                committed => assert_eq!(committed.unwrap(), Committed::Broken, "{level}, {}", told(&case)),
            }
            assert_eq!(contents[1], Some(b"before".to_vec()), "{level}, {}", told(&case));
            let theirs = if case.meanwhile == DELETE { None } else { Some(b"theirs".to_vec()) };
            assert_eq!(contents[0], theirs, "{level}, {}", told(&case));
        }
    }
}
