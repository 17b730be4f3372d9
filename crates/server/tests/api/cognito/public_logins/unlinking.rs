//! UnlinkIdentity: whoever shows a login may take public ones away (docs/reference/cognito-identity.md, 4.7).

use daypass_core::login::public::testing::GOOGLE;
use serde_json::{Value, json};

use super::{and, assert_forbidden, daypass, get_open_id_token};
use crate::cognito::{LOGINS_DO_NOT_MATCH, UNKNOWN};
use crate::harness::{Answer, DEVELOPER_PROVIDER, Daypass, OIDC, OTHER_OIDC};

async fn unlink(daypass: &Daypass, id: &Value, logins: &Value, providers: &[&str]) -> Answer {
    let input = json!({"IdentityId": id, "Logins": logins, "LoginsToRemove": providers});
    daypass.public("UnlinkIdentity", input).await
}

#[tokio::test]
async fn a_login_taken_away_leads_to_a_new_identity_and_the_others_stay() {
    let daypass = daypass().await;
    let id = daypass.get_id(&daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")])).await;
    let answer = unlink(&daypass, &id, &daypass.logins(&[(OIDC, "ada")]), &[GOOGLE]).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert_eq!(daypass.describe(&id).await["Logins"], json!([OIDC]));
    assert_ne!(daypass.get_id(&daypass.logins(&[(GOOGLE, "ada")])).await, id);
    assert_eq!(daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await, id);
}

#[tokio::test]
async fn the_last_login_may_take_itself_away_and_leaves_an_identity_of_nobody() {
    let daypass = daypass().await;
    let logins = daypass.logins(&[(OIDC, "ada")]);
    let id = daypass.get_id(&logins).await;
    assert_eq!(unlink(&daypass, &id, &logins, &[OIDC]).await.status, 200);
    assert_forbidden(&get_open_id_token(&daypass, &id, &json!({})).await, &id);
    let answer = get_open_id_token(&daypass, &id, &logins).await;
    answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
    let answer = unlink(&daypass, &id, &logins, &[OIDC]).await;
    answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
    assert_ne!(daypass.get_id(&logins).await, id);
}

#[tokio::test]
async fn nobody_takes_a_login_away_who_has_none_of_the_identity() {
    let daypass = daypass().await;
    let id = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    daypass.get_id(&daypass.logins(&[(OIDC, "grace")])).await;
    for logins in [json!({}), daypass.logins(&[(OIDC, "grace")]), daypass.logins(&[(GOOGLE, "nobody")])] {
        let answer = unlink(&daypass, &id, &logins, &[OIDC]).await;
        answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
    }
    let forged = json!({OIDC: daypass.issuer(OTHER_OIDC).id_token("ada", "our-client",
        json!({"iss": "https://login.example.com"})).expose()});
    let answer = unlink(&daypass, &id, &forged, &[OIDC]).await;
    answer.assert_exception("NotAuthorizedException", "Invalid login token. Couldn't verify signed token.");
    assert_eq!(daypass.describe(&id).await["Logins"], json!([OIDC]));
}

#[tokio::test]
async fn all_of_the_logins_go_or_none() {
    let daypass = daypass().await;
    let logins = daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")]);
    let id = daypass.get_id(&logins).await;
    let message = "The identity has no login of a provider in LoginsToRemove.";
    for providers in [&[GOOGLE, OTHER_OIDC][..], &["login.unknown.example"], &[DEVELOPER_PROVIDER]] {
        let answer = unlink(&daypass, &id, &logins, providers).await;
        answer.assert_exception("ResourceNotFoundException", message);
    }
    assert_eq!(daypass.describe(&id).await["Logins"], json!([GOOGLE, OIDC]));
    assert_eq!(unlink(&daypass, &id, &logins, &[GOOGLE, OIDC, GOOGLE]).await.status, 200);
    assert_eq!(daypass.describe(&id).await.get("Logins"), None);
}

#[tokio::test]
async fn the_developers_user_is_not_taken_away_by_public_logins() {
    let daypass = daypass().await;
    let public = daypass.logins(&[(OIDC, "ada")]);
    let both = and(public.clone(), DEVELOPER_PROVIDER, "ada");
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": both});
    let id = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await["IdentityId"].clone();
    let answer = unlink(&daypass, &id, &public, &[DEVELOPER_PROVIDER]).await;
    answer.assert_code("ResourceNotFoundException");
    let answer = unlink(&daypass, &id, &both, &[OIDC]).await;
    let message = "Invalid login token. Issuer doesn't match providerName";
    answer.assert_exception("NotAuthorizedException", message);
    assert_eq!(daypass.developer_token("ada").await["IdentityId"], id);
}

#[tokio::test]
async fn an_identity_that_nobody_has_or_that_was_merged_has_nothing_to_take() {
    let daypass = daypass().await;
    let logins = daypass.logins(&[(OIDC, "ada")]);
    daypass.get_id(&logins).await;
    let answer = unlink(&daypass, &json!(UNKNOWN), &logins, &[OIDC]).await;
    answer.assert_exception("ResourceNotFoundException", &format!("Identity '{UNKNOWN}' not found."));
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    get_open_id_token(&daypass, &guest, &logins).await;
    assert_forbidden(&unlink(&daypass, &guest, &logins, &[OIDC]).await, &guest);
}
