//! Programs of others, each a process of its own with its files in a directory that is gone when it is.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Only a hang meets it.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Whatever fails in between, no process is left behind.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal that it ends by in order, and waits for that.
    pub(crate) fn end_by(&mut self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status();
        if sent.is_ok_and(|status| status.success()) {
            // Whatever comes of it, it is killed when it is dropped.
            let _ = self.0.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is just what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program whose words go to a file, and waits for some of them. Answers all that it said.
pub(crate) fn start(command: &mut Command, directory: &Path, ready: &str) -> Outcome<(Running, String)> {
    let path = directory.join("log");
    let log = File::create(&path)?;
    command.current_dir(directory).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut running = Running(command.spawn()?);
    let started = Instant::now();
    while started.elapsed() < START_LIMIT && running.0.try_wait()?.is_none() {
        let said = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        if said.contains(ready) {
            return Ok((running, said));
        }
        pause();
    }
    let said = std::fs::read_to_string(&path)?;
    Err(format!("{} does not become ready:\n{said}", command.get_program().display()).into())
}

/// moto as a server, and its host and port.
pub(crate) fn moto(python: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Outcome<(Running, String)> {
    let mut command = Command::new(python);
    command.args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", "0"]);
    let (running, said) = start(&mut command, directory, "Running on ")?;
    let url = said.split("Running on ").nth(1).and_then(|rest| rest.split_whitespace().next());
    Ok((running, host_of(url.ok_or("moto does not say where it answers")?)))
}

pub(crate) fn host_of(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.split('/').next().unwrap_or(rest).to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that starts says nowhere when it is worth to look again"
)]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}
