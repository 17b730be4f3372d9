//! A revocation that comes between any two steps of a refresh.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use daypass_core::ground::clock::{ManualClock, SignedDuration};
use daypass_core::ground::ids::IdentityId;
use daypass_core::store::items::between::{Asked, Between, Coming};
use daypass_core::store::items::engine::EngineError;
use daypass_core::store::items::memory::MemoryEngine;
use daypass_core::store::{RevocationTarget, Revocations};

use super::{assert_over, gets_credentials, refresh, refresh_with, sign_in, token};
use crate::harness::{Backend, Browser, Daypass, Wishes, items_over};

/// Whoever is revoked before the store is asked so many questions more.
#[derive(Default)]
struct Revoking(Mutex<Option<(usize, IdentityId, Arc<ManualClock>)>>);

impl Revoking {
    fn due(&self) -> Option<(IdentityId, Arc<ManualClock>)> {
        let mut waiting = self.0.lock().unwrap();
        let (left, _, _) = waiting.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        waiting.take().map(|(_, id, clock)| (id, clock))
    }
}

#[async_trait]
impl Coming for Revoking {
    async fn come(&self, engine: &Arc<MemoryEngine>, _: Asked<'_>) -> Result<(), EngineError> {
        if let Some((id, clock)) = self.due() {
            clock.advance(SignedDuration::from_millis(10));
            let target = RevocationTarget::Identity(id);
            items_over(engine.clone()).revoke_sessions(&target, clock.clone()).await.unwrap();
            clock.advance(SignedDuration::from_millis(10));
        }
        Ok(())
    }
}

#[tokio::test]
async fn nothing_that_a_refresh_brings_outlives_a_revocation_that_came_meanwhile() {
    let engine: Arc<Between<Revoking>> = Arc::default();
    let daypass = Daypass::start().on(Backend::over(engine.clone())).await;
    let (mut granted, mut refused) = (0, 0);
    for question in 0.. {
        let session = sign_in(&daypass).await;
        let id = IdentityId::parse(session["identity_id"].as_str().unwrap()).unwrap();
        *engine.coming.0.lock().unwrap() = Some((question, id, daypass.clock.clone()));
        let answer = refresh_with(&daypass, &session, &[]).await;
        if engine.coming.0.lock().unwrap().take().is_some() {
            break;
        }
        if answer.status == 200 {
            granted += 1;
            let refreshed = answer.json();
            assert!(!gets_credentials(&daypass, &refreshed).await, "revoked before question {question}");
            assert_over(&daypass, &refreshed, "revoked").await;
        } else {
            refused += 1;
            assert_over(&daypass, &session, "revoked").await;
        }
    }
    assert!(granted > 0 && refused > 0, "{granted} {refused}");
}

/// A code lives for a minute, and what is redeemed for it is as old as the login that it stands for.
#[tokio::test]
async fn nothing_that_a_code_brings_outlives_a_revocation_that_came_before_it_was_redeemed() {
    let daypass = Daypass::start().await;
    let before = sign_in(&daypass).await;
    daypass.clock.advance(SignedDuration::from_secs(5));
    let wishes = Wishes::new();
    let code = Browser::new(&daypass).sign_in(&wishes).await;
    daypass.clock.advance(SignedDuration::from_secs(10));
    let id = IdentityId::parse(before["identity_id"].as_str().unwrap()).unwrap();
    daypass.store.revoke_sessions(&RevocationTarget::Identity(id), daypass.clock.clone()).await.unwrap();
    daypass.clock.advance(SignedDuration::from_secs(10));
    let redeemed = token(&daypass, &wishes.form(&code)).await.json();
    assert_eq!(redeemed["identity_id"], before["identity_id"]);
    assert_eq!(redeemed["expires_in"], before["expires_in"], "it lives as long as others do");
    assert!(!gets_credentials(&daypass, &redeemed).await);
    assert_over(&daypass, &redeemed, "revoked").await;
    let after = sign_in(&daypass).await;
    assert!(gets_credentials(&daypass, &after).await, "a login after that counts");
    refresh(&daypass, &after).await;
}
