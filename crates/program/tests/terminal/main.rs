//! The commands of the terminal as processes, with a broker that does what the test says.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod agent;
#[path = "../../../client/tests/broker/mod.rs"]
mod broker;
mod login;
mod person;

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::broker::Fate;
use self::person::{Done, Person};

const SECRETS: [&str; 3] = ["dpr_", "the-secret-key", "the-session-token"];

fn json(done: &Done) -> Value {
    assert!(done.success, "{done:?}");
    serde_json::from_str(&done.stdout).unwrap()
}

#[test]
fn credentials_are_what_an_aws_profile_wants() {
    let person = Person::signed_in(3600);
    let given = json(&person.run(&["credentials"]));
    assert_eq!(given["Version"], 1);
    assert_eq!(given["AccessKeyId"], "ASIA1");
    assert_eq!(given["SecretAccessKey"], "the-secret-key-1");
    assert_eq!(given["SessionToken"], "the-session-token-1");
    let expiration = given["Expiration"].as_str().unwrap();
    assert!(expiration.len() == 20 && expiration.ends_with('Z'), "{expiration}");
    let url = person.broker.url.as_str();
    assert_eq!(json(&person.run(&["credentials", "--url", url, "--app", "terminal"])), given);
    assert_eq!(person.broker.counts().0, 1);
}

#[test]
fn who_is_not_signed_in_hears_at_once_what_to_type() {
    let person = Person::new(3600);
    let started = Instant::now();
    let url = "https://login.example.com";
    for (arguments, words) in [
        (&["credentials"][..], "you are not signed in: type `daypass login` and your broker's address\n"),
        (
            &["credentials", "--url", url],
            "you are not signed in at https://login.example.com: type `daypass login https://login.example.com`\n",
        ),
        (
            &["credentials", "--url", url, "--app", "web"],
            "type `daypass login https://login.example.com --app web`\n",
        ),
        (&["whoami"], "you are not signed in"),
        (&["logout"], "you are not signed in"),
        (&["credentials", "--url", "http://login.example.com"], "use https://"),
    ] {
        let done = person.run(arguments);
        assert!(!done.success && done.stdout.is_empty(), "{done:?}");
        assert!(done.stderr.starts_with("daypass: ") && done.stderr.contains(words), "{done:?}");
        assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(6));
}

#[test]
fn of_forty_processes_at_expiry_one_refreshes() {
    let person = Person::signed_in(3600);
    person.age(3600);
    let processes: Vec<_> = (0..40).map(|_| person.command(&["credentials"]).spawn().unwrap()).collect();
    for process in processes {
        let given = json(&process.wait_with_output().unwrap().into());
        assert_eq!(given["AccessKeyId"], "ASIA2");
    }
    assert_eq!(person.broker.counts(), (2, 1));
}

