//! What the audit trail keeps of public logins, merges and administration, and that nothing anywhere repeats a
//! token.

use std::io::Write;
use std::sync::{Arc, Mutex};

use daypass_core::login::public::testing::{AMAZON, FACEBOOK, GOOGLE};
use serde_json::{Value, json};

use super::{LINKING, daypass, get_credentials, get_open_id_token, link};
use crate::harness::{DEVELOPER_PROVIDER, Daypass, FACEBOOK_APP, GUEST_ROLE, OIDC, OIDC_ARN, USER_POOL};

/// The events since there were so many, without their times.
fn since(daypass: &Daypass, before: usize) -> Vec<Value> {
    let mut events = daypass.audit_events().split_off(before);
    for event in &mut events {
        event.as_object_mut().unwrap().remove("time");
    }
    events
}

#[tokio::test]
async fn a_login_that_finds_its_identity_and_one_that_is_refused() {
    let daypass = daypass().await;
    let before = daypass.audit_events().len();
    let logins = daypass.logins(&[(OIDC, "ada"), (USER_POOL, "7c1e")]);
    let input = |logins: &Value| json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
    let found = daypass.public("GetId", input(&logins)).await;
    let refused = daypass.public("GetId", input(&json!({OIDC: daypass.id_token(GOOGLE, "ada")}))).await;
    let expected = [
        json!({"request_id": found.header("x-amzn-requestid"), "action": "logins", "outcome": "allowed",
            "login": format!("{USER_POOL}:CognitoSignIn:7c1e, {OIDC_ARN}:OIDC:ada"),
            "identity_id": found.json()["IdentityId"]}),
        json!({"request_id": refused.header("x-amzn-requestid"), "action": "logins", "outcome": "refused",
            "reason": "login_token_of_another_issuer",
            "detail": "the token is of another issuer than the provider's"}),
    ];
    assert_eq!(since(&daypass, before), expected);
}

#[tokio::test]
async fn an_implicit_merge_leaves_an_event_under_the_identity_that_ended() {
    for (operation, action) in LINKING.into_iter().zip(["token", "credentials"]) {
        let daypass = daypass().await;
        let guest: Value = daypass.guest(daypass.pool_id()).await.into();
        let logins = daypass.logins(&[(OIDC, "ada")]);
        let ada = daypass.get_id(&logins).await;
        let before = daypass.audit_events().len();
        let answer = link(&daypass, operation, &guest, &logins).await;
        let events = since(&daypass, before);
        assert_eq!(events.len(), 2, "{events:#?}");
        let ended = json!({"request_id": answer.header("x-amzn-requestid"), "action": "logins",
            "outcome": "allowed", "reason": "merged",
            "detail": format!("merged into {}", ada.as_str().unwrap()),
            "identity_id": guest});
        assert_eq!(events[0], ended);
        assert_eq!((&events[1]["action"], &events[1]["identity_id"]), (&json!(action), &ada));
        assert_eq!(events[1]["login"], format!("{OIDC_ARN}:OIDC:ada"));
    }
}

#[tokio::test]
async fn a_merge_by_the_developer_leaves_an_event_for_either_identity() {
    let daypass = daypass().await;
    let source = daypass.developer_token("ada").await["IdentityId"].clone();
    let destination = daypass.developer_token("countess").await["IdentityId"].clone();
    let before = daypass.audit_events().len();
    let input = json!({"IdentityPoolId": daypass.pool_id(), "DeveloperProviderName": DEVELOPER_PROVIDER,
        "SourceUserIdentifier": "ada", "DestinationUserIdentifier": "countess"});
    let answer = daypass.signed("MergeDeveloperIdentities", input).await;
    let common = |identity: &Value| {
        json!({"request_id": answer.header("x-amzn-requestid"), "action": "logins", "outcome": "allowed",
            "identity_id": identity, "access_key_id": daypass.key.access_key_id})
    };
    let (mut ended, mut merged) = (common(&source), common(&destination));
    ended["reason"] = "merged".into();
    ended["detail"] = format!("merged into {}", destination.as_str().unwrap()).into();
    merged["developer_user_identifier"] = "ada".into();
    assert_eq!(since(&daypass, before), [ended, merged]);
}

