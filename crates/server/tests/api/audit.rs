//! The audit trail: one event for each decision, and no secret in any of them, nor in any refusal.

use std::collections::BTreeSet;

use daypass_core::audit::{AuditEvent, AuditSubject};
use daypass_core::ground::ids::{AccessKeyId, IdentityId, RequestId};
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::harness::{
    AUTHENTICATED_ROLE, Browser, CLIENT_SECRET, DEVELOPER_PROVIDER, Daypass, Wishes, exchange_request, ours,
};

const TIME: &str = "2026-09-21T14:13:20Z";
const ADA: &str = "snapchat:6Wb4xAG6hQwofI5BVIXN7lap+SdaluC/4JjlCAe2kPs=";
const NOWHERE: &str = "arn:aws:iam::000000000000:role/nowhere";

/// The one event that a request led to, besides those before it.
async fn event_after(daypass: &Daypass, before: usize) -> Value {
    let events = daypass.audit_events();
    assert_eq!(events.len(), before + 1, "{events:#?}");
    let event = events[before].clone();
    let id = RequestId::parse(event["request_id"].as_str().unwrap()).unwrap();
    let kept = daypass.store.list_audit_events(&AuditSubject::Request(id), 10).await.unwrap();
    assert_eq!(json!(kept), json!([event]));
    event
}

/// The one event that a request of nobody led to: in the sample, and not in the trail.
async fn sampled_after(daypass: &Daypass, before: usize) -> Value {
    let events = daypass.audit_events();
    assert_eq!(events.len(), before + 1, "{events:#?}");
    let event = events[before].clone();
    let about = AuditSubject::Request(RequestId::parse(event["request_id"].as_str().unwrap()).unwrap());
    assert_eq!(daypass.store.list_audit_events(&about, 10).await.unwrap(), []);
    let sampled = daypass.store.list_unproved_refusals(&about, 10).await.unwrap();
    assert_eq!(json!(sampled), json!([event]));
    event
}

#[tokio::test]
async fn an_exchange() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    let answer = daypass.exchange(&login.proof()).await;
    let expected = json!({
        "time": TIME,
        "request_id": answer.header("x-amzn-requestid"),
        "action": "exchange",
        "outcome": "allowed",
        "provider": "snapchat",
        "developer_user_identifier": ADA,
        "identity_id": answer.json()["identity_id"],
    });
    assert_eq!(event_after(&daypass, 0).await, expected);
}

#[tokio::test]
async fn a_refused_exchange() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("oscar").await;
    let answer = daypass.exchange(&login.proof()).await;
    let expected = json!({
        "time": TIME,
        "request_id": answer.header("x-amzn-requestid"),
        "action": "exchange",
        "outcome": "refused",
        "reason": "provider_reported_error",
        "detail": "the provider answered with an error (UNAUTHORIZED_USER)",
        "provider": "snapchat",
    });
    assert_eq!(sampled_after(&daypass, 0).await, expected);
}

/// However long what they send and however often, nobody who proves nothing adds to what is kept for good.
#[tokio::test]
async fn what_nobody_proved_is_cut_and_counted() {
    let daypass = Daypass::start().await;
    let long_role = format!("arn:aws:iam::000000000000:role/{}", "ü".repeat(2_000));
    for _ in 0..30 {
        assume(&daypass, &json!("not.a.token"), &long_role).await;
    }
    let events = daypass.audit_events();
    assert_eq!(events.len(), 30);
    let mut sampled = 0;
    for event in &events {
        assert!(event.to_string().len() < 1_000, "{event}");
        assert_eq!(event["resource"].as_str().unwrap().chars().count(), 200);
        let id = RequestId::parse(event["request_id"].as_str().unwrap()).unwrap();
        let about = AuditSubject::Request(id);
        assert_eq!(daypass.store.list_audit_events(&about, 10).await.unwrap(), []);
        sampled += daypass.store.list_unproved_refusals(&about, 10).await.unwrap().len();
    }
    assert_eq!(sampled, 10);
}

