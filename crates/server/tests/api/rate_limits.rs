//! How often somebody may ask, and what they hear who ask more often.

use http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, Credentials, DEVELOPER_PROVIDER, Daypass, exchange_request};

const PROGRAM: &str = "a program";

async fn limited(limits: &str) -> Daypass {
    Daypass::start().with_tables(&format!("[limits]\n{limits}\n")).await
}

#[track_caller]
fn assert_problem(answer: &Answer) {
    answer.assert_problem(429, "too_many_requests");
    assert_told_when(answer);
}

#[track_caller]
fn assert_told_when(answer: &Answer) {
    // Two in an hour: the next may come after half of it, in real time.
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=1_800).contains(&seconds), "{answer:?}");
}

/// AWS tells it as a client's mistake, and its SDKs know it by the code (docs/reference/cognito-identity.md, 1.3).
#[track_caller]
fn assert_throttled(answer: &Answer) {
    assert_eq!(answer.status, 400, "{answer:?}");
    answer.assert_code("TooManyRequestsException");
    assert_told_when(answer);
}

#[tokio::test]
async fn an_address_hears_it_in_the_form_of_whatever_it_asked_and_others_do_not() {
    let daypass = limited("address = \"2/h\"").await;
    daypass.called_from("8.8.8.8", PROGRAM);
    for _ in 0..2 {
        assert_eq!(daypass.get("/v1/providers").await.status, 200);
    }
    assert_problem(&daypass.get("/v1/providers").await);
    assert_problem(&daypass.send(exchange_request("{}".into())).await);
    assert_throttled(&daypass.public("GetId", json!({"IdentityPoolId": daypass.pool_id()})).await);
    let sts = daypass.sts(&[("Action", "GetCallerIdentity")]).await;
    assert_eq!((sts.status.as_u16(), sts.element("Code")), (400, "Throttling"), "{sts:?}");
    let form = Request::post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
    let oauth = daypass.send(form.body("grant_type=refresh_token".into()).unwrap()).await;
    assert_eq!(oauth.status, 429);
    assert_eq!(oauth.json()["error"], "temporarily_unavailable");
    let page = daypass.get("/login").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (429, "text/html; charset=utf-8"));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(daypass.get(path).await.status, 200, "{path}");
    }
    for other in ["9.9.9.9", "10.0.0.1", "10.0.0.1", "10.0.0.1"] {
        daypass.called_from(other, PROGRAM);
        assert_eq!(daypass.get("/v1/providers").await.status, 200, "{other}");
    }
}

#[tokio::test]
async fn an_access_key_counts_where_it_has_signed_and_not_where_somebody_only_names_it() {
    let daypass = limited("access_key = \"2/h\"").await;
    let forged = Credentials::of_developer(&daypass.key.access_key_id, "not the secret");
    let list = || json!({"MaxResults": 1});
    for _ in 0..5 {
        let answer = daypass.signed_by(&forged, "ListIdentityPools", list()).await;
        answer.assert_code("InvalidSignatureException");
    }
    for _ in 0..2 {
        daypass.call("ListIdentityPools", list()).await;
    }
    assert_throttled(&daypass.signed("ListIdentityPools", list()).await);
    assert_eq!(daypass.get("/v1/providers").await.status, 200);
}

#[tokio::test]
async fn an_operation_has_its_limit_for_everybody_together() {
    let daypass = limited("operations = { ListIdentityPools = \"2/h\", GetId = \"2/h\" }").await;
    let forged = Credentials::of_developer(&daypass.key.access_key_id, "not the secret");
    for _ in 0..5 {
        let answer = daypass.signed_by(&forged, "ListIdentityPools", json!({"MaxResults": 1})).await;
        answer.assert_code("InvalidSignatureException");
    }
    for _ in 0..2 {
        daypass.call("ListIdentityPools", json!({"MaxResults": 1})).await;
    }
    assert_throttled(&daypass.signed("ListIdentityPools", json!({"MaxResults": 1})).await);
    let guest = || daypass.public("GetId", json!({"IdentityPoolId": daypass.pool_id()}));
    for _ in 0..2 {
        assert_eq!(guest().await.json()["__type"], "NotAuthorizedException", "the pool has no guests");
    }
    assert_throttled(&guest().await);
    daypass.developer_token("somebody").await;
}

#[tokio::test]
async fn a_person_gets_so_many_tokens_whoever_asks_and_the_trail_knows_of_those_refused() {
    let daypass = limited("person = \"2/h\"").await;
    let ask = |user: &'static str| {
        let logins = json!({DEVELOPER_PROVIDER: user});
        let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins});
        daypass.signed("GetOpenIdTokenForDeveloperIdentity", input)
    };
    for _ in 0..2 {
        assert_eq!(ask("somebody").await.status, 200);
    }
    assert_throttled(&ask("somebody").await);
    assert_eq!(ask("somebody else").await.status, 200);

    for _ in 0..2 {
        daypass.enter("ada").await;
    }
    let login = daypass.sign_in("ada").await;
    assert_problem(&daypass.exchange(&login.proof()).await);
    let events = daypass.audit_events();
    let refused: Vec<&Value> = events.iter().filter(|it| it["reason"] == "too_many_requests").collect();
    assert_eq!(refused.len(), 1, "{events:?}");
    assert_eq!((&refused[0]["action"], &refused[0]["outcome"]), (&json!("exchange"), &json!("refused")));
    daypass.enter("grace").await;
}

#[tokio::test]
async fn an_app_counts_by_its_client_id() {
    let daypass = limited("app = \"2/h\"").await;
    let refresh = |client: &str| {
        let form = Request::post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
        let body = format!("grant_type=refresh_token&refresh_token=none&client_id={client}");
        daypass.send(form.body(body).unwrap())
    };
    for _ in 0..2 {
        assert_eq!(refresh("shop").await.json()["code"], "refresh_token_refused");
    }
    let refused = refresh("shop").await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (429, &json!("too_many_requests")));
    assert_told_when(&refused);
    let revoke = Request::post("/oauth2/revoke").header("content-type", "application/x-www-form-urlencoded");
    let revoked = daypass.send(revoke.body("token=none&client_id=shop".into()).unwrap()).await;
    assert_eq!(revoked.status, 200, "to sign out is never too often");
    assert_eq!(refresh("no such app").await.json()["code"], "unknown_app");
}

#[tokio::test]
async fn a_limit_changes_while_the_server_runs() {
    let mut daypass = limited("address = \"2/h\"").await;
    daypass.called_from("8.8.8.8", PROGRAM);
    for _ in 0..2 {
        assert_eq!(daypass.get("/v1/providers").await.status, 200);
    }
    assert_problem(&daypass.get("/v1/providers").await);
    daypass.reread(|_| {}, "").await.unwrap();
    for _ in 0..3 {
        assert_eq!(daypass.get("/v1/providers").await.status, 200);
    }
}
