//! Which session a command is about: the only one there is, or the one that is named.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use clap::Args;
use daypass_client::{Daypass, Home, SessionName, SystemClock, TERMINAL};

/// Which session.
#[derive(Debug, Default, Args)]
pub struct Which {
    /// The broker's address, where you are signed in at several
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The app's ID, where it is another than `terminal`
    #[arg(long, value_name = "ID")]
    app: Option<String>,
}

impl Which {
    /// The session, whether somebody is signed in or not.
    ///
    /// # Errors
    /// In words for the person at the terminal.
    pub fn find(&self) -> anyhow::Result<Daypass> {
        let home = Home::of_environment()?;
        let name = match &self.url {
            Some(url) => SessionName::new(url, self.app.as_deref().unwrap_or(TERMINAL))?,
            None => self.only_one(home.sessions()?)?,
        };
        Ok(at(name, home))
    }

    fn only_one(&self, mut names: Vec<SessionName>) -> anyhow::Result<SessionName> {
        names.retain(|name| self.app.as_deref().is_none_or(|app| app == name.app()));
        if names.len() > 1 {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            bail!("you are signed in at several brokers: name one by --url: {}", names.join(", "));
        }
        names
            .pop()
            .ok_or_else(|| anyhow!("you are not signed in: type `daypass login` and your broker's address"))
    }
}

/// The session of this name.
pub fn at(name: SessionName, home: Home) -> Daypass {
    Daypass::of(name, home, Arc::new(SystemClock))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_one(app: Option<&str>, names: &[(&str, &str)]) -> Result<String, String> {
        let which = Which { url: None, app: app.map(str::to_owned) };
        let names = names.iter().map(|(url, app)| SessionName::new(url, app).unwrap());
        let found = which.only_one(names.collect()).map_err(|error| error.to_string())?;
        Ok(found.to_string())
    }

    #[test]
    fn a_session_needs_no_name_where_it_is_the_only_one() {
        let (red, blue) = (("https://red.example.com", TERMINAL), ("https://blue.example.com", "backup"));
        assert_eq!(only_one(None, &[red]).unwrap(), "https://red.example.com");
        assert_eq!(only_one(Some("backup"), &[red, blue]).unwrap(), "https://blue.example.com (app backup)");
        let several = only_one(None, &[red, blue]).unwrap_err();
        assert!(several.contains("name one by --url: https://red.example.com, https://blue"), "{several}");
        assert!(only_one(None, &[]).unwrap_err().contains("type `daypass login`"));
    }
}
