//! What commands beside a server say, and where what they did is found again.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::process::Stdio;

use serde_json::Value;

use super::server::{Done, Installation, Output, program};

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

#[test]
fn a_store_that_no_start_may_make_is_made_by_a_command() {
    let installation = Installation::new("sqlite:daypass.db");
    installation.change("[pool]", "migrate = false\n[pool]");
    let refused = installation.refusal(Output::Null);
    assert!(refused.contains("`daypass migrate -c FILE`, which makes it"), "{refused}");
    let due = installation.run(&["migrate", "--dry-run"]);
    assert!(due.success && due.stderr.contains("Nothing was done."), "{due:?}");
    assert!(!installation.path("daypass.db").exists());
    let made = installation.run(&["migrate"]);
    assert!(made.success && made.stderr.contains("has the version of this program now"), "{made:?}");
    assert!(made.stdout.starts_with("version 1\n") && made.stdout == due.stdout, "{made:?}");
    let again = installation.run(&["migrate"]);
    assert!(again.success && again.stdout.is_empty(), "{again:?}");
    assert!(again.stderr.contains("Nothing is to be done"), "{again:?}");
    let mut serving = installation.serve(Output::Null);
    assert_eq!(serving.log_in("ada").0, 200);
    serving.stop();
}

#[test]
fn what_contradicts_the_pool_that_is_kept_is_found_before_a_start() {
    let installation = Installation::new("sqlite:daypass.db");
    let unmade = installation.run(&["check", "--resolve"]);
    assert!(
        unmade.assert_success().stdout.contains("what [pool] says was not held against it"),
        "{unmade:?}"
    );
    assert!(!installation.path("daypass.db").exists());
    assert!(installation.run(&["pool", "create"]).success);
    let same = installation.run(&["check", "--resolve"]);
    assert!(same.assert_success().stdout.contains("[pool]: \"my-app\" is eu-west-1:"), "{same:?}");
    for (key, from, to) in [
        ("region", "region = \"eu-west-1\"", "region = \"us-east-1\""),
        ("name", "name = \"my-app\"", "name = \"other\""),
        ("name", "name = \"my-app\"", "name = \"\""),
    ] {
        installation.change(from, to);
        let unlooked = installation.run(&["check"]);
        assert!(
            unlooked.assert_success().stdout.contains("was not looked at: --resolve does that"),
            "{unlooked:?}"
        );
        let looked = installation.run(&["check", "--resolve"]);
        let told = format!("[pool] {key}: ");
        assert!(!looked.success && looked.stdout.contains(&told), "{to}: {looked:?}");
        assert!(installation.refusal(Output::Null).contains(&told), "a start says the same of {to}");
        installation.change(to, from);
    }
    let (trail, file) = (installation.path("daypass.db-audit"), the_file(&installation));
    let torn = fs::read_to_string(&file).unwrap() + "{\"torn";
    fs::write(&file, &torn).unwrap();
    assert!(installation.run(&["check", "--resolve"]).success);
    assert_eq!(fs::read_to_string(&file).unwrap(), torn, "who only looks mends nothing");
    fs::remove_dir_all(&trail).unwrap();
    assert!(installation.run(&["check", "--resolve"]).success);
    assert!(!trail.exists(), "who only looks makes nothing");
}

#[test]
fn a_key_whose_secret_nobody_could_see_is_taken_back() {
    let installation = Installation::new("sqlite:daypass.db");
    assert!(installation.run(&["pool", "create"]).success);
    let (reader, nobody_reads) = std::io::pipe().unwrap();
    drop(reader);
    for stdout in [Stdio::from(File::create("/dev/full").unwrap()), Stdio::from(nobody_reads)] {
        let mut create = program();
        create.current_dir(installation.path("")).stdout(stdout);
        let lost = create
            .args(["key", "create", "backend", "--preset", "tokens", "-c", "daypass.toml"])
            .output()
            .unwrap();
        let told = String::from_utf8(lost.stderr).unwrap();
        assert!(!lost.status.success() && told.contains("was taken back"), "{told}");
        let listed = installation.run(&["key", "list"]);
        assert!(!listed.assert_success().stdout.contains("backend"), "{listed:?}");
    }
    assert!(installation.run(&["key", "create", "backend", "--preset", "tokens"]).success);
}

