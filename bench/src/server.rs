//! The server under measurement: a real `daypass` in a process of its own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;

pub(crate) struct Server {
    process: Child,
    ready: Value,
    /// From the start of the process to its ready line.
    pub(crate) started_in: Duration,
}

/// The program that is measured.
pub(crate) fn program() -> Outcome<OsString> {
    std::env::var_os("DAYPASS_BIN")
        .ok_or_else(|| "DAYPASS_BIN names no daypass; use `cargo xtask bench`".into())
}

impl Server {
    /// Starts `daypass up` with its state in `directory`, and waits until it says that it is ready.
    pub(crate) fn start(directory: &Path) -> Outcome<Self> {
        Self::start_with(directory, None)
    }

    /// The same with more configuration than `up` makes for itself.
    pub(crate) fn start_with(directory: &Path, configuration: Option<&Path>) -> Outcome<Self> {
        let mut command = Command::new(program()?);
        command.args(["up", "--port", "0", "--dir"]).arg(directory);
        if let Some(file) = configuration {
            command.arg("--config").arg(file);
        }
        Self::run(command)
    }

    /// Starts `daypass serve` with this configuration.
    pub(crate) fn serve(configuration: &Path) -> Outcome<Self> {
        let mut command = Command::new(program()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(configuration);
        Self::run(command)
    }

    /// Starts what says in a line of JSON that it is ready.
    pub(crate) fn run(mut command: Command) -> Outcome<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let started = Instant::now();
        let process = command.spawn()?;
        let mut server = Self { process, ready: Value::Null, started_in: Duration::ZERO };
        server.ready = server.read_ready_line()?;
        server.started_in = started.elapsed();
        Ok(server)
    }

    fn read_ready_line(&mut self) -> Outcome<Value> {
        let stdout = self.process.stdout.as_mut().ok_or("the server has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        serde_json::from_str(&line)
            .map_err(|_| "a server ended before it was ready; start it by hand to see why".into())
    }

    /// A member of the ready line.
    pub(crate) fn says(&self, member: &str) -> Outcome<&str> {
        let value = self.ready.get(member).and_then(Value::as_str);
        value.ok_or_else(|| format!("the ready line has no `{member}`").into())
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Asks the server to end, as a user does, and waits for it.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        let terminate = format!("kill -TERM {}", self.process_id());
        Command::new("sh").args(["-c", &terminate]).status()?;
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("daypass ended with {status}").into()) }
    }
}

/// Whatever fails in between, no server is left behind.
impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is just what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
