//! `daypass agent`: who gets credentials from it, and who does not.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};

use serde_json::Value;

use crate::SECRETS;
use crate::broker::{CODE, Fate};
use crate::person::{Person, request};

/// A running agent, ended by SIGTERM.
struct Agent {
    process: Child,
    url: String,
    token_file: String,
}

impl Agent {
    fn of(person: &Person, arguments: &[&str]) -> Self {
        let port: &[&str] = if arguments.contains(&"--port") { &[] } else { &["--port", "0"] };
        let mut command = person.command(&["agent"]);
        let mut process = command.args(port).args(arguments).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut variable = |name: &str| {
            let line = lines.next().unwrap();
            line.strip_prefix(&format!("export AWS_CONTAINER_{name}="))
                .unwrap_or_else(|| panic!("{line}"))
                .to_owned()
        };
        let (url, token_file) = (variable("CREDENTIALS_FULL_URI"), variable("AUTHORIZATION_TOKEN_FILE"));
        Self { process, url, token_file }
    }

    fn token(&self) -> String {
        fs::read_to_string(&self.token_file).unwrap()
    }

    fn get(&self) -> (u16, String) {
        request("GET", &self.url, &[("Authorization", &self.token())])
    }

    fn end(mut self) -> String {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
        self.token_file.clone()
    }
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn who_has_the_token_gets_credentials_and_fresh_ones_in_time() {
    let person = Person::signed_in(3600);
    let agent = Agent::of(&person, &[]);
    assert_eq!(fs::metadata(&agent.token_file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(agent.token().len() == 43, "nothing but the token, and no line break");
    let (status, answer) = agent.get();
    let given = body(&answer);
    assert_eq!((status, &given["AccessKeyId"]), (200, &"ASIA1".into()));
    assert_eq!(given["SecretAccessKey"], "the-secret-key-1");
    assert_eq!(given["Token"], "the-session-token-1");
    assert!(given["Expiration"].as_str().unwrap().ends_with('Z'));
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    person.age(3600);
    assert_eq!(body(&agent.get().1)["AccessKeyId"], "ASIA2");
    let token_file = agent.end();
    assert!(!fs::exists(token_file).unwrap());
}

#[test]
fn nobody_else_gets_any() {
    let person = Person::signed_in(3600);
    let agent = Agent::of(&person, &[]);
    let (token, host) = (agent.token(), agent.url.split('/').nth(2).unwrap().to_owned());
    let port = host.split(':').nth(1).unwrap();
    let right = ("Authorization", token.as_str());
    let (wrong, bearer) = (format!("{token}x"), format!("Bearer {token}"));
    let local = format!("localhost:{port}");
    let other_port = "127.0.0.1:1";
    for (method, headers, expected) in [
        ("GET", &[right, ("Host", &local)][..], 200),
        ("GET", &[], 401),
        ("GET", &[("Authorization", "")], 401),
        ("GET", &[("Authorization", &wrong)], 401),
        ("GET", &[("Authorization", &token[1..])], 401),
        ("GET", &[("Authorization", &bearer)], 401),
        ("GET", &[right, right], 401),
        ("GET", &[right, ("Host", "evil.example.com")], 403),
        ("GET", &[right, ("Host", other_port)], 403),
        ("GET", &[right, ("Host", "127.0.0.1")], 403),
        ("POST", &[right], 405),
        ("PUT", &[right], 405),
        ("HEAD", &[right], 405),
        ("OPTIONS", &[("Origin", "http://evil.example.com"), ("Access-Control-Request-Method", "GET")], 405),
    ] {
        let (status, answer) = request(method, &agent.url, headers);
        assert_eq!(status, expected, "{method} {headers:?}: {answer}");
        assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
        let shows = SECRETS.iter().any(|secret| answer.contains(secret));
        assert_eq!(shows, expected == 200, "{answer}");
    }
    assert_eq!(request("GET", &agent.url.replace("/credentials", "/"), &[right]).0, 404);
    agent.end();
}

/// Whoever held the port while no agent did, was sent the token of before.
#[test]
fn a_token_does_not_outlive_its_agent() {
    let person = Person::signed_in(3600);
    let agent = Agent::of(&person, &[]);
    let (port, before) = (agent.url.split([':', '/']).nth(4).unwrap().to_owned(), agent.token());
    agent.end();
    let agent = Agent::of(&person, &["--port", &port]);
    assert_eq!(request("GET", &agent.url, &[("Authorization", &before)]).0, 401);
    assert_eq!(agent.get().0, 200);
    agent.end();
}

#[test]
fn an_agent_outlives_sessions_and_says_what_is_missing() {
    let person = Person::new(3600);
    let url = person.broker.url.clone();
    let agent = Agent::of(&person, &["--url", &url]);
    let (status, answer) = agent.get();
    assert_eq!((status, &body(&answer)["code"]), (403, &"NotSignedIn".into()));
    assert!(body(&answer)["message"].as_str().unwrap().contains("type `daypass login http"), "{answer}");
    assert!(person.login(&[]).paste(CODE).end().success);
    assert_eq!(agent.get().0, 200);
    person.age(3600);
    person.broker.next(&[Fate::Status(503, "")]);
    assert_eq!(agent.get().0, 503);
    assert!(person.run(&["logout"]).success);
    assert_eq!(agent.get().0, 403);
    agent.end();
}
