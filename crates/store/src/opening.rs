//! How a store is opened.

/// What opening a store may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Nothing is made, and nothing changed: a store that is not there is a mistake, and so is one of an older version.
    AsItIs,
    /// Whoever only looks makes nothing: a store that is not there is a mistake. One in a file is brought to this version.
    Existing,
    /// A store that is not there is made, and an older one brought to this version.
    OrMake,
}
