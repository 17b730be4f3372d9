//! That a store gave no answer.

/// The store could not answer. "Not found" and "somebody was first" are answers, not errors.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The backend did not answer, or not in time; the same question may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read does not have the form in which it was written.
    #[error("the store holds a record that cannot be read")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
}
