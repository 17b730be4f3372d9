//! Random changes, one after the other against a model of what should come of them, and many at once against
//! what must hold whatever comes first. A failure prints its seed and every step up to it.
//!
//! What is done at random, and what should come of it, is public: a test of the API asks for the same by
//! requests.

mod expected;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex};

pub use self::expected::{Expected, KINDS, kind_of};
use self::steps::apply;
pub use self::steps::{Answer, Generator, Step, all_logins, is_kept, takes_what_is_kept};
use super::fixture::{Fixture, race};
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login, LoginProvider};
use crate::records::limits::MAX_LOGINS;
use crate::store::{LinkOutcome, Page, SharedStore};

const SEQUENCES: u64 = 30;
const STEPS: usize = 120;
const RACES: u64 = 4;
const RACERS: u64 = 8;
const STEPS_OF_A_RACER: usize = 50;

/// Every answer that a step can have comes at least once: a generator that no longer reaches one proves
/// nothing about it.
pub async fn random_changes_come_out_as_the_model_says(store: SharedStore) {
    let mut kinds = BTreeSet::new();
    for seed in 1..=SEQUENCES {
        let fixture = Fixture::with_seed(store.clone(), seed).await;
        kinds.append(&mut follow(&fixture, seed).await);
    }
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.is_empty(), "no step was answered with {missing:?}");
}

pub async fn racing_links_merges_and_unlinks_lose_nothing(store: SharedStore) {
    for seed in 1..=RACES {
        let fixture = Fixture::with_seed(store.clone(), seed).await;
        let history = race_steps(&fixture, seed, takes_what_is_kept).await;
        let found = check_invariants(&fixture, &history).await;
        for (pool_id, login) in linked_in(&history).filter(|(_, login)| is_kept(login)) {
            let key = (pool_id.clone(), login.clone());
            assert!(found.contains_key(&key), "seed {seed}: {key:?} is lost after{}", told(&history));
        }
    }
}

pub async fn racing_changes_of_every_kind_leave_no_login_adrift(store: SharedStore) {
    for seed in 1..=RACES {
        let fixture = Fixture::with_seed(store.clone(), 100 + seed).await;
        let history = race_steps(&fixture, 100 + seed, |_| false).await;
        check_invariants(&fixture, &history).await;
    }
}

/// Makes random changes to the store and to the model, and compares every answer and all that is there in
/// the end. Gives back the kinds of the answers.
async fn follow(fixture: &Fixture, seed: u64) -> BTreeSet<&'static str> {
    let mut generator = Generator::new(seed, pool_ids(fixture));
    let mut expected = Expected::default();
    let mut history = Vec::new();
    let mut kinds = BTreeSet::new();
    for _ in 0..STEPS {
        let topic = generator.topic();
        let step = generator.step(&topic, expected.owner(&topic.0, &topic.1), &expected.ids());
        let wanted = expected.apply(&step);
        let answer = apply(&fixture.store, &step).await;
        history.push((step, answer.clone()));
        assert_eq!(answer, wanted, "seed {seed}, after{}", told(&history));
        kinds.insert(kind_of(&answer));
    }
    compare_all(fixture, &expected, &format!("seed {seed}, after{}", told(&history))).await;
    kinds
}

async fn compare_all(fixture: &Fixture, expected: &Expected, context: &str) {
    for id in expected.ids() {
        let found = fixture.store.lookup_identity(&id).await.unwrap();
        assert_eq!((found, fixture.logins_of(&id).await), expected.state_of(&id), "{id}, {context}");
    }
    for pool_id in pool_ids(fixture) {
        for login in all_logins() {
            let owner = owner(&fixture.store, &pool_id, &login).await;
            assert_eq!(owner, expected.owner(&pool_id, &login), "{login:?}, {context}");
        }
        for hide_disabled in [false, true] {
            let listed = list(fixture, &pool_id, hide_disabled).await;
            assert_eq!(listed, expected.list(&pool_id, hide_disabled), "{context}");
        }
    }
}

async fn owner(store: &SharedStore, pool_id: &IdentityPoolId, login: &Login) -> Option<IdentityId> {
    store.find_identity_by_login(pool_id, login).await.unwrap().map(|found| found.identity.id)
}

type History = Vec<(Step, Answer)>;

/// Makes random changes from several tasks at once, all but the `unwanted` ones.
async fn race_steps(fixture: &Fixture, seed: u64, unwanted: fn(&Step) -> bool) -> History {
    let known = Arc::new(Mutex::new(Vec::new()));
    let racers = (0..RACERS).map(|number| {
        let generator = Generator::new(seed * RACERS + number, pool_ids(fixture));
        run(fixture.store.clone(), generator, Arc::clone(&known), unwanted)
    });
    race(racers).await.concat()
}

