//! `daypass check`: what is wrong with a configuration, all of it at once, before anything starts.

mod resolution;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::print;
use crate::config::development::Addresses;
use crate::config::{self, Config, ConfigError, ConfigFile, Instances};
use crate::installation::default_config;
use crate::warnings;

/// What to check, and how far.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The configuration; $DAYPASS_CONFIG or daypass.toml unless given
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also fetch the secrets, discovery documents and keys that it refers to, and hold the pool against the store's
    #[arg(long)]
    resolve: bool,
    /// Print the JSON Schema of configurations, for editors, and check nothing
    #[arg(long, conflicts_with_all = ["config", "resolve"])]
    schema: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.schema {
        return Ok(print(&format!("{:#}", config::schema()))?);
    }
    let file = arguments.config.unwrap_or_else(default_config);
    let (config, of_production) = match read(&file) {
        Ok(read) => read,
        Err(error) => return refuse(&file, &error.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    if let Err(error) = config.check_first_pool() {
        return refuse(&file, &error.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    let of = if of_production { "daypass serve" } else { "daypass up" };
    if of_production {
        for warning in warnings::of_production(&config, Instances::One) {
            print(&format!("Warning: {warning}."))?;
        }
    }
    if arguments.resolve {
        let failures = resolution::resolve(&config, of_production, |answered| print(&answered)).await?;
        if !failures.is_empty() {
            return refuse(&file, &failures);
        }
    }
    print(&format!("{}: no mistakes, as a configuration of `{of}`.", file.display()))?;
    if !arguments.resolve {
        print(
            "What it leads to (secrets, keys, the pool in its store) was not looked at: --resolve does that.",
        )?;
    }
    Ok(())
}

/// As `serve` would read it, or `up`, with all that `up` decides by itself; and whether it is one of `serve`.
fn read(file: &Path) -> Result<(Config, bool), ConfigError> {
    let file = ConfigFile::read(file)?;
    if !file.is_of_production() {
        // What `up` adds is looked at for what contradicts it, and is not the file's to resolve.
        Config::of_development(Addresses::default(), Path::new(".daypass"), Some(&file))?;
    }
    Ok((file.of_either()?, file.is_of_production()))
}

fn refuse(file: &Path, mistakes: &[String]) -> anyhow::Result<()> {
    for mistake in mistakes {
        print(mistake)?;
    }
    match mistakes.len() {
        1 => bail!("{} has a mistake", file.display()),
        count => bail!("{} has {count} mistakes", file.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_developers_file_its_own_secrets_are_resolved_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("more.toml");
        let provider = "[[provider]]\nid = \"discord\"\nclient_id = \"x\"\nclient_secret = { env = \"E\" }\n";
        std::fs::write(&file, provider).unwrap();
        let (config, _) = read(&file).unwrap();
        let references: Vec<String> = config.secret_references().map(ToString::to_string).collect();
        assert_eq!(references, ["{ env = \"E\" }"]);
        std::fs::write(&file, provider.replace("discord", "snapchat")).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("stands there twice"));
    }
}
