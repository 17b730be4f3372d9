//! `/oauth2`: the standard's endpoints (RFC 6749). The apps are public clients: nothing but their PKCE verifier, or their
//! refresh token, shows who they are.

mod acting;
mod authorization_code;
pub mod authorize;
pub mod device_authorization;
mod device_code;
pub(super) mod dpop;
mod form;
pub mod metadata;
mod refresh_token;
pub mod revoke;
pub mod token;
mod token_exchange;
