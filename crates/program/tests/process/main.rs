//! `daypass serve` and `daypass up` as processes, with stdout, stderr and files that go wrong under them.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod backup;
mod beginning;
mod commands;
mod export;
mod hsm;
mod kms;
mod master_key;
mod pool_line;
mod reread;
mod server;

use std::fs;
use std::io::{Read, Write};

use serde_json::{Value, json};

use self::server::{Installation, Output, full_pipe};

/// More than a pipe of 64 KiB holds of lines.
const MANY: usize = 300;

/// Whatever becomes of the log, requests are answered, and SIGTERM is the end.
fn serves_without_a_log(stderr: Output) {
    let mut serving = Installation::new("memory:").serve(stderr);
    for _ in 0..MANY {
        assert_eq!(serving.get("/healthz").0, 200);
    }
    assert_eq!(serving.log_in("ada").0, 200);
    assert!(serving.get("/metrics-of-nobody").0 == 404);
    serving.stop();
}

#[test]
fn a_full_disk_under_the_log_stops_nobody() {
    serves_without_a_log(Output::File("/dev/full".into()));
}

#[test]
fn a_reader_of_the_log_that_died_stops_nobody() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    serves_without_a_log(Output::Pipe(writer));
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let (_reader, writer) = full_pipe();
    serves_without_a_log(Output::Pipe(writer));
}

#[test]
fn a_start_says_what_makes_the_installation_less_safe() {
    let installation = Installation::new("memory:");
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    serving.stop();
    let log = fs::read_to_string(log).unwrap();
    for said in ["which proofs were spent", "whichever app they were issued to"] {
        let lines = log.lines().filter(|line| line.contains(said) && line.contains("WARN"));
        assert_eq!(lines.count(), 1, "{said}: {log}");
    }
}

#[test]
fn a_broker_without_aws_credentials_says_what_is_missing() {
    let installation = Installation::new("memory:");
    installation.lead_to_amazon();
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    let (status, body) = serving.get("/readyz");
    assert_eq!((status, &body["code"]), (503, &"not_ready".into()));
    let checked = installation.run(&["check", "--resolve"]);
    serving.stop();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.lines().any(|line| line.contains("nobody can sign in: ")), "{log}");
    for told in [&body["detail"].to_string(), &checked.stdout, &log] {
        assert!(told.contains("there are no AWS credentials: give the machine"), "{told}");
    }
    assert!(!checked.success);
}

#[test]
fn a_pool_whose_role_is_not_there_says_so_at_the_start_and_at_every_door() {
    let installation = Installation::new("memory:");
    installation.change("name = \"authenticated\"", "name = \"another\"");
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    let (status, login) = serving.log_in("ada");
    assert_eq!(status, 200, "{login}");
    let wish = json!({"provider": "fake", "access_token": "ada", "credentials": true}).to_string();
    let exchanged = serving.post("/v1/exchange", "application/json", &wish);
    assert_eq!((exchanged.0, &exchanged.1["code"]), (500, &"identity_pool_misconfigured".into()));
    let asked = serving.credentials(&login);
    assert_eq!((asked.0, &asked.1["__type"]), (400, &"InvalidIdentityPoolConfigurationException".into()));
    serving.stop();
    let log = fs::read_to_string(log).unwrap();
    let arn = "arn:aws:iam::123456789012:role/authenticated";
    let warned = format!("the role {arn}, which is not there");
    assert_eq!(
        log.lines().filter(|line| line.contains("WARN") && line.contains(&warned)).count(),
        1,
        "{log}"
    );
    let cause = format!(
        "the pool gives the role {arn}: there is no such role; a [[role]] of its name has to be there"
    );
    let told = |code: &str| log.lines().any(|line| line.contains(&cause) && line.contains(code));
    assert!(
        told("identity_pool_misconfigured") && told("InvalidIdentityPoolConfigurationException"),
        "{log}"
    );
    for (_, body) in [exchanged, asked] {
        assert!(!body.to_string().contains("[[role]]"), "that is for the operator: {body}");
    }
}

#[test]
fn nothing_starts_whose_audit_lines_cannot_be_written() {
    let refusal = Installation::new("memory:").refusal(Output::File("/dev/full".into()));
    assert!(refusal.contains("stdout, where the audit events go, cannot be written"), "{refusal}");
}

/// Of twenty logins none is granted whose event would be nowhere, and each is told to come back.
#[test]
fn nobody_is_let_in_where_the_reader_of_the_audit_lines_died() {
    for store in ["memory:", "sqlite:daypass.db"] {
        let installation = Installation::new(store);
        installation.change("[store]", "[audit]\nto = \"log\"\n[store]");
        let mut serving = installation.serve(Output::Null);
        let (status, body) = serving.log_in("ada");
        assert_eq!(status, 200, "{store}: {body}");
        drop(serving.stdout.take());
        // A program that another test is starting has our end of the pipe as well, for a moment.
        let is_dead = |attempt| serving.log_in(&format!("early-{attempt}")).0 == 503;
        assert!((0..100).any(is_dead), "{store}");
        for person in 0..20 {
            let (status, body) = serving.log_in(&format!("person-{person}"));
            assert_eq!((status, &body["code"]), (503, &"store_unavailable".into()), "{store}");
        }
        assert_eq!(serving.refused_login().0, 401);
        serving.stop();
    }
}

