//! Many clients log in, link, merge, unlink, delete, revoke and stay signed in at three nodes, while nodes are killed and paused, keys take
//! turns, answers of the database get lost, and it breaks connections and crashes. Whatever they were told, it could have been one thing after the
//! other; and every token is believed everywhere.

mod addresses;
mod checker;
mod clients;
mod history;
mod issuer;
mod people;
mod published;
mod requests;
mod scene;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::store::{Page, SharedStore};
use daypass_store::{Open, StoreUrl};
use serde_json::json;

use self::addresses::Addresses;
use self::checker::{Verdict, check, shown};
use self::clients::Clients;
use self::history::{Entry, For, Id, Login, Question, Refusal, Told, groups};
use self::issuer::{Issuer, public_name};
use self::published::{Look, Signed, ids, is_signed, key_set, key_set_at_last, look, unbelieved};
use self::requests::{Requests, user_name};
use self::trouble::Troubled;
use crate::asking::Backend;
use crate::database::store_in;
use crate::nodes::{BOUND, pause};
use crate::people::with_an_app;
use crate::postgres::{Cluster, POSTGRES_16, POSTGRES_18};
use crate::server::{Installation, Output};
use crate::trail::{assert_whole, requests_that_were_granted};
use crate::way::Way;

/// How long it goes on, unless somebody says otherwise; and how long on the servers that most are not.
const SECONDS: u64 = 15;
const SECONDS_ELSEWHERE: u64 = 5;
/// At once.
const SCENES: u64 = 11;

fn number(name: &str, otherwise: impl FnOnce() -> u64) -> u64 {
    env::var(name).map_or_else(|_| otherwise(), |number| number.parse().unwrap())
}

#[test]
fn whatever_befalls_nodes_and_database_everybody_was_told_one_history() {
    everybody_is_told_one_history(Cluster::start(), SECONDS);
}

#[test]
fn so_it_is_on_postgresql_16() {
    let Some(cluster) = Cluster::start_of(POSTGRES_16) else { return };
    everybody_is_told_one_history(cluster, SECONDS_ELSEWHERE);
}

#[test]
fn so_it_is_on_postgresql_18() {
    let Some(cluster) = Cluster::start_of(POSTGRES_18) else { return };
    everybody_is_told_one_history(cluster, SECONDS_ELSEWHERE);
}

fn everybody_is_told_one_history(cluster: Cluster, seconds: u64) {
    let seed = number("DAYPASS_NODES_SEED", || SystemClock.now().as_millisecond().cast_unsigned());
    let duration = Duration::from_secs(number("DAYPASS_NODES_SECONDS", || seconds));
    println!("DAYPASS_NODES_SEED={seed}");
    let url = store_in(&cluster.folder, "race");
    let way = Way::to(&cluster.folder);
    let installation = with_an_app(Installation::new(&format!(
        "postgres://postgres@{}/postgres?options=-csearch_path%3Drace",
        way.address
    )));
    let issuer = Issuer::start();
    installation.change("[[role]]", &format!("{}[[role]]", issuer.table()));
    let nodes = [(); 3].map(|()| installation.serve(Output::Null));
    let addresses = Addresses::new(nodes.each_ref().map(|node| node.address));
    let key = installation.run(&["key", "create", "backend", "--preset", "admin"]).stdout;
    let backend = Backend::of(&key);
    let pool = pool_for_all(&backend, nodes[0].address, &issuer);
    // Every node knows of it then.
    pause(BOUND);
    let begun = Instant::now();
    let clients = Clients {
        requests: Requests { backend: &backend, pool: &pool, issuer: &issuer },
        installation: &installation,
        addresses: &addresses,
        seed,
        begun,
        scenes: AtomicU32::new(0),
        acknowledged: Mutex::default(),
        tokens: Mutex::default(),
    };
    let mut troubled =
        Troubled::new((&installation, &url), (cluster, &way.is_losing), (nodes, &addresses), seed);
    let end = begun + duration;
    way.is_losing.store(true, Ordering::Relaxed);
    let (history, looks) = thread::scope(|scope| {
        let clients = &clients;
        let scenes: Vec<_> = (0..SCENES).map(|scene| scope.spawn(move || clients.play(scene, end))).collect();
        let looking = [0, 1, 2].map(|node| {
            let addresses = &addresses;
            scope.spawn(move || look_at(node, addresses, (begun, end)))
        });
        while Instant::now() < end {
            troubled.get_into_trouble();
            pause(Duration::from_millis(300));
        }
        let history = scenes.into_iter().flat_map(|scene| scene.join().unwrap()).collect::<Vec<Entry>>();
        let looks = looking.into_iter().flat_map(|looking| looking.join().unwrap()).collect::<Vec<Look>>();
        (history, looks)
    });
    way.is_losing.store(false, Ordering::Relaxed);
    println!("{} troubles; {}", troubled.troubles, tally(&history));

    assert_believed(&clients, &looks, &troubled.quarters);
    assert_one_owner_each(&url, &pool, &history);
    assert_recorded(&installation, &clients);
    let groups = groups(history);
    println!("{} groups, the largest of {}", groups.len(), groups.iter().map(Vec::len).max().unwrap_or(0));
    let checking = Instant::now();
    let mut most_looks = 0;
    for group in groups {
        let (verdict, looked) = check(&group);
        assert_eq!(verdict, Verdict::Linearizable, "seed {seed}:\n{}", shown(&group));
        most_looks = most_looks.max(looked);
    }
    println!("checked in {:?}, at most {most_looks} looks at a group", checking.elapsed());
}

