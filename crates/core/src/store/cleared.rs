//! What was deleted of what is over.

use std::ops::AddAssign;

/// What a bite of it came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleared {
    /// So many records are gone.
    pub records: u64,
    /// Whether there may be more.
    pub more: bool,
}

impl AddAssign for Cleared {
    fn add_assign(&mut self, later: Self) {
        self.records += later.records;
        self.more = later.more;
    }
}
