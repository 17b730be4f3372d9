//! `docs/reference/configuration.md` and the schema beside it, made of the grammar. `cargo xtask gen` writes them.

use std::fmt::Write;

use super::grammar::{FILE, Key, Kind, More, Required, Table};
use super::schema::schema;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference");
/// Set by `cargo xtask gen`.
const REGENERATE: &str = "DAYPASS_REGENERATE";

const HEAD: &str = "\
# The configuration

Made from `crates/server/src/config/grammar/` by `cargo xtask gen`; a test fails when it is stale. Editors read the same as a JSON Schema,
[daypass.schema.json](daypass.schema.json): with taplo or \"Even Better TOML\", write
`#:schema https://…/daypass.schema.json` (or a path to it) as the first line of your file.

One file for `daypass serve` and Lambda (`daypass.toml`), and for `daypass up --config`, which decides by itself what is marked *production*
here and refuses it in a file of yours. Whoever starts Daypass with mistakes in the file is told of them together, each with its line;
`daypass check -c FILE` does so without starting anything, and with `--resolve` it also fetches what the file refers to.

What is marked *read again* here, with everything below it, a running server takes up
[at SIGHUP](../self-host.md#a-configuration-that-changes); of anything else a change takes a restart.

- A *duration* is `\"90s\"`, `\"15m\"`, `\"1h\"` or `\"7d\"`.
- A *secret* says where it is: `{ file = \"…\" }`, `{ env = \"…\" }`, `{ ssm = \"…\" }` or `{ secrets_manager = \"…\" }`
  ([secrets.md](../secrets.md)); of a master key that AWS KMS wrapped, `kms = \"ARN\"` stands beside it.
- A *pointer* is a JSON pointer (RFC 6901) into an answer, such as `/data/id`.
- Relative paths start from the folder of the file; from the working directory, if it is /dev/stdin or a shell's `<(…)`.
";

/// A table, where it stands, and how it is written there.
struct Section {
    heading: String,
    path: String,
    table: &'static Table,
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let top =
        Section { heading: "Above all tables, and the tables".into(), path: String::new(), table: &FILE };
    let (mut queue, mut written) = (vec![top], Vec::new());
    while !queue.is_empty() {
        let section = queue.remove(0);
        if written.iter().any(|table| std::ptr::eq(*table, section.table)) {
            continue;
        }
        written.push(section.table);
        write_section(&mut page, &section);
        let below =
            section.table.keys.iter().filter_map(|key| below(&section.path, key)).chain(more(&section));
        // What belongs to a table comes right behind it.
        queue.splice(0..0, below.collect::<Vec<_>>());
    }
    page
}

fn write_section(page: &mut String, section: &Section) {
    let _ = write!(page, "\n## {}\n\n{}\n\n", section.heading, section.table.about);
    page.push_str("| Key | Value | Without it | What it says |\n|---|---|---|---|\n");
    for key in section.table.keys {
        let again = if key.read_again { " *Read again.*" } else { "" };
        let _ =
            writeln!(page, "| `{}` | {} | {} | {}{again} |", key.name, value(key), without(key), key.about);
    }
    match section.table.more {
        More::None => {}
        More::Of(_) => page.push_str("\nAnd the keys of [a call](#the-keys-of-a-call).\n"),
        More::Over(_) => page.push_str(
            "\nAnd whatever you lay over the catalogue: [the vocabulary](#the-vocabulary-of-a-provider).\n",
        ),
    }
}

fn more(section: &Section) -> Option<Section> {
    let of = |heading: &str, table| Section { heading: heading.into(), path: section.path.clone(), table };
    match section.table.more {
        More::None => None,
        More::Of(table) => Some(of("The keys of a call", table)),
        More::Over(table) => Some(of("The vocabulary of a provider", table)),
    }
}

fn below(path: &str, key: &Key) -> Option<Section> {
    let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
    let (heading, table) = match key.kind {
        Kind::Table(table) => (format!("`[{path}]`"), table),
        Kind::Tables(table) | Kind::TextOrTables(table) => (format!("`[[{path}]]`"), table),
        Kind::TableByName(table) => (format!("`[{path}.NAME]`"), table),
        _ => return None,
    };
    Some(Section { heading, path, table })
}

fn value(key: &Key) -> String {
    let words = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match &key.kind {
        Kind::Text => "text".into(),
        Kind::Choice(choice) => words(choice),
        Kind::Flag => "`true`, `false`".into(),
        Kind::Number(least, i64::MAX) => format!("number, {least} at least"),
        Kind::Number(least, most) => format!("number, {least} to {most}"),
        Kind::Ratio => "number, 0 to 1".into(),
        Kind::Duration => "duration".into(),
        Kind::Secret => "secret".into(),
        Kind::SecretOrIam => "secret, or `{ aws = \"iam\" }`".into(),
        Kind::MasterKey => "secret, or with `kms` beside it".into(),
        Kind::MasterKeys => "several of the same, in brackets".into(),
        Kind::SecretByName => "table of secrets".into(),
        Kind::Texts => "texts".into(),
        Kind::OneOrMoreTexts => "text or texts".into(),
        Kind::TextByName => "table of texts".into(),
        Kind::Table(_) => "table".into(),
        Kind::Tables(_) => "tables".into(),
        Kind::TextOrTables(_) => "text or tables".into(),
        Kind::TableByName(_) => "tables by name".into(),
        Kind::TextOrWord(texts, tables) => {
            let tables: Vec<String> = tables.iter().map(|word| format!("`{{ {word} = … }}`")).collect();
            format!("{}, {}", words(texts), tables.join(", "))
        }
        Kind::Other => "see there".into(),
    }
}

fn without(key: &Key) -> String {
    let driver = key.driver.map(|driver| format!(" with driver {driver:?}")).unwrap_or_default();
    let needed = match key.required {
        Required::No if key.default.is_empty() => "–".to_owned(),
        Required::No => key.default.to_owned(),
        Required::Yes => format!("required{driver}"),
        Required::ByProduction => "required by `serve`".into(),
    };
    if key.production { format!("{needed}; *production*") } else { needed }
}

fn is_current(file: &str, content: &str) {
    let path = format!("{FOLDER}/{file}");
    if std::env::var_os(REGENERATE).is_some() {
        std::fs::write(&path, content).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), content, "run `cargo xtask gen`: {file} is stale");
}

#[test]
fn the_page_says_what_the_grammar_says() {
    is_current("configuration.md", &page());
}

#[test]
fn the_schema_says_what_the_grammar_says() {
    is_current("daypass.schema.json", &format!("{:#}\n", schema()));
}
