//! Random operations of the whole identity pool API on every store: one after the other against a model of
//! what should come of them, and many at once against what must hold whatever comes first. What is done, and
//! what should become of identities, is the model that the stores answer to; what an answer says, whom a token
//! still serves and what listings show is stated here. A failure prints its seed and every step up to it.

mod races;
mod requests;

use std::collections::BTreeSet;
use std::fmt::Write;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::IdentityId;
use daypass_core::ground::random::{Random, SeededRandom};
use daypass_core::records::identity::{Identity, LoginProvider};
use daypass_core::store::contract::model::{Expected, Generator, KINDS, Step, all_logins, kind_of};
use serde_json::{Value, json};

use self::requests::{Issued, Outcome, World, as_asked, forbidden, named, no_identity, told, with_drawn};
use crate::harness::{AUTHENTICATED_ROLE, BACKENDS, DEVELOPER_PROVIDER, GUEST_ROLE};

/// On each store in turn.
const SEQUENCES: u64 = 6;
const STEPS: usize = 120;

/// Every answer that a step can have comes at least once: a generator that no longer reaches one proves
/// nothing about it.
#[tokio::test]
async fn random_operations_come_out_as_the_model_says() {
    let mut kinds = BTreeSet::new();
    for (seed, backend) in (1..=SEQUENCES).zip(BACKENDS.iter().cycle()) {
        let world = World::new(backend()).await;
        kinds.append(&mut follow(&world, seed).await);
    }
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.is_empty(), "no step was answered with {missing:?}");
}

/// Everything that was asked and answered.
type History = Vec<(Step, Outcome)>;

/// Asks the API and the model, and compares every answer, what old tokens are worth, and in the end all that
/// is there. Gives back the kinds of the answers.
async fn follow(world: &World, seed: u64) -> BTreeSet<&'static str> {
    let mut generator = Generator::new(seed, world.pool_ids.clone());
    let mut expected = Expected::default();
    let mut tokens = Vec::new();
    let mut history = History::new();
    let mut kinds = BTreeSet::new();
    for number in 0..STEPS {
        let topic = generator.topic();
        let step = generator.step(&topic, expected.owner(&topic.0, &topic.1), &expected.ids());
        let named = named(&step).and_then(|id| expected.state_of(id).0);
        let step = as_asked(step, world.tick(number), named.map(|identity| identity.pool_id));
        if matches!(&step, Step::Delete(ids) if ids.is_empty()) {
            continue;
        }
        let outcome = world.ask(&step, &mut tokens).await;
        let step = match &outcome {
            Outcome::Identity(id) if !expected.ids().contains(id) => with_drawn(step, id),
            _ => step,
        };
        let wanted = expected.apply(&step);
        kinds.insert(kind_of(&wanted));
        let wanted = told(wanted, &step);
        history.push((step, outcome.clone()));
        let context = format!("seed {seed}, after{}", listed(&history));
        assert_eq!(outcome, wanted, "{context}");
        compare_some(world, &expected, &mut tokens, seed * 1000 + number as u64, &context).await;
    }
    compare_all(world, &expected, &format!("seed {seed}, after{}", listed(&history))).await;
    kinds
}

/// Somebody among those there ever were, asked about in every way, and an old token.
async fn compare_some(
    world: &World,
    expected: &Expected,
    tokens: &mut Vec<Issued>,
    seed: u64,
    context: &str,
) {
    let random = SeededRandom::new(seed);
    let below = |limit: usize| usize::from(u16::from_le_bytes((&random as &dyn Random).bytes())) % limit;
    let ids = expected.ids();
    if !ids.is_empty() {
        let id = &ids[below(ids.len())];
        let (identity, _) = expected.state_of(id);
        let wanted = guest_outcome(id, identity.as_ref());
        assert_eq!(world.ask_as_guest(id, tokens).await, wanted, "{id} as a guest, {context}");
        compare_description(world, expected, id, context).await;
    }
    if !tokens.is_empty() {
        let token = tokens[below(tokens.len())].clone();
        compare_token(world, expected, &token, context).await;
    }
}

/// Only guests need nothing but their ID.
fn guest_outcome(id: &IdentityId, identity: Option<&Identity>) -> Outcome {
    match identity {
        None => no_identity(id),
        Some(identity) if identity.disabled || identity.authenticated => forbidden(id),
        Some(_) => Outcome::Identity(id.clone()),
    }
}

