//! Whoever logs in for the first time several times at once, at several nodes, is one person.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::database::store;
use crate::nodes::numbers_of_identities;
use crate::server::{Installation, Output};
use crate::trail::{assert_whole, granted_logins};

const CLIENTS: usize = 16;

/// So often each person logs in at once.
const AT_ONCE: usize = 4;

/// How many logins there are, unless somebody says otherwise.
const LOGINS: usize = 10_000;

/// Logins by number: those of one person come one after the other, and go to different nodes.
fn person(login: usize) -> String {
    format!("person-{}", login / AT_ONCE)
}

#[test]
fn nobody_who_logs_in_everywhere_at_once_becomes_two() {
    let logins = env::var("DAYPASS_NODES_LOGINS").map_or(LOGINS, |number| number.parse().unwrap());
    let people = logins.div_ceil(AT_ONCE);
    let installation = Installation::new(&store());
    let nodes = [(); 3].map(|()| installation.serve(Output::Null));
    let next = AtomicUsize::new(0);
    let client = || {
        let mut found = Vec::new();
        loop {
            let login = next.fetch_add(1, Ordering::Relaxed);
            if login >= logins {
                return found;
            }
            let (status, answer) = nodes[login % nodes.len()].log_in(&person(login));
            assert_eq!(status, 200, "{answer}");
            found.push((person(login), answer["identity_id"].as_str().unwrap().to_owned()));
        }
    };
    let found: Vec<(String, String)> = thread::scope(|scope| {
        let clients = [(); CLIENTS].map(|()| scope.spawn(client));
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let mut identities: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (person, identity) in found {
        identities.entry(person).or_default().insert(identity);
    }
    assert_eq!(identities.len(), people);
    let doubled: Vec<_> = identities.iter().filter(|(_, identities)| identities.len() > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    let all: BTreeSet<&String> = identities.values().flatten().collect();
    assert_eq!(all.len(), people, "two people have one identity");
    assert_eq!(numbers_of_identities(&installation), [people], "identities that nobody was answered");

    let mut granted: BTreeMap<String, usize> = BTreeMap::new();
    for login in 0..logins {
        *granted.entry(format!("fake:{}", person(login))).or_default() += 1;
    }
    assert_eq!(granted_logins(&installation), granted);
    assert_whole(&installation);
}
