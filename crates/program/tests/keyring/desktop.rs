//! What a desktop has: a D-Bus, and GNOME's keyring on it, with nobody to answer a prompt.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::person::Person;

const PASSWORD: &[u8] = b"a-password";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
const PROGRAMS: [&str; 4] = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"];

/// A session of somebody's own, which ends with its bus.
pub struct Desktop {
    home: tempfile::TempDir,
    bus: Child,
    address: String,
}

impl Desktop {
    /// Nothing, if there is no keyring to be had.
    #[expect(clippy::print_stderr, reason = "what was left out is said")]
    pub fn new() -> Option<Self> {
        if let Some(missing) = PROGRAMS.into_iter().find(|program| !is_on_path(program)) {
            assert!(std::env::var_os("DAYPASS_TEST_KEYRING").is_none(), "there is no {missing}");
            eprintln!(
                "skipped: there is no {missing}; `apt-get install dbus gnome-keyring libsecret-tools` has it"
            );
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut bus = bus.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let desktop = Self { home, bus, address: address.trim().to_owned() };
        desktop.start(&[]);
        Some(desktop)
    }

    /// Somebody who sits here.
    pub fn person(&self, lifetime: u64) -> Person {
        Person { environment: self.environment(), ..Person::new(lifetime) }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let home = self.home.path().to_str().unwrap().to_owned();
        vec![
            ("PATH", std::env::var("PATH").unwrap()),
            ("DBUS_SESSION_BUS_ADDRESS", self.address.clone()),
            ("XDG_RUNTIME_DIR", home.clone()),
            ("XDG_DATA_HOME", home),
        ]
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", self.home.path()).envs(self.environment());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn start(&self, arguments: &[&str]) {
        let mut start = self.command("gnome-keyring-daemon", &["--unlock", "--components=secrets"]);
        let mut start = start.args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        start.stdin.take().unwrap().write_all(PASSWORD).unwrap();
        assert!(start.wait().unwrap().success());
    }

    /// By another process of the keyring's, which reads what the first one kept: nobody is there to answer a prompt.
    pub fn unlock(&self) {
        self.start(&["--replace"]);
    }

    pub fn lock(&self) {
        let collections = format!("array:objpath:{COLLECTION}");
        let arguments = [
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.secrets",
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            &collections,
        ];
        assert!(self.command("dbus-send", &arguments).status().unwrap().success());
    }

    /// The one key of Daypass's, as its owner would look for it.
    pub fn key(&self) -> Option<String> {
        let arguments = ["search", "--all", "service", "daypass"];
        let found = self.command("secret-tool", &arguments).stdout(Stdio::piped()).output().unwrap();
        assert!(found.status.success());
        let text = String::from_utf8(found.stdout).unwrap();
        let keys: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("secret = ")).collect();
        assert!(keys.len() <= 1, "{text}");
        assert_eq!(text.contains("label = Daypass: http://127.0.0.1:"), keys.len() == 1, "{text}");
        keys.first().map(|key| (*key).to_owned())
    }

    pub fn forget(&self) {
        assert!(self.command("secret-tool", &["clear", "service", "daypass"]).status().unwrap().success());
    }

    /// The keyring ends with the bus.
    pub fn end(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.end();
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| Path::new(&dir).join(program).is_file())
}