#[tokio::test]
async fn what_is_unlinked_and_deleted_or_refused_to_be() {
    let daypass = daypass().await;
    let logins = daypass.logins(&[(OIDC, "ada"), (GOOGLE, "ada")]);
    let id = daypass.get_id(&logins).await;
    let token = daypass.developer_token("grace").await;
    let before = daypass.audit_events().len();
    for _ in 0..2 {
        let input = json!({"IdentityId": id, "Logins": logins, "LoginsToRemove": [GOOGLE]});
        daypass.public("UnlinkIdentity", input).await;
        let input = json!({"IdentityPoolId": daypass.pool_id(), "IdentityId": token["IdentityId"],
            "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": "grace"});
        daypass.signed("UnlinkDeveloperIdentity", input).await;
    }
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [id, token["IdentityId"]]})).await;
    let told: Vec<Value> = since(&daypass, before)
        .into_iter()
        .map(|event| json!([event["action"], event["outcome"], event["identity_id"], event["reason"]]))
        .collect();
    let grace = &token["IdentityId"];
    let expected = [
        json!(["logins", "allowed", id, null]),
        json!(["logins", "allowed", grace, null]),
        json!(["logins", "refused", id, "unknown_login"]),
        json!(["logins", "refused", grace, "unknown_user"]),
        json!(["delete", "allowed", id, null]),
        json!(["delete", "allowed", grace, null]),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn every_change_to_a_pool_and_every_refused_one() {
    let daypass = Daypass::start().await;
    let id = daypass.pool_id();
    let arn = format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{id}");
    let changes = [
        (
            "UpdateIdentityPool",
            json!({"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": true,
                "OpenIdConnectProviderARNs": [OIDC_ARN]}),
            None,
        ),
        ("SetIdentityPoolRoles", json!({"Roles": {}}), None),
        ("SetPrincipalTagAttributeMap", json!({"IdentityProviderName": OIDC_ARN}), None),
        ("TagResource", json!({"ResourceArn": arn, "Tags": {"a": "b"}}), None),
        ("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]}), None),
        (
            "TagResource",
            json!({"ResourceArn": arn, "Tags": {"aws:a": "b"}}),
            Some(("malformed_request", "Tag keys that begin with aws: are reserved.".to_owned())),
        ),
        ("DeleteIdentityPool", json!({}), None),
        ("DeleteIdentityPool", json!({}), Some(("unknown_pool", format!("there is no identity pool {id}")))),
    ];
    let before = daypass.audit_events().len();
    let mut expected = Vec::new();
    for (operation, mut input, refusal) in changes {
        input["IdentityPoolId"] = id.into();
        let answer = daypass.signed(operation, input).await;
        let mut event = json!({"request_id": answer.header("x-amzn-requestid"), "action": "pool",
            "outcome": "allowed", "access_key_id": daypass.key.access_key_id, "resource": arn});
        if let Some((reason, detail)) = refusal {
            event["outcome"] = "refused".into();
            event["reason"] = reason.into();
            event["detail"] = detail.into();
        }
        expected.push(event);
    }
    assert_eq!(since(&daypass, before), expected);
    assert_eq!(expected.iter().filter(|event| event["outcome"] == "refused").count(), 2);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every token in every place where a token can stand, and where it cannot. No answer sends it back.
async fn show_everywhere(daypass: &Daypass, tokens: &[Value]) {
    let guest: Value = daypass.former_guest().await.into();
    let keys =
        [OIDC, USER_POOL, GOOGLE, FACEBOOK, AMAZON, DEVELOPER_PROVIDER, "cognito-identity.amazonaws.com"];
    for token in tokens {
        let mut answers = vec![daypass.assume(token, GUEST_ROLE).await];
        for logins in keys.map(|key| json!({key: token})) {
            let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
            answers.push(daypass.public("GetId", input).await);
            answers.push(get_open_id_token(daypass, &guest, &logins).await);
            answers.push(get_credentials(daypass, &guest, &logins).await);
            let input = json!({"IdentityId": guest, "Logins": logins, "LoginsToRemove": [OIDC]});
            answers.push(daypass.public("UnlinkIdentity", input).await);
        }
        assert!(answers.iter().all(|answer| !answer.body.contains(token.as_str().unwrap())), "{answers:?}");
    }
}

#[tokio::test]
async fn no_event_no_refusal_and_no_log_line_holds_a_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is kept");

    let daypass = daypass().await;
    let developer = daypass.developer_token("ada").await;
    let mut tokens: Vec<Value> = [OIDC, USER_POOL, GOOGLE].map(|key| daypass.id_token(key, "ada")).into();
    tokens.extend([daypass.facebook_token(FACEBOOK_APP, "ada"), daypass.amazon_token("ada")]);
    tokens.push(developer["Token"].clone());
    show_everywhere(&daypass, &tokens).await;
    daypass.network.time_out(&daypass.issuer(OIDC).discovery_url());
    show_everywhere(&daypass, &tokens).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is kept"));
    let mut seen: Vec<String> = daypass.audit_events().iter().map(Value::to_string).collect();
    assert!(daypass.refusals().len() > 100, "{}", daypass.refusals().len());
    seen.extend(daypass.refusals());
    seen.push(log);
    for token in &tokens {
        let parts = token.as_str().unwrap().rsplit('.').take(2).filter(|part| part.len() > 15);
        for part in parts {
            let leak = seen.iter().find(|text| text.contains(part));
            assert!(leak.is_none(), "{leak:?} holds {part}");
        }
    }
}
