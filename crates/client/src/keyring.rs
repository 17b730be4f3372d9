//! The system's keyring, where somebody wants it: it keeps one key for each session's file, which seals the session in it. What
//! is read and written often stays in the file, so that a keyring that hangs or is locked has nothing half written.

#[cfg(all(unix, feature = "keyring"))]
mod program;
#[cfg(all(unix, feature = "keyring"))]
mod secret_tool;
#[cfg(all(unix, feature = "keyring"))]
mod security;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random;
use crate::secret::Secret;

/// What entries are filed under, beside the account.
#[cfg(all(unix, feature = "keyring"))]
const SERVICE: &str = "daypass";

/// What seals one session's file.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key([u8; Key::LENGTH]);

impl Key {
    pub(crate) const LENGTH: usize = 32;

    pub(crate) fn draw() -> Self {
        Self(random::bytes())
    }

    pub(crate) fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// As it is kept: no keyring and no program on the way to one has to take anything but letters and digits.
    #[cfg_attr(
        not(all(unix, feature = "keyring")),
        allow(dead_code, reason = "there is no keyring to write it to")
    )]
    pub(crate) fn text(&self) -> Secret {
        use fmt::Write;
        let mut text = String::with_capacity(2 * Self::LENGTH);
        for byte in &self.0 {
            let _ = write!(text, "{byte:02x}");
        }
        Secret::new(text)
    }

    #[cfg_attr(
        not(all(unix, feature = "keyring")),
        allow(dead_code, reason = "there is no keyring to read it from")
    )]
    pub(crate) fn parse(text: &str) -> Result<Self, NoKeyring> {
        let none = || NoKeyring::Failed("its entry holds no key of Daypass's".into());
        if text.len() != 2 * Self::LENGTH || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(none());
        }
        let mut key = Self([0; Self::LENGTH]);
        for (byte, at) in key.0.iter_mut().zip((0..text.len()).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| none())?;
        }
        Ok(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Why a keyring gives no key, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoKeyring {
    /// The crate was built without what asks it.
    #[error("this program was built without it: its author adds the feature `keyring` of daypass-client")]
    NotBuilt,
    /// There is no way to one on this system.
    #[error("there is none here that Daypass can use")]
    NotHere,
    /// The program that leads to it is not installed.
    #[error(
        "there is no `{0}` on the PATH: install it (Debian and Ubuntu have it in libsecret-tools, Fedora and Arch in libsecret)"
    )]
    NoProgram(&'static str),
    /// The program found none, in its own words.
    #[error(
        "none answers ({0}): start one, such as GNOME's or KDE's, or have DBUS_SESSION_BUS_ADDRESS lead to the bus that has it"
    )]
    NoService(String),
    /// There is a service, and nothing in it that could keep something.
    #[error(
        "there is none yet ({0}): make one, as by GNOME's \"Passwords and Keys\" or KDE's wallet; without a desktop, `printf PASSWORD | \
         gnome-keyring-daemon --replace --unlock --components=secrets` does"
    )]
    NoCollection(String),
    /// It wants its owner's password first, and nobody may be asked for it now.
    #[error("it is locked: unlock it, as by signing in at the desktop")]
    Locked,
    /// No answer came.
    #[error("it gave no answer within {0} seconds: see whether it waits for you to unlock it")]
    TooLong(u64),
    /// Something else, in its own words.
    #[error("{0}")]
    Failed(String),
}

/// Whether somebody sits there who can type a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Silent,
    MayPrompt,
}

/// A place of keys. It may take its time, so it is asked by [`apart`] only.
pub(crate) trait Keyring: fmt::Debug + Send + Sync {
    fn find(&self, account: &str, manner: Manner) -> Result<Option<Key>, NoKeyring>;

    /// Keeps a key in the place of one that was there. `label` is what its owner sees in a list of entries.
    fn put(&self, account: &str, label: &str, key: &Key) -> Result<(), NoKeyring>;

    fn remove(&self, account: &str) -> Result<(), NoKeyring>;
}

/// Ends what asks the system's keyring, for a process that ends at once: its prompt would stay there, and nobody would wait for the
/// answer. Whoever asks afterwards gets none.
pub fn let_go_of_keyring() {
    #[cfg(all(unix, feature = "keyring"))]
    program::end_all();
}

/// The keyring of this machine.
pub(crate) fn of_system() -> Arc<dyn Keyring> {
    of(std::env::consts::OS, cfg!(feature = "keyring"))
}

fn of(system: &str, is_built: bool) -> Arc<dyn Keyring> {
    match system {
        _ if !is_built => Arc::new(Nowhere(NoKeyring::NotBuilt)),
        #[cfg(all(unix, feature = "keyring"))]
        "macos" => Arc::new(security::Security::of_system()),
        #[cfg(all(unix, feature = "keyring"))]
        "linux" | "freebsd" | "netbsd" | "dragonfly" => Arc::new(secret_tool::SecretTool::of_system()),
        _ => Arc::new(Nowhere(NoKeyring::NotHere)),
    }
}

/// A keyring that is not there.
#[derive(Debug)]
struct Nowhere(NoKeyring);

impl Keyring for Nowhere {
    fn find(&self, _: &str, _: Manner) -> Result<Option<Key>, NoKeyring> {
        Err(self.0.clone())
    }

    fn put(&self, _: &str, _: &str, _: &Key) -> Result<(), NoKeyring> {
        Err(self.0.clone())
    }

    fn remove(&self, _: &str) -> Result<(), NoKeyring> {
        Err(self.0.clone())
    }
}

/// Asks in a thread of its own: the caller's runtime goes on meanwhile, whatever kind it is.
pub(crate) async fn apart<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    ask: impl FnOnce(&dyn Keyring) -> Result<T, NoKeyring> + Send + 'static,
) -> Result<T, NoKeyring> {
    let (sender, receiver) = oneshot::channel();
    let keyring = keyring.clone();
    std::thread::spawn(move || sender.send(ask(&*keyring)).ok());
    receiver.await.unwrap_or_else(|_| Err(NoKeyring::Failed("the thread that asked it ended".into())))
}
