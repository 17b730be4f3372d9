//! How soon a server is ready: from the start of its process to the line that says so; and how soon anything could be.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use crate::server::{Server, program};
use crate::size::Size;
use crate::statistics::as_float;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, far_end};

/// What has this program answer `/healthz`, and do nothing else.
pub(crate) const FLOOR: &str = "floor";
const NEW_MS: f64 = 70.0;
const EXISTING_MS: f64 = 20.0;
const SERVE_MS: f64 = 100.0;

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let columns = [Column::less("to ready", "ms", 1), Column::less("program", "MiB", 1)];
    let mut table = Table::new("start", "From the start of a process until it is ready", columns)
        .note("A new folder or store is one where keys have to be made.")
        .note("`daypass --version` is the same program from its start to its end: loaded, and nothing done.")
        .note("The floor is the bench itself, listening on a port for `/healthz` and for nothing else.");
    let up = tempfile::tempdir()?;
    let new = repeat(size, || up_in(tempfile::tempdir()?.path()))?;
    up_in(up.path())?;
    let existing = repeat(size, || up_in(up.path()))?;
    let serve = tempfile::tempdir()?;
    let first = repeat(size, || serve_in(tempfile::tempdir()?.path()))?;
    serve_in(serve.path())?;
    let again = repeat(size, || serve_in(serve.path()))?;
    let daypass = mebibytes(Path::new(&program()?))?;
    for (name, starts, limit) in [
        ("`up`, a new folder", new, NEW_MS),
        ("`up`, an existing folder", existing, EXISTING_MS),
        ("`serve`, a new store", first, SERVE_MS),
        ("`serve`, an existing store", again, SERVE_MS),
    ] {
        table.row(name, [Some(Cell::of(starts).at_most(limit)), Some(Cell::of([daypass]))]);
    }
    let version = repeat(size, version)?;
    table.row("`daypass --version`", [Some(Cell::of(version)), Some(Cell::of([daypass]))]);
    let own = mebibytes(&std::env::current_exe()?)?;
    table.row("the floor: only `/healthz`", [Some(Cell::of(repeat(size, floor)?)), Some(Cell::of([own]))]);
    Ok(vec![table])
}

fn repeat(size: &Size, measure: impl Fn() -> Outcome<f64>) -> Outcome<Vec<f64>> {
    (0..size.starts).map(|_| measure()).collect()
}

/// Milliseconds of one start.
fn up_in(directory: &Path) -> Outcome<f64> {
    took(Server::start(directory)?)
}

fn serve_in(directory: &Path) -> Outcome<f64> {
    let file = directory.join("daypass.toml");
    if !file.exists() {
        configure(directory, &file)?;
    }
    took(Server::serve(&file)?)
}

fn took(server: Server) -> Outcome<f64> {
    let took = server.started_in.as_secs_f64() * 1e3;
    server.stop()?;
    Ok(took)
}

/// An installation with a pool of its own, and nobody to sign in with.
fn configure(directory: &Path, file: &Path) -> Outcome<()> {
    let at = directory.display();
    fs::write(directory.join("master-key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
    let nothing = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "*", "Resource": "*"},
    ]});
    fs::write(directory.join("authenticated.json"), nothing.to_string())?;
    let configuration = format!(
        "public_url = \"https://login.example.com\"\nmaster_key = {{ file = \"{at}/master-key\" }}\n\
         [store]\nurl = \"sqlite:{at}/daypass.db\"\n\
         [pool]\nname = \"bench\"\ndeveloper_provider = \"login.example.com\"\nregion = \"eu-west-1\"\n\
         account_id = \"123456789012\"\n\
         [[role]]\nname = \"authenticated\"\npolicy = \"authenticated.json\"\n"
    );
    Ok(fs::write(file, configuration)?)
}

/// Milliseconds of a command that does nothing, from its start to its end.
fn version() -> Outcome<f64> {
    let started = Instant::now();
    let status = Command::new(program()?).arg("--version").stdout(Stdio::null()).status()?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    if status.success() { Ok(took) } else { Err(format!("`daypass --version` ended with {status}").into()) }
}

/// Milliseconds until this program is ready to answer `/healthz`.
fn floor() -> Outcome<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(FLOOR);
    let server = Server::run(command)?;
    let took = server.started_in.as_secs_f64() * 1e3;
    // Dropped and so killed: it knows of no other end.
    drop(server);
    Ok(took)
}

/// Answers `/healthz` until somebody ends the process.
pub(crate) fn be_the_floor() -> Outcome<()> {
    let host = far_end::start(|_| (String::new(), b"ok".to_vec()))?;
    println!("{}", json!({"ready": true, "listen": host}));
    loop {
        std::thread::park();
    }
}

fn mebibytes(file: &Path) -> Outcome<f64> {
    Ok(as_float(usize::try_from(fs::metadata(file)?.len())?) / 1024.0 / 1024.0)
}
