//! Reading a configuration again while a server runs by it: what the grammar marks counts from then on, and of anything
//! else a change is a mistake, which a start would have to read.

use std::collections::BTreeSet;

use super::document::Document;
use super::grammar::{FILE, Kind, Table};
use super::mistakes::Mistake;
use super::steps::{Steps, step};

const CURE: &str =
    "changed, and this is read when the server starts: restart it, or write again what was there";

/// What changed between two readings that a running server cannot take up.
pub(super) fn what_waits_for_a_start(before: &Document, now: &Document) -> Vec<Mistake> {
    let mut found = Vec::new();
    in_table(&FILE, &before.table, &now.table, &[], &mut found);
    now.mistakes(&found)
}

fn in_table(
    grammar: &Table,
    before: &toml::Table,
    now: &toml::Table,
    at: &[String],
    found: &mut Vec<(Steps, String)>,
) {
    for name in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        let key = grammar.own_keys().find(|key| key.name == name);
        let (was, is, at) = (before.get(name), now.get(name), step(at, name));
        if key.is_some_and(|key| key.read_again) || was == is {
            continue;
        }
        let nothing = toml::Table::new();
        let table =
            |value: Option<&toml::Value>| value.map_or(Some(nothing.clone()), |it| it.as_table().cloned());
        match (key.map(|key| &key.kind), table(was), table(is)) {
            (Some(Kind::Table(grammar)), Some(was), Some(is)) => in_table(grammar, &was, &is, &at, found),
            _ => found.push((at, CURE.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigFile};

    const TEXT: &str = r#"
public_url = "https://login.example.com"
master_key = { file = "master-key" }
[store]
url = "sqlite:daypass.db"
[pool]
name = "my-app"
developer_provider = "login.example.com"
region = "us-east-1"
account_id = "000000000000"
[network]
idle_timeout = "75s"
[[provider]]
id = "discord"
client_id = "ours"
client_secret = { env = "SECRET" }
[[app]]
id = "web"
origins = ["https://app.example.com"]
redirect_uris = ["https://app.example.com/signed-in"]
"#;

    /// What is told of these changes, a line each, or nothing.
    fn told(changes: &[(&str, &str)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("daypass.toml");
        std::fs::write(&file, TEXT).unwrap();
        let before = Config::read(&file).unwrap();
        let now = changes.iter().fold(TEXT.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        std::fs::write(&file, now).unwrap();
        let mistakes =
            ConfigFile::read_again(&file).and_then(|now| now.of_production_after(Some(&before))).err();
        mistakes.iter().flat_map(|error| error.iter().map(ToString::to_string)).collect()
    }

    #[test]
    fn what_a_running_server_takes_up_is_no_mistake() {
        let more = "[log]\nlevel = \"debug\"\n[metrics]\ntoken = { env = \"T\" }\n[secrets]\nrefresh = \"1m\"\n[[app]]";
        let oidc = "[[oidc_provider]]\narn = \"arn:aws:iam::000000000000:oidc-provider/id.example.com\"\n\
                    issuer = \"https://id.example.com\"\naudiences = [\"a\"]\n[[app]]";
        assert_eq!(told(&[]), [""; 0]);
        for change in [
            ("discord", "google"),
            ("[[app]]", more),
            ("[[app]]", oidc),
            ("app.example", "shop.example"),
            ("SECRET", "OTHER"),
            ("[store]", "other_master_keys = [{ env = \"KEY\" }]\n[store]"),
            ("file = \"master-key\"", "env = \"KEY\""),
        ] {
            assert_eq!(told(&[change]), [""; 0], "{change:?}");
        }
    }

    #[test]
    fn what_only_a_start_reads_is_named_with_its_line() {
        for (from, to, line, key) in [
            ("https://login.example.com\"", "https://other.example.com\"", 2, "public_url"),
            ("daypass.db", "other.db", 5, "[store] url"),
            ("my-app", "my-other-app", 7, "[pool] name"),
            ("us-east-1", "eu-west-1", 9, "[pool] region"),
            ("75s", "76s", 12, "[network] idle_timeout"),
            ("idle_timeout = \"75s\"\n", "", 11, "[network] idle_timeout"),
            ("[network]\n", "max_token_duration = \"2h\"\n[network]\n", 11, "[pool] max_token_duration"),
            (
                "[network]",
                "[credentials]\nduration = \"2h\"\nsource = \"sts\"\nurl = \"https://s\"\n[network]",
                12,
                "[credentials] duration",
            ),
        ] {
            let told = told(&[(from, to)]);
            let place =
                format!("daypass.toml, line {line}: {key}: changed, and this is read when the server starts");
            assert!(told[0].contains(&place) && told[0].contains("restart it"), "{to}: {told:?}");
        }
    }

    #[test]
    fn every_mistake_is_told_together_with_what_waits() {
        let told = told(&[
            ("my-app", "my-other-app"),
            ("discord", "discordd"),
            ("https://app.example.com\"", "app\""),
        ]);
        let lines: Vec<_> =
            told.iter().map(|line| line.split(": ").next().unwrap().rsplit(' ').next().unwrap()).collect();
        assert_eq!(lines, ["7", "14", "19"], "{told:?}");
    }

    #[test]
    fn a_table_that_says_nothing_is_as_good_as_none() {
        assert_eq!(told(&[("[network]\nidle_timeout = \"75s\"\n", "")]).len(), 1);
        assert_eq!(told(&[("[store]", "[credentials]\n[store]")]), [""; 0]);
    }
}
