//! What a session rests on: a login that still leads to its identity, and no revocation since.

use std::sync::Arc;

use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::IdentityId;
use daypass_core::store::RevocationTarget;
use serde_json::{Value, json};

use super::{assert_over, refresh, sign_in};
use crate::harness::{DEVELOPER_PROVIDER, Daypass};

async fn users_of(daypass: &Daypass, session: &Value) -> Value {
    let asked = json!({"IdentityPoolId": daypass.pool_id(), "IdentityId": session["identity_id"]});
    daypass.call("LookupDeveloperIdentity", asked).await["DeveloperUserIdentifierList"][0].clone()
}

pub(super) async fn unlink(daypass: &Daypass, session: &Value) {
    let user = users_of(daypass, session).await;
    let request = json!({"IdentityId": session["identity_id"], "IdentityPoolId": daypass.pool_id(),
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": user});
    daypass.call("UnlinkDeveloperIdentity", request).await;
}

async fn revoke(daypass: &Daypass, target: RevocationTarget) {
    let clock: Arc<dyn Clock> = daypass.clock.clone();
    daypass.store.revoke_sessions(&target, clock).await.unwrap();
}

fn identity_of(session: &Value) -> IdentityId {
    IdentityId::parse(session["identity_id"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_session_ends_with_its_login_and_brings_nobody_back() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    unlink(&daypass, &session).await;
    assert_over(&daypass, &session, "login_unlinked").await;
    assert_eq!(daypass.identities().await.len(), 1, "no identity is made of it");
    let again = sign_in(&daypass).await;
    assert_ne!(again["identity_id"], session["identity_id"]);
    assert_over(&daypass, &session, "login_unlinked").await;
    refresh(&daypass, &again).await;
}

#[tokio::test]
async fn a_login_that_came_back_as_somebody_else_is_not_the_session_s() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    unlink(&daypass, &session).await;
    sign_in(&daypass).await;
    assert_over(&daypass, &session, "login_unlinked").await;
}

#[tokio::test]
async fn a_session_ends_with_its_identity() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [session["identity_id"]]})).await;
    assert_over(&daypass, &session, "expired").await;
    assert!(daypass.identities().await.is_empty());
}

#[tokio::test]
async fn an_operator_ends_sessions() {
    for everybody in [false, true] {
        let daypass = Daypass::start().await;
        let session = sign_in(&daypass).await;
        let identity = RevocationTarget::Identity(identity_of(&session));
        let target = if everybody { RevocationTarget::Everybody } else { identity };
        revoke(&daypass, target).await;
        assert_over(&daypass, &session, "revoked").await;
        daypass.advance(SignedDuration::from_millis(1));
        refresh(&daypass, &sign_in(&daypass).await).await;
    }
}

#[tokio::test]
async fn after_a_merge_a_session_is_the_surviving_identitys() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let other = daypass.developer_token("survivor").await["IdentityId"].clone();
    let user = users_of(&daypass, &session).await;
    let merge = json!({"SourceUserIdentifier": user, "DestinationUserIdentifier": "survivor",
        "DeveloperProviderName": DEVELOPER_PROVIDER, "IdentityPoolId": daypass.pool_id()});
    daypass.call("MergeDeveloperIdentities", merge).await;
    let next = refresh(&daypass, &session).await;
    assert_eq!(next["identity_id"], other);
    assert_eq!(super::list(&daypass, &next).await.len(), 1);
    revoke(&daypass, RevocationTarget::Identity(identity_of(&next))).await;
    assert_over(&daypass, &next, "revoked").await;
}

#[tokio::test]
async fn what_was_revoked_of_the_survivor_counts_for_who_was_merged_into_it() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let other = daypass.developer_token("survivor").await["IdentityId"].clone();
    let user = users_of(&daypass, &session).await;
    let merge = json!({"SourceUserIdentifier": user, "DestinationUserIdentifier": "survivor",
        "DeveloperProviderName": DEVELOPER_PROVIDER, "IdentityPoolId": daypass.pool_id()});
    daypass.call("MergeDeveloperIdentities", merge).await;
    let survivor = IdentityId::parse(other.as_str().unwrap()).unwrap();
    revoke(&daypass, RevocationTarget::Identity(survivor)).await;
    assert_over(&daypass, &session, "revoked").await;
}

#[tokio::test]
async fn a_pool_that_is_deleted_ends_its_sessions() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    daypass.store.delete_pool(&daypass.embedded.pool_id).await.unwrap();
    let answer = super::refresh_with(&daypass, &session, &[]).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}
