//! What Daypass means, without a wire, a database or an environment.
//!
//! A login at an identity provider walks through these modules, one type per step, and only the step
//! before can make the type:
//!
//! ```text
//! UnverifiedProof ─verify▶ VerifiedLogin ─resolve▶ Identity ─decide▶ Grant ─issue▶ OpenIdToken │ Credentials
//! ```

pub mod access;
pub mod access_key;
pub mod audit;
pub mod clock;
pub mod credential_source;
pub mod developer_pool;
pub mod exchange;
pub mod flight;
pub mod form;
mod hex;
pub mod iam;
mod id_token;
pub mod identity;
pub mod identity_pool;
pub mod ids;
pub mod jwks;
pub mod linking;
pub mod login_code;
pub mod login_flow;
pub mod login_tags;
pub mod provider;
pub mod public_login;
pub mod random;
pub mod restoration;
pub mod role;
pub mod sample;
pub mod seal;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod standing;
pub mod store;
pub mod sts;
pub mod token;
pub mod transfer;
