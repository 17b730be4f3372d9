//! A session with Daypass, as credentials for the AWS SDK for Rust.
//!
//! `daypass login URL` signs a person in and keeps the session in a file. [`Daypass`] reads it, refreshes it in time, and
//! is a [`ProvideCredentials`](aws_credential_types::provider::ProvideCredentials):
//!
//! ```no_run
//! # fn main() -> Result<(), daypass_client::Error> {
//! let daypass = daypass_client::Daypass::at("https://login.example.com")?;
//! # let _: &dyn aws_credential_types::provider::ProvideCredentials = &daypass;
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//! let config = aws_config::from_env().credentials_provider(daypass).load().await;
//! let s3 = aws_sdk_s3::Client::new(&config);
//! ```
//!
//! Every process of the user shares the session: `daypass credentials` and `daypass agent` use the same file under the same
//! lock. While one refreshes, the others wait; and while the broker cannot be asked, all of them go on with the old credentials
//! as long as those live.
//!
//! A session of `daypass login --keyring` is sealed by a key in the system's keyring. The feature `keyring` has it fetched, by
//! programs of the system's; without it, such a session is an error that says so.

mod answer;
mod clock;
mod daypass;
mod error;
mod file;
mod home;
mod keyring;
mod lock;
mod name;
mod provider;
mod random;
mod sealed;
mod secret;
mod session;
mod sign_in;
mod wire;

pub use answer::Listed;
pub use clock::{Clock, SystemClock};
pub use daypass::{Daypass, SignedIn, SignedOut};
pub use error::Error;
pub use home::Home;
pub use keyring::{NoKeyring, let_go_of_keyring};
pub use name::{BadAddress, SessionName, TERMINAL};
pub use secret::Secret;
pub use session::{MARGIN, Session};
pub use sign_in::{Code, NoCode, SignIn};
