//! A receiver that another one may take the place of, when the configuration is read again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::batch::Batch;
use super::receiver::{Answer, Receiver};

/// The receiver that counts now.
pub(super) struct Current(Mutex<Arc<dyn Receiver>>);

impl Current {
    pub(super) fn new(receiver: Arc<dyn Receiver>) -> Self {
        Self(Mutex::new(receiver))
    }

    pub(super) fn replace(&self, receiver: Arc<dyn Receiver>) {
        *self.lock() = receiver;
    }

    /// A pointer is never half written.
    fn lock(&self) -> MutexGuard<'_, Arc<dyn Receiver>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Receiver for Current {
    async fn deliver(&self, batch: &Batch) -> Answer {
        let receiver = self.lock().clone();
        receiver.deliver(batch).await
    }
}
