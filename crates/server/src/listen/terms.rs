//! What a listener is told besides who answers.

use super::limits::Limits;
use crate::metrics::ListenMetrics;
use crate::origin::Proxies;

/// On what terms people are let in.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What each is given.
    pub limits: Limits,
    /// For no single one of these the limits hold: everybody comes by them.
    pub proxies: Proxies,
    /// Where it is counted who is there.
    pub counted: ListenMetrics,
}
