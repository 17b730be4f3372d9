//! Stores that any number of processes share, over an engine.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::random::SystemRandom;
use daypass_core::store::items::engine::Engine;
use daypass_core::store::items::{ItemStore, Pace};

use crate::circuit::Circuit;
use crate::watched::Watched;

/// A store over an engine.
pub(crate) fn over(engine: Arc<dyn Engine>) -> Arc<ItemStore> {
    let engine = Arc::new(Watched::new(Arc::new(Circuit::new(engine))));
    Arc::new(ItemStore::new(engine, Arc::new(SystemClock), Arc::new(SystemRandom), Arc::new(Waiting)))
}

/// Lets others get on meanwhile.
struct Waiting;

#[async_trait]
impl Pace for Waiting {
    #[expect(clippy::disallowed_methods, reason = "the pause is for the others, and not for an instant")]
    async fn pause(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}
