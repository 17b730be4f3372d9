//! The OpenID token: signed here, with a key that the store keeps, and believed here. It uses [`store`](crate::store)
//! and what is below.

pub mod acting;
pub mod dpop;
pub mod first_keys;
pub mod id_token;
pub mod key_ring;
pub mod key_set;
pub mod local_keys;
pub mod openid_token;
pub mod public_key;
pub mod refresh_token;
pub mod signer;
pub mod signing_key;
pub mod standing;