/// A token is as good as its identity is: neither merged nor deleted, nor logged in since if it is a guest's, and
/// still with every login that the token was issued on. The roles trust the first pool only.
async fn compare_token(world: &World, expected: &Expected, token: &Issued, context: &str) {
    let id = &token.identity_id;
    let authenticated = !token.logins.is_empty();
    let role_arn = if authenticated { AUTHENTICATED_ROLE } else { GUEST_ROLE };
    let (outcome, assumed) = world.show(token, role_arn).await;
    let (identity, logins) = expected.state_of(id);
    let stands = identity
        .as_ref()
        .is_some_and(|identity| !identity.disabled && identity.authenticated == authenticated);
    let linked = token.logins.iter().all(|login| logins.contains(login));
    let trusted = identity.as_ref().is_some_and(|identity| identity.pool_id == world.pool_ids[0]);
    assert_eq!(assumed, stands && linked && trusted, "{id} at STS, {context}");
    match identity {
        None => assert_eq!(outcome, no_identity(id), "{context}"),
        Some(_) if !stands => assert_eq!(outcome, forbidden(id), "{context}"),
        Some(_) if !trusted => assert!(
            matches!(&outcome, Outcome::Refused(code, _) if code == "InvalidIdentityPoolConfigurationException"),
            "{outcome:?}, {context}"
        ),
        Some(_) if !linked => assert_eq!(outcome, forbidden(id), "{context}"),
        Some(_) => assert_eq!(outcome, Outcome::Identity(id.clone()), "{context}"),
    }
}

/// DescribeIdentity and LookupDeveloperIdentity of one identity.
async fn compare_description(world: &World, expected: &Expected, id: &IdentityId, context: &str) {
    let described = world.daypass.signed("DescribeIdentity", json!({"IdentityId": id})).await;
    let (Some(identity), logins) = expected.state_of(id) else {
        described.assert_code("ResourceNotFoundException");
        return;
    };
    assert_eq!(described.json(), description(expected, &identity), "{context}");
    let users: Vec<&str> = logins.iter().filter_map(|login| login.developer_user_identifier()).collect();
    let input = json!({"IdentityPoolId": identity.pool_id, "IdentityId": id});
    let found = world.daypass.call("LookupDeveloperIdentity", input).await;
    assert_eq!(found, json!({"IdentityId": id, "DeveloperUserIdentifierList": users}), "{context}");
}

fn description(expected: &Expected, identity: &Identity) -> Value {
    let (_, logins) = expected.state_of(&identity.id);
    let name = |provider: &LoginProvider| match provider {
        LoginProvider::Developer => DEVELOPER_PROVIDER.to_owned(),
        LoginProvider::Public(host) => host.clone(),
    };
    let names: BTreeSet<String> = logins.iter().map(|login| name(&login.provider)).collect();
    let mut described = json!({"IdentityId": identity.id,
        "CreationDate": seconds(identity.created_at), "LastModifiedDate": seconds(identity.modified_at)});
    if !names.is_empty() {
        described["Logins"] = json!(names);
    }
    described
}

fn seconds(time: Timestamp) -> Value {
    format!("{}.{:03}", time.as_second(), time.subsec_millisecond()).parse::<f64>().unwrap().into()
}

async fn compare_all(world: &World, expected: &Expected, context: &str) {
    for pool_id in &world.pool_ids {
        for (hide_disabled, page) in [(false, 7), (true, 60)] {
            let wanted = expected.list(pool_id, hide_disabled);
            let wanted: Vec<Value> = wanted.iter().map(|identity| description(expected, identity)).collect();
            assert_eq!(world.list(pool_id, hide_disabled, page).await, wanted, "{context}");
        }
        for login in all_logins() {
            if let Some(user) = login.developer_user_identifier() {
                let owner = world.look_up(pool_id, user).await;
                assert_eq!(owner, expected.owner(pool_id, &login), "{user}, {context}");
            }
        }
    }
}

/// The steps and their outcomes, a line each.
fn listed(history: &History) -> String {
    history.iter().enumerate().fold(String::new(), |mut text, (number, (step, outcome))| {
        write!(text, "\n{number}. {step:?}\n   {outcome:?}").unwrap();
        text
    })
}
