//! What can go wrong, in words for whoever sits at the terminal. No error holds a token or a key.

use std::io;
use std::path::PathBuf;

use crate::keyring::NoKeyring;
use crate::name::{BadAddress, SessionName};

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// That is no address of a broker.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// Nobody signed in, or somebody signed out.
    #[error("you are not signed in at {0}: type `{login}`", login = .0.login_command())]
    NotSignedIn(SessionName),
    /// The broker ended the session.
    #[error("your session at {name} is over, because {because}: type `{login}`", because = because(reason), login = name.login_command_with(*keyring))]
    Over {
        /// Which session.
        name: SessionName,
        /// The `reason` of the broker.
        reason: String,
        /// Whether it was kept with the keyring.
        keyring: bool,
    },
    /// The file of the session is not what was written.
    #[error("{path} is damaged: type `{login}` to write it anew", path = path.display(), login = name.login_command_with(*keyring))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which session.
        name: SessionName,
        /// Whether it is kept with the keyring.
        keyring: bool,
    },
    /// The keyring, which a login was to use, cannot be used. Nothing was stored.
    #[error("the keyring cannot be used: {0}; or sign in without --keyring")]
    NoKeyring(#[from] NoKeyring),
    /// The keyring, which has the key of the session, does not give it.
    #[error("the session at {name} is sealed by a key in the keyring, which cannot be used: {why}; or type `{login}` to sign in anew without it", login = name.login_command())]
    Keyring {
        /// Which session.
        name: SessionName,
        /// What is missing.
        why: NoKeyring,
    },
    /// The keyring has no key for the session.
    #[error("the keyring has no key for the session at {0} any more: type `{login}`", login = .0.login_command_with(true))]
    KeyGone(SessionName),
    /// Another process refreshes the session, and takes too long.
    #[error(
        "another process has been refreshing the session at {0} for too long: try again, or end that process"
    )]
    Busy(SessionName),
    /// The broker gave no answer, or one that asks for patience.
    #[error("{url} cannot be asked: {why}; try again in a moment")]
    Unavailable {
        /// The broker.
        url: String,
        /// What happened.
        why: String,
    },
    /// The broker does not know the app, or does not take it for one of this kind.
    #[error("{url} has no app {app:?}: its operator adds an [[app]] of this ID, or you name another one by --app", url = .0.url(), app = .0.app())]
    UnknownApp(SessionName),
    /// The broker refuses, and trying again does not help.
    #[error("{url} refuses: {why}")]
    Refused {
        /// The broker.
        url: String,
        /// Its words.
        why: String,
    },
    /// Whoever answers there does not speak as Daypass does.
    #[error("{url} does not answer as a Daypass does: {why}")]
    Foreign {
        /// The address.
        url: String,
        /// What is different.
        why: String,
    },
    /// The browser came back without a code.
    #[error("the sign-in came to nothing: {0}")]
    SignIn(String),
    /// A file or a directory cannot be used.
    #[error("cannot {what} {path}: {source}", path = path.display())]
    File {
        /// What was to be done with it.
        what: &'static str,
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no place for files of this user.
    #[error("there is no home directory to keep a session in: set DAYPASS_HOME to a directory of your own")]
    NoHome,
}

impl Error {
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}

/// Why sessions end, for the person whose it was.
fn because(reason: &str) -> &'static str {
    match reason {
        "expired" => "it was not used for too long, or has reached its end",
        "signed_out" => "it was signed out",
        "reused" => "its token was used a second time, by a copy of it or by somebody else",
        "revoked" => "it was ended for all your devices, or by the operator",
        "login_unlinked" => "the login that it began with is not yours any more",
        "identity_gone" => "your identity is not there any more, or is disabled",
        "upstream" => "the provider that you signed in at does not vouch for you any more",
        "malformed" => "its token is none of this broker's",
        _ => "the broker says so",
    }
}
