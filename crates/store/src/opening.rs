//! How a store is opened.

/// What opening a store may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Whoever only looks makes nothing: a store that is not there is a mistake.
    Existing,
    /// A store that is not there is made.
    OrMake,
}
