//! A PgBouncer of the tests' own in front of their PostgreSQL, which ends with them. Its clients have a connection to the server for
//! as long as a transaction takes, and two at a time.

use std::fs::write;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::cluster;
use crate::server::{as_nobody, folder_for_nobody};

/// Stops the pooler and clears up when its input ends, which it does with the tests, however they end.
const RUN_UNTIL_INPUT_ENDS: &str = r#"
    "$1" "$2/pgbouncer.ini" &
    cat
    kill $! && wait $!
    rm -rf "$2"
"#;

const IS_UP: &str = "process up";

/// A pooler, in a folder with its socket.
pub struct Pooler {
    pub folder: PathBuf,
    /// Holds the input open.
    _pooler: Child,
}

impl Pooler {
    /// A new one by a program, for every user that the server has.
    pub fn start(program: &Path) -> Self {
        let folder = folder_for_nobody();
        write(folder.join("users.txt"), "\"postgres\" \"\"\n").unwrap();
        write(folder.join("pgbouncer.ini"), configuration(&folder)).unwrap();
        let mut pooler = as_nobody(Path::new("sh"), &folder)
            .args(["-c", RUN_UNTIL_INPUT_ENDS, "sh"])
            .args([program, &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // What interrupts the tests lets it clear up.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(pooler.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains(IS_UP)) {
            said.push(log.next().unwrap_or_else(|| panic!("PgBouncer does not start: {said:#?}")));
        }
        // A full pipe would stop it.
        std::thread::spawn(move || log.for_each(drop));
        Self { folder, _pooler: pooler }
    }
}

/// A server's connection that nobody uses is closed after a second: each user has its own.
fn configuration(folder: &Path) -> String {
    let (server, folder) = (cluster::folder().display(), folder.display());
    format!(
        "[databases]
         postgres = host={server}
         [pgbouncer]
         listen_port = 5432
         unix_socket_dir = {folder}
         auth_type = trust
         auth_file = {folder}/users.txt
         auth_user = postgres
         pool_mode = transaction
         default_pool_size = 2
         max_client_conn = 1000
         server_idle_timeout = 1
        "
    )
    .replace("         ", "")
}
