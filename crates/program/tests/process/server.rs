//! The program, and a provider whose every token is a person.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a pipe holds (pipe(7)).
const PIPE: usize = 1 << 16;
/// Far more than an answer takes, so that only a hang meets it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the log of a server goes.
pub enum Output {
    Null,
    File(PathBuf),
    Pipe(PipeWriter),
}

impl From<Output> for Stdio {
    fn from(output: Output) -> Self {
        match output {
            Output::Null => Self::null(),
            Output::File(path) => File::options().create(true).append(true).open(path).unwrap().into(),
            Output::Pipe(writer) => writer.into(),
        }
    }
}

/// A pipe that takes nothing more.
pub fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&vec![b'x'; PIPE]).unwrap();
    (reader, writer)
}

/// A directory with a configuration, and the provider in it.
pub struct Installation {
    dir: TempDir,
}

impl Installation {
    pub fn new(store: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let provider = provider(start_provider());
        let config = format!(
            "public_url = \"https://login.example.com\"\nmaster_key = {{ file = \"master-key\" }}\n\
             [store]\nurl = {store:?}\n\
             [pool]\nname = \"my-app\"\ndeveloper_provider = \"login.example.com\"\nregion = \"eu-west-1\"\n\
             account_id = \"123456789012\"\n[network]\nallow_private = [\"127.0.0.1\"]\n\
             [[role]]\nname = \"authenticated\"\npolicy = \"policy.json\"\n{provider}"
        );
        fs::write(dir.path().join("master-key"), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
        fs::write(dir.path().join("secret"), "a secret of the client").unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
        fs::write(dir.path().join("policy.json"), policy.to_string()).unwrap();
        fs::write(dir.path().join("daypass.toml"), config).unwrap();
        fs::write(dir.path().join("more.toml"), provider).unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Has its configuration say something else.
    pub fn change(&self, from: &str, to: &str) {
        self.change_in("daypass.toml", from, to);
    }

    /// Has a file of its directory say something else.
    pub fn change_in(&self, file: &str, from: &str, to: &str) {
        let file = self.path(file);
        let config = fs::read_to_string(&file).unwrap();
        assert!(config.contains(from), "{from}");
        fs::write(file, config.replace(from, to)).unwrap();
    }

    /// Has it lead to a pool of Amazon's.
    pub fn lead_to_amazon(&self) {
        let file = self.path("daypass.toml");
        let config = fs::read_to_string(&file).unwrap();
        let (before, rest) = config.split_once("name = \"my-app\"").unwrap();
        let (_, after) = rest.split_once("[network]").unwrap();
        let (after, provider) = after.split_once("[[role]]").unwrap();
        let (_, provider) = provider.split_once("[[provider]]").unwrap();
        let pool = "driver = \"cognito\"\ndeveloper_provider = \"login.example.com\"\n[[pool.region]]\n\
                    region = \"us-east-1\"\npool_id = \"us-east-1:00000000-0000-4000-8000-000000000000\"\n";
        fs::write(file, format!("{before}{pool}[network]{after}[[provider]]{provider}")).unwrap();
    }

    pub fn serve(&self, stderr: Output) -> Server {
        let beginning = self.begin(stderr);
        let fill = beginning.fill.try_clone().unwrap();
        let mut server = beginning.ready();
        server.fill = Some(fill);
        server
    }

    /// A server that need not get ready.
    pub fn begin(&self, stderr: Output) -> Beginning {
        Beginning::of(self.serve_command(stderr))
    }

    /// The same, with SIGHUP kept away until the program looks for it itself (nohup(1)).
    pub fn begin_without_sighup(&self, stderr: Output) -> Beginning {
        let serve = self.serve_command(Output::Null);
        let mut command = Command::new("/bin/sh");
        command
            .env_clear()
            .stdin(Stdio::null())
            .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
            .arg(serve.get_program())
            .args(serve.get_args());
        command.stderr(stderr);
        let beginning = Beginning::of(command);
        while !beginning.target().ignores_sighup() {
            std::thread::yield_now();
        }
        beginning
    }

    pub fn serve_command(&self, stderr: Output) -> Command {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(self.path("daypass.toml"));
        command.stderr(stderr);
        command
    }

    /// What a server says that does not start.
    pub fn refusal(&self, stdout: Output) -> String {
        let log = self.path("refusal.log");
        let status = self.serve_command(Output::File(log.clone())).stdout(stdout).status().unwrap();
        assert!(!status.success());
        fs::read_to_string(log).unwrap()
    }

    /// What another command comes to, about this installation.
    pub fn run(&self, arguments: &[&str]) -> Done {
        let config = self.path("daypass.toml");
        let mut command = program();
        command.current_dir(self.dir.path()).args(arguments).arg("--config").arg(config);
        Done::of(command)
    }

    pub fn up(&self) -> Server {
        let (mut reader, writer) = pipe().unwrap();
        let mut command = program();
        command.args(["up", "--port", "0", "--dir"]).arg(self.path("state"));
        command.arg("--config").arg(self.path("more.toml")).stderr(Stdio::null()).stdout(writer);
        let child = command.spawn().unwrap();
        let ready = ready(&mut reader);
        let address = ready["server_url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        Server { child, address, ready, stdout: Some(reader), fill: None }
    }
}

/// A server of which nobody knows yet whether it gets ready.
pub struct Beginning {
    child: Child,
    stdout: PipeReader,
    fill: PipeWriter,
}

impl Beginning {
    pub fn of(mut command: Command) -> Self {
        let (stdout, fill) = pipe().unwrap();
        Self { child: command.stdout(fill.try_clone().unwrap()).spawn().unwrap(), stdout, fill }
    }

    pub fn target(&self) -> Target {
        Target(self.child.id())
    }

    pub fn signal(&self, name: &str) {
        self.target().signal(name);
    }

    pub fn status(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn ready(self) -> Server {
        let Self { child, mut stdout, fill } = self;
        // Of one that ends instead, this end is the last.
        drop(fill);
        let ready = ready(&mut stdout);
        let address = ready["listen"].as_str().unwrap().parse().unwrap();
        Server { child, address, ready, stdout: Some(stdout), fill: None }
    }
}

/// A process that signals are sent to.
#[derive(Clone, Copy)]
pub struct Target(u32);

impl Target {
    /// By its first bit (proc(5), `SigIgn`).
    fn ignores_sighup(self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
        u64::from_str_radix(ignored, 16).unwrap() & 1 == 1
    }

    pub fn signal(self, name: &str) {
        let id = self.0.to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success(), "it is gone");
    }
}

/// What a command came to.
#[derive(Debug)]
pub struct Done {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    pub fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Nothing of this machine's configuration takes part.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daypass"));
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null());
    command
}

/// The line is read byte by byte: what comes after it stays in the pipe.
fn ready(stdout: &mut PipeReader) -> Value {
    let mut line = String::new();
    BufReader::with_capacity(1, stdout).read_line(&mut line).unwrap();
    serde_json::from_str(&line).expect("a server that starts")
}

/// A running server, which ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// What it said when it was ready.
    ready: Value,
    pub stdout: Option<PipeReader>,
    fill: Option<PipeWriter>,
}

impl Server {
    pub fn get(&self, path: &str) -> (u16, Value) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    /// With one header more.
    pub fn get_with(&self, path: &str, header: &str) -> (u16, Value) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n"))
    }

