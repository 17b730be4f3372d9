//! What stands between the core and whatever it asks, and notes how long that takes: providers, keys, the audit trail.

mod keys;
mod provider;
mod trail;

pub(crate) use self::keys::MeasuredKeys;
pub(crate) use self::provider::MeasuredHttp;
pub(crate) use self::trail::{MeasuredHeads, MeasuredTrail};