fn tally(history: &[Entry]) -> String {
    let count = |kind: fn(&Entry) -> bool| history.iter().filter(|entry| kind(entry)).count();
    let refused = count(|it| matches!(it.told, Some((_, Told::Refused(_)))));
    let lapsed = count(|it| matches!(it.told, Some((_, Told::Refused(Refusal::Lapsed)))));
    let counted = count(|it| {
        matches!(it.question, Question::Use(_) | Question::Refresh(_))
            && !matches!(it.told, None | Some((_, Told::Refused(_))))
    });
    let revoked = count(|it| matches!((&it.question, &it.told), (Question::Revoke { .. }, Some(_))));
    let lost = count(|it| it.told.is_none());
    format!(
        "{} questions, {refused} refused, {lost} without an answer; {revoked} revocations, {counted} times what was shown counted, \
         {lapsed} times not",
        history.len()
    )
}

/// What a node publishes, again and again.
fn look_at(node: usize, addresses: &Addresses, (begun, end): (Instant, Instant)) -> Vec<Look> {
    let mut looks = Vec::new();
    while Instant::now() < end {
        let asked = begun.elapsed();
        if let Some(address) = addresses.of(node) {
            let answer = look(address).filter(|_| addresses.has(address));
            looks.extend(answer.and_then(key_set).map(|set| Look { asked, keys: ids(&set) }));
        }
        pause(Duration::from_millis(50));
    }
    looks
}

/// By whoever had looked at any node, and by whoever looks at any of them now.
fn assert_believed(clients: &Clients<'_>, looks: &[Look], quarters: &[Instant]) {
    let tokens = clients.tokens.lock().unwrap();
    let signed: Vec<Signed> = tokens.iter().map(Signed::of).collect();
    let quarters: Vec<Duration> = quarters.iter().map(|at| at.duration_since(clients.begun)).collect();
    let keys: BTreeSet<&String> = signed.iter().map(|token| &token.by).collect();
    println!("{} tokens by {keys:?}, {} looks, {} turns", tokens.len(), looks.len(), quarters.len());
    assert_eq!(unbelieved(&signed, looks, &quarters), Vec::<&Signed>::new());
    for node in clients.addresses.all() {
        let set = key_set_at_last(node);
        let strange: Vec<_> = tokens.iter().filter(|(_, token)| !is_signed(token, &set)).collect();
        assert!(strange.is_empty(), "{} tokens are of none of {:?}", strange.len(), ids(&set));
    }
}

/// For guests, too, and for whoever comes with a public login.
fn pool_for_all(backend: &Backend, node: SocketAddr, issuer: &Issuer) -> String {
    let ask = |operation, body| {
        let answer = backend.ask(node, operation, &body).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    let pools = ask("ListIdentityPools", json!({"MaxResults": 1}));
    let mut pool =
        ask("DescribeIdentityPool", json!({"IdentityPoolId": pools["IdentityPools"][0]["IdentityPoolId"]}));
    pool["AllowUnauthenticatedIdentities"] = true.into();
    pool["OpenIdConnectProviderARNs"] = json!([issuer.arn()]);
    ask("UpdateIdentityPool", pool)["IdentityPoolId"].as_str().unwrap().to_owned()
}

/// What is kept has nobody twice, and everybody where the last answer said.
fn assert_one_owner_each(url: &str, pool: &str, history: &[Entry]) {
    let mut last: BTreeMap<Login, Option<Id>> = BTreeMap::new();
    let mut looked: Vec<&Entry> = history.iter().filter(|entry| entry.told.is_some()).collect();
    looked.sort_by_key(|entry| entry.asked);
    for entry in looked {
        let login = match &entry.question {
            Question::LookUp(user) => Login::Developer(*user),
            Question::LogIn { want: For::Id, logins, .. } => logins[0],
            _ => continue,
        };
        let owner = match &entry.told {
            Some((_, Told::Identity(id))) => Some(id.clone()),
            _ => None,
        };
        last.insert(login, owner);
    }
    let name = |login| match login {
        Login::Developer(user) => user_name(user),
        Login::Public(user) => public_name(user),
    };
    let expected: BTreeMap<String, Id> =
        last.into_iter().filter_map(|(login, owner)| Some((name(login), owner?))).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = StoreUrl::try_from(url.to_owned()).unwrap();
    let kept = runtime.block_on(async {
        let store = daypass_store::open(&url, Open::Existing, &mut |_, _| {}).await.unwrap();
        everybody(&store, pool).await
    });
    assert_eq!(kept, expected);
}

/// Every user, of the developer's and of the public provider's, by the identity that has them.
async fn everybody(store: &SharedStore, pool: &str) -> BTreeMap<String, Id> {
    let (pool, limit) = (IdentityPoolId::parse(pool).unwrap(), 1_000);
    let (mut found, mut after) = (BTreeMap::new(), None);
    loop {
        let page = store.list_identities(&pool, false, Page { after, limit }).await.unwrap();
        for IdentityRecord { identity, logins } in &page {
            for login in logins {
                let other = found.insert(login.user.clone(), Id::from(identity.id.as_str()));
                assert_eq!(other, None, "{login:?} is of two identities");
            }
        }
        if page.len() < limit {
            return found;
        }
        after = page.last().map(|last| last.identity.id.clone());
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
