//! Two figures that are counted on the way to a store.

use std::sync::{Arc, Mutex, PoisonError};

/// Round trips and bytes, or units that were read and written.
pub(super) type Counted = [f64; 2];

#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Counted>>);

impl Meter {
    pub(super) fn add(&self, more: Counted) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.iter_mut().zip(more).for_each(|(counted, more)| *counted += more);
    }

    /// What was counted since the last time.
    pub(super) fn take(&self) -> Counted {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::Meter;

    #[test]
    fn what_was_taken_counts_no_more() {
        let meter = Meter::default();
        meter.add([1.0, 2.0]);
        meter.clone().add([0.5, 0.0]);
        assert_eq!(meter.take().map(f64::to_bits), [1.5, 2.0].map(f64::to_bits));
        assert_eq!(meter.take().map(f64::to_bits), [0.0; 2].map(f64::to_bits));
    }
}