#[test]
fn nobody_is_let_in_while_nobody_reads_the_audit_lines_and_everybody_again_afterwards() {
    let mut serving = Installation::new("memory:").serve(Output::Null);
    serving.fill_stdout();
    for person in 0..20 {
        let (status, body) = serving.log_in(&format!("person-{person}"));
        assert_eq!((status, &body["code"]), (503, &"store_unavailable".into()));
    }
    assert_eq!(serving.refused_login().0, 401);
    let mut reader = serving.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    // The line that was being written when nobody read is written now; until then logins are refused.
    let let_in = (0..10_000).any(|_| serving.log_in("ada").0 == 200);
    assert!(let_in);
    serving.stop();
    let text = reading.join().unwrap().unwrap();
    assert!(text.contains(r#""developer_user_identifier":"fake:ada""#), "{text}");
}

#[test]
fn what_the_pipe_of_the_audit_lines_is_full_of_does_not_keep_the_process_from_ending() {
    let mut serving = Installation::new("memory:").serve(Output::Null);
    serving.fill_stdout();
    assert_eq!(serving.log_in("ada").0, 503);
    serving.stop();
}

fn events(texts: &[&String]) -> Vec<Value> {
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// As logrotate does it: the files get other names, and SIGHUP has new ones made.
#[test]
fn files_that_are_rotated_lose_nothing() {
    let installation = Installation::new("memory:");
    let more = fs::read_to_string(installation.path("more.toml")).unwrap();
    fs::write(installation.path("more.toml"), format!("[audit]\nto = \"log\"\n{more}")).unwrap();
    let mut up = installation.up();
    let dir = installation.path("state");
    for round in 0..4 {
        for person in 0..5 {
            assert_eq!(up.log_in(&format!("person-{round}-{person}")).0, 200);
        }
        if round == 3 {
            break;
        }
        for name in ["audit.jsonl", "log.jsonl"] {
            fs::rename(dir.join(name), dir.join(format!("{name}.{round}"))).unwrap();
        }
        assert_eq!(up.log_in(&format!("between-{round}")).0, 200);
        up.signal("HUP");
        up.wait_for(&dir.join("audit.jsonl"));
        up.wait_for(&dir.join("log.jsonl"));
    }
    up.stop();
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let audit = ["audit.jsonl.0", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl"].map(read);
    assert_eq!(events(&audit.each_ref()).len(), 4 * 5 + 3);
    for (round, text) in audit.iter().enumerate() {
        assert!(text.contains(&format!("fake:person-{round}-4")), "{round}: {text}");
    }
    let log = ["log.jsonl.0", "log.jsonl.1", "log.jsonl.2", "log.jsonl"].map(read);
    let answered = events(&log.each_ref());
    assert_eq!(answered.iter().filter(|line| line["route"] == "/v1/exchange").count(), 4 * 5 + 3);
}

#[test]
fn what_was_answered_last_is_in_the_log_when_the_process_has_ended() {
    let installation = Installation::new("memory:");
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    for person in 0..50 {
        assert_eq!(serving.log_in(&format!("person-{person}")).0, 200);
    }
    serving.stop();
    let log = fs::read_to_string(log).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("\"route\":\"/v1/exchange\"")).count(), 50, "{log}");
    assert!(log.lines().last().is_some_and(|line| line.starts_with("Stopping: ")), "{log}");
}

#[test]
fn to_hang_up_ends_no_server_that_somebody_started_without_a_terminal() {
    let mut serving = Installation::new("memory:").serve(Output::Null);
    serving.signal("HUP");
    assert_eq!(serving.log_in("ada").0, 200);
    serving.stop();
}

/// Refusals of strangers are a sample in the log, and no audit event at all.
#[test]
fn strangers_fill_no_disk() {
    let installation = Installation::new("sqlite:daypass.db");
    let log = installation.path("serve.log");
    let mut serving = installation.serve(Output::File(log.clone()));
    let role = format!("arn:aws:iam::123456789012:role/{}", "%C3%BC".repeat(1_000));
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}&RoleSessionName=sess&WebIdentityToken=garbage"
    );
    for _ in 0..MANY {
        assert_eq!(serving.post("/", "application/x-www-form-urlencoded", &form).0, 400);
    }
    let mut stdout = serving.stdout.take().unwrap();
    serving.stop();
    let mut audit = String::new();
    stdout.read_to_string(&mut audit).unwrap();
    assert_eq!(audit, "");
    let text = fs::read_to_string(log).unwrap();
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let whole = lines.iter().filter(|line| line["status"] == 400).count();
    let left_out: u64 = lines
        .iter()
        .filter(|line| line["message"].as_str().unwrap_or_default().ends_with(" 400"))
        .filter_map(|line| line["left_out"].as_u64())
        .sum();
    assert_eq!(u64::try_from(whole).unwrap() + left_out, u64::try_from(MANY).unwrap());
    assert!(lines.iter().all(|line| line.to_string().len() < 1_500), "{text}");
}

/// Nobody reads, and the pipe is full before anything was written.
#[test]
fn a_pipe_of_this_size_is_full() {
    let (mut reader, writer) = full_pipe();
    drop(writer);
    let mut text = Vec::new();
    reader.read_to_end(&mut text).unwrap();
    assert!(text.len() >= 1 << 16);
    std::io::sink().write_all(&text).unwrap();
}
