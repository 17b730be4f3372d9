//! A test that starts itself as a child, which prints what was acknowledged, and is killed in the middle of that.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Set for the child: the database to work with.
const DATABASE: &str = "DAYPASS_TEST_KILLED_DATABASE";
const PREFIX: &str = "acknowledged ";

/// The database, if this is the child.
pub fn database() -> Option<OsString> {
    std::env::var_os(DATABASE)
}

/// Starts a test of this program once more, with a database to work with.
pub fn start(test: &str, database: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a test knows its own program"))
        .args(["--exact", test, "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// What the child says when it has been answered.
pub fn acknowledge(what: impl Display) {
    writeln!(std::io::stdout(), "{PREFIX}{what}").expect("a parent that listens");
}

/// What the child printed, whole lines only: it is killed after so many, and may print on until it dies.
pub fn read_and_kill(mut child: Child, enough: usize) -> Vec<String> {
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (mut acknowledged, mut line) = (Vec::new(), String::new());
    while output.read_line(&mut line).expect("text") > 0 {
        let whole = line.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix('\n'));
        acknowledged.extend(whole.map(str::to_owned));
        if acknowledged.len() == enough {
            child.kill().expect("a child that runs");
        }
        line.clear();
    }
    child.wait().expect("a child that ended");
    acknowledged
}
