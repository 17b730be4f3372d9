//! Tokens that are not believed, in the words that clients compare (docs/reference/cognito-identity.md, 9.1).

use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::public::testing::{AMAZON, FACEBOOK, GOOGLE};
use serde_json::{Value, json};

use super::{LINKING, daypass, link};
use crate::harness::{
    Answer, CLIENT, DEVELOPER_PROVIDER, Daypass, FACEBOOK_APP, OIDC, OTHER_OIDC, USER_POOL, USER_POOL_CLIENT,
};

const COGNITO: &str = "cognito-identity.amazonaws.com";

/// Shows logins wherever public logins are taken, and expects one refusal, which changes nothing.
async fn assert_refused(daypass: &Daypass, logins: &Value, code: &str, message: &str) {
    let before = daypass.enabled_identities().await;
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    let guest: Value = daypass.former_guest().await.into();
    let mut answers: Vec<Answer> = vec![daypass.public("GetId", input).await];
    for operation in LINKING {
        answers.push(link(daypass, operation, &guest, logins).await);
    }
    let unlink = json!({"IdentityId": guest, "Logins": logins, "LoginsToRemove": [OIDC]});
    answers.push(daypass.public("UnlinkIdentity", unlink).await);
    let mut beside = logins.clone();
    beside[DEVELOPER_PROVIDER] = "nobody yet".into();
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": beside});
    answers.push(daypass.signed("GetOpenIdTokenForDeveloperIdentity", input).await);
    for answer in answers {
        answer.assert_exception(code, message);
    }
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [guest]})).await;
    assert_eq!(daypass.enabled_identities().await, before);
}

async fn assert_not_authorized(daypass: &Daypass, logins: &Value, message: &str) {
    assert_refused(daypass, logins, "NotAuthorizedException", message).await;
}

#[tokio::test]
async fn n4_providers_and_clients_that_the_pool_does_not_accept() {
    let daypass = daypass().await;
    let message = "Token is not from a supported provider of this identity pool.";
    let of_another = |key: &str, client: &str| json!({key: daypass.issuer(key).id_token("ada", client, json!({})).expose()});
    let several = json!({OIDC: daypass.id_token_with(OIDC, "ada", json!({"aud": [CLIENT, "another"]}))});
    for logins in [
        json!({"login.unknown.example": daypass.id_token(OIDC, "ada")}),
        of_another(OIDC, "another client"),
        of_another(USER_POOL, "another client"),
        of_another(GOOGLE, "another app"),
        several,
        json!({OIDC: daypass.id_token_with(OIDC, "ada", json!({"azp": "another client"}))}),
        json!({FACEBOOK: daypass.facebook_token("another app", "ada")}),
    ] {
        assert_not_authorized(&daypass, &logins, message).await;
    }
    daypass.update_pool(json!({"OpenIdConnectProviderARNs": [], "CognitoIdentityProviders": []})).await;
    for provider in [OIDC, USER_POOL] {
        assert_not_authorized(&daypass, &daypass.logins(&[(provider, "ada")]), message).await;
    }
}

#[tokio::test]
async fn n5_tokens_that_expired_five_minutes_ago_or_of_a_user_pool_just_now() {
    let daypass = daypass().await;
    let logins = |provider: &str| daypass.logins(&[(provider, "ada")]);
    let (oidc, user_pool) = (logins(OIDC), logins(USER_POOL));
    daypass.advance(SignedDuration::from_secs(3599));
    daypass.get_id(&user_pool).await;
    daypass.advance(SignedDuration::from_secs(1));
    let message = "Invalid login token. Token expired: 1790003600 >= 1790003600";
    assert_not_authorized(&daypass, &user_pool, message).await;
    daypass.advance(SignedDuration::from_secs(299));
    daypass.get_id(&oidc).await;
    daypass.advance(SignedDuration::from_secs(1));
    let message = "Invalid login token. Token expired: 1790003900 >= 1790003600";
    assert_not_authorized(&daypass, &oidc, message).await;
}

#[tokio::test]
async fn n6_tokens_of_another_issuer_than_the_key_says() {
    let daypass = daypass().await;
    let message = "Invalid login token. Issuer doesn't match providerName";
    for (key, of) in [(OIDC, OTHER_OIDC), (OIDC, GOOGLE), (GOOGLE, OIDC), (USER_POOL, OIDC)] {
        assert_not_authorized(&daypass, &json!({key: daypass.id_token(of, "ada")}), message).await;
    }
    let slash =
        json!({OIDC: daypass.id_token_with(OIDC, "ada", json!({"iss": "https://login.example.com/"}))});
    assert_not_authorized(&daypass, &slash, message).await;
}

#[tokio::test]
async fn n7_tokens_that_the_issuer_did_not_sign() {
    let daypass = daypass().await;
    let message = "Invalid login token. Couldn't verify signed token.";
    let token = daypass.id_token(OIDC, "ada");
    let (signed, signature) = token.as_str().unwrap().rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{signed}.{first}{}", &signature[1..]);
    let iss = json!({"iss": "https://login.example.com"});
    let forged = daypass.issuer(OTHER_OIDC).id_token("ada", CLIENT, iss);
    for token in [tampered, format!("{signed}."), forged.expose().to_owned()] {
        assert_not_authorized(&daypass, &json!({OIDC: token}), message).await;
    }
    daypass.get_id(&json!({OIDC: token})).await;
    daypass.advance(SignedDuration::from_mins(59));
    let old = daypass.id_token(OIDC, "ada");
    daypass.issuer(OIDC).rotate();
    daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    assert_not_authorized(&daypass, &json!({OIDC: old}), message).await;
}

