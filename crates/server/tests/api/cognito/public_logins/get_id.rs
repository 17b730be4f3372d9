//! GetId: logins find their identity, or make it.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::public::testing::{AMAZON, FACEBOOK, GOOGLE};
use futures::future::join_all;
use serde_json::json;

use super::{TWO_USERS, and, assert_forbidden, daypass};
use crate::harness::{Backend, Daypass, FACEBOOK_APP, OIDC, OTHER_OIDC, USER_POOL};

#[tokio::test]
async fn a_login_of_each_provider_makes_an_identity_once_and_finds_it_again() {
    let daypass = daypass().await;
    let logins = [
        daypass.logins(&[(OIDC, "ada")]),
        daypass.logins(&[(OTHER_OIDC, "ada")]),
        daypass.logins(&[(USER_POOL, "ada")]),
        daypass.logins(&[(GOOGLE, "ada")]),
        json!({FACEBOOK: daypass.facebook_token(FACEBOOK_APP, "ada")}),
        json!({AMAZON: daypass.amazon_token("ada")}),
    ];
    for (number, logins) in logins.iter().enumerate() {
        let id = daypass.get_id(logins).await;
        assert_eq!(daypass.get_id(logins).await, id);
        assert_eq!(daypass.enabled_identities().await.len(), number + 1);
        let provider = logins.as_object().unwrap().keys().next().unwrap();
        assert_eq!(daypass.describe(&id).await["Logins"], json!([provider]));
    }
}

#[tokio::test]
async fn users_of_one_provider_have_identities_of_their_own() {
    let daypass = daypass().await;
    let ada = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    assert_ne!(daypass.get_id(&daypass.logins(&[(OIDC, "Ada")])).await, ada);
}

#[tokio::test]
async fn logins_shown_together_are_linked() {
    let daypass = daypass().await;
    let both = daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")]);
    let id = daypass.get_id(&both).await;
    for provider in [OIDC, GOOGLE] {
        assert_eq!(daypass.get_id(&daypass.logins(&[(provider, "ada")])).await, id);
    }
    let three = and(both, AMAZON, daypass.amazon_token("ada"));
    assert_eq!(daypass.get_id(&three).await, id);
    assert_eq!(daypass.describe(&id).await["Logins"], json!([GOOGLE, OIDC, AMAZON]));
}

#[tokio::test]
async fn identities_of_one_person_become_the_older_one() {
    let daypass = daypass().await;
    let older = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    daypass.advance(SignedDuration::from_secs(1));
    let younger = daypass.get_id(&daypass.logins(&[(GOOGLE, "ada")])).await;
    assert_eq!(daypass.get_id(&daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")])).await, older);
    assert_eq!(daypass.get_id(&daypass.logins(&[(GOOGLE, "ada")])).await, older);
    assert_eq!(daypass.enabled_identities().await, [older]);
    let answer = daypass.public("GetOpenIdToken", json!({"IdentityId": younger})).await;
    assert_forbidden(&answer, &younger);
}

#[tokio::test]
async fn people_who_each_have_a_user_of_one_provider_are_two() {
    let daypass = daypass().await;
    daypass.get_id(&daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")])).await;
    let grace = daypass.get_id(&daypass.logins(&[(USER_POOL, "grace"), (GOOGLE, "grace")])).await;
    let logins = daypass.logins(&[(OIDC, "ada"), (USER_POOL, "grace")]);
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    daypass.public("GetId", input).await.assert_exception("ResourceConflictException", TWO_USERS);
    assert_eq!(daypass.get_id(&daypass.logins(&[(USER_POOL, "grace")])).await, grace);
}

#[tokio::test]
async fn first_logins_at_once_make_one_identity() {
    let daypass = Daypass::start().on(Backend::sqlite()).with_oidc_hosts(&[OIDC]).await;
    daypass.accept_public_logins().await;
    let logins = daypass.logins(&[(OIDC, "ada")]);
    let mut ids = join_all((0..20).map(|_| daypass.get_id(&logins))).await;
    ids.dedup();
    assert_eq!(ids, daypass.enabled_identities().await);
}

#[tokio::test]
async fn one_bad_login_spoils_the_others() {
    let daypass = daypass().await;
    let logins = and(daypass.logins(&[(OIDC, "ada")]), GOOGLE, daypass.id_token(OIDC, "ada"));
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    daypass.public("GetId", input).await.assert_code("NotAuthorizedException");
    assert!(daypass.enabled_identities().await.is_empty());
}
