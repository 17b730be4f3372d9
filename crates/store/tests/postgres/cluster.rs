//! A PostgreSQL of the tests' own, which ends with them.

use std::io::{BufRead, BufReader};
use std::ops::RangeInclusive;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use daypass_store::{Open, PostgresEngine, PostgresUrl};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

/// Stops the server and clears up when its input ends, which it does with the tests, however they end.
const RUN_UNTIL_INPUT_ENDS: &str = r#"
    "$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=600 -c lc_messages=C &
    cat
    kill -INT $!
    wait $!
    rm -rf "$2"
"#;

/// PostgreSQL does not run as root. Nobody does.
const NOBODY: u32 = 65534;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

struct Cluster {
    folder: PathBuf,
    /// Holds the input open.
    _server: Child,
}

/// A schema of its own in the database of all tests.
pub struct Schema {
    name: String,
}

impl Schema {
    /// An empty one.
    pub async fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("s{}", MADE.fetch_add(1, Ordering::Relaxed));
        client().await.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        Self { name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL by which a store is in it, with parameters.
    pub fn url(&self, options: &str, parameters: &str) -> PostgresUrl {
        let (folder, name) = (folder().display(), &self.name);
        let url = format!(
            "postgres:///postgres?host={folder}&user=postgres&options=-csearch_path%3D{name}%20{options}&{parameters}"
        );
        url.try_into().unwrap()
    }

    /// An engine in it.
    pub async fn engine(&self) -> PostgresEngine {
        PostgresEngine::open(&self.url("", ""), Open::OrMake).await.unwrap()
    }

    /// Waits until as many sessions as that are as a condition says. They are told by their `application_name`, the schema's.
    pub async fn until_sessions(&self, expected: RangeInclusive<i64>, condition: &str) {
        let (watch, mut found) = (client().await, -1);
        let count =
            format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND {condition}");
        let waiting = async {
            while !expected.contains(&found) {
                found = watch.query_one(&count, &[&self.name]).await.unwrap().get(0);
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{condition}: not {expected:?}"));
    }

    /// A client that is not the engine's.
    pub async fn client(&self) -> Client {
        let client = client().await;
        client.batch_execute(&format!("SET search_path = {}", self.name)).await.unwrap();
        client
    }
}

/// A client of the database of all tests.
pub async fn client() -> Client {
    let config = format!("host={} user=postgres dbname=postgres", folder().display());
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Where the server's socket is.
pub fn folder() -> &'static Path {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    &CLUSTER.get_or_init(start).folder
}

fn start() -> Cluster {
    let programs = programs();
    let folder = tempfile::Builder::new().prefix("daypass-postgres-").tempdir().unwrap().keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let is_root = std::fs::metadata(&folder).unwrap().uid() == 0;
    if is_root {
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let command = |program: &Path| {
        let mut command = Command::new(program);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.current_dir(&folder);
        command
    };
    let made = command(&programs.join("initdb"))
        .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "-D"])
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
    while !said.last().is_some_and(|line: &String| line.contains("ready to accept connections")) {
        said.push(log.next().unwrap_or_else(|| panic!("PostgreSQL does not start: {said:#?}")));
    }
    // A full pipe would stop it.
    std::thread::spawn(move || log.for_each(drop));
    Cluster { folder, _server: server }
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
