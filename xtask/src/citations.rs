//! What the pages name has to be there: links to files, and source files in backticks. A page that leads nowhere is worse than
//! none, and nobody notices when a file is moved.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below a folder, but for what builds leave there.
fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["target", "node_modules", ".git"].contains(&name) {
                files(&path, found);
            }
        } else {
            found.insert(path);
        }
    }
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut found = BTreeSet::new();
    files(&root().join("docs"), &mut found);
    found.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    let is_page = |path: &PathBuf| path.extension().is_some_and(|it| it == "md");
    found
        .into_iter()
        .filter(is_page)
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// The targets of links within the repository, without their fragments.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let inside = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    inside.filter_map(|target| target.split('#').next()).filter(|target| !target.is_empty()).collect()
}

/// The Rust files that stand in backticks.
fn sources(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |it: &&str| {
        it.split('.').next_back() == Some("rs")
            && it.contains('.')
            && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.".contains(&byte))
    };
    quoted.filter(is_path).collect()
}

#[test]
fn every_link_of_the_pages_leads_to_a_file() {
    let mut count = 0;
    for (page, text) in pages() {
        for target in links(&text) {
            count += 1;
            assert!(page.parent().unwrap().join(target).exists(), "{} leads to {target}", page.display());
        }
    }
    assert!(count > 100, "{count}: links are found as they are written");
}

#[test]
fn every_source_file_that_a_page_names_is_there() {
    let (mut known, mut count) = (BTreeSet::new(), 0);
    files(&root(), &mut known);
    for (page, text) in pages() {
        for named in sources(&text) {
            count += 1;
            let is_there = known.iter().any(|file| file.ends_with(named));
            assert!(is_there, "{} names {named}", page.display());
        }
    }
    assert!(count > 100, "{count}: files are found as they are written");
}
