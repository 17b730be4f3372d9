//! What everything stands on and what knows nothing of logins, pools or credentials: time, randomness, names, secrets,
//! and the way out. It uses no other room.

pub mod allowance;
pub mod authenticator;
pub mod clock;
pub mod counting;
pub mod form;
pub(crate) mod hex;
pub mod ids;
pub mod master_keys;
pub mod outbound;
pub mod random;
pub mod sample;
pub mod seal;
pub mod secret;
pub mod single_flight;
