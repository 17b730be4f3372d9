//! Whatever a provider answers, and whatever comes back in a callback, at every entry of the catalogue.
//!
//! Input: a byte for the entry, a byte for the kind of proof, then parts that end with the byte 0xff. The first is
//! the query of a callback, or the token; each other one is an answer, a byte for its status before its body.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use daypass_core::ground::form;
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::Definition;
use daypass_core::login::provider::{FlowSecrets, UnverifiedProof, catalogue};
use fuzz_support::{Replies, holds_the_secret, provider, verify};
use http::Response;
use libfuzzer_sys::fuzz_target;

static ENTRIES: LazyLock<Vec<Definition>> =
    LazyLock::new(|| catalogue::names().into_iter().filter_map(Definition::of_catalogue).collect());

const STATUS: [u16; 8] = [200, 200, 200, 200, 400, 401, 404, 503];

fuzz_target!(|input: &[u8]| {
    let [entry, kind, parts @ ..] = input else { return };
    if holds_the_secret(parts) {
        return;
    }
    let provider = provider(ENTRIES[usize::from(*entry) % ENTRIES.len()].clone());
    let mut parts = parts.split(|byte| *byte == 0xff);
    let shown = parts.next().unwrap_or_default();
    let token = || Secret::new(String::from_utf8_lossy(shown));
    let replies = Replies::new(parts.map(|part| {
        let (status, body) = part.split_first().unwrap_or((&0, &[]));
        let mut reply = Response::new(Bytes::copy_from_slice(body));
        *reply.status_mut() = STATUS[usize::from(*status) % STATUS.len()].try_into().unwrap();
        reply
    }));
    let proof = match kind % 3 {
        0 => UnverifiedProof::AccessToken(token()),
        1 => UnverifiedProof::IdToken { token: token(), nonce: None },
        _ => {
            let Some(answer) = form::read(shown) else { return };
            let secrets =
                FlowSecrets { code_verifier: Secret::new("the-verifier"), nonce: Secret::new("the-nonce") };
            let back = "https://login.example/login/fuzzed/callback".to_owned();
            let Some(proof) = provider.proof_of_answer(answer, secrets, back) else { return };
            proof
        }
    };
    let _ = verify(&provider, proof, replies);
});
