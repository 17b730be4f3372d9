//! What Daypass means, without a wire, a database or an environment.
//!
//! A login at an identity provider walks through these modules, one type per step, and only the step
//! before can make the type:
//!
//! ```text
//! UnverifiedProof ─verify▶ VerifiedLogin ─resolve▶ Identity ─decide▶ Grant ─issue▶ OpenIdToken │ Credentials
//! ```

pub mod audit;
pub mod clock;
pub mod iam;
pub mod identity;
pub mod ids;
pub mod random;
pub mod seal;
pub mod secret;
pub mod store;
