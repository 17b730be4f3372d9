//! The keychain of macOS by its own program `security`. An entry that a program makes by itself is open to that very build of it, and
//! asks its owner about every other: an upgrade, or an app that has the session by `daypass-client`.

use super::program::Program;
use super::{Key, Keyring, Manner, NoKeyring, SERVICE};
use crate::secret::Secret;

/// The exit status for `errSecItemNotFound`.
const NOT_FOUND: i32 = 44;

/// The program `security`.
#[derive(Debug)]
pub(super) struct Security(pub(super) Program);

impl Security {
    pub(super) fn of_system() -> Self {
        Self(Program::new("security", "/usr/bin/security"))
    }
}

impl Keyring for Security {
    /// It decides by itself whether somebody is asked. Nobody waits for that longer than the manner allows.
    fn find(&self, account: &str, manner: Manner) -> Result<Option<Key>, NoKeyring> {
        let arguments = ["find-generic-password", "-s", SERVICE, "-a", account, "-w"];
        let said = self.0.run(&arguments, &Secret::new(""), manner)?;
        match said.status.code() {
            Some(0) => Key::parse(said.stdout.trim()).map(Some),
            Some(NOT_FOUND) => Ok(None),
            _ => Err(NoKeyring::Failed(said.words())),
        }
    }

    /// By a command that it reads (`-i`), for the key is none of its arguments then. The label would have to be quoted there.
    fn put(&self, account: &str, _: &str, key: &Key) -> Result<(), NoKeyring> {
        let command = Secret::new(format!(
            "add-generic-password -U -s {SERVICE} -a {account} -w {}\n",
            key.text().expose()
        ));
        let said = self.0.run(&["-i"], &command, Manner::MayPrompt)?;
        if said.status.success() { Ok(()) } else { Err(NoKeyring::Failed(said.words())) }
    }

    fn remove(&self, account: &str) -> Result<(), NoKeyring> {
        let arguments = ["delete-generic-password", "-s", SERVICE, "-a", account];
        let said = self.0.run(&arguments, &Secret::new(""), Manner::Silent)?;
        if matches!(said.status.code(), Some(0 | NOT_FOUND)) {
            Ok(())
        } else {
            Err(NoKeyring::Failed(said.words()))
        }
    }
}
