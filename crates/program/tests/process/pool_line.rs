//! `[pool]` and the master key, held against the store that they lead to.

use std::fs;

use super::server::{Installation, Output};

/// Starts once, which makes the pool, and answers the log.
fn started(installation: &Installation, log: &str) -> String {
    let log = installation.path(log);
    let mut serving = installation.serve(Output::File(log.clone()));
    assert_eq!(serving.log_in("ada").0, 200);
    serving.stop();
    fs::read_to_string(log).unwrap()
}

#[test]
fn a_pool_line_that_says_something_else_than_it_did_starts_nothing() {
    let installation = Installation::new("sqlite:daypass.db");
    let log = started(&installation, "first.log");
    let loud = log.lines().find(|line| line.contains("was made under the name"));
    assert!(loud.is_some_and(|line| line.contains("WARN") && line.contains("daypass.db")), "{log}");
    assert!(!started(&installation, "second.log").contains("was made under the name"));
    for (now, then) in [
        ("region = \"us-west-2\"", "region = \"eu-west-1\""),
        ("account_id = \"210987654321\"", "account_id = \"123456789012\""),
        ("developer_provider = \"login.example.org\"", "developer_provider = \"login.example.com\""),
        ("[pool]\nname = \"my-ap\"", "[pool]\nname = \"my-app\""),
    ] {
        installation.change(then, now);
        let (key, wrong) = now.lines().last().unwrap().split_once(" = ").unwrap();
        let cure = then.lines().last().unwrap();
        let refusal = installation.refusal(Output::Null);
        let made = installation.run(&["key", "create", "backend", "--preset", "tokens"]);
        assert!(!made.success);
        for told in [&refusal, &made.stderr] {
            for part in
                ["daypass.toml, line ", &format!("[pool] {key}: "), wrong, &format!("write {cure} again")]
            {
                assert!(told.contains(part), "{part}: {told}");
            }
        }
        fs::remove_file(installation.path("refusal.log")).unwrap();
        installation.change(now, then);
    }
    let (_, people) = pools(&installation)[0].clone();
    assert_eq!(people, "1");
}

/// IDs of pools, and how many identities each has.
fn pools(installation: &Installation) -> Vec<(String, String)> {
    let listed = installation.run(&["pool", "list"]).stdout;
    let words = listed.lines().skip(1).map(|line| line.split_whitespace().map(str::to_owned));
    words.map(|mut words| (words.next().unwrap(), words.next().unwrap())).collect()
}

#[test]
fn a_second_pool_is_made_when_it_is_asked_for() {
    let installation = Installation::new("sqlite:daypass.db");
    started(&installation, "log");
    installation.change("name = \"my-app\"", "name = \"second\"");
    installation.run(&["pool", "list"]);
    let made = installation.run(&["pool", "create"]);
    assert!(made.success && made.stdout.starts_with("Made the pool eu-west-1:"), "{made:?}");
    assert!(made.stderr.contains("beside 1 that other names lead to"), "{made:?}");
    assert!(installation.run(&["pool", "create"]).stdout.starts_with("Nothing to do"));
    assert_eq!(pools(&installation).len(), 2);
    started(&installation, "log-of-second");
    installation.change("name = \"second\"", "name = \"my-app\"");
    started(&installation, "log-of-first");
    assert!(pools(&installation).iter().all(|(_, people)| people == "1"));
}

#[test]
fn a_new_pool_has_the_form_of_aws_or_is_not_made() {
    let installation = Installation::new("sqlite:daypass.db");
    installation.change("region = \"eu-west-1\"", "region = \"eu-west\"");
    let refusal = installation.refusal(Output::Null);
    assert!(refusal.contains("[pool] region: \"eu-west\"") && refusal.contains("us-east-1"), "{refusal}");
    let checked = installation.run(&["check"]);
    assert!(!checked.success && checked.stdout.contains("[pool] region: \"eu-west\""), "{checked:?}");
}

#[test]
fn a_key_that_was_made_first_holds_the_server_to_its_master_key() {
    let installation = Installation::new("sqlite:daypass.db");
    assert!(installation.run(&["key", "create", "backend", "--preset", "tokens"]).success);
    fs::write(installation.path("master-key"), "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=").unwrap();
    let refusal = installation.refusal(Output::Null);
    let rotated = installation.run(&["key", "rotate", "backend"]).stderr;
    for told in [&refusal, &rotated] {
        assert!(told.contains("the master key is not the one"), "{told}");
        assert!(told.contains("/master-key"), "{told}");
    }
}
