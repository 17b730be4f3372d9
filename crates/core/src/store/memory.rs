//! The plainest store.