#[test]
fn a_process_that_is_killed_while_it_refreshes_holds_nobody_up() {
    let person = Person::signed_in(3600);
    person.age(3600);
    person.broker.next(&[Fate::Held]);
    let mut holder = person.command(&["credentials"]).spawn().unwrap();
    person.broker.wait_for_held();
    holder.kill().unwrap();
    holder.wait().unwrap();
    let started = Instant::now();
    assert_eq!(json(&person.run(&["credentials"]))["AccessKeyId"], "ASIA2");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(person.broker.counts(), (3, 1), "the same token again, and the same successor");
    let left: Vec<_> = fs::read_dir(person.path("sessions")).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn old_credentials_are_printed_while_they_live() {
    let person = Person::signed_in(3600);
    person.age(2800);
    person.broker.next(&[Fate::Status(503, "Retry-After: 60\r\n")]);
    for _ in 0..3 {
        assert_eq!(json(&person.run(&["credentials"]))["AccessKeyId"], "ASIA1");
    }
    assert_eq!(person.broker.counts(), (2, 0));
    person.age(800);
    person.broker.next(&[Fate::Status(503, "")]);
    let done = person.run(&["credentials"]);
    assert!(!done.success && done.stdout.is_empty() && done.stderr.contains("it answered 503"), "{done:?}");
}

#[test]
fn a_session_that_is_over_is_told_with_its_reason() {
    let person = Person::signed_in(3600);
    person.age(2800);
    person.broker.next(&[Fate::Over("revoked")]);
    for _ in 0..2 {
        let done = person.run(&["credentials"]);
        assert!(
            !done.success && done.stderr.contains("or by the operator: type `daypass login http"),
            "{done:?}"
        );
    }
    assert!(person.login(&[]).paste(broker::CODE).end().success);
    assert!(person.run(&["credentials"]).success);
}

#[test]
fn whoami_asks_whether_it_is_still_so() {
    let person = Person::signed_in(3600);
    let done = person.run(&["whoami"]);
    let rows = [
        "name        Ada",
        "provider    sandbox",
        "identity    us-east-1:ada",
        "broker      http://127.0.0.1",
    ];
    assert!(
        done.success && rows.iter().all(|row| done.stdout.contains(row)) && done.stderr.is_empty(),
        "{done:?}"
    );
    let said = json(&person.run(&["whoami", "--json"]));
    assert_eq!((&said["identity_id"], &said["confirmed"]), (&"us-east-1:ada".into(), &true.into()));
    assert!(SECRETS.iter().all(|secret| !said.to_string().contains(secret)), "{said}");

    person.broker.fall_silent();
    let done = person.run(&["whoami", "--json"]);
    assert_eq!(json(&done)["confirmed"], false);
    assert!(done.stderr.contains("Whether the session still counts is not known: http"), "{done:?}");
}

/// A name is somebody else's to choose, and a terminal obeys what it is shown.
#[test]
fn no_name_has_a_terminal_do_anything() {
    let person = Person::signed_in(3600);
    let file = person.session_file();
    let text = fs::read_to_string(&file).unwrap().replace("\"Ada\"", "\"Ada\\u001b[2J\\u202e\"");
    fs::write(file, text).unwrap();
    let done = person.run(&["whoami"]);
    assert!(done.success && done.stdout.contains("Ada\u{fffd}[2J\u{fffd}\n"), "{done:?}");
}

#[test]
fn whoami_is_nobody_whose_session_was_ended_elsewhere() {
    let person = Person::signed_in(3600);
    let copy = person.path("copy");
    fs::copy(person.session_file(), &copy).unwrap();
    let file = person.session_file();
    assert!(person.run(&["logout"]).success);
    fs::copy(copy, file).unwrap();
    let done = person.run(&["whoami"]);
    assert!(
        !done.success && done.stderr.contains("is over, because it was signed out") && done.stdout.is_empty(),
        "{done:?}"
    );
}

#[test]
fn logout_ends_the_session_here_and_there() {
    let person = Person::signed_in(3600);
    let done = person.run(&["logout"]);
    assert_eq!(
        (done.success, done.stdout),
        (true, format!("You are signed out at {}.\n", person.broker.url))
    );
    assert_eq!(person.broker.revoked(), ["dpr_1"]);
    assert!(!person.run(&["credentials"]).success);

    let person = Person::signed_in(3600);
    assert!(person.run(&["logout", "--everywhere"]).stdout.ends_with("on all devices.\n"));
    assert_eq!(person.broker.revoked(), ["all"]);
}

#[test]
fn logout_without_the_broker_says_what_is_left_to_do() {
    let person = Person::signed_in(3600);
    person.broker.fall_silent();
    let file = person.session_file();
    let done = person.run(&["logout"]);
    assert!(
        !done.success && done.stderr.contains("is gone from this machine, but the broker does not know"),
        "{done:?}"
    );
    assert!(done.stderr.contains("type `daypass logout --everywhere`"), "{done:?}");
    assert!(!file.exists());
}
