//! What Daypass means, without a wire, a database or an environment.
//!
//! `docs/architecture.md` has the map, the rules and the journeys of requests. The modules are rooms, one above the other.
//! Each uses those below it only, which `cargo xtask test` sees to:
//!
//! ```text
//! operator      what operators do, whoever asks: people, events, revocation, pools, a store that comes back
//! broker        logins in, identities out: exchange, link, hosted login
//! pool          the operations of an identity pool
//! credentials   roles, temporary credentials and what they allow; access keys of developers
//! audit         who did what
//! token         OpenID tokens and the keys that sign them
//! login         proofs, and whoever vouches for them
//! store         what is kept: a trait for each kind
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