/// The last byte of `user_version` in a file of SQLite's ("Database File Format", 1.3).
const USER_VERSION: usize = 63;

#[test]
fn a_store_that_nothing_may_change_is_copied_as_it_is_or_not_at_all() {
    let installation = Installation::new("sqlite:daypass.db");
    installation.serve(Output::Null).stop();
    let file = installation.path("daypass.db");
    // As the version before left it.
    let mut old = std::fs::read(&file).unwrap();
    old[USER_VERSION] -= 1;
    std::fs::write(&file, &old).unwrap();
    installation.change("[pool]", "migrate = false\n[pool]");
    let mut copy = program();
    copy.current_dir(installation.path(""));
    copy.args(["store", "copy", "--from", "daypass.toml", "--to", "sqlite:copy.db"]);
    let refused = Done::of(copy);
    assert!(
        !refused.success && refused.stderr.contains("`daypass migrate -c FILE` brings it there"),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(&file).unwrap()[USER_VERSION], old[USER_VERSION]);
}

fn the_file(installation: &Installation) -> std::path::PathBuf {
    installation.path("daypass.db-audit").join("000000000001.jsonl")
}

#[test]
fn the_trail_is_verified_beside_a_server_and_whoever_changes_it_is_found_out() {
    let installation = Installation::new("sqlite:daypass.db");
    let mut serving = installation.serve(Output::Null);
    for person in ["ada", "grace"] {
        assert_eq!(serving.log_in(person).0, 200);
    }
    let beside = installation.run(&["audit", "verify"]);
    assert!(beside.assert_success().stdout.contains("is as it was written."), "{beside:?}");
    serving.stop();
    let verified = installation.run(&["audit", "verify"]);
    let told = &verified.assert_success().stdout;
    assert!(
        told.starts_with("events    2, in lines 1 to 4 of 1 file\nsigned    up to line 3, at 20"),
        "{told}"
    );
    assert!(told.lines().all(|line| line.chars().count() <= 80 || line.contains("daypass.db")), "{told}");

    let whole = fs::read_to_string(the_file(&installation)).unwrap();
    let changed = whole.replace("fake:grace", "fake:heidi");
    let cut: String = whole.split_inclusive('\n').take(2).collect();
    for (text, fault) in [
        (&changed, "000000000001.jsonl, line 3: it was changed"),
        (&cut, "line 2: the trail ends here, and a head was signed of line 3"),
    ] {
        fs::write(the_file(&installation), text).unwrap();
        let verified = installation.run(&["audit", "verify"]);
        assert!(!verified.success && verified.stdout.contains(fault), "{verified:?}");
        assert!(verified.stderr.contains("is not as it was written"), "{verified:?}");
    }
    fs::write(the_file(&installation), whole).unwrap();

    // Whoever has a copy and the public key needs nothing else.
    let key = installation.run(&["audit", "key"]).stdout;
    assert!(key.contains("\"crv\":\"Ed25519\"") && !key.contains("\"d\""), "{key}");
    fs::write(installation.path("key.json"), key).unwrap();
    let (folder, key) = (installation.path("daypass.db-audit"), installation.path("key.json"));
    let elsewhere = |arguments: &[&OsStr]| {
        let mut command = program();
        command.args(["audit", "verify"]).args(arguments);
        Done::of(command)
    };
    let copy = elsewhere(&[folder.as_os_str(), "--key".as_ref(), key.as_os_str()]);
    assert!(copy.assert_success().stdout.contains("signed    up to line 3"), "{copy:?}");
    let chain_alone = elsewhere(&[folder.as_os_str()]);
    assert!(chain_alone.assert_success().stdout.contains("give a --key"), "{chain_alone:?}");
    let of_both = installation.run(&["audit", "verify", folder.to_str().unwrap()]);
    assert!(!of_both.success && of_both.stderr.contains("cannot be used with"), "{of_both:?}");
}

