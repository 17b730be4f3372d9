//! The reference has the facts behind the catalogue: each provider under its ID, and each address that is called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/reference/providers.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of the catalogue without their comments, by the IDs of the providers.
fn catalogue() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("crates/core/catalogue")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), block(&path))).collect()
}

fn block(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

/// The variables that have a value of their own, such as the host of gitlab.com.
fn variables(block: &str) -> Vec<(String, &str)> {
    let parts = block.split("[variables.").skip(1);
    let named = parts.filter_map(|part| part.split_once(']'));
    named.filter_map(|(name, rest)| Some((format!("{{{name}}}"), value(rest)?))).collect()
}

/// The `value` of a table, which ends where the next one begins.
fn value(rest: &str) -> Option<&str> {
    let table = rest.split("\n[").next()?;
    table.lines().find_map(|line| line.strip_prefix("value = \"")?.strip_suffix('"'))
}

/// The addresses of a block without query and fragment, as they are without a word of the operator's.
fn addresses(block: &str) -> Vec<String> {
    let filled =
        variables(block).into_iter().fold(block.to_owned(), |text, (name, it)| text.replace(&name, it));
    let quoted = filled.split('"').filter(|it| it.starts_with("https://"));
    quoted.map(|it| it.split(['?', '#']).next().unwrap_or(it).to_owned()).collect()
}

/// The tags of sources in a text: `[BA]`.
fn tags(text: &str) -> Vec<&str> {
    let bracketed = text.split('[').skip(1).filter_map(|rest| rest.split(']').next());
    bracketed.filter(|tag| !tag.is_empty() && tag.bytes().all(|it| it.is_ascii_uppercase())).collect()
}

/// The section of a provider, which ends where the next one begins.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n### `{id}`\n")).unwrap_or_default();
    rest.split("\n##").next().unwrap_or_default()
}

#[test]
fn a_block_was_checked_against_sources_that_its_section_names_and_the_reference_explains() {
    let page = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let (mut count, mut missing) = (0, Vec::new());
    for (id, block) in catalogue() {
        let checked = block.lines().find(|line| line.starts_with("checked")).unwrap_or_default();
        for tag in tags(checked) {
            count += 1;
            let cited = section(&page, &id).split(|it: char| !it.is_ascii_alphanumeric()).any(|it| it == tag);
            if !cited || !page.contains(&format!("\n| [{tag}] | ")) {
                missing.push(format!("{id} was checked against [{tag}], and {PAGE} does not say so"));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert!(count >= 50, "{count}: what blocks were checked against is found and read");
}

#[test]
fn every_provider_of_the_catalogue_and_every_address_is_in_the_reference() {
    let page = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let (mut count, mut missing) = (0, Vec::new());
    for (id, block) in catalogue() {
        let heading = format!("\n### `{id}`\n");
        for sought in addresses(&block).into_iter().chain([heading]) {
            count += 1;
            if !page.contains(&sought) {
                missing.push(format!("{PAGE} lacks {sought:?} of {id}"));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert!(count >= 200, "{count}: the catalogue is found and read");
}

#[test]
fn addresses_are_read_as_they_are_written() {
    let block = "[variables.host]\nabout = \"x\"\nvalue = \"a.example\"\n\n[variables.tenant]\nabout = \"x\"\n\n\
                 [profile]\nurl = \"https://{host}/{tenant}/me?x={token}\"\n";
    assert_eq!(addresses(block), ["https://a.example/{tenant}/me"]);
}