async fn run(
    store: SharedStore,
    mut generator: Generator,
    known: Arc<Mutex<Vec<IdentityId>>>,
    unwanted: fn(&Step) -> bool,
) -> History {
    let mut history = Vec::new();
    while history.len() < STEPS_OF_A_RACER {
        let topic = generator.topic();
        let owner = owner(&store, &topic.0, &topic.1).await;
        let ids = known.lock().unwrap().clone();
        let step = generator.step(&topic, owner, &ids);
        if unwanted(&step) {
            continue;
        }
        known.lock().unwrap().extend(step.new_identity_id().cloned());
        let answer = apply(&store, &step).await;
        history.push((step, answer));
    }
    history
}

/// What holds whatever came first. Gives back every login and its owner.
async fn check_invariants(
    fixture: &Fixture,
    history: &History,
) -> BTreeMap<(IdentityPoolId, Login), IdentityId> {
    let context = told(history);
    let mut owners = BTreeMap::new();
    let mut disabled = BTreeSet::new();
    for pool_id in pool_ids(fixture) {
        for identity in list(fixture, &pool_id, false).await {
            let logins = fixture.logins_of(&identity.id).await;
            check_identity(&identity, &logins, &context);
            for login in logins {
                let earlier = owners.insert((pool_id.clone(), login), identity.id.clone());
                assert_eq!(earlier, None, "a login of two identities after{context}");
            }
            if identity.disabled {
                disabled.insert(identity.id);
            }
        }
        for login in all_logins() {
            let owner = owner(&fixture.store, &pool_id, &login).await;
            let listed = owners.get(&(pool_id.clone(), login.clone()));
            assert_eq!(owner.as_ref(), listed, "{login:?} after{context}");
        }
    }
    check_endings(history, &disabled, &context);
    owners
}

fn check_identity(identity: &Identity, logins: &[Login], context: &str) {
    assert!(logins.is_empty() || !identity.disabled, "{identity:?} has {logins:?} after{context}");
    assert!(logins.is_empty() || identity.authenticated, "{identity:?} has {logins:?} after{context}");
    assert!(logins.len() <= MAX_LOGINS, "{logins:?} after{context}");
    let public = logins.iter().filter(|login| login.provider != LoginProvider::Developer);
    let providers: Vec<_> = public.map(|login| &login.provider).collect();
    let distinct: BTreeSet<_> = providers.iter().collect();
    assert_eq!(providers.len(), distinct.len(), "{logins:?} after{context}");
}

/// An identity ends once, and exactly one asker hears of it.
fn check_endings(history: &History, disabled: &BTreeSet<IdentityId>, context: &str) {
    let mut ended = BTreeSet::new();
    let mut deleted = BTreeSet::new();
    for (step, answer) in history {
        if let Answer::Linked(LinkOutcome::Linked { identity, disabled }) = answer {
            assert!(!disabled.contains(&identity.id), "{identity:?} outlived itself after{context}");
            for id in disabled {
                assert!(ended.insert(id.clone()), "{id} ended twice after{context}");
            }
        }
        if let Step::Delete(ids) = step {
            deleted.extend(ids.iter().cloned());
        }
    }
    let there: BTreeSet<_> = ended.difference(&deleted).cloned().collect();
    assert!(there.is_subset(disabled), "{there:?} should be among {disabled:?} after{context}");
    assert!(disabled.is_subset(&ended), "{disabled:?} should be among {ended:?} after{context}");
}

/// Every login that some answer said was linked.
fn linked_in(history: &History) -> impl Iterator<Item = (&IdentityPoolId, &Login)> {
    let linked = history.iter().filter_map(|(step, answer)| match (step, answer) {
        (_, Answer::Linked(LinkOutcome::Refused(_))) => None,
        (Step::Link(request), _) => Some(request),
        _ => None,
    });
    linked.flat_map(|request| request.logins.iter().map(|login| (&request.pool_id, login)))
}

async fn list(fixture: &Fixture, pool_id: &IdentityPoolId, hide_disabled: bool) -> Vec<Identity> {
    let page = Page { after: None, limit: 10_000 };
    let listed = fixture.store.list_identities(pool_id, hide_disabled, page).await.unwrap();
    listed.into_iter().map(|it| it.identity).collect()
}

fn pool_ids(fixture: &Fixture) -> [IdentityPoolId; 2] {
    [fixture.pool_id.clone(), fixture.other_pool_id.clone()]
}

/// The steps and their answers, a line each.
fn told(history: &History) -> String {
    history.iter().enumerate().fold(String::new(), |mut told, (number, (step, answer))| {
        write!(told, "\n{number}. {step:?}\n   {answer:?}").expect("text is written to memory");
        told
    })
}