    pub fn post(&self, path: &str, content_type: &str, body: &str) -> (u16, Value) {
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// GetCredentialsForIdentity with what a login was answered.
    pub fn credentials(&self, login: &Value) -> (u16, Value) {
        let body = json!({
            "IdentityId": login["identity_id"],
            "Logins": {"cognito-identity.amazonaws.com": login["token"]},
        });
        let content_type = "application/x-amz-json-1.1\r\n\
            X-Amz-Target: AWSCognitoIdentityService.GetCredentialsForIdentity";
        self.post("/", content_type, &body.to_string())
    }

    /// A login of the person whom the token names.
    pub fn log_in(&self, person: &str) -> (u16, Value) {
        let body = json!({"provider": "fake", "access_token": person}).to_string();
        self.post("/v1/exchange", "application/json", &body)
    }

    pub fn refused_login(&self) -> (u16, Value) {
        self.log_in("nobody")
    }

    /// Whether S3 lets the pages of an origin read its answers.
    pub fn s3_lets_in(&self, origin: &str) -> bool {
        let s3 = self.ready["s3_url"].as_str().unwrap().strip_prefix("http://").unwrap();
        let request =
            format!("GET / HTTP/1.1\r\nHost: {s3}\r\nConnection: close\r\nOrigin: {origin}\r\n\r\n");
        let answer = answer_of(s3.parse().unwrap(), &request);
        answer.to_lowercase().contains(&format!("access-control-allow-origin: {origin}\r\n"))
    }

    fn ask(&self, request: &str) -> (u16, Value) {
        let answer = answer_of(self.address, request);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Fills the pipe that the audit lines go to.
    pub fn fill_stdout(&mut self) {
        self.fill.take().unwrap().write_all(&vec![b'\n'; PIPE]).unwrap();
    }

    /// Nothing can be answered or written any more.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        Target(self.child.id()).signal(name);
    }

    /// Asks for answers until a file is there.
    pub fn wait_for(&self, file: &Path) {
        let made = (0..10_000).any(|_| self.get("/healthz").0 == 200 && file.exists());
        assert!(made, "{} is not there", file.display());
    }

    /// SIGHUP, and what the log says of it, in which these words are.
    pub fn hang_up(&self, log: &Path, words: &str) -> String {
        let before = fs::read_to_string(log).unwrap_or_default().len();
        self.signal("HUP");
        self.told_after(log, before, words)
    }

    /// What the log says, in which these words are.
    pub fn log_has(&self, log: &Path, words: &str) -> String {
        self.told_after(log, 0, words)
    }

    fn told_after(&self, log: &Path, before: usize, words: &str) -> String {
        let told = || {
            assert_eq!(self.get("/healthz").0, 200);
            fs::read_to_string(log).unwrap().split_off(before)
        };
        let found = (0..10_000).map(|_| told()).find(|told| told.lines().any(|line| line.contains(words)));
        found.unwrap_or_else(|| panic!("{words:?} is not in {}", told()))
    }

    /// SIGTERM ends it, with success, whatever it could not write.
    pub fn stop(&mut self) {
        self.fill.take();
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer_of(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn provider(address: SocketAddr) -> String {
    format!(
        "[[provider]]\nid = \"fake\"\nname = \"Fake\"\ncatalogue = \"snapchat\"\nclient_id = \"client\"\n\
         client_secret = {{ file = \"secret\" }}\naccept_unbound_access_tokens = true\n\
         exchange.url = \"http://{address}/token\"\nprofile.url = \"http://{address}/me\"\n"
    )
}

/// Answers whoever shows a token with the token as their external ID; `nobody` is refused. It ends with the tests.
fn start_provider() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    address
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut token, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 {
            return;
        }
        let line = line.trim_end();
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "authorization" => value.trim_start_matches("Bearer ").clone_into(&mut token),
            "content-length" => length = value.parse().unwrap(),
            "" => break,
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let (status, body) = match token.as_str() {
        "nobody" => ("401 Unauthorized", json!({})),
        person => ("200 OK", json!({"data": {"me": {"externalId": person}}})),
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close");
    // Whoever asked may be gone.
    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}
