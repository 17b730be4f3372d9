//! The `daypass` command.

use std::process::ExitCode;

use clap::Parser;
use daypass::cli::Command;

/// Turns a login at any identity provider into temporary, limited-privilege AWS credentials.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80)]
struct Daypass {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    Daypass::parse().command.run()
}
