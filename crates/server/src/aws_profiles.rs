//! The files of AWS profiles, which are not ours alone: what a command writes into one leaves the rest as it stands.

mod document;
pub mod file;

pub use document::{Document, Entry};
