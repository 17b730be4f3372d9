//! Exchanges whose identities, tokens and credentials come from the other side of the wire.

use daypass_core::ground::clock::SignedDuration;
use serde_json::json;

use crate::broker::{Amazon, Broker};
use crate::harness::{Credentials, DEVELOPER_PROVIDER, claims};

#[tokio::test]
async fn a_login_becomes_an_identity_of_the_pool_and_the_same_one_every_time() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let login = amazon.daypass.sign_in("ada").await;
    let first = broker.exchange(&login.proof()).await;
    assert_eq!(first.status, 200, "{first:?}");
    let first = first.json();
    let claims = claims(&first["token"]);
    assert_eq!(claims["sub"], first["identity_id"]);
    assert_eq!(claims["aud"], amazon.daypass.pool_id());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert_eq!(first["expires_at"], "2026-09-21T14:28:20Z");
    assert_eq!((&first["region"], &first["identity_pool_id"]), (&json!("us-east-1"), &claims["aud"]));
    assert_eq!(first["user"]["name"], "Ada");

    let login = amazon.daypass.sign_in("ada").await;
    assert_eq!(broker.exchange(&login.proof()).await.json()["identity_id"], first["identity_id"]);
    assert_eq!(amazon.daypass.identities().await.len(), 1);
}

#[tokio::test]
async fn credentials_come_along_if_they_are_asked_for_and_work() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let login = amazon.daypass.sign_in("ada").await;
    let answer = broker.exchange(&login.proof_with("credentials", true)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let credentials = &answer["credentials"];
    assert_eq!(credentials["expiration"], "2026-09-21T15:13:20Z");
    let text = |member: &str| credentials[member].as_str().unwrap().to_owned();
    let session = Credentials {
        access_key_id: text("access_key_id"),
        secret_access_key: text("secret_access_key"),
        session_token: Some(text("session_token")),
    };
    assert!(amazon.daypass.caller_arn(&session).await.ends_with("authenticated/CognitoIdentityCredentials"));

    let events = broker.audit_events();
    assert_eq!(events.iter().map(|event| &event["action"]).collect::<Vec<_>>(), ["credentials", "exchange"]);
    for event in &events {
        assert_eq!(event["identity_id"], answer["identity_id"]);
        assert!(event["developer_user_identifier"].as_str().unwrap().starts_with("snapchat:"));
    }
    assert_eq!(events[0]["access_key_id"], credentials["access_key_id"]);
}

#[tokio::test]
async fn a_token_lives_as_long_as_was_asked_within_the_limit() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let login = amazon.daypass.sign_in("ada").await;
    let answer = broker.exchange(&login.proof_with("token_duration", 3_601)).await;
    answer.assert_problem(400, "token_duration_too_long");

    let day = format!("max_token_duration = \"24h\"\n{}", amazon.table());
    let broker = Broker::start(&amazon.daypass, &day).await;
    let login = amazon.daypass.sign_in("ada").await;
    let answer = broker.exchange(&login.proof_with("token_duration", 86_400)).await.json();
    assert_eq!(answer["expires_at"], "2026-09-22T14:13:20Z");
}

