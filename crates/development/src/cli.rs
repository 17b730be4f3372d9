//! The commands of development, one file each.

pub mod tour;
mod up;

use clap::Subcommand;

/// What `daypass` can be told to do on a developer's machine.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything for development: server, S3 and a sandbox identity provider
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
