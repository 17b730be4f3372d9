//! GetOpenIdToken and GetCredentialsForIdentity with public logins: what they hand out, and how they link and
//! merge on the way (docs/reference/cognito-identity.md, 4.4 and 4.8).

use daypass_core::credentials::access::Access;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::AccessKeyId;
use daypass_core::iam::Origin;
use daypass_core::login::public::testing::{FACEBOOK, GOOGLE};
use serde_json::{Value, json};

use super::{LINKING, TWO_USERS, and, assert_forbidden, daypass, get_credentials, get_open_id_token, link};
use crate::cognito::LOGINS_DO_NOT_MATCH;
use crate::harness::{
    AUTHENTICATED_ROLE, Credentials, FACEBOOK_APP, OIDC, OIDC_ARN, OTHER_OIDC, USER_POOL, claims,
};

#[tokio::test]
async fn the_token_says_for_ten_minutes_by_which_logins_it_was_had() {
    let daypass = daypass().await;
    let logins = daypass.logins(&[(OIDC, "ada"), (USER_POOL, "7c1e")]);
    let logins = and(logins, FACEBOOK, daypass.facebook_token(FACEBOOK_APP, "ada"));
    let id = daypass.get_id(&logins).await;
    let answer = get_open_id_token(&daypass, &id, &logins).await.json();
    assert_eq!(answer["IdentityId"], id);
    let claims = claims(&answer["Token"]);
    let amr = json!([
        "authenticated",
        USER_POOL,
        format!("{USER_POOL}:CognitoSignIn:7c1e"),
        FACEBOOK,
        format!("{FACEBOOK}:{FACEBOOK_APP}:ada"),
        OIDC,
        format!("{OIDC_ARN}:OIDC:ada"),
    ]);
    assert_eq!(claims["amr"], amr);
    assert_eq!((&claims["sub"], &claims["aud"]), (&id, &json!(daypass.pool_id())));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert!(claims.get("https://aws.amazon.com/tags").is_none());
    assert_eq!(daypass.assume(&answer["Token"], AUTHENTICATED_ROLE).await.status, 200);
}

#[tokio::test]
async fn credentials_are_those_of_the_authenticated_role() {
    let daypass = daypass().await;
    let logins = daypass.logins(&[(OIDC, "ada")]);
    let id = daypass.get_id(&logins).await;
    let answer = get_credentials(&daypass, &id, &logins).await;
    assert_eq!(answer.json()["IdentityId"], id);
    let arn = "arn:aws:sts::000000000000:assumed-role/authenticated/CognitoIdentityCredentials";
    assert_eq!(daypass.caller_arn(&answer.credentials()).await, arn);
}

#[tokio::test]
async fn a_guest_who_logs_in_keeps_the_id_and_is_no_guest_any_more() {
    for operation in LINKING {
        let daypass = daypass().await;
        let guest: Value = daypass.guest(daypass.pool_id()).await.into();
        let logins = daypass.logins(&[(OIDC, "ada")]);
        let answer = link(&daypass, operation, &guest, &logins).await;
        assert_eq!(answer.json()["IdentityId"], guest);
        assert_eq!(daypass.get_id(&logins).await, guest);
        for operation in LINKING {
            assert_forbidden(&link(&daypass, operation, &guest, &json!({})).await, &guest);
        }
    }
}

#[tokio::test]
async fn a_guests_token_is_worthless_after_the_login() {
    let daypass = daypass().await;
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    let token = get_open_id_token(&daypass, &guest, &json!({})).await.json()["Token"].clone();
    let entered = json!({"identity_id": guest, "token": token});
    assert_eq!(daypass.get_credentials(&entered).await.status, 200);
    get_open_id_token(&daypass, &guest, &daypass.logins(&[(OIDC, "ada")])).await;
    assert_forbidden(&daypass.get_credentials(&entered).await, &guest);
    let answer = daypass.assume(&token, crate::harness::GUEST_ROLE).await;
    answer.assert_sts_error(403, "AccessDenied");
}

#[tokio::test]
async fn a_guest_who_logs_in_as_somebody_known_becomes_them() {
    for operation in LINKING {
        let daypass = daypass().await;
        let guest: Value = daypass.guest(daypass.pool_id()).await.into();
        daypass.advance(SignedDuration::from_secs(1));
        let logins = daypass.logins(&[(OIDC, "ada")]);
        let ada = daypass.get_id(&logins).await;
        let answer = link(&daypass, operation, &guest, &logins).await;
        assert_eq!(answer.json()["IdentityId"], ada, "the owner stays though the guest is older");
        assert_eq!(daypass.enabled_identities().await, [ada]);
        for operation in LINKING {
            for logins in [json!({}), logins.clone()] {
                assert_forbidden(&link(&daypass, operation, &guest, &logins).await, &guest);
            }
        }
    }
}

#[tokio::test]
async fn a_login_beside_a_linked_one_is_linked_too() {
    for operation in LINKING {
        let daypass = daypass().await;
        let id = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
        let both = daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")]);
        assert_eq!(link(&daypass, operation, &id, &both).await.json()["IdentityId"], id);
        assert_eq!(daypass.get_id(&daypass.logins(&[(GOOGLE, "ada")])).await, id);
    }
}

