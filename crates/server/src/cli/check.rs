//! `daypass check`: what is wrong with a configuration, all of it at once, before anything starts.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::print;
use crate::config::{self, Config, ConfigError, Instances};
use crate::{serve, warnings};

/// Tell every mistake of a configuration, with its line, without starting anything.
///
/// The file is one for `daypass serve` if it has a key that is production's (public_url, master_key, store, the name
/// of a pool), and else one for `daypass up --config`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The configuration; $DAYPASS_CONFIG or daypass.toml unless given
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the JSON Schema of configurations, for editors, and check nothing
    #[arg(long, conflicts_with = "config")]
    schema: bool,
}

pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.schema {
        return Ok(print(&format!("{:#}", config::schema()))?);
    }
    let file = arguments.config.unwrap_or_else(serve::default_config);
    let config = match Config::of_either(&file) {
        Ok(config) => config,
        Err(error) => return refuse(&file, &error),
    };
    let of = if config.is_of_production() { "daypass serve" } else { "daypass up" };
    if config.is_of_production() {
        for warning in warnings::of_production(&config, Instances::One) {
            print(&format!("Warning: {warning}."))?;
        }
    }
    Ok(print(&format!("{}: no mistakes, as a configuration of `{of}`.", file.display()))?)
}

fn refuse(file: &Path, error: &ConfigError) -> anyhow::Result<()> {
    print(&error.to_string())?;
    match error.count() {
        1 => bail!("{} has a mistake", file.display()),
        count => bail!("{} has {count} mistakes", file.display()),
    }
}
