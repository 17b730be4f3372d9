//! What stands between the core and whatever it asks, and notes how long that takes, as a metric
//! and, of some requests, as a part of their trace: providers, the store, keys, the audit trail.

mod keys;
mod provider;
mod store;
mod trail;

pub(crate) use self::keys::MeasuredKeys;
pub(crate) use self::provider::MeasuredHttp;
pub(crate) use self::store::MeasuredStore;
pub(crate) use self::trail::{MeasuredHeads, MeasuredTrail};
