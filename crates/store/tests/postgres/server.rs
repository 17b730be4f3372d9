//! A PostgreSQL of the tests' own, which ends with them.

use std::env::var_os;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

/// Does as its input says. Stops the server and clears up when its input ends, which it does with the tests, however they end.
const RUN_UNTIL_INPUT_ENDS: &str = r#"
    postgres=$1 folder=$2
    start() {
        "$postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_connections=600 -c lc_messages=C &
        server=$!
    }
    stop() {
        [ -n "$server" ] && kill -s "$1" "$server" && wait "$server"
        server=
    }
    start
    while read -r signal; do
        if [ "$signal" = start ]; then start; else stop "$signal"; fi
    done
    stop INT
    rm -rf "$folder"
"#;

const IS_UP: &str = "ready to accept connections";
const IS_DOWN: &str = "database system is shut down";

/// Servers other than that of all other tests: what `CONTRACT_REQUIRE` calls each, and the variable that names a folder with its
/// installation. `cargo xtask test` says them.
pub const POSTGRES_16: (&str, &str) = ("postgres_16", "DAYPASS_TEST_POSTGRES_16");
pub const POSTGRES_18: (&str, &str) = ("postgres_18", "DAYPASS_TEST_POSTGRES_18");

/// PostgreSQL does not run as root. Nobody does.
const NOBODY: u32 = 65534;

/// A server, in a folder with its data and its socket.
pub struct Cluster {
    pub folder: PathBuf,
    server: Child,
    /// Each time it is up, and each time it is down.
    turns: Mutex<Receiver<bool>>,
}

impl Cluster {
    /// A new one.
    pub fn start() -> Self {
        Self::start_in(folder_for_nobody(), &programs())
    }

    /// A new one of another installation than that of all other tests, if there is one.
    pub fn start_of(named: (&str, &str)) -> Option<Self> {
        Some(Self::start_copy(Path::new(&said(named)?)))
    }

    /// A new one of an installation that lies anywhere in a folder. It is copied: nobody may not be let in where it is.
    fn start_copy(of: &Path) -> Self {
        let folder = folder_for_nobody();
        let copy = folder.join("copy");
        let done = |command: &mut Command| command.status().unwrap().success();
        let is_copied = done(Command::new("cp").arg("-R").args([of, &copy]));
        // Whoever clears up is nobody, too.
        let is_theirs = done(Command::new("chown").args(["-R", "--reference"]).args([&folder, &copy]));
        assert!(is_copied && is_theirs, "{} cannot be copied", of.display());
        let programs = programs_below(&copy).unwrap_or_else(|| panic!("no initdb is below {}", of.display()));
        Self::start_in(folder, &programs)
    }

    fn start_in(folder: PathBuf, programs: &Path) -> Self {
        let command = |program: &Path| as_nobody(program, &folder);
        let made = command(&programs.join("initdb"))
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--no-locale",
                "-D",
            ])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let allowed = std::fs::read_to_string(folder.join("data/pg_hba.conf")).unwrap();
        std::fs::write(folder.join("data/pg_hba.conf"), format!("local all locked scram-sha-256\n{allowed}"))
            .unwrap();
        let mut server = command(Path::new("sh"))
            .args(["-c", RUN_UNTIL_INPUT_ENDS, "sh"])
            .args([&programs.join("postgres"), &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // What interrupts the tests lets it clear up.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains(IS_UP)) {
            said.push(log.next().unwrap_or_else(|| panic!("PostgreSQL does not start: {said:#?}")));
        }
        let (turn, turns) = channel();
        // A full pipe would stop it.
        std::thread::spawn(move || {
            for line in log {
                if line.contains(IS_UP) || line.contains(IS_DOWN) {
                    // Nobody may want to know.
                    let _ = turn.send(line.contains(IS_UP));
                }
            }
        });
        Self { folder, server, turns: Mutex::new(turns) }
    }

    /// Stops it at once, as when its machine fails: no session ends in order.
    pub fn crash(&mut self) {
        self.order("QUIT", false);
    }

    /// Starts it again.
    pub fn restart(&mut self) {
        self.order("start", true);
    }

    fn order(&mut self, order: &str, is_up: bool) {
        writeln!(self.server.stdin.as_mut().unwrap(), "{order}").unwrap();
        assert_eq!(self.turns.get_mut().unwrap().recv(), Ok(is_up), "{order}");
    }
}

/// A new folder, nobody's if we are root.
pub fn folder_for_nobody() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("daypass-postgres-").tempdir().unwrap().keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    if std::fs::metadata(&folder).unwrap().uid() == 0 {
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    folder
}

/// A program that runs in such a folder, as whose it is.
pub fn as_nobody(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if std::fs::metadata(folder).unwrap().uid() == NOBODY {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir(folder);
    command
}

fn programs_below(folder: &Path) -> Option<PathBuf> {
    if folder.join("initdb").is_file() {
        return Some(folder.to_owned());
    }
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    folders.find_map(|folder| programs_below(&folder.path()))
}

/// The folder of initdb and postgres: the one that is asked for, else one on the path, else Debian's newest.
fn programs() -> PathBuf {
    let has_both = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    if let Some(folder) = std::env::var_os("DAYPASS_TEST_POSTGRES").map(PathBuf::from) {
        assert!(
            has_both(&folder),
            "there are no initdb and postgres in {} (DAYPASS_TEST_POSTGRES)",
            folder.display()
        );
        return folder;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    std::env::split_paths(&path)
        .chain(debian.into_iter().rev())
        .find(has_both)
        .expect("there is no PostgreSQL for these tests: install Debian's `postgresql`, or name a folder with initdb and \
                 postgres in DAYPASS_TEST_POSTGRES")
}

/// What the environment says of a server. Where it says nothing, a test of that server is passed over, aloud; or it fails, if
/// `CONTRACT_REQUIRE` names the server.
pub fn said((name, variable): (&str, &str)) -> Option<OsString> {
    let said = var_os(variable);
    if said.is_none() {
        let required = var_os("CONTRACT_REQUIRE").unwrap_or_default();
        let is_required = required.to_str().unwrap().split(',').any(|required| required == name);
        assert!(!is_required, "CONTRACT_REQUIRE names {name}, and {variable} says nothing");
        // What a test that passes prints is kept back; this is not.
        let _ = writeln!(std::io::stderr(), "PASSED OVER: a test on {name}, since {variable} says nothing");
    }
    said
}
