//! A table is written in one Region, and whoever is in another one finds out.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use daypass_core::store::items::engine::{Committed, Engine, EngineError, Guard, Stamp};
use daypass_store::{
    DynamoEngine, DynamoOpenError, DynamoUrl, Open, StoreUrl, TakenOver, migrate, steps_due,
};
use futures::future::join_all;

use crate::{emulator, key, put, table};

/// How often a server looks which Region writes, and a little.
const LOOKING: Duration = Duration::from_secs(11);

async fn open(url: &DynamoUrl) -> Result<DynamoEngine, DynamoOpenError> {
    DynamoEngine::open(url, Open::OrMake).await
}

async fn writes(engine: &DynamoEngine) -> Result<Committed, EngineError> {
    engine.commit(Stamp(1), &[put(key("people", b"ada"), Guard::Any, b"x")]).await
}

/// Has the clock be later, and go on.
async fn later() {
    tokio::time::pause();
    tokio::time::advance(LOOKING).await;
    tokio::time::resume();
}

#[tokio::test]
async fn nobody_opens_a_table_that_another_region_writes() {
    let here = table().await;
    let there = emulator::from_another_region(&here);
    open(&here).await.unwrap();
    for how in [Open::OrMake, Open::Existing] {
        let refused = DynamoEngine::open(&there, how).await.err().unwrap().to_string();
        assert!(refused.contains("is written in us-east-1, and this is eu-west-1"), "{refused}");
        assert!(refused.contains("?region=us-east-1") && refused.contains("store take-over"), "{refused}");
    }
    let taken = TakenOver::Now { from: Some("us-east-1".into()), to: "eu-west-1".into() };
    assert_eq!(DynamoEngine::take_over(&there).await.unwrap(), taken);
    assert_eq!(DynamoEngine::take_over(&there).await.unwrap(), TakenOver::Before);
    open(&there).await.unwrap();
    assert!(open(&here).await.err().unwrap().to_string().contains("is written in eu-west-1"));
}

#[tokio::test]
async fn whoever_goes_on_in_the_former_region_stops_and_goes_on_once_it_is_theirs_again() {
    let here = table().await;
    let there = emulator::from_another_region(&here);
    let former = open(&here).await.unwrap();
    DynamoEngine::take_over(&there).await.unwrap();
    writes(&former).await.unwrap();
    later().await;
    let refused = writes(&former).await.unwrap_err();
    let EngineError::Unavailable(reason) = refused else { panic!("{refused:?}") };
    assert!(reason.to_string().contains("is written in eu-west-1"), "{reason}");
    let people = [key("people", b"ada")];
    assert!(former.read(&people).await.is_err(), "nor is anything granted by what may be old");
    assert!(former.page(b"people", None, 1).await.is_err() && former.scan(None, 1).await.is_err());
    DynamoEngine::take_over(&here).await.unwrap();
    assert!(writes(&former).await.is_err(), "it has not looked yet");
    later().await;
    writes(&former).await.unwrap();
    assert!(former.read(&people).await.is_ok());
}

/// A server that was halted is asked much at once when it goes on, and one that cannot find out may not write on a guess.
#[tokio::test]
async fn nobody_goes_on_while_it_is_looked_which_region_writes() {
    let here = table().await;
    let engine = open(&here).await.unwrap();
    DynamoEngine::take_over(&emulator::from_another_region(&here)).await.unwrap();
    later().await;
    let refused = join_all((0..16).map(|_| writes(&engine))).await;
    assert!(refused.iter().all(Result::is_err), "{refused:?}");

    DynamoEngine::take_over(&here).await.unwrap();
    later().await;
    writes(&engine).await.unwrap();
    take_the_mark_away(&here).await;
    later().await;
    for _ in 0..2 {
        let Err(EngineError::Unavailable(reason)) = writes(&engine).await else {
            panic!("it was not looked")
        };
        assert!(reason.to_string().contains("has no store"), "{reason}");
    }
}

