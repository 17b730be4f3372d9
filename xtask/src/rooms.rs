//! The order of the rooms of `daypass-core`: each module uses those that stand below it, and no other. A circle between
//! two of them would make both one room that nobody can read half of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From the bottom to the top.
pub const ROOMS: [&str; 11] = [
    "ground",
    "records",
    "iam",
    "store",
    "login",
    "token",
    "audit",
    "credentials",
    "pool",
    "broker",
    "operator",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/core/src")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

/// The room that a file is in: the first part of its path.
fn room_of(file: &Path) -> String {
    let file = file.strip_prefix(source()).unwrap().with_extension("");
    file.iter().next().unwrap().to_str().unwrap().to_owned()
}

/// The rooms that a file names, where it is no test: tests may look everywhere.
fn uses(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    assert!(
        !code.contains("use crate::{"),
        "{}: a `use` for each room, or this reads past it",
        file.display()
    );
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let after = lines.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>());
    let name =
        |path: String| path.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
    after.filter_map(name).filter(|name| ROOMS.contains(&name.as_str())).collect()
}

fn is_test(file: &Path) -> bool {
    // Where the repository lies says nothing of its files.
    let file = file.strip_prefix(source()).unwrap_or(file);
    file.iter()
        .any(|part| part == "tests" || part == "tests.rs" || part == "contract" || part == "testing.rs")
}

#[test]
fn every_room_uses_only_those_below_it() {
    let (mut wrong, mut arrows) = (Vec::new(), 0);
    for file in rust_files(&source()).into_iter().filter(|file| !is_test(file)) {
        let room = room_of(&file);
        if room == "lib" {
            continue;
        }
        let floor = ROOMS.iter().position(|it| *it == room);
        for used in uses(&file).into_iter().filter(|used| *used != room) {
            arrows += 1;
            if floor <= ROOMS.iter().position(|it| *it == used) {
                wrong.push(format!("{} uses {used}, which is not below {room}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(arrows > 100, "{arrows}: the files are read as they are written");
}

#[test]
fn every_room_of_the_core_has_its_place() {
    let text = std::fs::read_to_string(source().join("lib.rs")).unwrap();
    let rooms: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(rooms, ROOMS.into_iter().collect());
}

/// Apps build it in: what it drew along of the server, they would carry.
#[test]
fn the_client_takes_nothing_of_the_servers_side() {
    let manifest = std::fs::read_to_string(source().join("../../client/Cargo.toml")).unwrap();
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").unwrap();
    let names: Vec<&str> = dependencies.lines().filter_map(|line| line.split(['.', ' ']).next()).collect();
    assert!(names.contains(&"aws-credential-types"), "{names:?}");
    for name in names {
        assert!(!name.starts_with("daypass") && name != "axum" && name != "aws-config", "{name}");
    }
}