#[tokio::test]
async fn n7_access_tokens_and_texts_that_are_no_id_token() {
    let daypass = daypass().await;
    let access = json!({"aud": null, "client_id": USER_POOL_CLIENT, "token_use": "access"});
    let access = json!({USER_POOL: daypass.id_token_with(USER_POOL, "ada", access)});
    assert_not_authorized(&daypass, &access, "Invalid login token. Missing a required claim: aud").await;
    let none = daypass.issuer(OIDC).sign_with_header(r#"{"alg":"none"}"#, "{}");
    for text in ["no token", "a.b.c", none.expose()] {
        let message = "Invalid login token. Not a valid OpenId Connect identity token.";
        assert_not_authorized(&daypass, &json!({OIDC: text}), message).await;
    }
}

#[tokio::test]
async fn n8_a_token_of_ours_is_no_login_under_any_key() {
    let daypass = daypass().await;
    let message = "Invalid login token. Can't pass in a Cognito token.";
    let token = daypass.developer_token("ada").await;
    for key in [OIDC, USER_POOL, GOOGLE, FACEBOOK, "login.unknown.example"] {
        assert_not_authorized(&daypass, &json!({key: token["Token"]}), message).await;
    }
    // Its own key is for GetCredentialsForIdentity alone, and not beside others.
    let own = json!({COGNITO: token["Token"]});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": own});
    daypass.public("GetId", input).await.assert_exception("NotAuthorizedException", message);
    let input = json!({"IdentityId": token["IdentityId"], "Logins": own, "LoginsToRemove": [OIDC]});
    for operation in ["GetOpenIdToken", "UnlinkIdentity"] {
        let answer = daypass.public(operation, input.clone()).await;
        answer.assert_exception("NotAuthorizedException", message);
    }
    let beside = json!({COGNITO: token["Token"], OIDC: daypass.id_token(OIDC, "ada")});
    let answer = link(&daypass, "GetCredentialsForIdentity", &token["IdentityId"], &beside).await;
    answer.assert_code("NotAuthorizedException");
}

#[tokio::test]
async fn n10_the_developer_provider_is_no_public_one_beside_others_either() {
    let daypass = daypass().await;
    let id = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    let mut logins = daypass.logins(&[(OIDC, "ada")]);
    logins[DEVELOPER_PROVIDER] = "ada".into();
    let answer = link(&daypass, "GetCredentialsForIdentity", &id, &logins).await;
    answer.assert_exception("InvalidParameterException", "Please provide a valid public provider.");
}

#[tokio::test]
async fn providers_that_nothing_here_can_verify_say_so() {
    let daypass = daypass().await;
    let saml = "arn:aws:iam::000000000000:saml-provider/Company";
    for (key, kind) in [("api.twitter.com", "Twitter and Digits"), (saml, "SAML providers")] {
        let message = format!("Logins of {kind} are not supported here.");
        let logins = json!({key: "token;secret"});
        assert_refused(&daypass, &logins, "InvalidParameterException", &message).await;
    }
}

#[tokio::test]
async fn an_access_token_that_the_provider_refuses() {
    let daypass = daypass().await;
    let token = daypass.facebook_token(FACEBOOK_APP, "ada");
    let url = format!("https://graph.facebook.com/app?access_token={}", token.as_str().unwrap());
    daypass.network.answer(&url, 400, r#"{"error":{}}"#);
    let message = "Invalid login token. The provider refused it.";
    assert_not_authorized(&daypass, &json!({FACEBOOK: token}), message).await;
}

#[tokio::test]
async fn providers_whose_address_is_gone() {
    let daypass = daypass().await;
    let facebook = daypass.facebook_token(FACEBOOK_APP, "ada");
    let urls = [
        daypass.issuer(OIDC).discovery_url(),
        format!("https://graph.facebook.com/app?access_token={}", facebook.as_str().unwrap()),
    ];
    for url in &urls {
        daypass.network.answer(url, 410, "");
    }
    for (provider, token) in [(OIDC, daypass.id_token(OIDC, "ada")), (FACEBOOK, facebook)] {
        let message = format!("{provider} is not what this server's configuration says.");
        assert_refused(&daypass, &json!({provider: token}), "ExternalServiceException", &message).await;
    }
}

#[tokio::test]
async fn providers_that_do_not_answer() {
    let daypass = daypass().await;
    let facebook = daypass.facebook_token(FACEBOOK_APP, "ada");
    let amazon = daypass.amazon_token("ada");
    let urls = [
        daypass.issuer(OIDC).discovery_url(),
        daypass.issuer(USER_POOL).jwks_url().to_owned(),
        format!("https://graph.facebook.com/app?access_token={}", facebook.as_str().unwrap()),
        format!("https://api.amazon.com/auth/o2/tokeninfo?access_token={}", amazon.as_str().unwrap()),
    ];
    for url in &urls {
        daypass.network.time_out(url);
    }
    let all = [
        (OIDC, daypass.id_token(OIDC, "ada")),
        (USER_POOL, daypass.id_token(USER_POOL, "ada")),
        (FACEBOOK, facebook),
        (AMAZON, amazon),
    ];
    for (provider, token) in all {
        let message = format!("{provider} cannot be asked about the login token.");
        assert_refused(&daypass, &json!({provider: token}), "ExternalServiceException", &message).await;
    }
}
