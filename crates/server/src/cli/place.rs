//! Which installation a command is about, in the same words everywhere: that of `daypass up` in its directory, or that of
//! `daypass serve` with its configuration. The command works on the store beside the running server.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use daypass_core::ground::random::SystemRandom;

use crate::config::Config;
use crate::config::development::Addresses;
use crate::installation::Installation;
use crate::installation::home::Home;
use crate::telemetry;

/// Where `up` keeps its state unless it is told otherwise.
const DIR: &str = ".daypass";

/// Which installation.
#[derive(Debug, Args)]
pub struct Place {
    /// Where `daypass up` keeps its state; .daypass unless there is a configuration of `serve`
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The configuration of `daypass serve`, for its installation; or the file that `daypass up` was given
    #[arg(short, long, value_name = "FILE", alias = "installation")]
    config: Option<PathBuf>,
}

impl Place {
    /// The installation, as it is.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn find(&self) -> anyhow::Result<Installation> {
        self.find_with(Home::existing)
    }

    /// The installation, of which what is missing is made. A directory of `up` is closed to a server meanwhile.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn find_or_make(&self) -> anyhow::Result<Installation> {
        self.find_with(|dir| Home::open(dir, &SystemRandom))
    }

    /// The installation, whose store is to be replaced, or is lost. A directory of `up` is closed to a server meanwhile.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn find_to_restore(&self) -> anyhow::Result<Installation> {
        self.find_with(Home::to_restore)
    }

    fn find_with(&self, home: fn(&Path) -> anyhow::Result<Home>) -> anyhow::Result<Installation> {
        let file = self.config.as_deref();
        match file {
            Some(file) if Config::is_of_production(file)? => {
                ensure!(
                    self.dir.is_none(),
                    "{} is a configuration of `daypass serve`, and --dir names an installation of `daypass up`: leave one \
                     of them out",
                    file.display()
                );
                Installation::of(file, telemetry::stderr()?)
            }
            _ => {
                let dir = self.dir.as_deref().unwrap_or(Path::new(DIR));
                Installation::up(home(dir)?, Addresses::default(), file)
            }
        }
    }
}
