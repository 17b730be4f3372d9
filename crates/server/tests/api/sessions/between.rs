//! A revocation that comes between any two steps of a refresh.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::linking::MergeRequest;
use daypass_core::store::items::ItemStore;
use daypass_core::store::items::between::{Asked, Between, Coming};
use daypass_core::store::items::engine::EngineError;
use daypass_core::store::items::memory::MemoryEngine;
use daypass_core::store::{Identities, RevocationTarget, Revocations};
use futures::future::BoxFuture;

use super::standing::users_of;
use super::{assert_over, gets_credentials, refresh, refresh_with, sign_in, token};
use crate::harness::{Backend, Browser, Daypass, Wishes, items_over};

type Act = Box<dyn FnOnce(ItemStore) -> BoxFuture<'static, ()> + Send>;

/// What is done before the store is asked so many questions more.
#[derive(Default)]
struct Meanwhile(Mutex<Option<(usize, Act)>>);

impl Meanwhile {
    fn before(
        &self,
        question: usize,
        act: impl FnOnce(ItemStore) -> BoxFuture<'static, ()> + Send + 'static,
    ) {
        *self.0.lock().unwrap() = Some((question, Box::new(act)));
    }

    fn due(&self) -> Option<Act> {
        let mut waiting = self.0.lock().unwrap();
        let (left, _) = waiting.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        waiting.take().map(|(_, act)| act)
    }

    /// Whether there were not so many questions.
    fn is_left(&self) -> bool {
        self.0.lock().unwrap().take().is_some()
    }
}

#[async_trait]
impl Coming for Meanwhile {
    async fn come(&self, engine: &Arc<MemoryEngine>, _: Asked<'_>) -> Result<(), EngineError> {
        if let Some(act) = self.due() {
            act(items_over(engine.clone())).await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn nothing_that_a_refresh_brings_outlives_a_revocation_that_came_meanwhile() {
    let engine: Arc<Between<Meanwhile>> = Arc::default();
    let daypass = Daypass::start().on(Backend::over(engine.clone())).await;
    let (mut granted, mut refused) = (0, 0);
    for question in 0.. {
        let session = sign_in(&daypass).await;
        let id = IdentityId::parse(session["identity_id"].as_str().unwrap()).unwrap();
        let clock = daypass.clock.clone();
        engine.coming.before(question, move |store| {
            Box::pin(async move {
                clock.advance(SignedDuration::from_millis(10));
                store.revoke_sessions(&RevocationTarget::Identity(id), clock.clone()).await.unwrap();
                clock.advance(SignedDuration::from_millis(10));
            })
        });
        let answer = refresh_with(&daypass, &session, &[]).await;
        if engine.coming.is_left() {
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

/// A login leads elsewhere from one look to the next.
#[tokio::test]
async fn whoever_is_merged_while_they_refresh_stays_signed_in() {
    let engine: Arc<Between<Meanwhile>> = Arc::default();
    let daypass = Daypass::start().on(Backend::over(engine.clone())).await;
    for question in 0.. {
        let session = sign_in(&daypass).await;
        let destination = format!("somebody {question}");
        let other = daypass.developer_token(&destination).await["IdentityId"].clone();
        let merge = MergeRequest {
            pool_id: IdentityPoolId::parse(daypass.pool_id()).unwrap(),
            source: users_of(&daypass, &session).await.as_str().unwrap().to_owned(),
            destination,
            now: daypass.clock.now(),
        };
        engine.coming.before(question, |store| {
            Box::pin(async move { drop(store.merge_developer_users(&merge).await.unwrap()) })
        });
        let answer = refresh_with(&daypass, &session, &[]).await;
        if engine.coming.is_left() {
            assert!(question > 3, "{question}");
            break;
        }
        assert_eq!(answer.status, 200, "merged before question {question}: {answer:?}");
        let refreshed = refresh(&daypass, &answer.json()).await;
        assert_eq!(refreshed["identity_id"], other, "merged before question {question}");
        assert!(gets_credentials(&daypass, &refreshed).await, "merged before question {question}");
    }
}
