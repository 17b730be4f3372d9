//! A program of the system's that leads to its keyring: what it is told by its input, what it says, and its end, at a deadline if
//! need be. No secret is among its arguments, which every user of the machine can read.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Manner, NoKeyring};
use crate::secret::Secret;

/// So long a program is waited for that asks nobody.
const SILENT: Duration = Duration::from_secs(8);
/// So long somebody may take to type a password.
const PROMPTED: Duration = Duration::from_mins(2);
/// More than a key and what is said about it take.
const MAX_ANSWER: u64 = 64 * 1024;
/// So much of a program's own words is repeated.
const MAX_WORDS: usize = 200;

/// Where a program is, and how long it may take.
#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    path: PathBuf,
    pub(super) patience: [Duration; 2],
}

/// What it said.
pub(super) struct Said {
    pub(super) status: ExitStatus,
    pub(super) stdout: Zeroizing<String>,
    pub(super) stderr: String,
}

impl Program {
    pub(super) fn new(name: &'static str, path: impl AsRef<Path>) -> Self {
        Self { name, path: path.as_ref().to_owned(), patience: [SILENT, PROMPTED] }
    }

    /// Runs it to its end, or to ours.
    pub(super) fn run(&self, arguments: &[&str], input: &Secret, manner: Manner) -> Result<Said, NoKeyring> {
        let patience = self.patience[usize::from(manner == Manner::MayPrompt)];
        let mut child = self.start(arguments)?;
        let answers = [reader(child.stdout.take()), reader(child.stderr.take())];
        // One that ends without reading says why by itself.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.expose().as_bytes()));
        let answered = |answer: &Receiver<_>| answer.recv_timeout(patience).ok();
        let Some((stdout, stderr)) = answered(&answers[0]).zip(answered(&answers[1])) else {
            end(&mut child);
            return Err(NoKeyring::TooLong(patience.as_secs()));
        };
        let status = child.wait().map_err(|error| NoKeyring::Failed(error.to_string()))?;
        let stdout = Zeroizing::new(String::from_utf8_lossy(&stdout).into_owned());
        Ok(Said { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }

    fn start(&self, arguments: &[&str]) -> Result<Child, NoKeyring> {
        let mut command = Command::new(&self.path);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => NoKeyring::NoProgram(self.name),
            _ => NoKeyring::Failed(format!("`{}` cannot be run: {error}", self.name)),
        })
    }
}

impl Said {
    /// Why it did not do what it was told, in its last words.
    pub(super) fn words(&self) -> String {
        let words =
            self.stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
        words.trim().chars().take(MAX_WORDS).filter(|c| !c.is_control()).collect()
    }
}

/// Reads to the end in a thread, which nobody waits for longer than they want.
fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut answer = Zeroizing::new(Vec::with_capacity(1024));
        if let Some(pipe) = pipe {
            let _ = pipe.take(MAX_ANSWER).read_to_end(&mut answer);
        }
        sender.send(answer)
    });
    receiver
}

/// Its prompt goes with it.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
