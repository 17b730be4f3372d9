//! Nodes that slept, a store that is away or full, keys that cannot be made or do not sign.

use super::*;

/// A process that was frozen, or cut off: others may have changed over meanwhile.
#[tokio::test]
async fn a_node_that_slept_reads_the_keys_before_it_signs_or_believes() {
    let world = World::new();
    let (sleeper, other) = (world.node(Rotation::default()).await, world.node(Rotation::default()).await);
    other.ring.rotate(Algorithm::Es256, MIN_PUBLISHED_FOR, unrecorded).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(30));
    let token = other.sign().await;
    assert_eq!(kid(&token), SECOND);
    assert_eq!(sleeper.verify(&token).await, Ok(()));
    assert_eq!(kid(&sleeper.sign().await), SECOND);
}

#[tokio::test]
async fn without_the_store_what_is_known_counts_for_a_while_and_not_for_ever() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    world.store.away.store(true, Ordering::Relaxed);
    world.clock.advance(SignedDuration::from_mins(5));
    node.sign().await;
    world.clock.advance(SignedDuration::from_mins(5));
    assert!(matches!(node.tokens.keep_up().await, Err(StoreError::Unavailable(_))));
    world.store.away.store(false, Ordering::Relaxed);
    node.sign().await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_signs_with_what_it_knows() {
    let world = World::new();
    let node = world.node(EVERY_WEEK).await;
    world.clock.advance(SignedDuration::from_hours(-48));
    assert_eq!(kid(&node.sign().await), FIRST);
    assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_successor_that_cannot_be_made_keeps_nobody_waiting() {
    let world = World::new();
    let node = world.node(EVERY_WEEK).await;
    world.holder.fails.store(true, Ordering::Relaxed);
    world.clock.advance(SignedDuration::from_hours(8 * 24));
    node.ring.keep_up().await.unwrap();
    let error = node.ring.take_turns().await.unwrap_err();
    assert_eq!(error.to_string(), "a signing key cannot be made: no more keys fit into it");
    assert_eq!(kid(&node.sign().await), FIRST);
    world.holder.fails.store(false, Ordering::Relaxed);
    node.ring.take_turns().await.unwrap();
    assert_eq!(node.kids(), [FIRST, "us-east-11790691200"]);
}

#[tokio::test]
async fn a_key_that_signs_something_else_is_not_published() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    node.ring.try_out().await.unwrap();
    world.holder.lies.store(true, Ordering::Relaxed);
    let told = node.ring.try_out().await.unwrap_err().to_string();
    assert!(told.starts_with("signing key us-east-11790000000 does not sign: "), "{told}");
    let refused = node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await;
    assert!(matches!(refused, Err(SigningKeyError::NotMade(_))), "{refused:?}");
    assert_eq!(node.kids(), [FIRST]);
}

#[tokio::test]
async fn a_key_is_recorded_before_it_is_published() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    let full = async |_: &str| Err(StoreError::Unavailable("the trail is full".into()));
    let refused = node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, full).await;
    assert!(matches!(refused, Err(SigningKeyError::Store(_))), "{refused:?}");
    assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 1);
    let recorded = std::sync::Mutex::new(Vec::new());
    let record = async |key_id: &str| {
        let there = world.store.list_signing_keys().await?.len();
        recorded.lock().unwrap().push((key_id.to_owned(), there));
        Ok(())
    };
    let rotated = node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, record).await.unwrap();
    assert_eq!(*recorded.lock().unwrap(), [(rotated.key_id, 1)]);
}

#[tokio::test]
async fn no_key_is_made_that_the_store_cannot_take() {
    let world = World::new();
    let node = world.node(EVERY_WEEK).await;
    world.store.full.store(true, Ordering::Relaxed);
    world.clock.advance(SignedDuration::from_hours(8 * 24));
    assert!(matches!(node.ring.take_turns().await, Err(SigningKeyError::Store(_))));
    assert!(matches!(
        node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await,
        Err(SigningKeyError::Store(_))
    ));
    assert_eq!(world.holder.asked.load(Ordering::Relaxed), 1, "for the first key");
    assert_eq!(kid(&node.sign().await), FIRST);
}
