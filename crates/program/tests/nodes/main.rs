//! Several servers on one PostgreSQL: what counts at one counts at the others, and what becomes of them when the database is away.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]
#![expect(clippy::print_stdout, reason = "a test that fails says by which seed it came to that")]

mod asking;
mod copied;
mod database;
mod first_logins;
mod keys;
mod nodes;
mod once;
mod outage;
mod password;
mod people;
#[allow(dead_code, reason = "it is that of the tests of the store, too")]
#[path = "../../../store/tests/postgres/server.rs"]
mod postgres;
mod race;
mod regions;
#[allow(dead_code, reason = "it is that of the tests of one process, too")]
#[path = "../process/server.rs"]
mod server;
#[allow(dead_code, reason = "it is that of the tests of the AWS API, too")]
#[path = "../../../server/tests/api/harness/signer.rs"]
mod signer;
mod trail;
mod upgrade;
mod way;
