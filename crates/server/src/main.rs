//! The `daypass` command.

use std::process::ExitCode;

use clap::Parser;
use daypass::cli::{self, Command};
use daypass::lambda;

/// Turns a login at any identity provider into temporary, limited-privilege AWS credentials.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80)]
struct Daypass {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    // Lambda starts a program without arguments.
    if lambda::is_lambda() && std::env::args_os().len() == 1 {
        return cli::lambda::run();
    }
    Daypass::parse().command.run()
}