#[tokio::test]
async fn a_token_that_nobody_gave_a_life_to_keeps_within_the_limit() {
    let amazon = Amazon::start("us-east-1").await;
    let short = format!("max_token_duration = \"60s\"\n{}", amazon.table());
    let broker = Broker::start(&amazon.daypass, &short).await;
    let login = amazon.daypass.sign_in("ada").await;
    let answer = broker.exchange(&login.proof()).await.json();
    let claims = claims(&answer["token"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
}

#[tokio::test]
async fn a_guest_who_logs_in_keeps_the_identity() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let guest = amazon.guest().await;
    let login = amazon.daypass.sign_in("ada").await;
    let upgraded = broker.exchange(&login.proof_with("identity_id", guest.clone())).await.json();
    assert_eq!(upgraded["identity_id"], guest);
    let login = amazon.daypass.sign_in("ada").await;
    assert_eq!(broker.exchange(&login.proof()).await.json()["identity_id"], guest);
}

#[tokio::test]
async fn an_identity_without_its_logins_is_no_guest() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    amazon.guest().await;
    let pool_id = amazon.daypass.pool_id();
    let [unlinked, merged, survivor] = ["unlinked", "merged", "survivor"];
    let of = async |user: &str| amazon.daypass.developer_token(user).await["IdentityId"].clone();
    let identities = [of(unlinked).await, of(merged).await];
    of(survivor).await;
    let input = json!({"IdentityPoolId": pool_id, "IdentityId": identities[0],
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": unlinked});
    assert_eq!(amazon.daypass.signed("UnlinkDeveloperIdentity", input).await.status, 200);
    let input = json!({"IdentityPoolId": pool_id, "DeveloperProviderName": DEVELOPER_PROVIDER,
        "SourceUserIdentifier": merged, "DestinationUserIdentifier": survivor});
    amazon.daypass.call("MergeDeveloperIdentities", input).await;
    for id in identities {
        assert_eq!(amazon.daypass.describe(&id).await.get("Logins"), None);
        let login = amazon.daypass.sign_in("grace").await;
        let answer = broker.exchange(&login.proof_with("identity_id", id)).await;
        answer.assert_problem(401, "identity_refused");
    }
}

#[tokio::test]
async fn the_pools_refusals_are_those_of_our_own() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let login = amazon.daypass.sign_in("ada").await;
    let ada = broker.exchange(&login.proof()).await.json();
    let with_identity = async |person: &str, id: serde_json::Value| {
        let login = amazon.daypass.sign_in(person).await;
        broker.exchange(&login.proof_with("identity_id", id)).await
    };
    with_identity("grace", ada["identity_id"].clone()).await.assert_problem(401, "identity_refused");
    let guest = amazon.guest().await;
    with_identity("ada", guest.into()).await.assert_problem(409, "login_belongs_to_another_identity");
    let unknown = json!("us-east-1:00000000-0000-4000-8000-000000000000");
    with_identity("grace", unknown).await.assert_problem(400, "unknown_identity");
    let elsewhere = json!("eu-west-1:00000000-0000-4000-8000-000000000000");
    with_identity("grace", elsewhere).await.assert_problem(400, "unknown_identity");
    let details: Vec<_> = broker
        .audit_events()
        .iter()
        .filter_map(|event| event["detail"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(details.len(), 4, "{details:?}");
    assert!(details[0].starts_with("This identity has other logins"), "{details:?}");
}

#[tokio::test]
async fn the_paths_of_the_embedded_pool_are_absent() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    assert!(broker.app.embedded.is_none());
    let get = async |path: &str| broker.get(path).await.status.as_u16();
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/v1/providers", 200), ("/login", 400)] {
        assert_eq!(get(path).await, status, "{path}");
    }
    assert_eq!(get("/").await, 404);
}

#[tokio::test]
async fn a_page_learns_where_amazons_pool_answers_and_nothing_of_its_guests() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let listed = broker.get("/v1/providers").await.json();
    assert_eq!(listed["identity_pool_id"], amazon.daypass.pool_id());
    assert_eq!(listed["region"], "us-east-1");
    assert!(amazon.table().contains(listed["identity_pool_endpoint"].as_str().unwrap()), "{listed}");
    assert_eq!(listed.get("guests"), None, "nobody has looked");
}

#[tokio::test]
async fn identical_exchanges_are_one_call_and_each_has_its_event() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let logins = [amazon.daypass.sign_in("ada").await, amazon.daypass.sign_in("ada").await];
    let other = amazon.daypass.sign_in("ada").await.proof_with("token_duration", 60);
    let [first, second] = logins.map(|login| login.proof());
    let a_moment_later = async {
        broker.clock.advance(SignedDuration::from_millis(1));
        broker.exchange(&second).await
    };
    let (first, second, other) =
        tokio::join!(broker.exchange(&first), a_moment_later, broker.exchange(&other));
    let [first, second, other] = [first, second, other].map(|answer| answer.json());
    assert_eq!(first["token"], second["token"]);
    assert_ne!(first["token"], other["token"], "another wish is another call");
    let metrics = broker.app.metrics.text();
    let calls = "daypass_pool_calls_total{region=\"us-east-1\",operation=\"GetOpenIdTokenForDeveloperIdentity\",outcome=\"ok\"} 2\n";
    assert!(metrics.contains(calls), "{metrics}");
    let events = broker.audit_events();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event["identity_id"] == first["identity_id"]));
    assert_ne!(events[0]["request_id"], events[1]["request_id"]);
}
