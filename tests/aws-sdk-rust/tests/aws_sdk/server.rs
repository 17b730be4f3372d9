//! A real `daypass up`, as a user starts it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub struct Daypass {
    process: Child,
    ready: Value,
    /// Is removed when the server is.
    _directory: TempDir,
}

impl Daypass {
    /// Starts it on free ports and waits until it says that it is ready.
    pub fn start() -> Self {
        let program = std::env::var_os("DAYPASS_BIN").expect("DAYPASS_BIN names the daypass binary");
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args(["up", "--port", "0", "--dir"]).arg(directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("DAYPASS_BIN can be started");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).expect("`daypass up` says that it is ready");
        Self { process, ready, _directory: directory }
    }

    /// A member of the ready line.
    pub fn says(&self, member: &str) -> &str {
        self.ready[member].as_str().unwrap_or_else(|| panic!("the ready line has no `{member}`"))
    }
}

impl Drop for Daypass {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is just what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
