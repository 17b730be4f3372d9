//! The Secret Service of Linux' desktops (GNOME Keyring, KWallet, KeePassXC and others) by `secret-tool`, the program of libsecret.
//! A client of D-Bus within this one would weigh 3.5 MiB (decision 0029).

use super::program::Program;
use super::{Key, Keyring, Manner, NoKeyring, SERVICE};
use crate::secret::Secret;

/// Where a collection would be. What cannot be kept for want of one has this in the bus's words, whatever their language.
const COLLECTION: &str = "/org/freedesktop/secrets/collection/";

/// The program `secret-tool`.
#[derive(Debug)]
pub(super) struct SecretTool(pub(super) Program);

impl SecretTool {
    pub(super) fn of_system() -> Self {
        Self(Program::new("secret-tool", "secret-tool"))
    }

    /// Of all its commands, this one never asks for a password. An entry that is locked it shows without its secret.
    fn search(&self, account: &str) -> Result<Option<Key>, NoKeyring> {
        let arguments = ["search", "service", SERVICE, "account", account];
        let said = self.0.run(&arguments, &Secret::new(""), Manner::Silent)?;
        if !said.status.success() {
            return Err(NoKeyring::NoService(said.words()));
        }
        match said.stdout.lines().find_map(|line| line.strip_prefix("secret = ")) {
            Some(secret) => Key::parse(secret).map(Some),
            None if said.stdout.trim().is_empty() => Ok(None),
            None => Err(NoKeyring::Locked),
        }
    }

    fn look_up(&self, account: &str) -> Result<Key, NoKeyring> {
        let arguments = ["lookup", "service", SERVICE, "account", account];
        let said = self.0.run(&arguments, &Secret::new(""), Manner::MayPrompt)?;
        if said.status.success() { Key::parse(said.stdout.trim()) } else { Err(NoKeyring::Locked) }
    }
}

impl Keyring for SecretTool {
    fn find(&self, account: &str, manner: Manner) -> Result<Option<Key>, NoKeyring> {
        match self.search(account) {
            Err(NoKeyring::Locked) if manner == Manner::MayPrompt => self.look_up(account).map(Some),
            found => found,
        }
    }

    fn put(&self, account: &str, label: &str, key: &Key) -> Result<(), NoKeyring> {
        let arguments = ["store", "--label", label, "service", SERVICE, "account", account];
        let said = self.0.run(&arguments, &key.text(), Manner::MayPrompt)?;
        if said.status.success() {
            return Ok(());
        }
        let words = said.words();
        let is_missing = words.contains(COLLECTION);
        Err(if is_missing { NoKeyring::NoCollection(words) } else { NoKeyring::Failed(words) })
    }

    /// It says nothing where there was none, and leaves one that is locked.
    fn remove(&self, account: &str) -> Result<(), NoKeyring> {
        let arguments = ["clear", "service", SERVICE, "account", account];
        let said = self.0.run(&arguments, &Secret::new(""), Manner::Silent)?;
        match self.search(account)? {
            None => Ok(()),
            Some(_) => Err(NoKeyring::Failed(said.words())),
        }
    }
}
