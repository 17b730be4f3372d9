//! Sessions of people whose identities are Amazon's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::public::testing::GOOGLE;
use http::Request;
use serde_json::{Value, json};

use crate::broker::{Amazon, Broker, InProcess, table};
use crate::harness::{Answer, DEVELOPER_PROVIDER, Daypass, GOOGLE_APP, claims, ours};

async fn token(broker: &Broker, members: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    let request = Request::post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
    broker.send(request.body(body).unwrap()).await
}

/// Somebody signs in with a token of the provider's.
async fn sign_in(home: &Daypass, broker: &Broker, more: &[(&str, &str)]) -> Value {
    let subject = home.access_token(&ours(), "ada").await;
    let mut members = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "shop"),
        ("subject_token", &*subject),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_issuer", "snapchat-token"),
    ];
    members.extend(more);
    let answer = token(broker, &members).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn refresh(broker: &Broker, session: &Value, more: &[(&str, &str)]) -> Answer {
    let shown = session["refresh_token"].as_str().unwrap();
    let mut members = vec![("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", shown)];
    members.extend(more);
    token(broker, &members).await
}

#[track_caller]
fn assert_over(answer: &Answer, reason: &str) {
    let told = answer.json();
    assert_eq!((answer.status.as_u16(), told["reason"].as_str()), (400, Some(reason)), "{answer:?}");
}

#[tokio::test]
async fn a_session_goes_on_with_tokens_and_credentials_of_amazons() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let first = sign_in(&amazon.daypass, &broker, &[("credentials", "true"), ("scope", "openid")]).await;
    assert_eq!(claims(&first["access_token"])["sid"], Value::Null, "Amazon's token names no session");
    assert!(first["credentials"]["session_token"].is_string());
    let id_token = claims(&first["id_token"]);
    assert_eq!((&id_token["sub"], &id_token["sid"]), (&first["identity_id"], &first["session_id"]));
    assert_eq!(broker.get("/.well-known/jwks.json").await.json()["keys"].as_array().unwrap().len(), 1);
    let second = refresh(&broker, &first, &[("credentials", "true")]).await;
    assert_eq!(second.status, 200, "{second:?}");
    let second = second.json();
    assert_eq!(second["identity_id"], first["identity_id"]);
    assert!(second["credentials"]["session_token"].is_string());
    assert_eq!(amazon.daypass.identities().await.len(), 1);
}

#[tokio::test]
async fn who_has_an_identity_at_amazon_signs_in_where_a_guest_was() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let first = sign_in(&amazon.daypass, &broker, &[]).await;
    let guest = amazon.guest().await;
    let again = sign_in(&amazon.daypass, &broker, &[("identity_id", guest.as_str())]).await;
    assert_eq!(again["identity_id"], first["identity_id"]);
}

#[tokio::test]
async fn a_session_ends_with_its_login_at_amazon_and_makes_nobody() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let session = sign_in(&amazon.daypass, &broker, &[]).await;
    let (pool, id) = (amazon.daypass.pool_id(), &session["identity_id"]);
    let asked = json!({"IdentityPoolId": pool, "IdentityId": id});
    let user = amazon.daypass.call("LookupDeveloperIdentity", asked).await;
    let unlinked = json!({"IdentityId": id, "IdentityPoolId": pool, "DeveloperProviderName": DEVELOPER_PROVIDER,
        "DeveloperUserIdentifier": user["DeveloperUserIdentifierList"][0]});
    amazon.daypass.call("UnlinkDeveloperIdentity", unlinked).await;
    assert_over(&refresh(&broker, &session, &[]).await, "login_unlinked");
    assert_eq!(amazon.daypass.identities().await.len(), 1);
    sign_in(&amazon.daypass, &broker, &[]).await;
    assert_over(&refresh(&broker, &session, &[]).await, "login_unlinked");
}

