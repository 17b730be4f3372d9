//! Principal tags of everybody who logs in.

use serde_json::json;

use crate::broker::{Amazon, Broker};
use crate::harness::claims;

const TAGS: &str = "[pool.principal_tags]\nfrom = \"{provider}\"\nteam = \"red\"\n";

#[tokio::test]
async fn they_stand_in_the_token() {
    let amazon = Amazon::start("us-east-1").await;
    let broker = Broker::start(&amazon.daypass, &format!("{}{TAGS}", amazon.table())).await;
    let login = amazon.daypass.sign_in("ada").await;
    let answer = broker.exchange(&login.proof_with("credentials", true)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let claims = claims(&answer.json()["token"]);
    let expected = json!({"principal_tags": {"from": ["snapchat"], "team": ["red"]}});
    assert_eq!(claims["https://aws.amazon.com/tags"], expected);
}

#[tokio::test]
async fn the_external_id_is_a_tag_where_it_can_be_one() {
    let amazon = Amazon::start("us-east-1").await;
    let tags = "[pool.principal_tags]\nwho = \"{subject}\"\n";
    let broker = Broker::start(&amazon.daypass, &format!("{}{tags}", amazon.table())).await;
    let login = amazon.daypass.sign_in("ada").await;
    let answer = broker.exchange(&login.proof()).await.json();
    let who = claims(&answer["token"])["https://aws.amazon.com/tags"]["principal_tags"]["who"][0].clone();
    let user = broker.audit_events()[0]["developer_user_identifier"].clone();
    assert_eq!(user, format!("snapchat:{}", who.as_str().unwrap()));
}
