//! GetOpenIdTokenForDeveloperIdentity with public logins beside the developer's, rule by rule
//! (docs/reference/cognito-identity.md, 4.3).

use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::public::testing::GOOGLE;
use serde_json::{Map, Value, json};

use super::{TWO_USERS, and, assert_forbidden, daypass, get_open_id_token};
use crate::cognito::LOGINS_DO_NOT_MATCH;
use crate::harness::{Answer, DEVELOPER_PROVIDER, Daypass, OIDC, OIDC_ARN, OTHER_OIDC, claims};

async fn ask(daypass: &Daypass, logins: &Value, id: Option<&Value>) -> Answer {
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins, "IdentityId": id});
    daypass.signed("GetOpenIdTokenForDeveloperIdentity", input).await
}

/// A developer user and public logins.
fn with(daypass: &Daypass, user: &str, public: &[(&str, &str)]) -> Value {
    and(daypass.logins(public), DEVELOPER_PROVIDER, user)
}

async fn id_of(daypass: &Daypass, logins: &Value, id: Option<&Value>) -> Value {
    let answer = ask(daypass, logins, id).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["IdentityId"].clone()
}

#[tokio::test]
async fn rule_1_the_developers_login_has_to_be_there() {
    let daypass = daypass().await;
    let message = "This identity pool does not support the specified developer provider";
    for logins in [json!({}), daypass.logins(&[(OIDC, "ada")])] {
        ask(&daypass, &logins, None).await.assert_exception("InvalidParameterException", message);
    }
    assert!(daypass.enabled_identities().await.is_empty());
}

#[tokio::test]
async fn rule_1_every_public_login_has_to_be_valid() {
    let daypass = daypass().await;
    let mut logins = with(&daypass, "ada", &[(OIDC, "ada"), (GOOGLE, "ada")]);
    logins[GOOGLE] = "no token".into();
    ask(&daypass, &logins, None).await.assert_code("NotAuthorizedException");
    let unknown = and(with(&daypass, "ada", &[]), "login.unknown.example", daypass.id_token(OIDC, "ada"));
    let message = "Token is not from a supported provider of this identity pool.";
    ask(&daypass, &unknown, None).await.assert_exception("NotAuthorizedException", message);
    assert!(daypass.enabled_identities().await.is_empty());
}

#[tokio::test]
async fn rule_1_ten_logins_come_at_once_at_most() {
    let daypass = daypass().await;
    let logins: Map<_, _> = (0..11).map(|number| (format!("login{number}"), json!("x"))).collect();
    ask(&daypass, &logins.into(), None).await.assert_code("ValidationException");
}

#[tokio::test]
async fn rule_2_a_new_user_gets_an_identity_with_all_the_logins_and_the_same_one_each_time() {
    let daypass = daypass().await;
    let logins = with(&daypass, "ada", &[(OIDC, "ada")]);
    let answer = ask(&daypass, &logins, None).await.json();
    let id = &answer["IdentityId"];
    assert_eq!(daypass.describe(id).await["Logins"], json!([DEVELOPER_PROVIDER, OIDC]));
    let entry = format!("{DEVELOPER_PROVIDER}:{}:ada", daypass.pool_id());
    let amr = json!(["authenticated", DEVELOPER_PROVIDER, entry, OIDC, format!("{OIDC_ARN}:OIDC:ada")]);
    assert_eq!(claims(&answer["Token"])["amr"], amr);
    assert_eq!(id_of(&daypass, &logins, None).await, *id);
    assert_eq!(daypass.developer_token("ada").await["IdentityId"], *id);
    assert_eq!(daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await, *id);
}

#[tokio::test]
async fn rule_3_a_guest_becomes_the_user_and_keeps_the_id() {
    let daypass = daypass().await;
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    let logins = with(&daypass, "ada", &[(OIDC, "ada")]);
    assert_eq!(id_of(&daypass, &logins, Some(&guest)).await, guest);
    assert_eq!(daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await, guest);
    assert_forbidden(&get_open_id_token(&daypass, &guest, &json!({})).await, &guest);
}

#[tokio::test]
async fn rule_4_a_user_of_one_identity_is_not_linked_to_another_whatever_comes_along() {
    let daypass = daypass().await;
    daypass.developer_token("ada").await;
    let grace = id_of(&daypass, &with(&daypass, "grace", &[(OIDC, "grace")]), None).await;
    let logins = with(&daypass, "ada", &[(OIDC, "grace")]);
    let message = "This developer user identifier is already registered with Cognito.";
    let answer = ask(&daypass, &logins, Some(&grace)).await;
    answer.assert_exception("DeveloperUserAlreadyRegisteredException", message);
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    let answer = ask(&daypass, &with(&daypass, "ada", &[]), Some(&guest)).await;
    answer.assert_exception("DeveloperUserAlreadyRegisteredException", message);
}

