//! A developer user who is being served.

use std::collections::BTreeMap;

use crate::crowd::Presence;

/// A developer user who is being served, as the pool is told of them.
pub(crate) struct User {
    pub identifier: String,
    pub tags: BTreeMap<String, String>,
    pub presence: Presence,
}
