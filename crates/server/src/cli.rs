//! The commands, one file each.

mod audit;
mod backup;
mod check;
mod key;
pub mod lambda;
mod place;
mod pool;
mod progress;
mod provider;
pub mod reread;
mod restore;
mod revoke;
mod serve;
pub mod signals;

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;
use daypass_core::audit::Requester;
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::SystemRandom;
use daypass_core::iam::Origin;

use crate::telemetry;

/// What `daypass` can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve an installation: what runs in production
    Serve(serve::Arguments),
    /// Tell every mistake of a configuration, with its line
    Check(check::Arguments),
    /// Ask the audit trail
    #[command(subcommand)]
    Audit(audit::Question),
    /// End all sessions of an identity or of a role
    Revoke(revoke::Arguments),
    /// Copy everything that an installation keeps into a file
    Backup(backup::Arguments),
    /// Put a backup in the place of what an installation keeps
    Restore(restore::Arguments),
    /// List, show and try identity providers, or write the block of one
    #[command(subcommand)]
    Provider(provider::Task),
    /// Create, list, rotate, disable and delete developer access keys
    #[command(subcommand)]
    Key(key::Task),
    /// List, show, copy, export and import identity pools
    #[command(subcommand)]
    Pool(pool::Task),
}

impl Command {
    /// Runs the command to its end.
    ///
    /// # Errors
    /// In words for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(arguments) => serve::run(arguments).await,
            Self::Check(arguments) => check::run(arguments).await,
            Self::Audit(question) => audit::run(question).await,
            Self::Revoke(arguments) => revoke::run(arguments).await,
            Self::Backup(arguments) => backup::run(arguments).await,
            Self::Restore(arguments) => restore::run(arguments).await,
            Self::Provider(task) => provider::run(task).await,
            Self::Key(task) => key::run(task).await,
            Self::Pool(task) => pool::run(task).await,
        }
    }
}

/// Runs a command to its end, and tells what went wrong.
#[must_use]
pub fn conclude(command: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::from(error)),
    };
    let code = match runtime.block_on(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    };
    telemetry::flush();
    code
}

fn fail(error: &anyhow::Error) -> ExitCode {
    tell(&format!("daypass: {}", sentence(error)));
    ExitCode::FAILURE
}

/// An error and its causes, without those whose words an error before them has said already.
fn sentence(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// Who runs a command. The audit trail knows them by an ID of its own for each run.
fn operator() -> Requester {
    let request_id = RequestId::generate(SystemClock.now(), &SystemRandom);
    Requester::anonymous(&request_id, Origin::default())
}

/// A line for people, on stderr.
pub fn tell(line: &str) {
    telemetry::tell(line);
}

/// A line of output, on stdout.
///
/// # Errors
/// If nobody reads it.
pub fn print(line: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Text of somebody else's: an identifier can hold anything, and a terminal obeys what it is shown.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("line 3: {source}")]
    struct Wrapped {
        source: std::io::Error,
    }

    #[test]
    fn an_error_says_nothing_twice() {
        let wrapped = Wrapped { source: std::io::Error::other("no such host") };
        let error = anyhow::Error::from(wrapped).context("more.toml cannot be used");
        assert_eq!(sentence(&error), "more.toml cannot be used: line 3: no such host");
    }
}
