//! The stores that are compared, each a process of its own with its files in a directory of its own.

use std::any::Any;
use std::net::TcpListener;
use std::process::Command;

use aws_credential_types::Credentials;
use tempfile::TempDir;

use super::client::{Body, Client, Endpoint};
use super::stuff::Stuff;
use crate::others::host_of;
use crate::requests::Developer;
use crate::server::Server;
use crate::{Outcome, others, resident};

pub(super) const BUCKET: &str = "speed";
const KEY: [&str; 2] = ["bench-key-id", "bench-secret-key"];
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
    let (running, host) = others::moto(named("MOTO_PYTHON")?, directory.path())?;
    Store::of("moto", endpoint(host), running.id(), Box::new(running), directory)
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
    let (running, _) = others::start(&mut command, directory.path(), "ready to use")?;
    let host = format!("127.0.0.1:{}", ports[0]);
    Store::of("SeaweedFS", endpoint(host), running.id(), Box::new(running), directory)
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

fn endpoint(host: String) -> Endpoint {
    let [id, secret] = KEY;
    Endpoint {
        host,
        region: "us-east-1".into(),
        credentials: Credentials::new(id, secret, None, None, "daypass-bench"),
        sent_away: 0.into(),
    }
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
