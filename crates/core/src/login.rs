//! Verifying a login with whoever vouches for it: an identity provider of the developer's choice, or one of those that
//! the pool knows itself. It uses [`ground`](crate::ground) and [`records`](crate::records), and never touches a store.

mod id_token;
pub mod jwks;
pub mod plain_hosts;
pub mod provider;
pub mod public;
