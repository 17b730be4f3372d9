//! Many clients link, merge, unlink and delete at three nodes, while nodes are killed and paused, answers of the database get
//! lost, and it breaks connections and crashes. Whatever they were told, it could have been one thing after the other.

mod checker;
mod clients;
mod history;
mod people;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::records::identity::Login;
use daypass_core::store::{Page, SharedStore};
use daypass_store::{Open, StoreUrl};
use serde_json::json;

use self::checker::{Verdict, check, shown};
use self::clients::{Clients, user_name};
use self::history::{Entry, Id, Question, Told, User, groups};
use self::trouble::Troubled;
use crate::asking::Backend;
use crate::database::store_in;
use crate::nodes::{BOUND, pause};
use crate::postgres::Cluster;
use crate::server::Installation;
use crate::trail::{assert_whole, requests_that_were_granted};
use crate::way::Way;

/// How long it goes on, unless somebody says otherwise.
const SECONDS: u64 = 15;

fn number(name: &str, otherwise: impl FnOnce() -> u64) -> u64 {
    env::var(name).map_or_else(|_| otherwise(), |number| number.parse().unwrap())
}

#[test]
fn whatever_befalls_nodes_and_database_everybody_was_told_one_history() {
    let seed = number("DAYPASS_NODES_SEED", || SystemClock.now().as_millisecond().cast_unsigned());
    let duration = Duration::from_secs(number("DAYPASS_NODES_SECONDS", || SECONDS));
    println!("DAYPASS_NODES_SEED={seed}");
    let cluster = Cluster::start();
    let url = store_in(&cluster.folder, "race");
    let way = Way::to(&cluster.folder);
    let installation = Installation::new(&format!(
        "postgres://postgres@{}/postgres?options=-csearch_path%3Drace",
        way.address
    ));
    let mut nodes = Troubled::start(&installation, cluster, seed);
    let key = installation.run(&["key", "create", "backend", "--preset", "admin"]).stdout;
    let backend = Backend::of(&key);
    let pool = pool_with_guests(&backend, nodes.addresses()[0]);
    // Every node knows of the guests then.
    pause(BOUND);
    let addresses = Mutex::new(nodes.addresses());
    let clients = Clients::new(&backend, &addresses, &pool, seed);
    let end = Instant::now() + duration;
    way.is_losing.store(true, Ordering::Relaxed);
    let history = thread::scope(|scope| {
        let scenes = [0, 1, 2, 3, 4, 5, 6, 7].map(|scene| {
            let clients = &clients;
            scope.spawn(move || clients.play(scene, end))
        });
        while Instant::now() < end {
            nodes.get_into_trouble(&addresses, &way.is_losing);
            pause(Duration::from_millis(300));
        }
        scenes.into_iter().flat_map(|scene| scene.join().unwrap()).collect::<Vec<Entry>>()
    });
    way.is_losing.store(false, Ordering::Relaxed);
    println!("{} troubles; {}", nodes.troubles, tally(&history));

    assert_one_owner_each(&url, &pool, &history);
    assert_recorded(&installation, &clients);
    let groups = groups(history);
    println!("{} groups, the largest of {}", groups.len(), groups.iter().map(Vec::len).max().unwrap_or(0));
    let begun = Instant::now();
    for group in groups {
        assert_eq!(check(&group), Verdict::Linearizable, "seed {seed}:\n{}", shown(&group));
    }
    println!("checked in {:?}", begun.elapsed());
}

fn tally(history: &[Entry]) -> String {
    let told = |kind: fn(&Told) -> bool| {
        history.iter().filter(|entry| entry.told.as_ref().is_some_and(|(_, told)| kind(told))).count()
    };
    let refused = told(|told| matches!(told, Told::Refused(_)));
    let lost = history.iter().filter(|entry| entry.told.is_none()).count();
    format!("{} questions, {refused} refused, {lost} without an answer", history.len())
}

fn pool_with_guests(backend: &Backend, node: SocketAddr) -> String {
    let ask = |operation, body| {
        let answer = backend.ask(node, operation, &body).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    let pools = ask("ListIdentityPools", json!({"MaxResults": 1}));
    let mut pool =
        ask("DescribeIdentityPool", json!({"IdentityPoolId": pools["IdentityPools"][0]["IdentityPoolId"]}));
    pool["AllowUnauthenticatedIdentities"] = true.into();
    ask("UpdateIdentityPool", pool)["IdentityPoolId"].as_str().unwrap().to_owned()
}

/// What is kept has nobody twice, and everybody where the last answer said.
fn assert_one_owner_each(url: &str, pool: &str, history: &[Entry]) {
    let mut last: BTreeMap<User, Option<Id>> = BTreeMap::new();
    let mut looked: Vec<&Entry> = history.iter().filter(|entry| entry.told.is_some()).collect();
    looked.sort_by_key(|entry| entry.asked);
    for entry in looked {
        if let (Question::LookUp(user), Some((_, told))) = (&entry.question, &entry.told) {
            let owner = if let Told::Identity(id) = told { Some(id.clone()) } else { None };
            last.insert(*user, owner);
        }
    }
    let expected: BTreeMap<String, Id> =
        last.into_iter().filter_map(|(user, owner)| Some((user_name(user), owner?))).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = StoreUrl::try_from(url.to_owned()).unwrap();
    let kept = runtime.block_on(async {
        let store = daypass_store::open(&url, Open::Existing, &mut |_, _| {}).await.unwrap();
        everybody(&store, pool).await
    });
    assert_eq!(kept, expected);
}

/// Every developer user, by the identity that has them.
async fn everybody(store: &SharedStore, pool: &str) -> BTreeMap<String, Id> {
    let (pool, limit) = (IdentityPoolId::parse(pool).unwrap(), 1_000);
    let (mut found, mut after) = (BTreeMap::new(), None);
    loop {
        let page = store.list_identities(&pool, false, Page { after, limit }).await.unwrap();
        let ids: Vec<_> = page.iter().map(|identity| identity.id.clone()).collect();
        for (id, logins) in ids.iter().zip(store.list_logins_of_each(&ids).await.unwrap()) {
            for user in logins.iter().filter_map(Login::developer_user_identifier) {
                let other = found.insert(user.to_owned(), Id::from(id.as_str()));
                assert_eq!(other, None, "{user} is of two identities");
            }
        }
        if ids.len() < limit {
            return found;
        }
        after = ids.last().cloned();
    }
}

/// Everything that was acknowledged is in the trail.
fn assert_recorded(installation: &Installation, clients: &Clients<'_>) {
    let recorded = requests_that_were_granted(installation);
    let acknowledged = clients.acknowledged.lock().unwrap();
    let missing: BTreeSet<&String> = acknowledged.iter().filter(|it| !recorded.contains(*it)).collect();
    assert!(
        missing.is_empty(),
        "{} of {} are not in the trail: {missing:?}",
        missing.len(),
        acknowledged.len()
    );
    assert_whole(installation);
}