#[test]
fn events_are_listed_by_what_they_are() {
    let installation = Installation::new("sqlite:daypass.db");
    let mut serving = installation.serve(Output::Null);
    serving.log_in("ada");
    let made = installation.run(&["key", "create", "backend", "--preset", "tokens"]);
    made.assert_success();
    let actions = |arguments: &[&str]| {
        let listed = installation.run(&[&["audit", "list", "--json"], arguments].concat());
        let read =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["action"].as_str().unwrap().to_owned();
        listed.stdout.lines().map(read).collect::<Vec<_>>()
    };
    assert_eq!(actions(&[]), ["create_key", "exchange"]);
    assert_eq!(actions(&["--action", "exchange"]), ["exchange"]);
    assert_eq!(actions(&["--provider", "fake", "--outcome", "allowed"]), ["exchange"]);
    // Where a request over the loopback came from is not certain: a proxy may stand there.
    assert_eq!(actions(&["--address", "127.0.0.1"]), [""; 0]);
    assert_eq!(actions(&["--since", "1h", "--limit", "1"]), ["create_key"]);
    assert_eq!(actions(&["--until", "1h"]), [""; 0]);
    assert_eq!(actions(&["--outcome", "refused"]), [""; 0]);
    let wrong = installation.run(&["audit", "list", "--action", "exchanges"]);
    assert!(!wrong.success && wrong.stderr.contains("there are sign_in, device, exchange"), "{wrong:?}");
    serving.stop();
}

#[test]
fn who_sends_the_events_to_the_log_asks_there() {
    let installation = Installation::new("sqlite:daypass.db");
    installation.change("[store]", "[audit]\nto = \"log\"\n[store]");
    let made = installation.run(&["key", "create", "backend", "--preset", "tokens"]);
    let event = made.stderr.lines().find(|line| line.contains("\"action\":\"create_key\""));
    assert!(made.success && event.is_some(), "{made:?}");
    for question in [&["audit", "list"][..], &["audit", "who", "us-east-1:01"], &["audit", "verify"]] {
        let refused = installation.run(question);
        assert!(!refused.success && refused.stderr.contains("[audit] to = \"log\""), "{refused:?}");
    }
    installation.change("to = \"log\"", "to = \"log\"\nkeep = \"7d\"");
    let refused = installation.run(&["audit", "list"]);
    assert!(refused.stderr.contains("[audit] keep: nothing is kept where"), "{refused:?}");
}

#[test]
fn whoever_has_seen_enough_of_a_listing_hears_no_complaint() {
    let installation = Installation::new("sqlite:daypass.db");
    installation.run(&["key", "create", "backend", "--preset", "tokens"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = program();
    command.args(["audit", "list", "-c"]).arg(installation.path("daypass.toml")).stdout(writer);
    let done = command.output().unwrap();
    assert_eq!((done.status.code(), &*done.stderr), (Some(141), &b""[..]), "{done:?}");
}

/// `up` has a store that no file names, and keeps events beside it.
#[test]
fn what_up_keeps_of_its_trail_may_be_said_in_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("up.toml");
    fs::write(&file, "[audit]\nkeep = \"400d\"\nkeep_size = \"20GiB\"\n").unwrap();
    let mut command = program();
    command.args(["check", "-c", file.to_str().unwrap()]);
    let done = Done::of(command);
    assert!(done.success, "{done:?}");
}

#[test]
fn whoever_looks_after_a_container_is_told_whether_its_server_can_do_its_work() {
    let installation = Installation::new("sqlite:daypass.db");
    let mut server = installation.serve(Output::Null);
    let port = server.address.port();
    let asked = |more: &[&str]| {
        let mut command = program();
        // Whoever is named here is not asked.
        command.env("http_proxy", "http://127.0.0.1:1");
        command.args(["health", "--listen", &format!("0.0.0.0:{port}")]).args(more);
        Done::of(command)
    };
    let ask = || asked(&["--ready"]);
    let ready = ask();
    assert!(ready.success && ready.stdout == "ready\n", "{ready:?}");
    fs::remove_file(installation.path("daypass.db")).unwrap();
    let away = ask();
    assert!(!away.success && away.stderr.contains("is not ready: not_ready: "), "{away:?}");
    let alive = asked(&[]);
    assert!(alive.success && alive.stdout == "alive\n", "it is not to be restarted: {alive:?}");
    server.stop();
    let gone = ask();
    assert!(!gone.success && gone.stderr.contains("`daypass serve --listen` was given"), "{gone:?}");
}
