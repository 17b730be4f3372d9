//! Running other programs. Their output passes straight through: whoever reads a failed run, a person or
//! CI, sees what the tool itself said.

use std::cell::Cell;
use std::io::{PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Outcome;

thread_local! {
    static IN_BACKGROUND: Cell<bool> = const { Cell::new(false) };
}

/// Runs a program of ours in the background, where it has the processors that nobody else wants.
pub(crate) const LAST_OF_ALL: &str = "nice";

/// What runs in the background.
static BACKGROUND: Mutex<Background> = Mutex::new(Background { over: false, needed: None });

struct Background {
    /// Whether nobody needs any more what is made there.
    over: bool,
    /// What runs there ends, with all that it started, when this is closed: also by the end of this process, however it comes.
    needed: Option<PipeWriter>,
}

/// Runs a command in a group of its own, and ends all of the group when its input ends. A compiler that is told to end leaves those
/// that it started.
const WHILE_NEEDED: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null & work=$!
{ read -r _ <&3; kill -s TERM 0; } & watch=$!
wait "$work"; status=$?
kill "$watch" 2>/dev/null
exit "$status"
"#;

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
    background.needed = None;
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
        // A package manager that is ended in the middle leaves the system in pieces.
        if command.get_program() != LAST_OF_ALL {
            drop(background);
            return command.status();
        }
        let (ends, needed) = std::io::pipe()?;
        let child = while_needed(command, ends)?;
        background.needed = Some(needed);
        child
    };
    let status = child.wait();
    background().needed = None;
    status
}

fn while_needed(command: &Command, needed: PipeReader) -> std::io::Result<Child> {
    let mut shell = Command::new("sh");
    shell.args(["-c", WHILE_NEEDED, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        shell.current_dir(directory);
    }
    shell.stdin(needed).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()
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

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    /// A command that starts another and waits, and the pipe that both have as long as they live.
    fn compiler(pipe: &std::path::Path) -> Command {
        let mut command = Command::new(LAST_OF_ALL);
        command.args(["sh", "-c", "exec 4> \"$0\"; echo begun >&4; sleep 1000 & wait"]).arg(pipe);
        command
    }

    #[test]
    fn what_is_not_needed_ends_with_all_that_it_started() {
        let path = std::env::temp_dir().join(format!("daypass-xtask-{}", std::process::id()));
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (ends, needed) = std::io::pipe().unwrap();
        let mut child = while_needed(&compiler(&path), ends).unwrap();
        let mut pipe = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut begun = [0; 6];
        pipe.read_exact(&mut begun).unwrap();
        let (sender, gone) = channel();
        std::thread::spawn(move || sender.send(pipe.read_to_end(&mut Vec::new()).unwrap()));
        drop(needed);
        assert_eq!(gone.recv_timeout(Duration::from_secs(10)), Ok(0));
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn what_ends_by_itself_says_how() {
        for (words, code) in [("exit 0", 0), ("exit 3", 3), ("test \"$(cat)\" = ''", 0)] {
            let mut command = Command::new(LAST_OF_ALL);
            command.args(["sh", "-c", words]);
            let (ends, needed) = std::io::pipe().unwrap();
            let status = while_needed(&command, ends).unwrap().wait().unwrap();
            assert_eq!(status.code(), Some(code), "{words}");
            drop(needed);
        }
    }
}
