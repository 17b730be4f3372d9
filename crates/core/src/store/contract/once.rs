//! What counts once.

mod login_grants;
mod used_once;

pub use self::login_grants::*;
pub use self::used_once::*;
