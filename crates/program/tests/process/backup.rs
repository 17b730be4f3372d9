//! `daypass backup` beside a running server, and `daypass restore` of what it made.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use daypass_core::records::identity::Login;
use daypass_core::store::{Identities, Page, Pools};
use daypass_store::SqliteStore;
use serde_json::Value;

use super::server::{Done, Installation, Output, Server, program};

/// As many logins are acknowledged before a backup begins.
const BEFORE: usize = 100;
const MASTER_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

impl Done {
    pub fn assert_success(&self) -> &Self {
        assert!(self.success, "{self:?}");
        self.assert_no_secret()
    }

    fn assert_refused(&self, words: &str) -> &Self {
        assert!(!self.success && self.stderr.contains(words), "{words}: {self:?}");
        self.assert_no_secret()
    }

    fn assert_no_secret(&self) -> &Self {
        for secret in [MASTER_KEY, "a secret of the client"] {
            assert!(!self.stdout.contains(secret) && !self.stderr.contains(secret), "{self:?}");
        }
        self
    }
}

fn serve(installation: &Installation) -> Server {
    installation.serve(Output::Null)
}

fn log_in(server: &Server, person: &str) -> Value {
    let (status, login) = server.log_in(person);
    assert_eq!(status, 200, "{person}: {login}");
    login
}

/// An installation with a backup, of when Ada had logged in.
fn backed_up() -> (Installation, Value) {
    let installation = Installation::new("sqlite:daypass.db");
    let mut server = serve(&installation);
    let ada = log_in(&server, "ada");
    installation.run(&["backup", "backup.db"]).assert_success();
    server.stop();
    (installation, ada)
}

/// Those whom a database file does not know, when nothing is beside it.
fn missing(database: &Path, people: &[String]) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.db");
    fs::copy(database, &copy).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&copy).unwrap();
        let pools = store.list_pools(Page { after: None, limit: 1 }).await.unwrap();
        let Some(pool) = pools.first() else { return people.len() };
        let mut missing = 0;
        for person in people {
            let login = Login::developer(format!("fake:{person}"));
            let found = store.find_identity_by_login(&pool.id, &login).await.unwrap();
            missing += usize::from(found.is_none());
        }
        missing
    })
}

#[test]
fn a_backup_has_every_login_that_was_acknowledged_before_it_began() {
    let installation = Installation::new("sqlite:daypass.db");
    let mut server = serve(&installation);
    let mut audit_lines = server.stdout.take().unwrap();
    let reading = std::thread::spawn(move || std::io::copy(&mut audit_lines, &mut std::io::sink()));
    let (acknowledged, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let logging_in = |thread: usize| {
        for number in 0.. {
            if over.load(Ordering::Relaxed) {
                return;
            }
            let person = format!("person-{thread}-{number}");
            log_in(&server, &person);
            acknowledged.lock().unwrap().push(person);
        }
    };
    let (mut copied, mut told) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || logging_in(thread));
        }
        for name in ["first.db", "second.db"] {
            let before = acknowledged.lock().unwrap().len() + BEFORE;
            while acknowledged.lock().unwrap().len() < before {
                std::thread::yield_now();
            }
            let people = acknowledged.lock().unwrap().clone();
            let by_hand = installation.path(&format!("by-hand-{name}"));
            fs::copy(installation.path("daypass.db"), &by_hand).unwrap();
            told.push(installation.run(&["backup", name]));
            copied.push((installation.path(name), by_hand, people));
        }
        over.store(true, Ordering::Relaxed);
    });
    server.stop();
    reading.join().unwrap().unwrap();
    for done in &told {
        assert!(done.assert_success().stdout.contains("It is whole."), "{done:?}");
    }
    for (backup, by_hand, people) in copied {
        assert_eq!(missing(&backup, &people), 0);
        assert!(missing(&by_hand, &people) > 0, "a copy by hand is as good: this test proves nothing");
    }
}

/// However idle: nobody has asked this server for anything.
#[test]
fn nothing_is_restored_under_a_server() {
    let (installation, _) = backed_up();
    let mut server = serve(&installation);
    let refused = installation.run(&["restore", "backup.db"]);
    refused.assert_refused("is open in a running Daypass").assert_refused("nothing was changed");
    log_in(&server, "bob");
    installation.run(&["restore", "backup.db"]).assert_refused("is open in a running Daypass");
    assert_eq!(server.get("/readyz").0, 200);
    server.stop();
    installation.run(&["restore", "backup.db"]).assert_success();
}

#[test]
fn nothing_is_restored_under_up() {
    let installation = Installation::new("memory:");
    let mut up = installation.up();
    log_in(&up, "ada");
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).arg("--dir").arg(installation.path("state"));
        command.current_dir(installation.path(""));
        Done::of(command)
    };
    run(&["backup", "backup.db"]).assert_success();
    run(&["restore", "backup.db"]).assert_refused("another `daypass up` runs");
    log_in(&up, "bob");
    up.stop();
    run(&["restore", "backup.db"]).assert_success();
    let mut up = installation.up();
    log_in(&up, "ada");
    up.stop();
    assert_eq!(missing(&installation.path("state/daypass.db"), &["ada".into(), "bob".into()]), 1);
}

