//! Somebody with a directory of their own, who types commands.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use crate::broker::{Broker, CODE};

/// A broker, and a person who knows its address.
pub struct Person {
    pub broker: Broker,
    pub dir: tempfile::TempDir,
    /// What their commands find in the environment, beside what all of them do.
    pub environment: Vec<(&'static str, String)>,
}

/// What a command printed, and whether it did what it was told.
#[derive(Debug)]
pub struct Done {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Person {
    /// Whose credentials live so many seconds.
    pub fn new(lifetime: u64) -> Self {
        Self { broker: Broker::start(lifetime), dir: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// Who signed in already.
    pub fn signed_in(lifetime: u64) -> Self {
        let person = Self::new(lifetime);
        let done = person.login(&[]).paste(CODE).end();
        assert!(done.success, "{done:?}");
        person
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command in an environment of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daypass"));
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env("HOME", self.dir.path()).env("DAYPASS_HOME", self.path("sessions"));
        command.envs(self.environment.iter().cloned());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.command(arguments).output().unwrap().into()
    }

    /// A login that waits for its browser.
    pub fn login(&self, arguments: &[&str]) -> Login {
        let mut command = self.command(&["login", &self.broker.url, "--no-browser"]);
        Login::of(command.args(arguments))
    }

    /// The one file of a session.
    pub fn session_file(&self) -> PathBuf {
        let entries = fs::read_dir(self.path("sessions")).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<_> = entries.filter(|path| path.extension().unwrap() == "json").collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    /// Has the credentials be so many seconds older than they are.
    pub fn age(&self, seconds: u64) {
        let file = self.session_file();
        let mut session: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for time in ["asked_at", "expires_at"] {
            let time = &mut session["state"]["signed_in"]["credentials"][time];
            *time = (time.as_u64().unwrap() - seconds).into();
        }
        fs::write(file, session.to_string()).unwrap();
    }
}

/// `daypass login` under way.
pub struct Login {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stderr: BufReader<ChildStderr>,
    said: String,
    /// Where the browser goes.
    pub address: String,
}

impl Login {
    pub fn of(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take().unwrap());
        let mut login = Self { process, stdin, stdout, stderr, said: String::new(), address: String::new() };
        while login.address.is_empty() {
            let mut line = String::new();
            assert!(login.stderr.read_line(&mut line).unwrap() > 0, "it ended: {}", login.said);
            login.address =
                line.trim().strip_prefix("http").map_or(String::new(), |rest| format!("http{rest}"));
            login.said += &line;
        }
        login
    }

    fn parameter(&self, name: &str) -> String {
        let query = self.address.split_once('?').unwrap().1;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no {name}: {}", self.address))
            .1
            .into_owned()
    }

    /// The address that the broker would send the browser to.
    pub fn back(&self, members: &[(&str, &str)]) -> String {
        let issuer = self.address.split("/oauth2").next().unwrap();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(members).append_pair("state", &self.parameter("state")).append_pair("iss", issuer);
        format!("{}?{}", self.parameter("redirect_uri"), query.finish())
    }

    pub fn paste(mut self, text: &str) -> Self {
        writeln!(self.stdin.as_mut().unwrap(), "{text}").unwrap();
        self
    }

    pub fn end(mut self) -> Done {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut self.said).unwrap();
        Done { success: self.process.wait().unwrap().success(), stdout, stderr: self.said }
    }
}

/// A request to this machine, and the whole answer.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let names_host = headers.iter().any(|(name, _)| *name == "Host");
    let own = (!names_host).then_some(("Host", host));
    let first = format!("{method} /{path} HTTP/1.1");
    let lines = headers.iter().copied().chain(own).map(|(name, value)| format!("{name}: {value}"));
    let head: Vec<_> = [first, "Connection: close".into()].into_iter().chain(lines).collect();
    let head = format!("{}\r\n\r\n", head.join("\r\n"));
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}
