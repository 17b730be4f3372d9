//! What `cargo xtask bench` installs of others, and names in the environment.

use std::ffi::OsString;

use crate::Outcome;

/// What a variable names. Where it could not be installed, a variable that ends in `_MISSING` says why.
pub(crate) fn prepared(variable: &str) -> Outcome<OsString> {
    if let Some(named) = std::env::var_os(variable) {
        return Ok(named);
    }
    let why = std::env::var(format!("{variable}_MISSING"));
    Err(why.unwrap_or_else(|_| format!("{variable} names nothing; use `cargo xtask bench`")).into())
}