#[tokio::test]
async fn everything_ends_everywhere_here_though_amazon_knows_nothing_of_it() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &amazon.table()).await;
    let (phone, laptop) =
        (sign_in(&amazon.daypass, &broker, &[]).await, sign_in(&amazon.daypass, &broker, &[]).await);
    let bearer = format!("Bearer {}", phone["refresh_token"].as_str().unwrap());
    let request = Request::delete("/v1/sessions").header("authorization", bearer);
    assert_eq!(broker.send(request.body(String::new()).unwrap()).await.status, 204);
    for session in [&phone, &laptop] {
        assert_over(&refresh(&broker, session, &[]).await, "revoked");
    }
}

/// The outage is longer than an answer can be had again.
#[tokio::test]
async fn an_outage_of_amazons_ends_no_session() {
    const POOL: &str = "us-east-1:00000000-0000-4000-8000-000000000001";
    let is_down = Arc::new(AtomicBool::new(false));
    let down = is_down.clone();
    let amazon = InProcess::new(move |body| {
        let id = "us-east-1:00000000-0000-4000-8000-000000000002";
        if down.load(Ordering::SeqCst) {
            return (500, json!({"__type": "InternalErrorException"}));
        }
        if body["Logins"].is_null() {
            return (
                200,
                json!({"IdentityId": id, "DeveloperUserIdentifierList": [body["DeveloperUserIdentifier"]]}),
            );
        }
        let claims = json!({"sub": id, "aud": POOL, "exp": 1_790_000_900}).to_string();
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
        (200, json!({"IdentityId": id, "Token": token}))
    });
    let home = Daypass::start().await;
    let tables = table("us-east-1", POOL, "127.0.0.1:1".parse().unwrap());
    let broker = Broker::start_within(&home, home.network.clone(), amazon, &tables).await;
    let session = sign_in(&home, &broker, &[]).await;
    is_down.store(true, Ordering::SeqCst);
    for _ in 0..4 {
        let answer = refresh(&broker, &session, &[]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after").is_empty()),
            (503, false),
            "{answer:?}"
        );
        broker.clock.advance(SignedDuration::from_secs(60));
    }
    is_down.store(false, Ordering::SeqCst);
    let answer = refresh(&broker, &session, &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn an_actors_token_of_amazons_has_both_names_as_tags() {
    let amazon = Amazon::start("us-east-1").await;
    let tables = format!(
        "{}[pool.principal_tags]\nactor = \"{{actor}}\"\n[[provider]]\nid = \"workloads\"\nclient_id = \"{GOOGLE_APP}\"\n\
         name = \"Workloads\"\nregister = \"Here.\"\nid_scope = \"global\"\naccept = [\"id_token\"]\n\
         binding.kind = \"id_token\"\npkce = \"never\"\n[provider.id_token]\nissuers = [\"https://accounts.google.com\"]\n\
         keys = {{ jwks = \"https://www.googleapis.com/oauth2/v3/certs\" }}\nnonce = \"none\"\nsubject = {{ at = \"/sub\" }}\n\
         [[actor]]\nid = \"mailer\"\nprovider = \"workloads\"\nsubject = \"mailer\"\napps = [\"shop\"]\n",
        amazon.table()
    );
    let broker = Broker::start(&amazon.daypass, &tables).await;
    let session = sign_in(&amazon.daypass, &broker, &[("scope", "openid")]).await;
    let actor = amazon.daypass.id_token(GOOGLE, "mailer");
    let members = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "shop"),
        ("subject_token", session["id_token"].as_str().unwrap()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("actor_token", actor.as_str().unwrap()),
        ("actor_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("credentials", "true"),
    ];
    let answer = token(&broker, &members).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let given = answer.json();
    assert_eq!((&given["identity_id"], &given["expires_in"]), (&session["identity_id"], &900.into()));
    let tags = claims(&given["access_token"])["https://aws.amazon.com/tags"].clone();
    assert_eq!(tags, json!({"principal_tags": {"actor": ["mailer"]}}));
    assert_eq!(claims(&session["access_token"])["https://aws.amazon.com/tags"], Value::Null);
    let events = broker.audit_events();
    let acted = events.iter().filter(|event| event["actor"] == "mailer").map(|event| event["action"].clone());
    assert_eq!(acted.collect::<Vec<_>>(), ["credentials", "exchange"]);
}
