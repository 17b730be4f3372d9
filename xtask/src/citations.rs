//! What pages and comments name has to be there: links to files and headings, files of the source, pages, and sections of the
//! reference. A page that leads nowhere is worse than none, and nobody notices when a file is moved.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What has comments, beside the files in the repository's own folder.
const FOLDERS: [&str; 9] = ["crates", "xtask", "bench", "fuzz", "tests", "sdk", "deploy", ".ci", ".cargo"];
const ENDINGS: [&str; 14] =
    ["rs", "py", "toml", "sh", "js", "mjs", "ts", "tsx", "yml", "yaml", "tf", "kt", "swift", "service"];

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

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending))
}

fn read(path: PathBuf) -> (PathBuf, String) {
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut found = BTreeSet::new();
    files(&root().join("docs"), &mut found);
    found.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    found.into_iter().filter(|path| ends_in(path, &["md"])).map(read).collect()
}

/// The source files but this one, which names what is not there.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = BTreeSet::new();
    let folders = FOLDERS.map(|folder| root().join(folder));
    folders.iter().filter(|it| it.exists()).for_each(|it| files(it, &mut found));
    found.extend(["Cargo.toml", "clippy.toml", "deny.toml"].map(|name| root().join(name)));
    let found = found.into_iter().filter(|path| ends_in(path, &ENDINGS));
    found.filter(|path| !path.ends_with(file!())).map(read).collect()
}

/// A comment reads on where it is wrapped: a source file as one line.
fn as_one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim().trim_start_matches(['/', '!', '#']).trim());
    lines.collect::<Vec<_>>().join(" ")
}

/// The lines of a source file that are comments.
fn comments(text: &str) -> String {
    let lines = text.lines().filter(|line| line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of links within the repository: a path and a fragment, either of which may be empty.
fn links(text: &str) -> Vec<(&str, &str)> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let inside = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    inside.map(|target| target.split_once('#').unwrap_or((target, ""))).collect()
}

/// The Rust files that stand in backticks.
fn rust_files(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |it: &&str| {
        it.split('.').next_back() == Some("rs")
            && it.contains('.')
            && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.".contains(&byte))
    };
    quoted.filter(is_path).collect()
}

/// Where paths into `docs/` begin, and the paths.
fn paths(text: &str) -> Vec<(usize, &str)> {
    let begins = |at: &usize| {
        let before = text[..*at].trim_end_matches(['.', '/']);
        !before.ends_with(|it: char| it.is_alphanumeric() || "-_:}".contains(it))
    };
    let starts = text.match_indices("docs/").map(|(at, _)| at).filter(begins);
    starts.map(|at| (at, path_at(&text[at..]))).collect()
}

fn path_at(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric() && !"_-/.".contains(it));
    text[..end.unwrap_or(text.len())].trim_end_matches('.')
}

/// The pages of the reference that a text cites, and the sections it gives: `docs/reference/page.md, 1.3, 3.5 and 9.1`.
fn citations(text: &str) -> Vec<(&str, Vec<&str>)> {
    let pages = paths(text).into_iter().filter(|(_, path)| path.starts_with("docs/reference/"));
    pages.map(|(at, path)| (path, sections(&text[at + path.len()..]))).collect()
}

/// The numbers at the beginning of what follows the name of a page.
fn sections(mut rest: &str) -> Vec<&str> {
    let mut found = Vec::new();
    while let Some(after) = [", ", " and ", " to "].iter().find_map(|it| rest.strip_prefix(it)) {
        let end = after.find(|it: char| !it.is_ascii_alphanumeric() && !"-.".contains(it));
        let number = after[..end.unwrap_or(after.len())].trim_end_matches(['.', '-']);
        if !number.starts_with(|it: char| it.is_ascii_digit()) {
            break;
        }
        found.push(number);
        rest = &after[number.len()..];
    }
    found
}

/// Whether a page has a section `4.3`, or an item 9 in it, `4.3-9`.
fn has_section(page: &str, number: &str) -> bool {
    let (number, item) = number.split_once('-').unwrap_or((number, ""));
    let is_it =
        |heading: &str| heading.split(' ').next().is_some_and(|it| it.trim_end_matches('.') == number);
    let mut parts = page.split("\n#").skip(1).map(|part| part.trim_start_matches('#').trim_start());
    let Some(part) = parts.find(|part| is_it(part)) else { return false };
    item.is_empty() || part.lines().any(|line| line.starts_with(&format!("{item}. ")))
}

