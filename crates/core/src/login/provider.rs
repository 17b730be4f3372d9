//! Verifying a login with the identity provider that it comes from.
//!
//! A [`Provider`] is a definition plus the operator's client at that provider. [`Engine::verify`] is the only
//! way to a [`VerifiedLogin`]. The rules behind it: a code is redeemed with our own client secret, so the
//! provider itself refuses the codes of other clients; a bare access token says nothing about the client it
//! was issued to, so it counts only where the definition's binding shows that it was issued to ours.

mod answer;
mod apple;
mod authorize;
mod call;
pub mod catalogue;
mod client;
mod confirm;
pub mod definition;
mod engine;
mod error;
mod grade;
mod identifier;
pub mod load;
pub mod picture;
pub mod pointer;
mod proof;
mod proof_hash;
mod sealed_login;
mod set;
mod signed;
mod status;
pub mod template;
mod validate;
mod verdicts;
mod verified;
mod way;

pub use self::apple::{AppleKey, is_apple_key};
pub use self::authorize::{AuthorizeRequest, FlowSecrets};
pub use self::client::{Provider, RECHECK};
pub use self::engine::Engine;
pub use self::error::ProofError;
pub use self::grade::Grade;
pub use self::identifier::Identifier;
pub use self::proof::UnverifiedProof;
pub use self::sealed_login::LoginSealer;
pub use self::set::{ProviderSet, ProvidersById};
pub use self::signed::{Fields, UseOnce};
pub(in crate::login) use self::verified::Confirmed;
pub use self::verified::{DisplayUser, Recheck, VerifiedLogin};
pub use super::id_token::IdTokenError;

#[cfg(test)]
mod tests;
