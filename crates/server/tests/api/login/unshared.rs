//! What is there of the hosted login where each process has a store of its own: nothing that could not end.

use serde_json::json;

use crate::harness::{Backend, Daypass, Wishes};

const TELEGRAM: &str = "[[provider]]\nid = \"telegram-widget\"\nclient_id = \"123456\"\n\
                        client_secret = { env = \"CARGO_PKG_NAME\" }\n";

async fn start() -> Daypass {
    Daypass::start().on(Backend::unshared()).with_tables(TELEGRAM).await
}

#[tokio::test]
async fn there_is_no_sign_in_page_and_nobody_is_sent_to_one() {
    let daypass = start().await;
    let query = Wishes::new().query();
    for path in ["/login", "/login/snapchat", "/login/snapchat/callback", "/login/style.css"] {
        let answer = daypass.get(&format!("{path}?{query}")).await;
        answer.assert_problem(404, "not_found");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let listed = daypass.get("/v1/providers").await.json();
    let listed = listed["providers"].as_array().unwrap();
    let ids: Vec<_> = listed.iter().map(|provider| provider["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["snapchat", "snapchat-token"], "whose every proof has to be counted is not offered");
    assert!(listed.iter().all(|provider| provider.get("login_url").is_none()), "{listed:?}");
}

#[tokio::test]
async fn what_needs_no_counting_is_exchanged() {
    let daypass = start().await;
    daypass.enter("ada").await;
}

#[tokio::test]
async fn a_proof_that_nobody_can_count_is_refused_and_is_no_outage() {
    let daypass = start().await;
    let proof = json!({"provider": "telegram-widget", "signed_fields": {"id": "1", "hash": "00"},
        "redirect_uri": "https://shop.example/signed-in"});
    let refused = daypass.exchange(&proof).await;
    refused.assert_problem(401, "proof_kind_not_accepted");
    // With a store that all share it is taken at the door, and then not believed.
    let sharing = Daypass::start().with_tables(TELEGRAM).await;
    sharing.exchange(&proof).await.assert_problem(401, "proof_refused");
}
