//! The token of an agent: drawn at each start, so that whoever held its port before, and was sent one, has nothing of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_client::Home;
use daypass_core::ground::random::{Random, SystemRandom};
use daypass_core::ground::secret::Secret;

/// A token, and the file that it is read from; the file ends with it.
#[derive(Debug)]
pub(super) struct Token {
    path: PathBuf,
    token: Secret,
}

impl Token {
    /// Draws one, and writes it for its owner alone. There is no line break at the end: clients send all that is there.
    pub(super) fn make(home: &Home, port: u16) -> anyhow::Result<Self> {
        home.make()?;
        let random: &dyn Random = &SystemRandom;
        let token = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>()));
        let path = home.path().join(format!("agent-{port}.token"));
        write(&path, token.expose()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, token })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether that is it, which takes the same time whatever it is.
    pub(super) fn is(&self, given: &str) -> bool {
        self.token == Secret::new(given)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    // One that a crash left may be anybody's.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    fs::rename(draft, path)
}
