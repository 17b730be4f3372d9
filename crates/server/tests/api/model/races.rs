//! Operations of several clients at once. Nobody can say what comes of each, but in the end every login has at
//! most one identity, none is lost, and whoever was merged away gets nothing any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{Login, LoginProvider};
use daypass_core::store::contract::model::{Generator, Step, all_logins, is_kept, takes_what_is_kept};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::requests::{Issued, Outcome, World, as_asked, forbidden, named, no_identity};
use super::{History, listed};
use crate::harness::{AUTHENTICATED_ROLE, BACKENDS, DEVELOPER_PROVIDER, GUEST_ROLE};

const RACERS: u64 = 6;
const STEPS_OF_A_RACER: usize = 30;

/// What a step may be refused with. Anything else is a fault.
const REFUSALS: [&str; 5] = [
    "ResourceNotFoundException",
    "NotAuthorizedException",
    "ResourceConflictException",
    "InvalidParameterException",
    "DeveloperUserAlreadyRegisteredException",
];

type Owners = BTreeMap<(IdentityPoolId, Login), IdentityId>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_links_merges_and_unlinks_lose_no_login() {
    for (backend, seed) in BACKENDS.iter().zip(1..) {
        let world = Arc::new(World::new(backend()).await);
        let (history, tokens) = race(&world, seed, takes_what_is_kept).await;
        let owners = check(&world, &history, &tokens).await;
        for key in linked_in(&history).filter(|(_, login)| is_kept(login)) {
            assert!(owners.contains_key(&key), "seed {seed}: {key:?} is lost after{}", listed(&history));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_operations_of_every_kind_leave_no_login_with_two_identities() {
    for (backend, seed) in BACKENDS.iter().zip(101..) {
        let world = Arc::new(World::new(backend()).await);
        let (history, tokens) = race(&world, seed, |_| false).await;
        check(&world, &history, &tokens).await;
    }
}

/// Asks for random steps from several tasks at once, all but the unwanted ones.
async fn race(world: &Arc<World>, seed: u64, unwanted: fn(&Step) -> bool) -> (History, Vec<Issued>) {
    let known = Arc::new(Mutex::new(Vec::new()));
    let start = Arc::new(Barrier::new(usize::try_from(RACERS).unwrap()));
    let racers = (0..RACERS).map(|number| {
        let generator = Generator::new(seed * RACERS + number, world.pool_ids.clone());
        let (world, known, start) = (world.clone(), known.clone(), start.clone());
        tokio::spawn(async move {
            start.wait().await;
            run(&world, generator, &known, unwanted).await
        })
    });
    let racers: Vec<_> = racers.collect();
    let (mut history, mut tokens) = (History::new(), Vec::new());
    for racer in racers {
        let (theirs, issued) = racer.await.unwrap();
        history.extend(theirs);
        tokens.extend(issued);
    }
    (history, tokens)
}

async fn run(
    world: &World,
    mut generator: Generator,
    known: &Mutex<Vec<IdentityId>>,
    unwanted: fn(&Step) -> bool,
) -> (History, Vec<Issued>) {
    let (mut history, mut tokens) = (History::new(), Vec::new());
    while history.len() < STEPS_OF_A_RACER {
        let topic = generator.topic();
        let owner = world
            .daypass
            .store
            .find_identity_by_login(&topic.0, &topic.1)
            .await
            .unwrap()
            .map(|it| it.identity.id);
        let ids = known.lock().unwrap().clone();
        let step = generator.step(&topic, owner, &ids);
        let named = match named(&step) {
            Some(id) => world.daypass.store.lookup_identity(id).await.unwrap(),
            None => None,
        };
        let step = as_asked(step, world.tick(history.len()), named.map(|identity| identity.pool_id));
        if unwanted(&step) || matches!(&step, Step::Delete(ids) if ids.is_empty()) {
            continue;
        }
        let outcome = world.ask(&step, &mut tokens).await;
        match &outcome {
            Outcome::Identity(id) => known.lock().unwrap().push(id.clone()),
            Outcome::Refused(code, _) => assert!(REFUSALS.contains(&code.as_str()), "{step:?}: {outcome:?}"),
            Outcome::Done => {}
        }
        history.push((step, outcome));
    }
    (history, tokens)
}

/// What holds whatever came first. Gives back every login and its owner.
async fn check(world: &World, history: &History, tokens: &[Issued]) -> Owners {
    let context = listed(history);
    let mut owners = Owners::new();
    let mut enabled = BTreeSet::new();
    for pool_id in &world.pool_ids {
        let everybody = world.list(pool_id, false, 60).await;
        let shown = world.list(pool_id, true, 60).await;
        let theirs = owners_in(world, pool_id, &shown).await;
        for identity in &shown {
            assert_eq!(names_in(identity), names_of(&theirs, &id_of(identity)), "{identity} after{context}");
        }
        enabled.extend(shown.iter().map(id_of));
        for disabled in everybody.iter().filter(|identity| !shown.contains(identity)) {
            assert_eq!(disabled.get("Logins"), None, "{disabled} after{context}");
            check_disabled(world, &id_of(disabled), &context).await;
        }
        owners.extend(theirs);
    }
    let ended = tokens.iter().filter(|token| !enabled.contains(&token.identity_id));
    for token in ended {
        check_worthless(world, token, &context).await;
    }
    owners
}

/// Every login of a pool that belongs to one of the identities listed.
async fn owners_in(world: &World, pool_id: &IdentityPoolId, shown: &[Value]) -> Owners {
    let mut owners = Owners::new();
    for login in all_logins() {
        let Some(owner) = owner(world, pool_id, &login).await else { continue };
        if shown.iter().any(|identity| id_of(identity) == owner) {
            owners.insert((pool_id.clone(), login), owner);
        } else {
            // GetId made it just now; a developer's user leads to nobody who is not shown.
            assert_eq!(login.developer_user_identifier(), None, "{login:?} leads to {owner}");
        }
    }
    owners
}

/// Where a login leads. A public one is asked for by GetId, which makes an identity for a login of nobody.
async fn owner(world: &World, pool_id: &IdentityPoolId, login: &Login) -> Option<IdentityId> {
    if let Some(user) = login.developer_user_identifier() {
        return world.look_up(pool_id, user).await;
    }
    let logins = world.logins(std::slice::from_ref(login));
    let input = json!({"IdentityPoolId": pool_id, "Logins": logins});
    Some(id_of(&world.daypass.public("GetId", input).await.json()))
}

fn id_of(identity: &Value) -> IdentityId {
    IdentityId::parse(identity["IdentityId"].as_str().unwrap()).unwrap()
}

fn names_in(identity: &Value) -> BTreeSet<String> {
    let names = identity["Logins"].as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn names_of(owners: &Owners, id: &IdentityId) -> BTreeSet<String> {
    let theirs = owners.iter().filter(|(_, owner)| *owner == id);
    let name = |login: &Login| match &login.provider {
        LoginProvider::Developer => DEVELOPER_PROVIDER.to_owned(),
        LoginProvider::Public(host) => host.clone(),
    };
    theirs.map(|((_, login), _)| name(login)).collect()
}

/// A disabled identity gets neither token nor credentials, with no logins and with anybody's.
async fn check_disabled(world: &World, id: &IdentityId, context: &str) {
    let ada = all_logins().into_iter().find(|login| login.developer_user_identifier().is_none()).unwrap();
    for logins in [json!({}), world.logins(&[ada])] {
        for operation in ["GetOpenIdToken", "GetCredentialsForIdentity"] {
            let input = json!({"IdentityId": id, "Logins": logins});
            let answer = world.daypass.public(operation, input).await;
            assert!(answer.body.contains("is forbidden."), "{answer:?} for {id} after{context}");
        }
    }
}

/// A token issued before the merge or the deletion is worth nothing after it.
async fn check_worthless(world: &World, token: &Issued, context: &str) {
    let id = &token.identity_id;
    for role_arn in [AUTHENTICATED_ROLE, GUEST_ROLE] {
        let (outcome, assumed) = world.show(token, role_arn).await;
        assert!(!assumed, "STS took a token of {id} after{context}");
        assert!([forbidden(id), no_identity(id)].contains(&outcome), "{outcome:?} after{context}");
    }
}

/// Every login that some answer said was linked.
fn linked_in(history: &History) -> impl Iterator<Item = (IdentityPoolId, Login)> {
    let linked = history.iter().filter_map(|(step, outcome)| match (step, outcome) {
        (Step::Link(request), Outcome::Identity(_)) => Some(request),
        _ => None,
    });
    linked.flat_map(|request| request.logins.iter().map(|login| (request.pool_id.clone(), login.clone())))
}
