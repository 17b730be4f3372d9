//! Every provider of the catalogue against its own documented answers: a local server replays them, and the
//! real engine asks it through the real HTTP client. `fixtures/NAME.json` holds what one provider says
//! (`fixture.rs` is its form); what has to become of it is the same for all and stands in the modules here.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod attacks;
mod bench;
mod entries;
mod failures;
mod fixture;
mod logins;
mod server;
mod signer;
mod stolen;
mod subjects;