#[tokio::test]
async fn an_exchange_refused_for_the_identity_names_the_person() {
    let daypass = Daypass::start().await;
    let grace = daypass.enter("grace").await;
    let login = daypass.sign_in("ada").await;
    daypass.exchange(&login.proof_with("identity_id", grace["identity_id"].clone())).await;
    let event = event_after(&daypass, 1).await;
    assert_eq!((&event["outcome"], &event["developer_user_identifier"]), (&json!("refused"), &json!(ADA)));
}

#[tokio::test]
async fn credentials_that_come_with_an_exchange_are_a_decision_of_their_own() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    let answer = daypass.exchange(&login.proof_with("credentials", true)).await.json();
    let events = daypass.audit_events();
    let actions: Vec<&Value> = events.iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["credentials", "exchange"]);
    assert_eq!(events[0]["access_key_id"], answer["credentials"]["access_key_id"]);
    assert_eq!(events[0]["request_id"], events[1]["request_id"]);
}

#[tokio::test]
async fn a_token_for_a_developers_user() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("42").await;
    let event = event_after(&daypass, 0).await;
    let expected = json!({
        "time": TIME,
        "request_id": event["request_id"],
        "action": "token",
        "outcome": "allowed",
        "developer_user_identifier": "42",
        "identity_id": token["IdentityId"],
        "access_key_id": daypass.key.access_key_id,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn credentials_and_who_is_behind_them() {
    let daypass = Daypass::start().await;
    let entered = daypass.enter("ada").await;
    let answer = daypass.get_credentials(&entered).await;
    let key_id = answer.json()["Credentials"]["AccessKeyId"].clone();
    let expected = json!({
        "time": TIME,
        "request_id": answer.header("x-amzn-requestid"),
        "action": "credentials",
        "outcome": "allowed",
        "developer_user_identifier": ADA,
        "identity_id": entered["identity_id"],
        "access_key_id": key_id,
        "resource": AUTHENTICATED_ROLE,
    });
    assert_eq!(event_after(&daypass, 1).await, expected);

    let key = AuditSubject::AccessKey(AccessKeyId::parse(key_id.as_str().unwrap()).unwrap());
    assert_eq!(people(&daypass, key).await, [ADA]);
    let identity = IdentityId::parse(entered["identity_id"].as_str().unwrap()).unwrap();
    assert_eq!(people(&daypass, AuditSubject::Identity(identity)).await, [ADA, ADA]);
}

async fn people(daypass: &Daypass, about: AuditSubject) -> Vec<String> {
    let events: Vec<AuditEvent> = daypass.store.list_audit_events(&about, 10).await.unwrap();
    events.into_iter().filter_map(|event| event.developer_user_identifier).collect()
}

#[tokio::test]
async fn refused_credentials() {
    let daypass = Daypass::start().await;
    let ada = daypass.enter("ada").await;
    let mixed_with = daypass.enter("grace").await;
    let mut mixed = mixed_with.clone();
    mixed["identity_id"] = ada["identity_id"].clone();
    let answer = daypass.get_credentials(&mixed).await;
    let expected = json!({
        "time": TIME,
        "request_id": answer.header("x-amzn-requestid"),
        "action": "credentials",
        "outcome": "refused",
        "reason": "logins_do_not_match",
        "detail": "the logins are not those of the identity",
        "identity_id": ada["identity_id"],
        "resource": format!("with the token of {}", mixed_with["identity_id"].as_str().unwrap()),
    });
    assert_eq!(event_after(&daypass, 2).await, expected);

    mixed["token"] = "no.such.token".into();
    daypass.get_credentials(&mixed).await;
    let event = sampled_after(&daypass, 3).await;
    assert_eq!((&event["identity_id"], event.get("resource")), (&ada["identity_id"], None));
}

async fn assume(daypass: &Daypass, token: &Value, role_arn: &str) -> crate::harness::Answer {
    let members = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", role_arn),
        ("RoleSessionName", "sess"),
        ("WebIdentityToken", token.as_str().unwrap()),
    ];
    daypass.sts(&members).await
}

#[tokio::test]
async fn an_assumed_role_and_a_refused_one() {
    let daypass = Daypass::start().await;
    let entered = daypass.enter("ada").await;
    let answer = assume(&daypass, &entered["token"], AUTHENTICATED_ROLE).await;
    let mut expected = json!({
        "time": TIME,
        "request_id": answer.header("x-amzn-requestid"),
        "action": "assume",
        "outcome": "allowed",
        "developer_user_identifier": ADA,
        "identity_id": entered["identity_id"],
        "access_key_id": answer.element("AccessKeyId"),
        "resource": AUTHENTICATED_ROLE,
    });
    assert_eq!(event_after(&daypass, 1).await, expected);

    let refused = assume(&daypass, &entered["token"], NOWHERE).await;
    expected["request_id"] = refused.header("x-amzn-requestid").into();
    expected["outcome"] = "refused".into();
    expected["reason"] = "role_refused".into();
    expected["detail"] = "there is no such role".into();
    expected["resource"] = NOWHERE.into();
    expected.as_object_mut().unwrap().remove("access_key_id");
    assert_eq!(event_after(&daypass, 2).await, expected);
}

#[tokio::test]
async fn no_event_and_no_refusal_holds_what_must_not_be_seen() {
    let daypass = Daypass::start().await;
    let mut secrets = vec![CLIENT_SECRET.to_owned(), daypass.key.secret_access_key.clone()];
    let login = daypass.sign_in("ada").await;
    secrets.extend([login.code.clone(), login.code_verifier.clone()]);
    let entered = daypass.exchange(&login.proof_with("credentials", true)).await.json();
    for pointer in ["/token", "/credentials/secret_access_key", "/credentials/session_token"] {
        secrets.push(entered.pointer(pointer).unwrap().as_str().unwrap().to_owned());
    }
    let session = daypass.credentials(&entered).await;
    secrets.extend([session.secret_access_key.clone(), session.session_token.clone().unwrap()]);
    let access_token = daypass.access_token(&ours(), "grace").await;
    secrets.push(access_token.clone());

    misuse_everything(&daypass, &login.proof(), &entered, &access_token).await;
    daypass.signed_by(&session, "CreateIdentityPool", json!({})).await;

    let events = daypass.audit_events().into_iter().map(|event| event.to_string());
    let seen: Vec<String> = events.chain(daypass.refusals()).collect();
    assert_eq!(daypass.refusals().len(), 11);
    for secret in &secrets {
        assert!(secret.len() > 20, "a secret too short to look for");
        let leak = seen.iter().find(|text| text.contains(secret));
        assert!(leak.is_none(), "{leak:?} holds {secret}");
    }
}

/// Eleven refusals, less the one of the caller: every secret in every place where it does not belong.
async fn misuse_everything(daypass: &Daypass, proof: &Value, entered: &Value, access_token: &str) {
    let mut twice = proof.clone();
    twice["access_token"] = access_token.into();
    let mut unknown = proof.clone();
    unknown["provider"] = entered["token"].clone();
    let bare = json!({"provider": "snapchat", "access_token": access_token});
    for body in [proof, &twice, &unknown, &bare] {
        daypass.exchange(body).await;
    }

    let logins = json!({"cognito-identity.amazonaws.com": entered["token"]});
    let id = &entered["identity_id"];
    daypass.public("GetId", json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins})).await;
    daypass.public("GetOpenIdToken", json!({"IdentityId": id, "Logins": logins})).await;
    let as_developer = json!({DEVELOPER_PROVIDER: entered["token"]});
    daypass.public("GetCredentialsForIdentity", json!({"IdentityId": id, "Logins": as_developer})).await;
    daypass.public("ListIdentities", json!({"NextToken": entered["token"]})).await;

    assume(daypass, &entered["token"], NOWHERE).await;
    assume(daypass, &json!(access_token), AUTHENTICATED_ROLE).await;
}

