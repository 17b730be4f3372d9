//! What a session is called: the broker it is with, and the app that it is for.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use reqwest::Url;

/// The app that every `daypass up` has for terminals, and every installation of `serve` whose operator registered it.
pub const TERMINAL: &str = "terminal";

/// So much of a hash stands in the names of files: nobody has two sessions by accident whose first 128 bits agree.
const NAMED: usize = 16;

/// Why something is no address of a broker, or no app's ID.
#[derive(Debug, thiserror::Error)]
#[error("{url:?} is no address of a Daypass: {why}")]
pub struct BadAddress {
    url: String,
    why: &'static str,
}

/// A broker's address and an app's ID. There is one session of each name, in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionName {
    url: String,
    app: String,
}

impl SessionName {
    /// Reads the address of a broker, as somebody types it.
    ///
    /// # Errors
    /// [`BadAddress`] if tokens would not be safe on the way there, or it is none.
    pub fn new(url: &str, app: &str) -> Result<Self, BadAddress> {
        let refuse = |why| BadAddress { url: url.to_owned(), why };
        let parsed = Url::parse(url).map_err(|_| refuse("it has to look like https://login.example.com"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refuse("leave out the name and the password"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refuse("leave out what follows ? or #"));
        }
        match parsed.scheme() {
            "https" => {}
            "http" if is_loopback(&parsed) => {}
            "http" => return Err(refuse("http:// is for 127.0.0.1, [::1] and localhost only: use https://")),
            _ => return Err(refuse("it has to begin with https://")),
        }
        if app.is_empty() || app.chars().any(char::is_control) {
            return Err(refuse("the app's ID has to be that of an [[app]] in the broker's configuration"));
        }
        Ok(Self { url: parsed.as_str().trim_end_matches('/').to_owned(), app: app.to_owned() })
    }

    /// The broker's address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The app's ID.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }

    /// What somebody types to sign in.
    #[must_use]
    pub fn login_command(&self) -> String {
        let Self { url, app } = self;
        if app == TERMINAL {
            format!("daypass login {url}")
        } else {
            format!("daypass login {url} --app {app}")
        }
    }

    /// The same, with the keyring if that is wanted: nobody loses it by typing what they are told.
    pub(crate) fn login_command_with(&self, keyring: bool) -> String {
        let command = self.login_command();
        if keyring { format!("{command} --keyring") } else { command }
    }

    /// Whether the broker is on this machine, which no proxy is on the way to.
    pub(crate) fn is_local(&self) -> bool {
        Url::parse(&self.url).is_ok_and(|url| is_loopback(&url))
    }

    /// What its files are called. No address has a line break.
    pub(crate) fn file_stem(&self) -> String {
        named(&digest(&SHA256, format!("{}\n{}", self.url, self.app).as_bytes()))
    }
}

/// A name from a hash.
pub(crate) fn named(hash: &Digest) -> String {
    use fmt::Write;
    hash.as_ref().iter().take(NAMED).fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, app } = self;
        if app == TERMINAL { write!(f, "{url}") } else { write!(f, "{url} (app {app})") }
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| ["127.0.0.1", "[::1]", "localhost"].contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_however_it_is_typed() {
        let plain = SessionName::new("https://login.example.com", TERMINAL).unwrap();
        for typed in
            ["https://login.example.com/", "https://LOGIN.example.com:443", "https://login.example.com//"]
        {
            assert_eq!(SessionName::new(typed, TERMINAL).unwrap(), plain, "{typed}");
        }
        assert_eq!(plain.file_stem().len(), 2 * NAMED);
        for (url, app) in [("https://login.example.com", "web"), ("https://login.example.com/eu", TERMINAL)] {
            assert_ne!(SessionName::new(url, app).unwrap().file_stem(), plain.file_stem());
        }
    }

    #[test]
    fn no_token_goes_where_everybody_can_read_it() {
        for (url, cure) in [
            ("http://login.example.com", "use https://"),
            ("http://127.0.0.1.example.com", "use https://"),
            ("ftp://login.example.com", "begin with https://"),
            ("https://ada:secret@login.example.com", "leave out the name"),
            ("https://login.example.com?x=1", "leave out what follows"),
            ("login.example.com", "has to look like"),
        ] {
            let refused = SessionName::new(url, TERMINAL).unwrap_err().to_string();
            assert!(refused.contains(cure), "{url}: {refused}");
        }
        for url in ["http://127.0.0.1:9400", "http://[::1]:9400", "http://localhost:9400"] {
            assert!(SessionName::new(url, TERMINAL).unwrap().is_local());
        }
    }

    #[test]
    fn what_to_type_names_the_app_where_it_is_another() {
        let command = |app| SessionName::new("https://login.example.com", app).unwrap().login_command();
        assert_eq!(command(TERMINAL), "daypass login https://login.example.com");
        assert_eq!(command("backup"), "daypass login https://login.example.com --app backup");
    }
}