#[tokio::test]
async fn identities_of_one_person_become_the_older_one() {
    for operation in LINKING {
        let daypass = daypass().await;
        let older = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
        daypass.advance(SignedDuration::from_secs(1));
        let younger = daypass.get_id(&daypass.logins(&[(GOOGLE, "ada")])).await;
        let old = get_open_id_token(&daypass, &younger, &daypass.logins(&[(GOOGLE, "ada")])).await.json();
        let both = daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")]);
        assert_eq!(link(&daypass, operation, &younger, &both).await.json()["IdentityId"], older);
        assert_forbidden(&link(&daypass, operation, &younger, &both).await, &younger);
        let entered = json!({"identity_id": younger, "token": old["Token"]});
        assert_forbidden(&daypass.get_credentials(&entered).await, &younger);
    }
}

#[tokio::test]
async fn logins_of_nobody_and_of_somebody_else_do_not_match() {
    let daypass = daypass().await;
    let ada = daypass.get_id(&daypass.logins(&[(OIDC, "ada")])).await;
    let grace = daypass.get_id(&daypass.logins(&[(OIDC, "grace")])).await;
    for operation in LINKING {
        for people in [[(OIDC, "grace")], [(OIDC, "nobody")], [(GOOGLE, "ada")]] {
            let answer = link(&daypass, operation, &ada, &daypass.logins(&people)).await;
            answer.assert_exception("NotAuthorizedException", LOGINS_DO_NOT_MATCH);
        }
    }
    assert_eq!(daypass.enabled_identities().await.len(), 2);
    assert_eq!(daypass.describe(&grace).await["Logins"], json!([OIDC]));
}

#[tokio::test]
async fn an_identity_has_one_user_of_a_provider() {
    let daypass = daypass().await;
    let ada = daypass.get_id(&daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")])).await;
    let other = daypass.logins(&[(OIDC, "ada"), (GOOGLE, "countess")]);
    for operation in LINKING {
        let answer = link(&daypass, operation, &ada, &other).await;
        answer.assert_exception("ResourceConflictException", TWO_USERS);
    }
    assert_ne!(daypass.get_id(&daypass.logins(&[(GOOGLE, "countess")])).await, ada);
}

#[tokio::test]
async fn the_classic_flow_can_be_switched_off_and_knows_no_role_mappings() {
    let daypass = daypass().await;
    let logins = daypass.logins(&[(OIDC, "ada"), (OTHER_OIDC, "ada")]);
    let id = daypass.get_id(&logins).await;
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    let assert_refused = async |why: &str| {
        let message = format!("Basic (classic) flow is not {why}, please use enhanced flow.");
        for (id, logins) in [(&id, &logins), (&guest, &json!({}))] {
            let answer = get_open_id_token(&daypass, id, logins).await;
            answer.assert_exception("InvalidParameterException", &message);
            assert_eq!(get_credentials(&daypass, id, logins).await.status, 200);
        }
        daypass.developer_token("not affected").await;
    };
    daypass.update_pool(json!({"AllowClassicFlow": false})).await;
    assert_refused("enabled").await;
    daypass.update_pool(json!({})).await;
    let mapping = json!({"Type": "Token", "AmbiguousRoleResolution": "AuthenticatedRole"});
    daypass.set_roles(json!({GOOGLE: mapping})).await;
    assert_refused("supported with RoleMappings").await;
}

/// Whether a session may do something, by its role and whatever narrows it.
async fn may(access: &Access, credentials: &Credentials, action: &str) -> bool {
    let id = AccessKeyId::parse(&credentials.access_key_id).unwrap();
    let opened = access.open(&id, credentials.session_token.as_ref().unwrap()).await.unwrap();
    access.decide(&opened.session, action, "*", access.arrival(Origin::default())).is_ok()
}

#[tokio::test]
async fn guests_reach_fewer_services_by_the_enhanced_flow_whatever_their_role_says() {
    let daypass = daypass().await;
    let generous = "arn:aws:iam::000000000000:role/generous";
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": {"unauthenticated": generous}});
    daypass.call("SetIdentityPoolRoles", input).await;
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    let enhanced = get_credentials(&daypass, &guest, &json!({})).await.credentials();
    let token = get_open_id_token(&daypass, &guest, &json!({})).await.json()["Token"].clone();
    let answer = daypass.assume(&token, generous).await;
    let classic = Credentials {
        access_key_id: answer.element("AccessKeyId").into(),
        secret_access_key: answer.element("SecretAccessKey").into(),
        session_token: Some(answer.element("SessionToken").into()),
    };
    let access = &daypass.embedded.access;
    for (action, within) in [("s3:GetObject", true), ("ec2:RunInstances", false), ("iam:CreateUser", false)] {
        assert_eq!(may(access, &enhanced, action).await, within, "{action}");
        assert!(may(access, &classic, action).await, "{action}");
    }
    assert!(daypass.may_list_pools(&enhanced).await);
}