#[tokio::test]
async fn rule_5_a_public_login_of_another_identity_merges_the_two() {
    let daypass = daypass().await;
    let public = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    daypass.advance(SignedDuration::from_secs(1));
    let developer = daypass.developer_token("ada").await;
    let merged = id_of(&daypass, &with(&daypass, "ada", &[(OIDC, "ada")]), None).await;
    assert_eq!(merged, public, "the older one stays");
    assert_eq!(daypass.developer_token("ada").await["IdentityId"], public);
    assert_eq!(daypass.enabled_identities().await, [public]);
    let entered = json!({"identity_id": developer["IdentityId"], "token": developer["Token"]});
    assert_forbidden(&daypass.get_credentials(&entered).await, &developer["IdentityId"]);
}

#[tokio::test]
async fn rule_5_two_users_of_one_public_provider_conflict() {
    let daypass = daypass().await;
    id_of(&daypass, &with(&daypass, "ada", &[(OIDC, "ada")]), None).await;
    let grace = daypass.get_id(&daypass.logins(&[(OIDC, "grace"), (GOOGLE, "grace")])).await;
    for public in [(OIDC, "grace"), (OIDC, "nobody yet"), (GOOGLE, "grace")] {
        let answer = ask(&daypass, &with(&daypass, "ada", &[public]), None).await;
        answer.assert_exception("ResourceConflictException", TWO_USERS);
    }
    assert_eq!(daypass.get_id(&daypass.logins(&[(OIDC, "grace")])).await, grace);
}

#[tokio::test]
async fn rule_6_a_user_may_be_called_like_a_login_and_is_not_taken_for_it() {
    let daypass = daypass().await;
    let ada = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    let entry = format!("{OIDC_ARN}:OIDC:ada");
    for user in ["ada", OIDC, entry.as_str()] {
        assert_ne!(daypass.developer_token(user).await["IdentityId"], ada);
    }
}

#[tokio::test]
async fn rules_7_and_8_a_login_linked_by_the_developer_works_alone_and_the_developers_name_never() {
    let daypass = daypass().await;
    let id = id_of(&daypass, &with(&daypass, "ada", &[(OIDC, "ada")]), None).await;
    let public = daypass.logins(&[(OIDC, "ada")]);
    assert_eq!(get_open_id_token(&daypass, &id, &public).await.json()["IdentityId"], id);
    let message = "Invalid login token. Issuer doesn't match providerName";
    for logins in [with(&daypass, "ada", &[]), with(&daypass, "ada", &[(OIDC, "ada")])] {
        let answer = get_open_id_token(&daypass, &id, &logins).await;
        answer.assert_exception("NotAuthorizedException", message);
        let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
        daypass.public("GetId", input).await.assert_exception("NotAuthorizedException", message);
    }
}

#[tokio::test]
async fn rule_9_a_new_user_reaches_somebodys_identity_only_with_a_login_of_theirs() {
    let daypass = daypass().await;
    let ada = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    for public in [&[][..], &[(GOOGLE, "ada")], &[(OTHER_OIDC, "ada")]] {
        let answer = ask(&daypass, &with(&daypass, "countess", public), Some(&ada)).await;
        answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
    }
    let logins = with(&daypass, "countess", &[(OIDC, "ada")]);
    assert_eq!(id_of(&daypass, &logins, Some(&ada)).await, ada);
    let second = with(&daypass, "ada", &[(OIDC, "ada")]);
    assert_eq!(id_of(&daypass, &second, Some(&ada)).await, ada, "and a second one as well");
}

#[tokio::test]
async fn principal_tags_are_the_developers_and_the_pools_maps_add_nothing() {
    let daypass = daypass().await;
    let map = json!({"IdentityPoolId": daypass.pool_id(), "IdentityProviderName": OIDC_ARN,
        "UseDefaults": true});
    daypass.call("SetPrincipalTagAttributeMap", map).await;
    let input = json!({"IdentityPoolId": daypass.pool_id(), "PrincipalTags": {"team": "games"},
        "Logins": with(&daypass, "ada", &[(OIDC, "ada")])});
    let token = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await["Token"].clone();
    let tags = claims(&token)["https://aws.amazon.com/tags"]["principal_tags"].clone();
    assert_eq!(tags, json!({"team": ["games"]}));
}
