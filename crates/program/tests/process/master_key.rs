//! Another master key, while the server runs.

use std::fs;
use std::path::Path;

use daypass_core::store::Keys;
use daypass_store::SqliteStore;

use crate::server::{Done, Installation, Output, Server, program};

const TAKEN_UP: &str = "the configuration was read again, and counts from now on";
const REFUSED: &str = "the configuration was not taken up, and the one from before stays in use";
const OLD: &str = "master_key = { file = \"master-key\" }";
const BOTH: &str = "master_key = { file = \"new\" }\nother_master_keys = [{ file = \"master-key\" }]";
const NEW: &str = "master_key = { file = \"new\" }";

fn installation() -> Installation {
    let installation = Installation::new("sqlite:daypass.db");
    fs::write(installation.path("new"), "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=").unwrap();
    installation
}

fn of_up(installation: &Installation, arguments: &[&str]) -> Done {
    let mut command = program();
    command.args(arguments).arg("--dir").arg(installation.path("state"));
    Done::of(command)
}

/// The ID of the one that there is.
fn signing_key(installation: &Installation) -> String {
    let listed = installation.run(&["key", "list-signing"]);
    listed.stdout.lines().nth(1).expect("a key").split(' ').next().unwrap().to_owned()
}

#[test]
fn a_server_runs_through_the_rotation_and_does_without_the_old_key_afterwards() {
    let installation = installation();
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    let (_, ada) = serving.log_in("ada");
    let key = installation.run(&["key", "create", "backend", "--preset", "admin"]);
    assert!(key.success, "{key:?}");
    let signing_key = signing_key(&installation);
    installation.change(OLD, BOTH);
    serving.hang_up(&log, TAKEN_UP);
    assert_eq!(serving.credentials(&ada).0, 200);
    installation.change(BOTH, NEW);
    let told = serving.hang_up(&log, REFUSED);
    assert!(
        told.contains(&format!("signing key {signing_key} does not open")),
        "what is kept needs the old key: {told}"
    );
    installation.change(NEW, BOTH);

    let listed = installation.run(&["master-key", "list"]).stdout;
    assert!(
        listed.contains("seals ") && listed.contains("2  { file = \"") && listed.contains("opens "),
        "{listed}"
    );
    let rotated = installation.run(&["master-key", "rotate"]);
    assert!(rotated.success, "{rotated:?}");
    assert!(
        rotated.stdout.contains("sealed anew under the master key ") && rotated.stdout.contains(": 2."),
        "{rotated:?}"
    );
    assert_eq!(serving.credentials(&ada).0, 200);
    assert_eq!(serving.log_in("grace").0, 200);
    let again = installation.run(&["master-key", "rotate"]);
    assert!(again.success && again.stdout.contains(": 0."), "{again:?}");
    let trail = installation.run(&["audit", "list"]).stdout;
    assert_eq!(trail.matches("rotate_master_key").count(), 1, "{trail}");

    installation.change(BOTH, NEW);
    serving.hang_up(&log, TAKEN_UP);
    assert_eq!(serving.credentials(&ada).0, 200, "a token of before");
    serving.stop();
    let mut serving = installation.serve(Output::File(log));
    assert_eq!(serving.credentials(&ada).0, 200);
    serving.stop();
}

#[test]
fn nothing_is_sealed_under_a_key_that_the_server_has_not() {
    let installation = installation();
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    let (_, ada) = serving.log_in("ada");
    installation.change(OLD, BOTH);
    for command in [&["master-key", "rotate"][..], &["key", "create", "backend", "--preset", "admin"]] {
        let refused = installation.run(command);
        assert!(
            !refused.success && refused.stderr.contains("no server seals under the master key"),
            "{refused:?}"
        );
    }
    assert_eq!(serving.credentials(&ada).0, 200);
    serving.hang_up(&log, TAKEN_UP);
    assert!(installation.run(&["master-key", "rotate"]).success);
    serving.stop();
}

