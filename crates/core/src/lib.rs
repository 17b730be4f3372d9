//! What Daypass means, without a wire, a database or an environment.
//!
//! A login at an identity provider walks through these modules, one type per step, and only the step
//! before can make the type:
//!
//! ```text
//! UnverifiedProof ─verify▶ VerifiedLogin ─resolve▶ Identity ─decide▶ Grant ─issue▶ OpenIdToken │ Credentials
//! ```
//!
//! The modules are rooms, one above the other. Each uses those below it only, which `cargo xtask test` sees to:
//!
//! ```text
//! operator      what operators do, whoever asks: find people, end sessions, look at pools
//! broker        logins in, identities out: exchange, link, hosted login
//! pool          the operations of an identity pool
//! credentials   roles and temporary credentials, and what they allow
//! audit         who did what
//! token         OpenID tokens and the keys that sign them
//! login         proofs, and whoever vouches for them
//! store         what is kept, behind one trait
//! iam           policies, evaluated
//! records       pools and identities, and pure decisions about them
//! ground        time, randomness, names, secrets, the way out
//! ```

pub mod audit;
pub mod broker;
pub mod credentials;
pub mod ground;
pub mod iam;
pub mod login;
pub mod operator;
pub mod pool;
pub mod records;
pub mod store;
pub mod token;
