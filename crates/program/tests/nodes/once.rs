//! What counts once counts once over all nodes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::thread;

use aws_lc_rs::{digest, hmac};
use daypass_core::ground::clock::{Clock, SystemClock};
use serde_json::json;

use crate::database::store;
use crate::nodes::Nodes;
use crate::server::{Installation, Server};

const REDIRECT_URI: &str = "https://app.example.com/signed-in";

/// Fields of Telegram's widget, which the token of a bot signs.
fn signed_fields(person: u32) -> BTreeMap<&'static str, String> {
    let mut fields = BTreeMap::from([
        ("auth_date", SystemClock.now().as_second().to_string()),
        ("id", person.to_string()),
    ]);
    let message: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = digest::digest(&digest::SHA256, b"a secret of the client");
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
    let signature = hmac::sign(&key, message.join("\n").as_bytes());
    fields.insert("hash", hex(signature.as_ref()));
    fields
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn show(node: &Server, fields: &BTreeMap<&str, String>) -> u16 {
    let body = json!({"provider": "widget", "signed_fields": fields, "redirect_uri": REDIRECT_URI});
    node.post("/v1/exchange", "application/json", &body.to_string()).0
}

#[test]
fn a_proof_that_is_shown_to_all_nodes_at_once_is_spent_once() {
    let installation = Installation::new(&store());
    let widget = format!(
        "[[app]]\nid = \"web\"\norigins = []\nredirect_uris = [{REDIRECT_URI:?}]\n\
         [[provider]]\nid = \"widget\"\nname = \"Widget\"\ncatalogue = \"telegram-widget\"\nclient_id = \"12345\"\n\
         client_secret = {{ file = \"secret\" }}\n"
    );
    installation.change("[[role]]", &format!("{widget}[[role]]"));
    let nodes = Nodes::of(installation);
    for person in 1..=20 {
        let fields = signed_fields(person);
        let statuses = thread::scope(|scope| {
            let showing = [0, 1, 0, 1].map(|node| {
                let (node, fields) = (nodes.both()[node], &fields);
                scope.spawn(move || show(node, fields))
            });
            showing.map(|showing| showing.join().unwrap())
        });
        let spent = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(spent, 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
        for node in nodes.both() {
            assert_eq!(show(node, &fields), 401);
        }
    }
}