#[tokio::test]
async fn a_call_that_a_policy_refuses_and_who_made_it() {
    let daypass = Daypass::start().await;
    let entered = daypass.enter("ada").await;
    let credentials = daypass.credentials(&entered).await;
    let before = daypass.audit_events().len();
    let input = json!({"IdentityPoolId": daypass.pool_id()});
    daypass.signed_by(&credentials, "DeleteIdentityPool", input).await.assert_code("AccessDeniedException");
    let event = event_after(&daypass, before).await;
    let pool = format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{}", daypass.pool_id());
    let expected = json!({
        "time": TIME,
        "request_id": event["request_id"],
        "action": "api_request",
        "outcome": "refused",
        "reason": "access_denied",
        "detail": "no policy allows it",
        "identity_id": entered["identity_id"],
        "access_key_id": credentials.access_key_id,
        "resource": format!("cognito-identity:DeleteIdentityPool on {pool}"),
    });
    assert_eq!(event, expected);
}

/// A decision at each door, of which some are refused and some are nobody's.
async fn decide_at_every_door(daypass: &Daypass) {
    let ada = daypass.enter("ada").await;
    daypass.exchange(&daypass.sign_in("oscar").await.proof()).await;
    Browser::new(daypass).sign_in(&Wishes::new()).await;
    let may_not = daypass.credentials(&ada).await;
    let pool = json!({"IdentityPoolId": daypass.pool_id()});
    daypass.signed_by(&may_not, "DeleteIdentityPool", pool).await.assert_code("AccessDeniedException");
    daypass.assume(&ada["token"], AUTHENTICATED_ROLE).await;
    daypass.assume(&ada["token"], NOWHERE).await;
    daypass.assume(&json!("not.a.token"), AUTHENTICATED_ROLE).await;
    let dev = daypass.developer_token("42").await;
    let mut link = daypass.sign_in("grace").await.proof();
    link["first"] = daypass.sign_in("ada").await.proof();
    let link = Request::post("/v1/link").header("content-type", "application/json").body(link.to_string());
    daypass.send(link.unwrap()).await;
    let roles = json!({"authenticated": AUTHENTICATED_ROLE});
    daypass.call("SetIdentityPoolRoles", json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles})).await;
    let user = json!({
        "IdentityId": dev["IdentityId"], "IdentityPoolId": daypass.pool_id(),
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": "42",
    });
    daypass.call("UnlinkDeveloperIdentity", user).await;
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [ada["identity_id"]]})).await;
}

