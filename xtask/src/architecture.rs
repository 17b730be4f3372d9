//! `docs/architecture.md` names rooms and tests, and neither may be gone: a map with a room that is not there misleads, and a threat
//! that no test holds is a wish.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::rooms::ROOMS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/architecture.md")).unwrap()
}

/// What stands below a heading, up to the next of its level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let after =
        page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no {heading}")).1;
    after.split("\n## ").next().unwrap_or(after)
}

/// The lines of the blocks of text in a section, which begin with the name of a room.
fn blocks(section: &str) -> Vec<Vec<&str>> {
    let blocks = section.split("```text\n").skip(1).filter_map(|block| block.split("```").next());
    blocks.map(|block| block.lines().collect()).collect()
}

/// The names that a line begins with: one, or several folders.
fn names(line: &str) -> Vec<&str> {
    let mut words = line.split_whitespace();
    let first = words.next().into_iter();
    first.chain(words.take_while(|word| word.ends_with('/'))).collect()
}

/// The names of all tests in a folder: functions of Rust and of Python, and what those of JavaScript are called.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                functions(&path, found);
            }
        } else if let Some(name) = test_name(&path) {
            found.extend(std::fs::read_to_string(path).unwrap().lines().filter_map(name).map(str::to_owned));
        }
    }
}

/// How a line of this file names a test.
fn test_name(path: &Path) -> Option<fn(&str) -> Option<&str>> {
    match path.extension()?.to_str()? {
        "rs" | "py" => Some(function),
        "js" => Some(title),
        _ => None,
    }
}

/// `test('a title', …`, `browserTest('a title', …`
fn title(line: &str) -> Option<&str> {
    let (call, rest) = line.split_once("('")?;
    let is_test = call.trim_start() == "test" || call.ends_with("Test");
    rest.split("', ").next().filter(|_| is_test)
}

fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ").or_else(|| line.strip_prefix("def "))?.split(['(', '<']).next()
}

/// The rows of the tables about threats, with the tests that each names.
fn threats(section: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| An attacker"));
    let cells = rows.filter_map(|row| row.trim_end_matches(['|', ' ']).rsplit_once(" | "));
    cells.map(|(threat, tests)| (threat, tests.split('`').skip(1).step_by(2).collect())).collect()
}

#[test]
fn the_map_has_the_rooms_of_the_core_in_their_order_and_rooms_of_the_server_that_are_there() {
    let page = page();
    let blocks = blocks(section(&page, "## The map"));
    let core: Vec<&str> = blocks[0].iter().flat_map(|line| names(line)).collect();
    assert_eq!(core, ROOMS.iter().rev().copied().collect::<Vec<_>>());
    let crates = ["server", "store"].map(|name| root().join("crates").join(name).join("src"));
    let is_there = |name: &str| {
        let name = name.trim_end_matches('/');
        crates.iter().any(|folder| folder.join(name).is_dir() || folder.join(format!("{name}.rs")).is_file())
    };
    let server: Vec<&str> = blocks[1].iter().flat_map(|line| names(line)).collect();
    let gone: Vec<_> = server.iter().filter(|name| !is_there(name)).collect();
    assert!(server.len() > 10 && gone.is_empty(), "the map has rooms that are not there: {gone:?}");
}

#[test]
fn every_threat_names_a_test_that_is_there() {
    let mut known = BTreeSet::new();
    for folder in ["crates", "tests", "fuzz", "xtask", "sdk"] {
        functions(&root().join(folder), &mut known);
    }
    let page = page();
    let threats = threats(section(&page, "## Threats"));
    let held = |tests: &[&str]| !tests.is_empty() && tests.iter().all(|test| known.contains(*test));
    let wishes: Vec<_> = threats.iter().filter(|(_, tests)| !held(tests)).collect();
    assert!(wishes.is_empty(), "{wishes:#?}");
    assert!(threats.len() > 60, "{}: the tables are found and read", threats.len());
}

#[test]
fn the_page_is_read_as_it_is_written() {
    let page = "# P\n\n## A\n\n```text\na/ b/    both\nc        one\n```\n\n## B\n\n| An attacker tries to | What | Tests |\n|---|---|---|\n\
                | x `y` | z | `one`, `two` |\n| x | `z` | none |\n";
    assert_eq!(
        blocks(section(page, "## A")).concat().iter().flat_map(|it| names(it)).collect::<Vec<_>>(),
        ["a/", "b/", "c"]
    );
    assert_eq!(threats(section(page, "## B")), [("| x `y` | z", vec!["one", "two"]), ("| x | `z`", vec![])]);
    assert_eq!(function("    pub async fn a_test() {"), Some("a_test"));
    assert_eq!(function("def test_it(daypass):"), Some("test_it"));
}
