//! What makes two proofs the same. Identical proofs share one verification: a code that is redeemed twice is
//! refused, and many providers then revoke what it was redeemed for.

use aws_lc_rs::digest::{self, SHA256};

use super::client::Provider;
use super::proof::UnverifiedProof;
use crate::ground::secret::Secret;

/// Who wants to know. A pool asks on other terms than the broker, even where the provider has the same name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker {
    Broker,
    Pool,
}

/// The same for the same proof at the same provider. Nothing of the proof can be read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ProofHash([u8; 32]);

impl ProofHash {
    /// The key of everything that a verification depends on. Two pools may take logins of one provider for different
    /// clients, and an operator may change what a provider is while everything runs, so the whole of it is a part.
    pub(super) fn of(asker: Asker, provider: &Provider, proof: &UnverifiedProof) -> Self {
        let mut parts = Parts(digest::Context::new(&SHA256));
        parts.text(match asker {
            Asker::Broker => "broker",
            Asker::Pool => "pool",
        });
        // All that it shows of itself, which of a secret is nothing.
        parts.text(&format!("{provider:?}"));
        parts.optional(provider.client_secret.as_ref());
        parts.text(&proof.kind().to_string());
        match proof {
            UnverifiedProof::Code { code, code_verifier, redirect_uri, nonce, callback } => {
                parts.text(code.expose());
                parts.optional(code_verifier.as_ref());
                parts.text(redirect_uri);
                parts.optional(nonce.as_ref());
                for (name, value) in callback {
                    parts.text(name);
                    parts.text(value.expose());
                }
            }
            UnverifiedProof::AccessToken(token) => parts.text(token.expose()),
            UnverifiedProof::IdToken { token, nonce } => {
                parts.text(token.expose());
                parts.optional(nonce.as_ref());
            }
            UnverifiedProof::SignedFields { fields, redirect_uri } => {
                parts.text(redirect_uri);
                for (name, value) in fields {
                    parts.text(name);
                    parts.text(value);
                }
            }
        }
        let mut key = [0; 32];
        key.copy_from_slice(parts.0.finish().as_ref());
        Self(key)
    }

    #[cfg(test)]
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Each part goes in with its length, so that no two proofs run together to one text.
struct Parts(digest::Context);

impl Parts {
    fn text(&mut self, text: &str) {
        self.0.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&Secret>) {
        self.0.update(&[u8::from(text.is_some())]);
        self.text(text.map(Secret::expose).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Asker::{Broker, Pool};
    use super::*;

    fn code(code: &str, verifier: Option<&str>, nonce: Option<&str>) -> UnverifiedProof {
        UnverifiedProof::Code {
            code: Secret::new(code),
            code_verifier: verifier.map(Secret::new),
            redirect_uri: "https://app.example.com/".into(),
            nonce: nonce.map(Secret::new),
            callback: BTreeMap::new(),
        }
    }

    #[test]
    fn proofs_that_differ_anywhere_are_verified_apart() {
        let (here, mut there) = (super::super::tests::snapchat(true), super::super::tests::snapchat(true));
        there.id = "snapchat-2".into();
        let [mut more_clients, mut split_clients, mut other_app] = [&here; 3].map(Provider::clone);
        let [mut bare, mut other_secret, mut elsewhere] = [&here; 3].map(Provider::clone);
        bare.identifier = super::super::Identifier::Bare;
        other_secret.client_secret = Some(Secret::new("another"));
        std::sync::Arc::make_mut(&mut elsewhere.definition).profile = None;
        more_clients.other_client_ids = vec!["of another pool".into()];
        split_clients.client_id = "our".into();
        split_clients.other_client_ids = vec![" client".into()];
        other_app.app_id = Some("7".into());
        let token = || UnverifiedProof::AccessToken(Secret::new("a"));
        let keys = [
            ProofHash::of(Broker, &here, &code("a", Some("b"), None)),
            ProofHash::of(Broker, &here, &code("a", None, Some("b"))),
            ProofHash::of(Broker, &here, &code("ab", Some(""), None)),
            ProofHash::of(Broker, &here, &code("ab", None, None)),
            ProofHash::of(Broker, &here, &UnverifiedProof::AccessToken(Secret::new("a"))),
            ProofHash::of(Broker, &there, &UnverifiedProof::AccessToken(Secret::new("a"))),
            ProofHash::of(Broker, &here, &UnverifiedProof::IdToken { token: Secret::new("a"), nonce: None }),
            ProofHash::of(Pool, &here, &token()),
            ProofHash::of(Pool, &more_clients, &token()),
            ProofHash::of(Pool, &split_clients, &token()),
            ProofHash::of(Pool, &other_app, &token()),
            ProofHash::of(Pool, &bare, &token()),
            ProofHash::of(Pool, &other_secret, &token()),
            ProofHash::of(Pool, &elsewhere, &token()),
        ];
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key), "{i}");
        }
        assert_eq!(keys[0], ProofHash::of(Broker, &here, &code("a", Some("b"), None)));
    }
}