#[tokio::test]
async fn a_table_that_does_not_say_who_writes_it_is_of_whoever_serves_next() {
    let here = table().await;
    let there = emulator::from_another_region(&here);
    open(&here).await.unwrap();
    forget_who_writes(&here).await;
    // Whoever only looks takes nothing, and whoever may change nothing does not write on a guess.
    DynamoEngine::open(&there, Open::Existing).await.unwrap();
    let refused = DynamoEngine::open(&there, Open::AsItIs).await.err().unwrap().to_string();
    assert!(refused.contains("`daypass migrate"), "{refused}");
    let url = StoreUrl::Dynamo(here.clone());
    assert_eq!(steps_due(&url).await.unwrap(), ["say in the table which Region writes it"]);
    assert_eq!(migrate(&url, &mut |_| {}, &mut |_, _| {}).await.unwrap(), 1);
    assert!(steps_due(&url).await.unwrap().is_empty());
    open(&here).await.unwrap();
    assert!(open(&there).await.is_err());
    let nowhere = emulator::url();
    assert!(matches!(DynamoEngine::take_over(&nowhere).await, Err(DynamoOpenError::NotThere { .. })));
    DynamoEngine::create(&nowhere).await.unwrap();
    assert!(matches!(DynamoEngine::take_over(&nowhere).await, Err(DynamoOpenError::Empty { .. })));
}

/// Its items would be misread. Whoever takes over does not write on in it, either.
#[tokio::test]
async fn a_table_of_before_the_first_release_is_refused_and_left_alone() {
    let url = table().await;
    open(&url).await.unwrap();
    have_version_1(&url).await;
    let refused = [
        open(&url).await.err(),
        DynamoEngine::open(&url, Open::Existing).await.err(),
        DynamoEngine::open(&url, Open::AsItIs).await.err(),
        DynamoEngine::take_over(&url).await.err(),
    ];
    for refused in refused {
        let told = refused.unwrap().to_string();
        assert!(
            told.contains("of before the first release") && told.contains("`daypass store copy"),
            "{told}"
        );
    }
    assert!(steps_due(&StoreUrl::Dynamo(url)).await.is_err());
}

#[tokio::test]
async fn two_that_take_over_at_once_end_with_one() {
    let here = table().await;
    let there = emulator::from_another_region(&here);
    open(&here).await.unwrap();
    for _ in 0..8 {
        let (one, two) = tokio::join!(DynamoEngine::take_over(&here), DynamoEngine::take_over(&there));
        assert!(one.is_ok() || two.is_ok());
        let (one, two) = tokio::join!(open(&here), open(&there));
        assert!(one.is_ok() != two.is_ok());
    }
}

async fn client() -> Client {
    let aws = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let config = aws_sdk_dynamodb::config::Builder::from(&aws)
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url(emulator::endpoint())
        .build();
    Client::from_conf(config)
}

/// Takes what the table says of itself away.
async fn take_the_mark_away(url: &DynamoUrl) {
    let deleted = client().await.delete_item().table_name(url.table()).set_key(Some(mark()));
    deleted.condition_expression("attribute_exists(writer)").send().await.unwrap();
}

fn mark() -> HashMap<String, AttributeValue> {
    let attribute = |name: &str, value: &[u8]| (name.to_owned(), AttributeValue::B(Blob::new(value)));
    [attribute("p", b"daypass"), attribute("s", b".")].into()
}

async fn have_version_1(url: &DynamoUrl) {
    let updated = client().await.update_item().table_name(url.table()).set_key(Some(mark()));
    let updated = updated.update_expression("SET #v = :v").condition_expression("#v = :now");
    let number = |number: &str| AttributeValue::N(number.to_owned());
    updated
        .expression_attribute_names("#v", "version")
        .expression_attribute_values(":v", number("1"))
        .expression_attribute_values(":now", number("2"))
        .send()
        .await
        .unwrap();
}

/// Has the table be as a former Daypass left it.
async fn forget_who_writes(url: &DynamoUrl) {
    let updated = client()
        .await
        .update_item()
        .table_name(url.table())
        .set_key(Some(mark()))
        .update_expression("REMOVE writer")
        .condition_expression("attribute_exists(writer)");
    updated.send().await.unwrap();
}
