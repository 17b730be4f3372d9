//! What a session rests on: a login that still leads to its identity, and no revocation since.

use std::sync::Arc;

use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::{IdentityId, RoleName, SignInSessionId};
use daypass_core::records::sign_in_session::SignInSession;
use daypass_core::store::RevocationTarget;
use http::Method;
use serde_json::{Value, json};

use super::devices::another_person;
use super::{ask, assert_over, list, refresh, sign_in};
use crate::harness::{AUTHENTICATED_ROLE, DEVELOPER_PROVIDER, Daypass, GUEST_ROLE};

pub(super) async fn users_of(daypass: &Daypass, session: &Value) -> Value {
    let asked = json!({"IdentityPoolId": daypass.pool_id(), "IdentityId": session["identity_id"]});
    daypass.call("LookupDeveloperIdentity", asked).await["DeveloperUserIdentifierList"][0].clone()
}

pub(super) async fn unlink(daypass: &Daypass, session: &Value) {
    let user = users_of(daypass, session).await;
    let request = json!({"IdentityId": session["identity_id"], "IdentityPoolId": daypass.pool_id(),
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": user});
    daypass.call("UnlinkDeveloperIdentity", request).await;
}

async fn merge(daypass: &Daypass, source: &Value, destination: &Value) {
    let merge = json!({"SourceUserIdentifier": source, "DestinationUserIdentifier": destination,
        "DeveloperProviderName": DEVELOPER_PROVIDER, "IdentityPoolId": daypass.pool_id()});
    daypass.call("MergeDeveloperIdentities", merge).await;
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
    let role = AUTHENTICATED_ROLE.rsplit('/').next().unwrap();
    let role = RevocationTarget::Role(RoleName::parse(role).unwrap());
    for target in [None, Some(role), Some(RevocationTarget::Everybody)] {
        let daypass = Daypass::start().await;
        let session = sign_in(&daypass).await;
        revoke(&daypass, target.unwrap_or(RevocationTarget::Identity(identity_of(&session)))).await;
        let answer = ask(&daypass, Method::GET, "/v1/sessions", &session).await;
        answer.assert_problem(401, "refresh_token_refused");
        assert_over(&daypass, &session, "revoked").await;
        daypass.advance(SignedDuration::from_millis(1));
        refresh(&daypass, &sign_in(&daypass).await).await;
    }
}

#[tokio::test]
async fn the_role_of_guests_is_not_that_of_sessions() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let role = GUEST_ROLE.rsplit('/').next().unwrap();
    revoke(&daypass, RevocationTarget::Role(RoleName::parse(role).unwrap())).await;
    refresh(&daypass, &session).await;
}

#[tokio::test]
async fn after_a_merge_a_session_is_the_surviving_identitys() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let other = daypass.developer_token("survivor").await["IdentityId"].clone();
    let user = users_of(&daypass, &session).await;
    merge(&daypass, &user, &"survivor".into()).await;
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
    merge(&daypass, &user, &"survivor".into()).await;
    let survivor = IdentityId::parse(other.as_str().unwrap()).unwrap();
    revoke(&daypass, RevocationTarget::Identity(survivor)).await;
    assert_over(&daypass, &session, "revoked").await;
}

/// Each of the two has a device that did not go on since.
#[tokio::test]
async fn after_a_merge_whoever_signs_out_everywhere_signs_out_both() {
    for (by_source, both_ways) in [(true, false), (false, false), (true, true), (false, true)] {
        let daypass = Daypass::start().await;
        let [ada, grace] = [sign_in(&daypass).await, another_person(&daypass).await];
        let users = [users_of(&daypass, &ada).await, users_of(&daypass, &grace).await];
        let [source, destination] = if both_ways { [1, 0] } else { [0, 1] };
        merge(&daypass, &users[source], &users[destination]).await;
        let asks = if by_source { &ada } else { &grace };
        assert_eq!(list(&daypass, asks).await.len(), 2);
        assert_eq!(ask(&daypass, Method::DELETE, "/v1/sessions", asks).await.status, 204);
        for session in [&ada, &grace] {
            assert_over(&daypass, session, "revoked").await;
        }
    }
}

/// It is kept a moment after its token was issued.
#[tokio::test]
async fn a_session_that_begins_while_its_identity_is_merged_is_the_survivors() {
    for is_revoked in [false, true] {
        let daypass = Daypass::start().await;
        let session = sign_in(&daypass).await;
        let survivor = daypass.developer_token("survivor").await["IdentityId"].clone();
        merge(&daypass, &users_of(&daypass, &session).await, &"survivor".into()).await;
        let id = SignInSessionId::parse(session["session_id"].as_str().unwrap()).unwrap();
        let kept = daypass.store.find_sign_in_session(&id).await.unwrap().unwrap();
        let late = SignInSession { identity_id: identity_of(&session), ..kept.clone() };
        assert!(daypass.store.replace_sign_in_session(&kept, &late).await.unwrap());
        if is_revoked {
            let survivor = IdentityId::parse(survivor.as_str().unwrap()).unwrap();
            revoke(&daypass, RevocationTarget::Identity(survivor)).await;
            assert_over(&daypass, &session, "revoked").await;
        } else {
            assert_eq!(refresh(&daypass, &session).await["identity_id"], survivor);
        }
    }
}

#[tokio::test]
async fn a_pool_that_is_deleted_ends_its_sessions() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    daypass.store.delete_pool(&daypass.embedded.pool_id).await.unwrap();
    let answer = super::refresh_with(&daypass, &session, &[]).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}
