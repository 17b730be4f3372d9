//! Identities and their logins.

mod deletions;
mod guests;
mod linking;
mod listings;
mod logins;
mod races;
mod unlinking;

pub use self::deletions::*;
pub use self::guests::*;
pub use self::linking::*;
pub use self::listings::*;
pub use self::logins::*;
pub use self::races::*;
pub use self::unlinking::*;
