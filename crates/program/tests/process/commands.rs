//! What commands beside a server say, and where what they did is found again.

use super::server::{Installation, Output};

#[test]
fn what_a_command_did_is_in_the_store_and_not_on_the_terminal() {
    let installation = Installation::new("sqlite:daypass.db");
    let mut serving = installation.serve(Output::Null);
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
    serving.stop();
}
