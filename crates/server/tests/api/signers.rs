//! Signing keys that somebody else holds, who may be out of reach: nothing is granted then, and what was signed before counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::token::local_keys::LocalKeys;
use daypass_core::token::public_key::PublicKey;
use daypass_core::token::signer::{Held, KeptKey, KeyHolder, NotReady, Signer, SignerError};
use serde_json::json;

use crate::harness::{DEVELOPER_PROVIDER, Daypass};

/// Holds keys until it is out of reach.
#[derive(Clone, Default)]
struct Distant {
    is_away: Arc<AtomicBool>,
}

struct OfDistant(Arc<dyn Signer>, Distant);

impl Distant {
    fn ask(&self) -> Result<(), SignerError> {
        let away = self.is_away.load(Ordering::Relaxed);
        if away { Err(SignerError("nobody answers".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl KeyHolder for Distant {
    async fn make(&self, key_id: &str, algorithm: Algorithm) -> Result<KeptKey, SignerError> {
        self.ask()?;
        LocalKeys.make(key_id, algorithm).await
    }

    async fn ready(&self) -> Result<(), NotReady> {
        Ok(self.ask()?)
    }

    fn signer(&self, algorithm: Algorithm, kept: &[u8]) -> Result<Arc<dyn Signer>, SignerError> {
        Ok(Arc::new(OfDistant(LocalKeys.signer(algorithm, kept)?, self.clone())))
    }
}

#[async_trait]
impl Signer for OfDistant {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn held(&self) -> Held {
        self.0.held()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.1.ask()?;
        self.0.sign(message).await
    }
}

#[tokio::test]
async fn without_whoever_holds_the_key_nothing_is_granted_and_the_trail_says_so() {
    let holder = Distant::default();
    let daypass = Daypass::start().held_by(Arc::new(holder.clone())).await;
    let entered = daypass.enter("ada").await;
    holder.is_away.store(true, Ordering::Relaxed);
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": {DEVELOPER_PROVIDER: "grace"}});
    let answer = daypass.signed("GetOpenIdTokenForDeveloperIdentity", input.clone()).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(!answer.body.contains("nobody answers"), "{answer:?}");
    let events = daypass.audit_events();
    let last: Vec<_> = events.iter().rev().take(2).map(|event| event["outcome"].as_str().unwrap()).collect();
    assert_eq!(last, ["refused", "allowed"], "nothing was handed out: {events:?}");
    assert_eq!(events.last().unwrap()["reason"], "store_unavailable");

    daypass.get("/readyz").await.assert_problem(503, "not_ready");
    assert_eq!(daypass.get_credentials(&entered).await.status, 200, "a token of before");
    assert_eq!(daypass.get("/.well-known/jwks.json").await.status, 200);
    holder.is_away.store(false, Ordering::Relaxed);
    assert_eq!(daypass.signed("GetOpenIdTokenForDeveloperIdentity", input).await.status, 200);
}
