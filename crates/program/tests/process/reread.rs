//! SIGHUP: a configuration that changed counts, or nothing of it does, and the log says which and why.

use std::fs;

use serde_json::json;

use crate::server::{Installation, Output, Server};

const TAKEN_UP: &str = "the configuration was read again, and counts from now on";
const REFUSED: &str = "the configuration was not taken up, and the one from before stays in use";
const PROVIDER: &str = "[[provider]]\nid = \"fake\"";
const METRICS: &str = "[metrics]\ntoken = { file = \"metrics-token\" }\n";

fn provider_ids(serving: &Server) -> Vec<String> {
    let (status, listed) = serving.get("/v1/providers");
    assert_eq!(status, 200);
    let listed = listed["providers"].as_array().unwrap();
    listed.iter().map(|provider| provider["id"].as_str().unwrap().to_owned()).collect()
}

fn shows_metrics(serving: &Server, token: &str) -> bool {
    serving.get_with("/metrics", &format!("Authorization: Bearer {token}")).0 == 200
}

#[test]
fn what_changed_counts_from_then_on_secrets_included() {
    let installation = Installation::new("sqlite:daypass.db");
    installation.change(PROVIDER, &format!("{METRICS}{PROVIDER}"));
    fs::write(installation.path("metrics-token"), "the-first").unwrap();
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    let (_, ada) = serving.log_in("ada");
    assert!(shows_metrics(&serving, "the-first"));
    installation.change("id = \"fake\"", "id = \"other\"");
    fs::write(installation.path("metrics-token"), "the-second").unwrap();
    let told = serving.hang_up(&log, TAKEN_UP);
    assert!(
        told.contains("\"providers\":\"other\"") && told.contains("\"roles\":\"authenticated\""),
        "{told}"
    );
    assert!(!told.contains("the-second"), "{told}");
    assert_eq!(provider_ids(&serving), ["other"]);
    assert_eq!(serving.log_in("ada").1["code"], "unknown_provider");
    assert!(shows_metrics(&serving, "the-second") && !shows_metrics(&serving, "the-first"));
    assert_eq!(serving.credentials(&ada).0, 200, "a token from before");
    serving.stop();
}

#[test]
fn the_log_takes_another_form() {
    let installation = Installation::new("sqlite:daypass.db");
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    installation.change(PROVIDER, &format!("[log]\nformat = \"text\"\n{PROVIDER}"));
    let told = serving.hang_up(&log, TAKEN_UP);
    let line = told.lines().find(|line| line.contains(TAKEN_UP)).unwrap();
    assert!(
        line.contains(" INFO daypass_server::cli::reread: ") && line.contains("providers=\"fake\""),
        "{line}"
    );
    serving.stop();
}

#[test]
fn a_file_with_mistakes_changes_nothing_and_each_is_told_with_its_line() {
    let installation = Installation::new("sqlite:daypass.db");
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    installation.change("name = \"my-app\"", "name = \"my-other-app\"");
    installation.change(PROVIDER, "[[provider]]\nid = \"other\"\ncolour = 1");
    let told = serving.hang_up(&log, REFUSED);
    let waits = "line 6: [pool] name: changed, and this is read when the server starts: restart it";
    for told_of in [waits, "colour: unknown key", "daypass.toml, line 17"] {
        assert!(told.contains(told_of), "{told_of}: {told}");
    }
    assert_eq!(provider_ids(&serving), ["fake"]);
    assert_eq!(serving.log_in("ada").0, 200);
    installation.change("name = \"my-other-app\"", "name = \"my-app\"");
    installation.change("colour = 1", "");
    serving.hang_up(&log, TAKEN_UP);
    assert_eq!(provider_ids(&serving), ["other"]);
    serving.stop();
}

#[test]
fn a_secret_that_is_gone_or_another_master_key_changes_nothing() {
    let installation = Installation::new("sqlite:daypass.db");
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    installation.change("id = \"fake\"", "id = \"other\"");
    let key = fs::read(installation.path("master-key")).unwrap();
    let another = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    fs::write(installation.path("master-key"), another).unwrap();
    let told = serving.hang_up(&log, REFUSED);
    assert!(told.contains("master_key: this is another key") && !told.contains(another), "{told}");
    fs::write(installation.path("master-key"), key).unwrap();
    fs::remove_file(installation.path("secret")).unwrap();
    let told = serving.hang_up(&log, REFUSED);
    assert!(told.contains("client_secret: cannot read"), "{told}");
    assert_eq!(provider_ids(&serving), ["fake"]);
    serving.stop();
}

#[test]
fn the_level_of_the_log_is_what_the_file_says() {
    let installation = Installation::new("memory:");
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    let refusals = |level: &str| {
        let text = fs::read_to_string(&log).unwrap();
        text.lines().filter(|line| line.contains(level) && line.contains("refused: proof_refused")).count()
    };
    assert_eq!(serving.refused_login().0, 401);
    installation.change("[[role]]", "[log]\nlevel = \"debug\"\n[[role]]");
    serving.hang_up(&log, TAKEN_UP);
    assert_eq!(refusals("DEBUG"), 0);
    assert_eq!(serving.refused_login().0, 401);
    let secrets = json!({"provider": "fake", "id_token": "hunter2.hunter2.hunter2"}).to_string();
    assert_eq!(serving.post("/v1/exchange", "application/json", &secrets).0, 401);
    let form = "grant_type=authorization_code&client_id=x&redirect_uri=x&code=hunter2&code_verifier=hunter2";
    assert_eq!(serving.post("/oauth2/token", "application/x-www-form-urlencoded", form).0, 401);
    installation.change("\"debug\"", "\"loud\"");
    let told = serving.hang_up(&log, REFUSED);
    assert!(told.contains("[log] level: must be \\\"warn\\\" or \\\"info\\\" or \\\"debug\\\""), "{told}");
    assert_eq!(refusals("DEBUG"), 1);
    assert!(!fs::read_to_string(&log).unwrap().contains("hunter2"));
    serving.stop();
}

#[test]
fn up_takes_up_a_developers_file_at_both_of_its_doors() {
    let installation = Installation::new("memory:");
    let mut serving = installation.up();
    let (log, app) = (installation.path("state/log.jsonl"), "https://new.example");
    assert!(provider_ids(&serving).contains(&"fake".to_owned()) && !serving.s3_lets_in(app));
    let table = format!("[[app]]\nid = \"new\"\norigins = [\"{app}\"]\nredirect_uris = []\n");
    installation.change_in("more.toml", PROVIDER, &format!("{table}[[provider]]\nid = \"other\""));
    serving.hang_up(&log, TAKEN_UP);
    assert_eq!(provider_ids(&serving), ["other", "snapchat", "snapchat-token"]);
    assert!(serving.s3_lets_in(app));
    installation.change_in("more.toml", &table, "[pool]\nmax_token_duration = \"2h\"\n");
    let told = serving.hang_up(&log, REFUSED);
    assert!(told.contains("more.toml, line 2: [pool] max_token_duration: changed"), "{told}");
    assert!(serving.s3_lets_in(app));
    serving.stop();
}
