//! Keys: those of developers, and those that sign tokens.

use std::time::{Duration, Instant};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::clock::SignedDuration;
use daypass_store::{Open, StoreUrl};
use serde_json::{Value, json};

use crate::asking::Backend;
use crate::database::store;
use crate::nodes::{Nodes, pause, published, within_the_bound};
use crate::server::{Output, Server};

/// Whether a node takes a developer's key.
fn takes(node: &Server, backend: &Backend) -> bool {
    let answer = backend.ask(node.address, "ListIdentityPools", &json!({"MaxResults": 1})).unwrap();
    match (answer.status, answer.exception()) {
        (200, _) => true,
        (400, Some("UnrecognizedClientException")) => false,
        _ => panic!("{answer:?}"),
    }
}

#[test]
fn a_developers_key_counts_and_ends_at_every_node() {
    let nodes = Nodes::new(&store());
    let first = nodes.backend();
    let second = Backend::of(&nodes.run(&["key", "rotate", "backend"]));
    for backend in [&first, &second] {
        for node in nodes.both() {
            within_the_bound(|| takes(node, backend));
        }
    }
    // Both nodes have just found it enabled.
    nodes.run(&["key", "disable", first.key_id()]);
    for node in nodes.both() {
        within_the_bound(|| !takes(node, &first));
        assert!(takes(node, &second));
    }
    nodes.run(&["key", "enable", first.key_id()]);
    for node in nodes.both() {
        within_the_bound(|| takes(node, &first));
    }
    for task in ["disable", "delete"] {
        nodes.run(&["key", task, first.key_id()]);
    }
    for node in nodes.both() {
        within_the_bound(|| !takes(node, &first));
    }
}

/// The key that signed a token.
fn signer_of(login: &Value) -> String {
    let head = login["token"].as_str().unwrap().split('.').next().unwrap();
    let head: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

/// Has the keys of a store be so much older than they are.
pub fn age_keys(url: &str, by: SignedDuration) {
    let aging = async {
        let url = StoreUrl::try_from(url.to_owned()).unwrap();
        let store = daypass_store::open(&url, Open::Existing, &mut |_, _| {}).await.unwrap();
        let keys = store.list_signing_keys().await.unwrap();
        let ids: Vec<String> = keys.iter().map(|key| key.key_id.clone()).collect();
        store.delete_signing_keys(&ids).await.unwrap();
        let mut seen = Vec::new();
        for mut key in keys {
            (key.created_at, key.signs_from) = (key.created_at - by, key.signs_from - by);
            seen.push(key.key_id.clone());
            store.add_signing_key(&key, &seen).await.unwrap();
        }
    };
    tokio::runtime::Runtime::new().unwrap().block_on(aging);
}

/// Every node publishes what any of them signs with, and believes it.
fn assert_all_believe(nodes: &[&Server], token_of: &str) -> Vec<String> {
    let logins: Vec<Value> = nodes.iter().map(|node| node.log_in(token_of).1).collect();
    for (node, login) in nodes.iter().flat_map(|node| logins.iter().map(move |login| (node, login))) {
        assert!(published(node).contains(&signer_of(login)));
        assert_eq!(node.credentials(login).0, 200);
    }
    logins.iter().map(signer_of).collect()
}

#[test]
fn a_new_signing_key_is_believed_everywhere_before_it_signs_anywhere() {
    let url = store();
    let nodes = Nodes::new(&url);
    let before = published(&nodes.one);
    let (_, ada) = nodes.one.log_in("ada");
    let rotated = nodes.run(&["key", "rotate-signing", "--publish", "15m"]);
    let new = rotated.trim();
    // One that starts now knows of both at once, and signs with the one that all others know.
    let three = nodes.installation.serve(Output::Null);
    assert!(published(&three).iter().any(|key| key == new));
    let all = [&nodes.one, &nodes.two, &three];
    assert_eq!(assert_all_believe(&all, "ada"), vec![before[0].clone(); 3]);
    // Those that ran meanwhile look again after a minute, and when they are asked for something.
    let since = Instant::now();
    while !all.iter().all(|node| node.get("/readyz").0 == 200 && published(node).iter().any(|key| key == new))
    {
        assert!(since.elapsed().as_secs() < 90, "a node that runs never hears of the new key");
        pause(Duration::from_millis(500));
    }
    drop(three);
    drop(nodes.one);
    drop(nodes.two);

    // A quarter of an hour passes.
    age_keys(&url, SignedDuration::from_mins(15));
    let [one, two] = [(); 2].map(|()| nodes.installation.serve(Output::Null));
    assert_eq!(assert_all_believe(&[&one, &two], "ada"), [new, new]);
    assert_eq!((one.credentials(&ada).0, two.credentials(&ada).0), (200, 200), "a token of before");
}
