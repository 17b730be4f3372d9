//! A program of the system's that leads to its keyring: what it is told by its input, what it says, and its end, at a deadline if
//! need be. No secret is among its arguments, which every user of the machine can read.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use zeroize::Zeroizing;

use super::{Manner, NoKeyring};
use crate::secret::Secret;

/// So long a program is waited for that asks nobody.
const SILENT: Duration = Duration::from_secs(8);
/// So long somebody may take to type a password.
const PROMPTED: Duration = Duration::from_mins(2);
/// One that gave no answer is not asked again for so long: what asks twice would wait twice.
const PAUSE: Duration = Duration::from_secs(15);
/// More than a key and what is said about it take.
const MAX_ANSWER: u64 = 64 * 1024;
/// So much of a program's own words is repeated.
const MAX_WORDS: usize = 200;

/// Those that run now, until no more may. Each goes from here before its status is taken, so its number is nobody else's.
static RUNNING: Mutex<Option<Vec<Pid>>> = Mutex::new(Some(Vec::new()));

/// Where a program is, how long it may take, and when it last took longer.
#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    path: PathBuf,
    pub(super) patience: [Duration; 2],
    silent_since: Mutex<Option<Instant>>,
}

/// What it said.
pub(super) struct Said {
    pub(super) status: ExitStatus,
    pub(super) stdout: Zeroizing<String>,
    pub(super) stderr: String,
}

impl Program {
    pub(super) fn new(name: &'static str, path: impl AsRef<Path>) -> Self {
        let patience = [SILENT, PROMPTED];
        Self { name, path: path.as_ref().to_owned(), patience, silent_since: Mutex::default() }
    }

    /// Runs it to its end, or to ours.
    pub(super) fn run(&self, arguments: &[&str], input: &Secret, manner: Manner) -> Result<Said, NoKeyring> {
        let patience = self.patience[usize::from(manner == Manner::MayPrompt)];
        let deadline = Instant::now() + patience;
        if locked(&self.silent_since).is_some_and(|since| since.elapsed() < PAUSE) {
            return Err(NoKeyring::TooLong(patience.as_secs()));
        }
        let mut child = self.start(arguments)?;
        let answers = [reader(child.stdout.take()), reader(child.stderr.take())];
        let ended = watcher(&child);
        // One that ends without reading says why by itself.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.expose().as_bytes()));
        let outcome =
            || Some((by(deadline, &answers[0])?, by(deadline, &answers[1])?, by(deadline, &ended)?));
        let Some((stdout, stderr, ())) = outcome() else {
            kill(Pid::from_child(&child));
            let _ = wait(&mut child);
            *locked(&self.silent_since) = Some(Instant::now());
            return Err(NoKeyring::TooLong(patience.as_secs()));
        };
        let status = wait(&mut child).map_err(|error| NoKeyring::Failed(error.to_string()))?;
        let stdout = Zeroizing::new(String::from_utf8_lossy(&stdout).into_owned());
        Ok(Said { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }

    fn start(&self, arguments: &[&str]) -> Result<Child, NoKeyring> {
        let mut command = Command::new(&self.path);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        let mut running = locked(&RUNNING);
        let running = running.as_mut().ok_or_else(|| NoKeyring::Failed("the process is ending".into()))?;
        let child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => NoKeyring::NoProgram(self.name),
            _ => NoKeyring::Failed(format!("`{}` cannot be run: {error}", self.name)),
        })?;
        running.push(Pid::from_child(&child));
        Ok(child)
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

/// Does something in a thread, which nobody waits for longer than they want.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(work()));
    receiver
}

fn by<T>(deadline: Instant, answer: &Receiver<T>) -> Option<T> {
    answer.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<Zeroizing<Vec<u8>>> {
    apart(move || {
        let mut answer = Zeroizing::new(Vec::with_capacity(1024));
        if let Some(pipe) = pipe {
            let _ = pipe.take(MAX_ANSWER).read_to_end(&mut answer);
        }
        answer
    })
}

/// Sees it end, and leaves its status to others: until they have that, its number is nobody else's.
fn watcher(child: &Child) -> Receiver<()> {
    let pid = Pid::from_child(child);
    let wait = move || waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    apart(move || while wait().is_err_and(|error| error == Errno::INTR) {})
}

/// With all that it started, and so its prompt. What waits for any of it in a thread ends, too.
fn kill(program: Pid) {
    let _ = kill_process_group(program, Signal::KILL);
    let _ = kill_process(program, Signal::KILL);
}

fn wait(child: &mut Child) -> std::io::Result<ExitStatus> {
    let this = Pid::from_child(child);
    locked(&RUNNING).iter_mut().for_each(|running| running.retain(|program| *program != this));
    child.wait()
}

/// Ends those that run, and starts no more. Each is in a group of its own, which no Ctrl-C reaches.
pub(super) fn end_all() {
    locked(&RUNNING).take().into_iter().flatten().for_each(kill);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
