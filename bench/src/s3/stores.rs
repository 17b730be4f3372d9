//! The stores that are compared, each a process of its own with its files in a directory of its own.

use std::any::Any;
use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use tempfile::TempDir;

use super::client::{Body, Client, Endpoint};
use super::stuff::Stuff;
use crate::requests::Developer;
use crate::server::Server;
use crate::{Outcome, resident};

pub(super) const BUCKET: &str = "speed";
const KEY: [&str; 2] = ["bench-key-id", "bench-secret-key"];
/// Only a hang meets it.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Every service of SeaweedFS has a second port, for gRPC, so much above its own.
const GRPC: u16 = 10_000;

pub(super) struct Store {
    pub name: &'static str,
    pub endpoint: Endpoint,
    pub process: u32,
    /// MiB that it holds before the first request.
    pub idle: f64,
    /// Dropped before its directory is.
    _running: Box<dyn Any + Send + Sync>,
    _directory: TempDir,
}

/// Whatever fails in between, no process is left behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is just what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All of them, with an empty bucket in each. Daypass is the first.
pub(super) fn start_all(stuff: &Stuff) -> Outcome<[Store; 3]> {
    let stores = [daypass()?, seaweedfs()?, moto()?];
    for store in &stores {
        let make = store.endpoint.request("PUT", &format!("/{BUCKET}"), Body::Nothing)?;
        Client::of(&store.endpoint, stuff).send(&make)?;
    }
    Ok(stores)
}

pub(super) fn daypass() -> Outcome<Store> {
    let directory = tempfile::tempdir()?;
    // The very first start makes keys, which takes memory that no later start needs.
    Server::start(directory.path())?.stop()?;
    let server = Server::start(directory.path())?;
    let developer = Developer::of(&server)?;
    let (process, host) = (server.process_id(), host_of(server.says("s3_url")?));
    let endpoint =
        Endpoint { host, region: developer.region, credentials: developer.credentials, sent_away: 0.into() };
    Store::of("Daypass", endpoint, process, Box::new(server), directory)
}

fn moto() -> Outcome<Store> {
    let directory = tempfile::tempdir()?;
    let mut command = Command::new(named("MOTO_PYTHON")?);
    command.args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", "0"]);
    let (running, said) = start(&mut command, directory.path(), "Running on ")?;
    let url = said.split("Running on ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let host = host_of(url.ok_or("moto does not say where it answers")?);
    Store::of("moto", endpoint(host), running.0.id(), Box::new(running), directory)
}

fn seaweedfs() -> Outcome<Store> {
    let directory = tempfile::tempdir()?;
    let (data, keys) = (directory.path().join("data"), directory.path().join("s3.json"));
    std::fs::create_dir(&data)?;
    let [id, secret] = KEY;
    let credentials = serde_json::json!([{"accessKey": id, "secretKey": secret}]);
    let admin = serde_json::json!({"name": "bench", "actions": ["Admin"], "credentials": credentials});
    std::fs::write(&keys, serde_json::json!({"identities": [admin]}).to_string())?;
    let mut command = Command::new(named("WEED")?);
    command.args([
        "-logdir=",
        "mini",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-admin.ui=false",
        "-webdav=false",
    ]);
    command.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
    command.arg(format!("-dir={}", data.display())).arg(format!("-s3.config={}", keys.display()));
    let services = ["s3", "master", "volume", "filer", "admin"];
    let ports = ports(services.len())?;
    command.args(services.iter().zip(&ports).map(|(service, port)| format!("-{service}.port={port}")));
    let (running, _) = start(&mut command, directory.path(), "ready to use")?;
    let host = format!("127.0.0.1:{}", ports[0]);
    Store::of("SeaweedFS", endpoint(host), running.0.id(), Box::new(running), directory)
}

impl Store {
    fn of(
        name: &'static str,
        endpoint: Endpoint,
        process: u32,
        running: Box<dyn Any + Send + Sync>,
        directory: TempDir,
    ) -> Outcome<Self> {
        let idle = resident::now(process)?;
        Ok(Self { name, endpoint, process, idle, _running: running, _directory: directory })
    }

    /// How many MiB more than when it was idle the process held at most while `work` was done.
    pub fn memory_of(&self, work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
        resident::forget_peak(self.process)?;
        work()?;
        Ok(resident::peak(self.process)? - self.idle)
    }
}

fn named(variable: &str) -> Outcome<std::ffi::OsString> {
    std::env::var_os(variable)
        .ok_or_else(|| format!("{variable} names no program; use `cargo xtask bench s3`").into())
}

fn host_of(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.split('/').next().unwrap_or(rest).to_owned()
}

fn endpoint(host: String) -> Endpoint {
    let [id, secret] = KEY;
    Endpoint {
        host,
        region: "us-east-1".into(),
        credentials: Credentials::new(id, secret, None, None, "daypass-bench"),
        sent_away: 0.into(),
    }
}

/// Starts a program whose words go to a file, and waits for some of them.
fn start(command: &mut Command, directory: &Path, ready: &str) -> Outcome<(Running, String)> {
    let path = directory.join("log");
    let log = File::create(&path)?;
    command.current_dir(directory).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let running = Running(command.spawn()?);
    let started = Instant::now();
    while started.elapsed() < START_LIMIT {
        let said = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        if said.contains(ready) {
            return Ok((running, said));
        }
        pause();
    }
    let said = std::fs::read_to_string(&path)?;
    Err(format!("{} does not become ready:\n{said}", command.get_program().display()).into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that starts says nowhere when it is worth to look again"
)]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}

/// Ports that the system gives, whose second ones are free too. They are held until all are found.
fn ports(count: usize) -> Outcome<Vec<u16>> {
    let (mut held, mut found) = (Vec::new(), Vec::new());
    while found.len() < count {
        let one = TcpListener::bind("127.0.0.1:0")?;
        let port = one.local_addr()?.port();
        if let Some(second) = port.checked_add(GRPC)
            && let Ok(other) = TcpListener::bind(("127.0.0.1", second))
        {
            found.push(port);
            held.push(other);
        }
        held.push(one);
    }
    Ok(found)
}