#[tokio::test]
async fn every_event_of_a_request_says_where_it_came_from_and_what_by() {
    let daypass = Daypass::start().await;
    daypass.called_from("::ffff:203.0.113.9", "Mozilla/5.0 (é)\tx");
    decide_at_every_door(&daypass).await;
    let events = daypass.audit_events();
    let actions: BTreeSet<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    let expected = [
        "api_request",
        "assume",
        "credentials",
        "delete",
        "exchange",
        "link",
        "logins",
        "pool",
        "sign_in",
        "token",
    ];
    assert_eq!(actions, expected.into());
    for event in &events {
        assert_eq!(event["source_ip"], "203.0.113.9", "{event}");
        assert_eq!(event["user_agent"], "Mozilla/5.0 (é)\\tx", "{event}");
    }
}

#[tokio::test]
async fn an_operator_who_wants_no_callers_in_the_trail_has_none() {
    let daypass = Daypass::start().with_tables("[audit]\ncallers = false\n").await;
    daypass.called_from("203.0.113.9", "curl/8.5");
    decide_at_every_door(&daypass).await;
    let events = daypass.audit_events();
    assert!(events.len() > 10);
    for event in events.iter().map(Value::to_string) {
        assert!(
            !event.contains("203.0.113.9") && !event.contains("curl") && !event.contains("_ip"),
            "{event}"
        );
    }
}

/// A header is a stranger's to choose, as the whole request is.
#[tokio::test]
async fn who_names_somebody_else_or_endlessly_is_not_believed() {
    let daypass = Daypass::start().await;
    let long: &'static str = "x".repeat(5_000).leak();
    daypass.called_from("203.0.113.9", long);
    let login = daypass.sign_in("ada").await;
    let mut request = exchange_request(login.proof().to_string());
    request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("198.51.100.7"));
    daypass.send(request).await;
    let [event] = &daypass.audit_events()[..] else { panic!("one event") };
    assert_eq!(event["source_ip"], "203.0.113.9");
    assert_eq!(event["user_agent"].as_str().unwrap().chars().count(), 200);
}