/// The server that runs has not got the key, whatever another one has read that never answered anybody.
#[test]
fn a_server_that_cannot_listen_announces_nothing() {
    let installation = installation();
    let mut serving = installation.serve(Output::Null);
    let (_, ada) = serving.log_in("ada");
    installation.change(OLD, BOTH);
    let mut second = program();
    second.args(["serve", "--config"]).arg(installation.path("daypass.toml"));
    second.args(["--listen", &serving.address.to_string()]);
    let second = Done::of(second);
    assert!(!second.success && second.stderr.contains("cannot listen on"), "{second:?}");
    let refused = installation.run(&["master-key", "rotate"]);
    assert!(!refused.success && refused.stderr.contains("no server seals under"), "{refused:?}");
    assert_eq!(serving.credentials(&ada).0, 200);
    serving.stop();
}

#[test]
fn a_key_that_is_wanted_and_not_there_is_named_and_may_not_be_taken_away() {
    let installation = installation();
    drop(installation.serve(Output::Null));
    let key = installation.run(&["key", "create", "backend", "--preset", "admin"]);
    assert!(key.success, "{key:?}");
    // Where the signing key is gone, the access key alone tells of the master key of its time.
    let store = SqliteStore::open(&installation.path("daypass.db")).unwrap();
    let gone = [signing_key(&installation)];
    let deleted = store.delete_signing_keys(&gone);
    tokio::runtime::Runtime::new().unwrap().block_on(deleted).unwrap();
    drop(store);
    installation.change(OLD, NEW);
    drop(installation.serve(Output::Null));
    let refused = installation.run(&["master-key", "rotate"]);
    assert!(!refused.success, "{refused:?}");
    for part in [
        "values left under another master key, which may not be taken away: 1.",
        "access key AKIA",
        "(2a748045)",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let listed = installation.run(&["master-key", "list"]).stdout;
    assert!(listed.lines().any(|line| line.starts_with("2a748045  absent ")), "{listed}");
    installation.change(NEW, BOTH);
    let rotated = installation.run(&["master-key", "rotate"]);
    assert!(rotated.success && rotated.stdout.contains(": 1."), "{rotated:?}");
}

#[test]
fn a_backup_of_before_comes_back_where_its_key_is_among_the_others() {
    let installation = installation();
    drop(installation.serve(Output::Null));
    let file = installation.path("backup.db");
    let file = file.to_str().unwrap();
    assert!(installation.run(&["backup", file]).success);
    installation.change(OLD, NEW);
    let refused = installation.run(&["restore", file]);
    assert!(!refused.success && refused.stderr.contains("sealed under (2a748045)"), "{refused:?}");
    installation.change(NEW, BOTH);
    let restored = installation.run(&["restore", file]);
    assert!(restored.success, "{restored:?}");
    // Before a server has announced the new key.
    for command in [&["key", "create", "backend", "--preset", "admin"][..], &["master-key", "rotate"]] {
        let done = installation.run(command);
        assert!(done.success, "{done:?}");
    }
}

fn others(state: &Path) -> Vec<String> {
    let names = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("master-key-")).collect()
}

#[test]
fn up_makes_its_own_and_reads_it_when_it_is_told() {
    let installation = Installation::new("memory:");
    let (state, log) = (installation.path("state"), installation.path("state/log.jsonl"));
    let mut up = installation.up();
    let (_, ada) = up.log_in("ada");
    let first = fs::read(state.join("master-key")).unwrap();
    let refused = of_up(&installation, &["master-key", "rotate"]);
    assert!(!refused.success && refused.stderr.contains("by SIGHUP or a restart"), "{refused:?}");
    let second = fs::read(state.join("master-key")).unwrap();
    assert_ne!(first, second);
    assert_eq!(fs::read(state.join(&others(&state)[0])).unwrap(), first);
    assert_eq!(up.credentials(&ada).0, 200);
    up.hang_up(&log, TAKEN_UP);
    let rotated = of_up(&installation, &["master-key", "rotate"]);
    assert!(rotated.success, "{rotated:?}");
    assert_eq!(fs::read(state.join("master-key")).unwrap(), second, "one key for one rotation");
    assert_eq!(up.credentials(&ada).0, 200);
    up.stop();

    // Where nobody serves, one step does.
    let rotated = of_up(&installation, &["master-key", "rotate"]);
    assert!(rotated.success, "{rotated:?}");
    assert_ne!(fs::read(state.join("master-key")).unwrap(), second);
    for name in others(&state) {
        fs::remove_file(state.join(name)).unwrap();
    }
    let mut up: Server = installation.up();
    assert_eq!(up.log_in("ada").1["identity_id"], ada["identity_id"]);
    up.stop();
}
