//! Trials against the sandbox of a running `up`.

use std::sync::Mutex;

use clap::Parser;
use daypass_development::cli::tour::client::Http;
use daypass_development::cli::tour::sandbox::{self, App};
use daypass_development::up::{self, Options, Running};

use super::*;
use crate::installation::home::Home;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

struct Setting {
    dir: tempfile::TempDir,
    running: Running,
    app: App,
}

impl Setting {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let running = up::start(&Options { dir: state.clone(), port: 0, config: None }).await.unwrap();
        let secret = Home::existing(&state).unwrap().sandbox_client_secret().unwrap();
        let block = format!(
            "[[provider]]\nid = \"ours\"\ncatalogue = \"snapchat\"\nclient_id = {client:?}\n\
             client_secret = {{ file = \"secret\" }}\nauthorize.url = \"{idp}/accounts/oauth2/auth\"\n\
             exchange.url = \"{idp}/accounts/oauth2/token\"\nprofile.url = \"{idp}/v1/me\"\n",
            client = daypass_development::sandbox::DAYPASS_DEMO_CLIENT_ID,
            idp = running.ready.sandbox_url,
        );
        std::fs::write(dir.path().join("secret"), secret.expose()).unwrap();
        std::fs::write(dir.path().join("more.toml"), block).unwrap();
        Self { app: App::daypass_demo(secret, &running.ready), dir, running }
    }

    fn arguments(&self, more: &[&str]) -> Arguments {
        let file = self.dir.path().join("more.toml");
        let given = ["try", "ours", "--config", file.to_str().unwrap()];
        Command::try_parse_from(given.iter().chain(more)).unwrap().arguments
    }

    /// Tries a proof. Answers what came of it and what was told.
    async fn tries(&self, more: &[&str]) -> (Result<VerifiedLogin, ProofError>, String) {
        let arguments = self.arguments(more);
        let config = ConfigFile::read(&arguments.config).and_then(|file| file.of_either()).unwrap();
        let provider = find("ours", &config).await.unwrap();
        let proof = proof(&arguments).unwrap();
        let reach = Reach::with(loopback());
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let http = ReqwestHttp::new(Limits::default(), reach, clock.clone(), random).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let say = {
            let told = told.clone();
            move |line: &str| {
                told.lock().unwrap().push(line.to_owned());
                Ok(())
            }
        };
        let trace = Trace::new(http, provider.clone(), &proof, say);
        let login = Engine::new(Arc::new(trace), clock).verify(&provider, proof).await;
        let told = told.lock().unwrap().join("\n");
        (login, told)
    }
}

#[tokio::test]
async fn a_login_is_told_step_by_step_and_nothing_secret_is() {
    let setting = Setting::new().await;
    let ready = &setting.running.ready;
    let login = sandbox::sign_in(&Http::new().unwrap(), ready, &setting.app, "ada").await.unwrap();
    let (proof, redirect_uri) = (login.proof(), format!("{}/", ready.server_url));
    let verifier = proof["code_verifier"].as_str().unwrap();
    let with = ["--code", &login.code, "--code-verifier", verifier, "--redirect-uri", &redirect_uri];

    let (verified, told) = setting.tries(&with).await;
    assert!(verified.unwrap().developer_user_identifier().starts_with("ours:"));
    for expected in [
        "1. Redeem the code\n",
        &format!("   POST {}/accounts/oauth2/token\n", ready.sandbox_url),
        "   answered 200\n",
        "2. Ask whose the token is\n",
        "/data/me/externalId",
    ] {
        assert!(told.contains(expected), "{expected} {told}");
    }
    let secret = std::fs::read_to_string(setting.dir.path().join("secret")).unwrap();
    for secret in [login.code.as_str(), verifier, secret.as_str()] {
        assert!(!told.contains(secret), "{told}");
    }
    let token = told.lines().find(|line| line.contains("/access_token")).unwrap();
    assert!(token.contains("… (") && token.len() < 60, "{token}");

    let (refused, told) = setting.tries(&with).await;
    assert!(matches!(refused, Err(ProofError::Refused)));
    assert!(told.contains("invalid_grant"), "{told}");
    setting.running.stop().await;
}

#[tokio::test]
async fn what_is_refused_fails_with_the_cure() {
    let setting = Setting::new().await;
    let error =
        run(setting.arguments(&["--access-token", "a-token-of-somebody"])).await.unwrap_err().to_string();
    assert!(
        error.contains("accept_unbound_access_tokens") && !error.contains("a-token-of-somebody"),
        "{error}"
    );
    setting.running.stop().await;
}

#[tokio::test]
async fn a_login_is_started_with_the_address_and_the_next_command() {
    let setting = Setting::new().await;
    let config =
        ConfigFile::read(&setting.dir.path().join("more.toml")).and_then(|file| file.of_either()).unwrap();
    let started =
        start(&find("ours", &config).await.unwrap(), "https://a.example/", "more.toml", &SystemRandom);
    let started = started.unwrap();
    assert!(
        started.contains(&format!(
            "{}/accounts/oauth2/auth?response_type=code",
            setting.running.ready.sandbox_url
        ))
    );
    assert!(started.contains("provider try ours --config more.toml --redirect-uri https://a.example/"));
    let verifier = started.split("--code-verifier ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(
        !started.split("--code-verifier").next().unwrap().contains(verifier),
        "the address has its hash alone"
    );
    assert!(find("theirs", &config).await.unwrap_err().to_string().contains("it has: ours"));
    setting.running.stop().await;
}

#[test]
fn a_proof_or_the_way_to_one_has_to_be_named() {
    let parse =
        |more: &[&str]| Command::try_parse_from(["try", "x", "--config", "f"].iter().chain(more)).is_ok();
    assert!(parse(&["--redirect-uri", "u"]) && parse(&["--id-token", "t"]));
    assert!(parse(&["--code", "-c", "--code-verifier", "-v", "--nonce", "-n", "--redirect-uri", "u"]));
    assert!(!parse(&[]));
    assert!(!parse(&["--code", "c"]) && !parse(&["--id-token", "t", "--access-token", "t"]));
    assert!(!parse(&["--code", "c", "--redirect-uri", "u", "--id-token", "t"]));
}

#[test]
fn a_word_is_one_for_a_shell() {
    for (word, expected) in [
        ("http://127.0.0.1:9400/cb", "http://127.0.0.1:9400/cb"),
        ("https://a.example/cb?x=1&y=2", "'https://a.example/cb?x=1&y=2'"),
        ("a'b c", "'a'\\''b c'"),
        ("", "''"),
    ] {
        assert_eq!(quoted(word), expected);
    }
}
