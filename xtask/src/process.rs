//! Running other programs. Their output passes straight through: whoever reads a failed run, a person or
//! CI, sees what the tool itself said.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Outcome;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// From now on, nothing that this thread does is told, so that it does not stand in the middle of what another tells.
pub(crate) fn be_quiet() {
    QUIET.set(true);
}

pub(crate) fn is_quiet() -> bool {
    QUIET.get()
}

/// Runs `command` to its end; anything but success is a failure that names the command.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let line = command_line(command);
    if is_quiet() {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    } else {
        println!("  $ {line}");
    }
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("`{line}` could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` ended with {status}").into()) }
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
