//! Pools in several Regions: who is asked, and what is found of a person afterwards.

use daypass_core::audit::AuditSubject;
use daypass_core::ground::clock::SignedDuration;
use serde_json::{Value, json};

use crate::broker::{Amazon, Broker, table};
use crate::faults::{Fake, POOL, closed_port};

async fn two() -> (Amazon, Amazon, Broker) {
    let (east, west) = (Amazon::start("us-east-1").await, Amazon::start("eu-west-1").await);
    let broker = Broker::start(&east.daypass, &format!("{}{}", east.table(), west.table())).await;
    (east, west, broker)
}

async fn enter(broker: &Broker, home: &Amazon, person: &str, region: Option<&str>) -> Value {
    let login = home.daypass.sign_in(person).await;
    let mut body = login.proof();
    if let Some(region) = region {
        body["region"] = region.into();
    }
    let answer = broker.exchange(&body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn the_first_region_answers_unless_another_one_is_asked_for() {
    let (east, west, broker) = two().await;
    let first = enter(&broker, &east, "ada", None).await;
    assert_eq!(first["region"], "us-east-1");
    let other = enter(&broker, &east, "ada", Some("eu-west-1")).await;
    assert_eq!(
        (&other["region"], &other["identity_pool_id"]),
        (&json!("eu-west-1"), &json!(west.daypass.pool_id()))
    );
    assert_ne!(first["identity_id"], other["identity_id"]);

    let login = east.daypass.sign_in("ada").await;
    let nowhere = broker.exchange(&login.proof_with("region", "ap-south-1")).await;
    nowhere.assert_problem(400, "unknown_region");
    assert!(nowhere.body.contains("us-east-1, eu-west-1"));
    assert_eq!(broker.exchange(&login.proof()).await.status, 200, "and the proof was not spent for that");
}

#[tokio::test]
async fn a_guest_is_upgraded_where_they_are() {
    let (east, west, broker) = two().await;
    let guest = west.guest().await;
    let login = east.daypass.sign_in("ada").await;
    let upgraded = broker.exchange(&login.proof_with("identity_id", guest.clone())).await.json();
    assert_eq!((&upgraded["identity_id"], &upgraded["region"]), (&json!(guest), &json!("eu-west-1")));
    let login = east.daypass.sign_in("grace").await;
    let mut body = login.proof_with("identity_id", guest);
    body["region"] = "us-east-1".into();
    broker.exchange(&body).await.assert_problem(400, "unknown_identity");
}

#[tokio::test]
async fn the_identities_of_a_person_are_found_in_every_region() {
    let (east, _west, broker) = two().await;
    let here = enter(&broker, &east, "ada", None).await;
    let there = enter(&broker, &east, "ada", Some("eu-west-1")).await;
    enter(&broker, &east, "grace", None).await;
    let user = broker.audit_events()[0]["developer_user_identifier"].as_str().unwrap().to_owned();
    let events =
        broker.app.store.list_audit_events(&AuditSubject::DeveloperUser(user.clone()), 10).await.unwrap();
    let ids: Vec<_> = events.iter().map(|event| event.identity_id.as_ref().unwrap().as_str()).collect();
    assert_eq!(ids, [there["identity_id"].as_str().unwrap(), here["identity_id"].as_str().unwrap()]);

    let looked_up = broker.app.broker.pool.lookup(&user).await.unwrap();
    let looked_up: Vec<_> = looked_up.iter().map(|(region, id)| (region.as_str(), id.as_str())).collect();
    assert_eq!(looked_up, [("us-east-1", ids[1]), ("eu-west-1", ids[0])]);
    assert!(broker.app.broker.pool.lookup("nobody").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_region_is_left_alone_whatever_configuration_is_read_meanwhile() {
    let west = Amazon::start("eu-west-1").await;
    let down = Fake::throwing("InternalErrorException", "x").await;
    let tables = format!("{}{}", down.table(), west.table());
    let mut broker = Broker::start(&west.daypass, &tables).await;
    for _ in 0..5 {
        enter(&broker, &west, "ada", None).await;
    }
    let asked = down.asked();
    broker.reread(&tables).await;
    enter(&broker, &west, "ada", None).await;
    assert_eq!(down.asked(), asked);
    let metrics = broker.app.metrics.text();
    assert!(metrics.contains("daypass_pool_circuit_open{region=\"us-east-1\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_region_that_is_down_is_left_for_the_next_and_asked_again_later() {
    let west = Amazon::start("eu-west-1").await;
    let down = Fake::throwing("InternalErrorException", "x").await;
    let broker = Broker::start(&west.daypass, &format!("{}{}", down.table(), west.table())).await;
    for _ in 0..8 {
        assert_eq!(enter(&broker, &west, "ada", None).await["region"], "eu-west-1");
    }
    assert_eq!(down.asked(), 2 * 5, "then it is left alone");
    let metrics = broker.app.metrics.text();
    assert!(metrics.contains("daypass_pool_circuit_open{region=\"us-east-1\"} 1"), "{metrics}");
    broker.clock.advance(SignedDuration::from_secs(6));
    west.daypass.advance(SignedDuration::from_secs(6));
    enter(&broker, &west, "ada", None).await;
    assert_eq!(down.asked(), 2 * 5 + 1, "one finds out whether it is back");
}

#[tokio::test]
async fn a_wish_for_a_region_is_not_answered_by_another() {
    let west = Amazon::start("eu-west-1").await;
    let tables = format!("{}{}", table("us-east-1", POOL, closed_port().await), west.table());
    let broker = Broker::start(&west.daypass, &tables).await;
    assert_eq!(enter(&broker, &west, "ada", None).await["region"], "eu-west-1");
    let login = west.daypass.sign_in("ada").await;
    let answer = broker.exchange(&login.proof_with("region", "us-east-1")).await;
    answer.assert_problem(503, "identity_pool_unavailable");
    let login = west.daypass.sign_in("ada").await;
    let guest = "us-east-1:00000000-0000-4000-8000-00000000000b";
    let answer = broker.exchange(&login.proof_with("identity_id", guest)).await;
    answer.assert_problem(503, "identity_pool_unavailable");
}
