//! Daypass on the wire: the HTTP server, and the commands that go with it.
//! What it all means is in `daypass-core`; `docs/architecture.md` has the map, and takes requests through the rooms.

pub mod aws_profiles;
mod circuit;
pub mod cli;
pub mod cognito;
pub mod config;
pub mod cookie_apps;
mod crowd;
pub mod error;
pub mod every_request;
pub mod export;
mod finishing;
mod folder_lock;
pub mod foreign_sts;
pub mod installation;
pub mod key_turns;
pub mod lambda;
pub mod listen;
mod measured;
pub mod metrics;
pub mod origin;
mod peers;
mod pkcs11;
pub mod printable;
pub mod provider_http;
pub mod rate_limits;
pub mod registered_origins;
mod repetition;
pub mod routes;
pub mod secrets;
mod signing_readiness;
pub mod sigv4;
pub mod telemetry;
pub mod traces;
pub mod upkeep;
mod warnings;
pub mod xml;
