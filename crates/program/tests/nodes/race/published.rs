//! Whether every token is believed by whoever keeps the key set of any node for as long as that may be kept.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::Request;
use serde_json::Value;

use super::clients::{AFTER_A_FAILURE, PATIENCE};
use super::requests::part;
use crate::asking::{Answer, ask};
use crate::nodes::pause;

/// A token that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub at: Duration,
    pub by: String,
}

/// What a node published.
#[derive(Debug, Clone)]
pub struct Look {
    pub asked: Duration,
    pub keys: BTreeSet<String>,
}

impl Signed {
    pub fn of((at, token): &(Duration, String)) -> Self {
        Self { at: *at, by: part(token, 0)["kid"].as_str().unwrap().to_owned() }
    }
}

/// Tokens whose key is missing in some set, by the quarters of an hour that begin at these instants. A set is kept for five minutes: that
/// of an earlier quarter is over, those of the same one and of all later ones have to have the key.
pub fn unbelieved<'a>(signed: &'a [Signed], looks: &[Look], quarters: &[Duration]) -> Vec<&'a Signed> {
    let quarter = |at: Duration| quarters.iter().filter(|begun| **begun <= at).count();
    let is_missing = |token: &&Signed| {
        let of_then = looks.iter().filter(|look| quarter(look.asked) >= quarter(token.at));
        of_then.into_iter().any(|look| !look.keys.contains(&token.by))
    };
    signed.iter().filter(is_missing).collect()
}

/// Whether a key of a set made the signature of a token.
pub fn is_signed(token: &str, set: &Value) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let id = &part(token, 0)["kid"];
    let mut keys = set["keys"].as_array().unwrap().iter().filter(|key| key["kid"] == *id);
    keys.any(|key| {
        let [n, e] = ["n", "e"].map(|name| bytes(key[name].as_str().unwrap()));
        let key = RsaPublicKeyComponents { n, e };
        key.verify(&RSA_PKCS1_2048_8192_SHA512, message.as_bytes(), &bytes(signature)).is_ok()
    })
}

/// What came back of a look at a node's key set.
pub fn look(node: SocketAddr) -> Option<Answer> {
    let request = Request::get("/.well-known/jwks.json").header("host", "localhost");
    ask(node, &request.body(String::new()).unwrap()).ok()
}

/// Nothing, if it has too much to do.
pub fn key_set(answer: Answer) -> Option<Value> {
    assert!(answer.status == 200 || answer.status >= 500, "{answer:?}");
    (answer.status == 200).then_some(answer.body)
}

/// Of a node that is there, and may not answer each time.
pub fn key_set_at_last(node: SocketAddr) -> Value {
    let begun = Instant::now();
    loop {
        if let Some(set) = look(node).and_then(key_set) {
            return set;
        }
        assert!(begun.elapsed() < PATIENCE, "{node} publishes nothing any more");
        pause(AFTER_A_FAILURE);
    }
}

pub fn ids(set: &Value) -> BTreeSet<String> {
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(at: u64, by: &str) -> Signed {
        Signed { at: Duration::from_secs(at), by: by.to_owned() }
    }

    fn look(asked: u64, keys: &[&str]) -> Look {
        Look { asked: Duration::from_secs(asked), keys: keys.iter().map(|key| (*key).to_owned()).collect() }
    }

    #[test]
    fn a_key_that_signs_before_everybody_knows_it_is_found() {
        let quarters = [Duration::from_secs(100)];
        let looks = [
            look(10, &["a"]),
            look(20, &["a", "b"]),
            look(30, &["a"]),
            look(110, &["a", "b"]),
            look(120, &["b", "a"]),
        ];
        let good = [signed(15, "a"), signed(99, "a"), signed(105, "a"), signed(105, "b"), signed(130, "b")];
        assert_eq!(unbelieved(&good, &looks, &quarters), Vec::<&Signed>::new());
        // One node knows it, and others do not.
        for early in [5, 25, 99] {
            let signed = [signed(early, "b")];
            assert_eq!(unbelieved(&signed, &looks, &quarters), [&signed[0]], "{early}");
        }
        // One that is forgotten while its tokens live.
        let forgotten = [looks.as_slice(), &[look(140, &["b"])]].concat();
        assert_eq!(unbelieved(&good[2..3], &forgotten, &quarters), [&good[2]]);
        assert_eq!(unbelieved(&[signed(130, "c")], &looks[..3], &quarters), Vec::<&Signed>::new());
    }
}
