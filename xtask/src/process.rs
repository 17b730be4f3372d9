//! Running other programs. Their output passes straight through: whoever reads a failed run, a person or
//! CI, sees what the tool itself said.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Outcome;

thread_local! {
    static IN_BACKGROUND: Cell<bool> = const { Cell::new(false) };
}

/// Runs a program of ours in the background, where it has the processors that nobody else wants.
pub(crate) const LAST_OF_ALL: &str = "nice";

/// What runs in the background.
static BACKGROUND: Mutex<Background> = Mutex::new(Background { over: false, child: None });

struct Background {
    /// Whether nobody needs any more what is made there.
    over: bool,
    child: Option<u32>,
}

/// From now on, nothing that this thread does is told, so that it does not stand in the middle of what another tells; and what it
/// starts has the processors that nobody else wants.
pub(crate) fn go_to_background() {
    IN_BACKGROUND.set(true);
}

pub(crate) fn is_in_background() -> bool {
    IN_BACKGROUND.get()
}

/// Ends what is started in the background, now and from now on.
pub(crate) fn end_background() {
    let mut background = background();
    background.over = true;
    if let Some(child) = background.child {
        // Where it has ended by itself there is nothing to end. The shell's own `kill` is there where no other is.
        let end = ["-c", "kill \"$1\"", "sh", &child.to_string()];
        let _ = Command::new("sh").args(end).stderr(Stdio::null()).status();
    }
}

fn background() -> MutexGuard<'static, Background> {
    BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `command` to its end; anything but success is a failure that names the command.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let line = command_line(command);
    command.stdin(Stdio::null());
    let status = if is_in_background() {
        run_in_background(command.stdout(Stdio::null()).stderr(Stdio::null()))
    } else {
        println!("  $ {line}");
        command.status()
    };
    let status = status.map_err(|error| format!("`{line}` could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` ended with {status}").into()) }
}

fn run_in_background(command: &mut Command) -> std::io::Result<ExitStatus> {
    let mut child = {
        let mut background = background();
        if background.over {
            return Err(std::io::Error::other("nobody needs it any more"));
        }
        let child = command.spawn()?;
        // A package manager that is ended in the middle leaves the system in pieces.
        background.child = (command.get_program() == LAST_OF_ALL).then(|| child.id());
        child
    };
    let status = child.wait();
    background().child = None;
    status
}

/// What `command` prints, if it exists and succeeds.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The file that the shell would run for `program`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// A command as somebody would type it.
pub(crate) fn command_line(command: &Command) -> String {
    let program = command.get_program();
    let name = std::path::Path::new(program).file_name().unwrap_or(program);
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
