//! The `daypass` command.

mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use daypass_server::{cli, lambda};

/// Turns a login at any identity provider into temporary, limited-privilege AWS credentials.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80)]
struct Daypass {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "development")]
    #[command(flatten)]
    Development(daypass_development::cli::Command),
    #[command(flatten)]
    Installation(cli::Command),
    #[command(flatten)]
    Terminal(terminal::Command),
}

fn main() -> ExitCode {
    // Lambda starts a program without arguments.
    if lambda::is_lambda() && std::env::args_os().len() == 1 {
        return cli::lambda::run();
    }
    match Daypass::parse().command {
        #[cfg(feature = "development")]
        Command::Development(command) => cli::conclude(command.run()),
        Command::Installation(command) => cli::conclude(command.run()),
        Command::Terminal(command) => cli::conclude(command.run()),
    }
}
