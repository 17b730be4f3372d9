//! What commands beside a server say, and where what they did is found again.

use serde_json::Value;

use super::server::{Installation, Output};

#[test]
fn what_a_command_did_is_in_the_store_and_not_on_the_terminal() {
    let installation = Installation::new("sqlite:daypass.db");
    let mut serving = installation.serve(Output::Null);
    let none = installation.run(&["audit", "list"]);
    assert!(none.success && none.stderr.contains("no events"), "{none:?}");
    let (_, ada) = serving.log_in("ada");
    let made = installation.run(&["key", "create", "backend", "--preset", "tokens"]);
    let id = made.stdout.lines().find_map(|line| line.strip_prefix("aws_access_key_id = ")).unwrap();
    let ada = ada["identity_id"].as_str().unwrap();
    for command in [&["key", "disable", id][..], &["revoke", ada], &["backup", "backup.db"]] {
        let done = installation.run(command);
        assert!(done.success, "{done:?}");
        for written in [&done.stdout, &done.stderr, &made.stderr] {
            assert!(
                !written.contains("\"action\"") && !written.contains("request_id"),
                "{command:?}: {written}"
            );
        }
    }
    for (about, action) in [(id, "create_key"), (id, "disable_key"), (ada, "revoke")] {
        let asked = installation.run(&["audit", "who", about]);
        assert!(asked.stdout.contains(&format!("{action:<11}  allowed")), "{asked:?}");
    }
    // Of what names no identity and no key, there is no other question.
    installation.change("name = \"my-app\"", "name = \"second\"");
    assert!(
        installation.run(&["pool", "create"]).success
            && installation.run(&["revoke", "authenticated"]).success
    );
    let listed = installation.run(&["audit", "list", "--limit", "2"]).stdout;
    let [revoke, pool] = listed.split("\n20").collect::<Vec<_>>()[..] else { panic!("{listed}") };
    assert!(revoke.contains("revoke       allowed") && revoke.contains("authenticated"), "{listed}");
    assert!(pool.contains("pool         allowed") && pool.contains("identitypool/eu-west-1:"), "{listed}");
    let lines = installation.run(&["audit", "list", "--json"]).stdout;
    let read =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["action"].as_str().unwrap().to_owned();
    let actions: Vec<_> = lines.lines().map(read).collect();
    assert_eq!(actions, ["revoke", "pool", "backup", "revoke", "disable_key", "create_key", "exchange"]);
    let who = installation.run(&["audit", "who", id, "--json"]).stdout;
    assert_eq!(who.lines().map(read).collect::<Vec<_>>(), ["disable_key", "create_key"]);
    serving.stop();
}
