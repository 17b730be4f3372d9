//! Which installation a command is about, in the same words everywhere: that of `daypass up` in its directory, or that of
//! `daypass serve` with its configuration. The command works on the store beside the running server.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use clap::Args;
use daypass_core::ground::random::SystemRandom;

use crate::config::ConfigFile;
use crate::config::development::Addresses;
use crate::installation::home::Home;
use crate::installation::{Installation, config_of_environment};
use crate::telemetry;

/// Where `up` keeps its state unless it is told otherwise.
const DIR: &str = ".daypass";

/// Which installation.
#[derive(Debug, Args)]
pub struct Place {
    /// Where `daypass up` keeps its state; .daypass unless a configuration of `serve` is named
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The configuration of `daypass serve`, for its installation, also by $DAYPASS_CONFIG; or, beside --dir, the file
    /// that `daypass up` was given
    #[arg(short, long, value_name = "FILE", alias = "installation")]
    config: Option<PathBuf>,
}

impl Place {
    #[cfg(test)]
    pub fn of_up(dir: &Path) -> Self {
        Self { dir: Some(dir.to_owned()), config: None }
    }

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
        let file = self.file(config_of_environment());
        let file = file.as_deref().map(ConfigFile::read).transpose()?;
        match &file {
            Some(file) if file.is_of_production() => {
                ensure!(
                    self.dir.is_none(),
                    "{} is a configuration of `daypass serve`, and --dir names an installation of `daypass up`: leave one \
                     of them out",
                    file.path().display()
                );
                // The stdout of a command is not for those who collect logs.
                Installation::of(file, telemetry::stderr)
            }
            // An empty file, or half of one, must not lead to another installation than was meant.
            Some(file) if self.dir.is_none() => bail!(
                "{} is no configuration of `daypass serve`: it says neither public_url, master_key and [store] nor the name \
                 of a pool; for the installation of `daypass up`, name its --dir as well",
                file.path().display()
            ),
            file => {
                let dir = self.dir.as_deref().unwrap_or(Path::new(DIR));
                Installation::up(home(dir)?, Addresses::default(), file.as_ref())
            }
        }
    }

    /// The file that was named, or the one that `serve` would take, where nothing else is named.
    fn file(&self, of_environment: Option<PathBuf>) -> Option<PathBuf> {
        self.config.clone().or(of_environment.filter(|_| self.dir.is_none()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn installation(place: &Place) -> anyhow::Result<PathBuf> {
        Ok(place.find()?.database()?.to_owned())
    }

    /// A path as somebody types it: from the working directory.
    fn typed(path: &Path) -> PathBuf {
        let up = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect::<PathBuf>();
        up.join(path.strip_prefix("/").unwrap())
    }

    #[test]
    fn the_directory_is_the_one_that_was_named_wherever_the_file_is() {
        let parent = tempfile::tempdir().unwrap();
        let (dir, conf) = (parent.path().join("state"), parent.path().join("conf"));
        drop(Home::open(&dir, &SystemRandom).unwrap());
        fs::write(dir.join("daypass.db"), "").unwrap();
        fs::create_dir(&conf).unwrap();
        fs::write(conf.join("more.toml"), "[network]\nidle_timeout = \"60s\"\n").unwrap();
        let place = Place { dir: Some(typed(&dir)), config: Some(conf.join("more.toml")) };
        assert_eq!(installation(&place).unwrap(), dir.canonicalize().unwrap().join("daypass.db"));
    }

    #[test]
    fn the_environment_counts_where_nothing_is_named() {
        let place = |dir: Option<&str>, config: Option<&str>| Place {
            dir: dir.map(PathBuf::from),
            config: config.map(PathBuf::from),
        };
        let of_environment = || Some(PathBuf::from("of-serve.toml"));
        assert_eq!(place(None, None).file(of_environment()), of_environment());
        assert_eq!(place(Some(DIR), None).file(of_environment()), None);
        assert_eq!(place(None, Some("named.toml")).file(of_environment()), Some("named.toml".into()));
        assert_eq!(place(None, None).file(None), None);
    }

    #[test]
    fn a_file_that_names_no_installation_leads_to_none() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("empty.toml");
        for text in ["", "[network]\nidle_timeout = \"60s\"\n"] {
            fs::write(&file, text).unwrap();
            let place = Place { dir: None, config: Some(file.clone()) };
            let refused = installation(&place).unwrap_err().to_string();
            assert!(
                refused.contains("no configuration of `daypass serve`") && refused.contains("--dir"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_configuration_of_serve_and_a_directory_of_up_are_two_installations() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("daypass.toml");
        fs::write(&file, "public_url = \"https://login.example.com\"\n").unwrap();
        let place = Place { dir: Some(parent.path().to_owned()), config: Some(file) };
        assert!(installation(&place).unwrap_err().to_string().contains("leave one of them out"));
    }
}
