//! What a store does, measured.

use std::time::Duration;

use daypass_core::store::{StoreOutcome, StoreWatch, StoreWork};

use crate::metrics::StoreMetrics;
use crate::traces::{Part, part};

pub(crate) struct MeasuredStore(pub(crate) StoreMetrics);

impl StoreWatch for MeasuredStore {
    fn did(&self, work: StoreWork, came_to: StoreOutcome, took: Duration) {
        self.0.did(work, came_to, took);
        let name = match work {
            StoreWork::Read => "store read",
            StoreWork::Page => "store page",
            StoreWork::Commit => "store commit",
            StoreWork::Forget => "store forget",
        };
        let labels = [("daypass.outcome", came_to.name())];
        let has_failed = came_to == StoreOutcome::Failed;
        part(&Part { name, is_asked: true, labels: &labels, has_failed }, took);
    }
}
