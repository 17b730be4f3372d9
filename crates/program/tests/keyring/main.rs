//! The commands of the terminal with a real keyring: GNOME's, on a D-Bus of its own. Where it is not installed, this says so.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

#[path = "../../../client/tests/broker/mod.rs"]
mod broker;
mod desktop;
#[allow(dead_code, reason = "two suites share it, and this one has no use for all of it")]
#[path = "../terminal/person.rs"]
mod person;

use std::fs;

use serde_json::Value;

use self::broker::{CODE, Fate};
use self::desktop::Desktop;
use self::person::{Done, Person};

const SECRETS: [&str; 4] = ["dpr_", "the-secret-key", "the-session-token", "us-east-1:ada"];

fn access_key(done: &Done) -> String {
    assert!(done.success, "{done:?}");
    let given: Value = serde_json::from_str(&done.stdout).unwrap();
    given["AccessKeyId"].as_str().unwrap().to_owned()
}

/// Somebody at a desktop whose session is sealed, with credentials that live so long.
fn signed_in(desktop: &Desktop, lifetime: u64) -> Person {
    let person = desktop.person(lifetime);
    let done = person.login(&["--keyring"]).paste(CODE).end();
    assert!(done.success, "{done:?}");
    person
}

fn assert_sealed(desktop: &Desktop, person: &Person) {
    let (text, key) = (fs::read_to_string(person.session_file()).unwrap(), desktop.key().unwrap());
    for secret in SECRETS.into_iter().chain([key.as_str()]) {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

fn assert_left_behind(done: &Done, is_told: bool) {
    for words in ["does not know that the session before this one is over", "is still in the keyring ("] {
        assert_eq!(done.stderr.contains(words), is_told, "{done:?}");
    }
}

#[test]
fn a_session_is_sealed_from_its_login_to_its_end() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 3600);
    assert_sealed(&desktop, &person);
    assert_eq!(desktop.key().unwrap().len(), 64, "a key, and nothing else");
    assert_eq!(access_key(&person.run(&["credentials"])), "ASIA1");
    assert!(person.run(&["whoami"]).stdout.contains("us-east-1:ada"));
    let done = person.run(&["logout"]);
    assert!(done.success, "{done:?}");
    assert_eq!(person.broker.revoked(), ["dpr_1"]);
    assert_eq!(desktop.key(), None);
}

#[test]
fn of_twenty_processes_at_expiry_one_refreshes() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 0);
    let key = desktop.key();
    person.broker.live_for(3600);
    let processes: Vec<_> = (0..20).map(|_| person.command(&["credentials"]).spawn().unwrap()).collect();
    for process in processes {
        assert_eq!(access_key(&process.wait_with_output().unwrap().into()), "ASIA2");
    }
    assert_eq!(person.broker.counts(), (2, 1));
    assert_eq!(desktop.key(), key, "a refresh leaves the keyring as it was");
    assert_sealed(&desktop, &person);
}

#[test]
fn a_failure_and_an_end_are_kept_as_without_the_keyring() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 0);
    person.broker.next(&[Fate::Status(503, "Retry-After: 60\r\n")]);
    assert!(person.run(&["credentials"]).stderr.contains("it answered 503"));
    assert_sealed(&desktop, &person);
    assert!(person.login(&["--keyring"]).paste(CODE).end().success);
    person.broker.next(&[Fate::Over("revoked")]);
    let done = person.run(&["credentials"]);
    assert!(done.stderr.contains("or by the operator: type `daypass login http"), "{done:?}");
    assert!(done.stderr.ends_with(" --keyring`\n"), "{done:?}");
}

#[test]
fn a_locked_keyring_is_told_and_hurts_nothing() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 3600);
    desktop.lock();
    let done = person.run(&["credentials"]);
    assert!(!done.success && done.stdout.is_empty() && done.stderr.lines().count() == 1, "{done:?}");
    assert!(done.stderr.contains("it is locked: unlock it"), "{done:?}");
    let done = person.run(&["login", &person.broker.url, "--keyring"]);
    assert!(
        !done.success && done.stderr.starts_with("daypass: the keyring cannot be used: it is locked"),
        "{done:?}"
    );
    desktop.unlock();
    assert_eq!(access_key(&person.run(&["credentials"])), "ASIA1");
    assert_eq!(person.broker.counts().0, 1);
}

#[test]
fn who_lost_the_keyring_can_sign_out_and_in_without_it() {
    let Some(mut desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 3600);
    let file = person.session_file();
    let sealed = fs::read(&file).unwrap();
    desktop.end();
    let done = person.run(&["credentials"]);
    assert!(!done.success && done.stderr.contains("which cannot be used: "), "{done:?}");
    for words in ["none answers (", "DBUS_SESSION_BUS_ADDRESS", "or type `daypass login http"] {
        assert!(done.stderr.contains(words), "{done:?}");
    }
    let done = person.run(&["logout"]);
    assert!(
        !done.success && done.stderr.contains("is gone from this machine, but the broker does not know"),
        "{done:?}"
    );
    assert!(done.stderr.contains(" --keyring`) and type `daypass logout --everywhere`"), "{done:?}");
    assert!(done.stderr.contains("whoever has a copy and your keyring can use it"), "{done:?}");
    assert!(!file.exists());
    fs::write(&file, sealed).unwrap();
    let done = person.login(&[]).paste(CODE).end();
    assert!(done.success && done.stderr.contains("is not sealed any more"), "{done:?}");
    assert_left_behind(&done, true);
    assert_eq!(access_key(&person.run(&["credentials"])), "ASIA2");
}

#[test]
fn who_signs_out_without_the_key_hears_that_no_copy_opens() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 3600);
    let (file, sealed) = (person.session_file(), fs::read(person.session_file()).unwrap());
    assert!(person.run(&["logout"]).success);
    fs::write(&file, sealed).unwrap();
    let done = person.run(&["logout"]);
    assert!(!done.success && done.stderr.contains("nobody can open a copy of it"), "{done:?}");
    assert!(!file.exists());
}

#[test]
fn a_login_without_the_option_takes_the_key_away() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 3600);
    let done = person.login(&[]).paste(CODE).end();
    assert!(done.success && done.stderr.contains("is not sealed any more"), "{done:?}");
    assert_left_behind(&done, false);
    assert_eq!(desktop.key(), None);
    assert_eq!(person.broker.revoked(), ["dpr_1"], "the sealed session was read, and ended");
    assert!(fs::read_to_string(person.session_file()).unwrap().contains("dpr_"));
    assert!(person.login(&["--keyring"]).paste(CODE).end().success);
    assert_sealed(&desktop, &person);
}

#[test]
fn a_login_without_the_option_says_what_a_locked_keyring_did_not_let_go_of() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 3600);
    let key = desktop.key();
    desktop.lock();
    let done = person.login(&[]).paste(CODE).end();
    assert!(done.success, "{done:?}");
    assert_left_behind(&done, true);
    assert!(person.broker.revoked().is_empty());
    desktop.unlock();
    assert_eq!(desktop.key(), key);
}

#[test]
fn whoever_took_the_key_away_has_the_session_signed_in_anew() {
    let Some(desktop) = Desktop::new() else { return };
    let person = signed_in(&desktop, 3600);
    desktop.forget();
    let done = person.run(&["credentials"]);
    assert!(!done.success && done.stderr.contains("the keyring has no key for the session"), "{done:?}");
    assert!(person.login(&["--keyring"]).paste(CODE).end().success);
    assert_eq!(access_key(&person.run(&["credentials"])), "ASIA2");
}
