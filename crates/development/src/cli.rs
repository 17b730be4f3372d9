//! The commands of development, one file each.

pub mod tour;
mod up;

use clap::Subcommand;

/// What `daypass` can be told to do on a developer's machine.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything for development: server, S3 and a sandbox identity provider
    ///
    /// All of it is one process, which runs until Ctrl-C. Prints one line of JSON on
    /// stdout when ready: the URLs, the pool ID, the AWS profile. A script that waits
    /// for it does so most easily by --ready-file. SIGHUP has it read the file of
    /// --config again.
    Up(up::Arguments),
    /// Walk the whole flow, step by step, against a fresh `up`
    Tour,
}

impl Command {
    /// Runs the command to its end.
    ///
    /// # Errors
    /// In words for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Up(arguments) => up::run(arguments).await,
            Self::Tour => tour::run().await,
        }
    }
}