/// A revocation that came after the backup is forgotten by it: what it ended must not come back.
#[test]
fn a_restored_store_serves_and_no_session_from_before_counts() {
    let (installation, ada) = backed_up();
    let mut server = serve(&installation);
    let bob = log_in(&server, "bob");
    assert_eq!(server.credentials(&ada).0, 200);
    installation.run(&["revoke", ada["identity_id"].as_str().unwrap()]).assert_success();
    assert_eq!(server.credentials(&ada).0, 400);
    server.stop();

    let restored = installation.run(&["restore", "backup.db"]);
    restored.assert_success();
    assert!(restored.stdout.contains("1 identity with 1 login"), "{restored:?}");
    let server = serve(&installation);
    for login in [&ada, &bob] {
        let (status, refusal) = server.credentials(login);
        assert_eq!(status, 400, "{refusal}");
    }
    let again = log_in(&server, "ada");
    assert_eq!(again["identity_id"], ada["identity_id"]);
    assert_eq!(server.credentials(&again).0, 200);
    assert_ne!(log_in(&server, "bob")["identity_id"], bob["identity_id"]);
}

/// Its newest commits are in the companion `-wal` alone.
#[test]
fn what_a_killed_server_kept_is_kept_beside_the_restored_store() {
    let (installation, _) = backed_up();
    let mut server = serve(&installation);
    log_in(&server, "bob");
    server.kill();
    let restored = installation.run(&["restore", "backup.db"]);
    let (_, kept) = restored.assert_success().stdout.split_once("is kept as ").unwrap();
    let kept = Path::new(kept.lines().next().unwrap().trim_end_matches('.'));
    assert_eq!(missing(kept, &["ada".into(), "bob".into()]), 0);
    assert_eq!(missing(&installation.path("daypass.db"), &["ada".into(), "bob".into()]), 1);
}

#[test]
fn keys_that_were_disabled_since_are_named() {
    let installation = Installation::new("sqlite:daypass.db");
    let created = installation.run(&["key", "create", "ci", "--preset", "admin"]);
    let id = created.stdout.split_once("aws_access_key_id = ").unwrap().1.lines().next().unwrap();
    installation.run(&["backup", "backup.db"]).assert_success();
    installation.run(&["key", "disable", id]).assert_success();
    let restored = installation.run(&["restore", "backup.db"]);
    let line = format!("  {id}  enabled   disabled  ci");
    assert!(restored.assert_success().stdout.contains(&line), "{restored:?}");
    let who = installation.run(&["audit", "who", id]);
    assert!(who.stdout.contains("disable_key"), "the trail goes on: {who:?}");
    let last = installation.run(&["audit", "list", "--limit", "1"]);
    assert!(last.assert_success().stdout.contains("restore      allowed"), "{last:?}");
}

#[test]
fn a_backup_of_another_master_key_is_refused_and_the_store_stays_as_it_was() {
    let (installation, _) = backed_up();
    let before = fs::read(installation.path("daypass.db")).unwrap();
    fs::write(installation.path("master-key"), "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=").unwrap();
    let refused = installation.run(&["restore", "backup.db"]);
    refused.assert_refused("the master key is not the one").assert_refused("nothing was changed");
    assert!(!refused.stderr.contains("CAgICAg"), "{refused:?}");
    assert_eq!(fs::read(installation.path("daypass.db")).unwrap(), before);
    fs::write(installation.path("master-key"), MASTER_KEY).unwrap();
    let mut server = serve(&installation);
    log_in(&server, "ada");
    server.stop();
}

#[test]
fn what_is_no_backup_is_refused_and_the_store_stays_as_it_was() {
    let (installation, _) = backed_up();
    let whole = fs::read(installation.path("backup.db")).unwrap();
    fs::write(installation.path("cut.db"), &whole[..whole.len() / 2]).unwrap();
    fs::write(installation.path("text.db"), "no database ".repeat(1_000)).unwrap();
    let before = fs::read(installation.path("daypass.db")).unwrap();
    for (name, words) in [
        ("cut.db", "is damaged"),
        ("text.db", "is not a Daypass database"),
        ("wrong.db", "there is no file wrong.db"),
        ("daypass.db", "is the store itself"),
    ] {
        installation.run(&["restore", name]).assert_refused(words).assert_refused("nothing was changed");
    }
    assert_eq!(fs::read(installation.path("daypass.db")).unwrap(), before);
    installation.run(&["backup", "text.db"]).assert_refused("is there already");
}

#[test]
fn a_wrong_path_makes_no_store() {
    let installation = Installation::new("sqlite:daypass.db");
    let ada = "us-east-1:0d32bd12-0000-4000-8000-000000000000";
    for arguments in [
        &["backup", "backup.db"][..],
        &["key", "list"],
        &["key", "rotate", "ci"],
        &["revoke", ada],
        &["audit", "who", ada],
    ] {
        installation.run(arguments).assert_refused("there is no store");
    }
    assert!(!installation.path("daypass.db").exists() && !installation.path("backup.db").exists());
    for command in ["backup", "restore"] {
        let in_memory = Installation::new("memory:");
        in_memory.run(&[command, "backup.db"]).assert_refused("a store in memory can be seen by nobody");
        let mut elsewhere = program();
        elsewhere.args([command, "backup.db", "--dir"]).arg(installation.path("nowhere"));
        Done::of(elsewhere).assert_refused("nowhere");
        assert!(!installation.path("nowhere").exists());
    }
}