/// The fragments that lead into a page: to its headings, as GitHub and GitLab make them, and to places that have an ID.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let places = page.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).chain(places.map(String::from)).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Fails with everything that leads nowhere, and if nearly nothing was looked at.
fn report(looked_at: usize, at_least: usize, missing: &[String]) {
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert!(looked_at >= at_least, "{looked_at}: what is named is found as it is written");
}

#[test]
fn every_link_of_the_pages_leads_to_a_file_and_a_heading() {
    let (mut count, mut missing) = (0, Vec::new());
    for (page, text) in pages() {
        for (target, fragment) in links(&text) {
            count += 1;
            let there = if target.is_empty() { page.clone() } else { page.parent().unwrap().join(target) };
            let leads =
                there.exists() && (fragment.is_empty() || anchors(&read(there).1).contains(&fragment.into()));
            if !leads {
                missing.push(format!("{} leads to {target}#{fragment}", page.display()));
            }
        }
    }
    report(count, 100, &missing);
}

#[test]
fn every_source_file_that_a_page_or_a_comment_names_is_there() {
    let (mut known, mut count, mut missing) = (BTreeSet::new(), 0, Vec::new());
    files(&root(), &mut known);
    let comments = sources().into_iter().map(|(file, text)| (file, comments(&text)));
    for (file, text) in pages().into_iter().chain(comments) {
        for named in rust_files(&text) {
            count += 1;
            if !known.iter().any(|file| file.ends_with(named)) {
                missing.push(format!("{} names {named}", file.display()));
            }
        }
    }
    report(count, 50, &missing);
}

#[test]
fn every_path_into_the_docs_leads_to_a_page() {
    let (mut count, mut missing) = (0, Vec::new());
    for (file, text) in sources().into_iter().chain(pages()) {
        for (_, path) in paths(&text) {
            count += 1;
            if !root().join(path).exists() {
                missing.push(format!("{} names {path}", file.display()));
            }
        }
    }
    report(count, 80, &missing);
}

#[test]
fn every_section_that_is_cited_is_there() {
    let (mut count, mut missing) = (0, Vec::new());
    for (file, text) in sources().into_iter().chain(pages()) {
        for (page, numbers) in citations(&as_one_line(&text)) {
            let text = std::fs::read_to_string(root().join(page)).unwrap_or_default();
            count += numbers.len();
            let gone = numbers.iter().filter(|number| !has_section(&text, number));
            missing.extend(gone.map(|number| format!("{} cites {page}, {number}", file.display())));
        }
    }
    report(count, 60, &missing);
}

/// A name alone, as in "(providers.md 2C)", would lead nobody to the page and pass the tests above. Code may name a page
/// that it makes.
#[test]
fn the_reference_is_cited_by_its_path() {
    let (mut reference, mut count, mut missing) = (BTreeSet::new(), 0, Vec::new());
    files(&root().join("docs/reference"), &mut reference);
    let pages = reference.iter().filter(|page| ends_in(page, &["md"]));
    for name in pages.map(|page| page.file_name().unwrap().to_str().unwrap()) {
        for (file, text) in sources() {
            let text = if ends_in(&file, &["rs"]) { comments(&text) } else { text };
            count += 1;
            let before = text.match_indices(name).map(|(at, _)| &text[..at]);
            let mut alone =
                before.filter(|it| !it.ends_with(|it: char| it.is_alphanumeric() || "/-_".contains(it)));
            if alone.next().is_some() {
                missing.push(format!("{} cites {name} without its path", file.display()));
            }
        }
    }
    report(count, 100, &missing);
}

#[test]
fn citations_are_read_as_they_are_written() {
    let text = as_one_line(
        "/// See (docs/reference/a.md,\n    /// 4.3-9 and 4.6). Or `docs/reference/b.md`, or awsdocs/x.\n",
    );
    assert_eq!(
        citations(&text),
        [("docs/reference/a.md", vec!["4.3-9", "4.6"]), ("docs/reference/b.md", vec![])]
    );
    assert_eq!(sections(", 1 to 3): text, 7"), ["1", "3"]);
    assert_eq!(sections(", 2C."), ["2C"]);
    let page = "# Page\n\n## 2C. Two\n\n1. One.\n\n### 4.3 Three\n\n9. Nine.\n";
    for there in ["2C", "2C-1", "4.3", "4.3-9"] {
        assert!(has_section(page, there), "{there}");
    }
    for not_there in ["2", "2C-9", "4", "4.3-1", "9"] {
        assert!(!has_section(page, not_there), "{not_there}");
    }
}
