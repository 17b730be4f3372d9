//! A trail for tests that care about something else, or about what happens where it cannot be kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::{AuditEvent, AuditTrail, Strangers};
use crate::ground::clock::Clock;
use crate::store::memory::MemoryStore;
use crate::store::{AuditSink, StoreError};

/// A place that can be full.
pub(crate) struct Disk {
    store: Arc<MemoryStore>,
    full: AtomicBool,
}

impl Disk {
    pub(crate) fn new(store: &Arc<MemoryStore>, full: bool) -> Arc<Self> {
        Arc::new(Self { store: store.clone(), full: full.into() })
    }

    pub(crate) fn fill(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    pub(crate) fn trail(self: &Arc<Self>, clock: Arc<dyn Clock>) -> AuditTrail {
        AuditTrail::new(self.clone(), self.store.clone(), Arc::new(Nobody), clock)
    }
}

#[async_trait]
impl AuditSink for Disk {
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("disk full".into()));
        }
        self.store.add_audit_events(events).await
    }
}

/// A trail whose events are kept.
pub(crate) fn trail(store: &Arc<MemoryStore>, clock: Arc<dyn Clock>) -> AuditTrail {
    Disk::new(store, false).trail(clock)
}

/// Hears of nothing.
struct Nobody;

impl Strangers for Nobody {
    fn refused(&self, _: &AuditEvent, _: bool) {}
}
