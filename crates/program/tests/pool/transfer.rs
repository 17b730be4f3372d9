//! Pools that move from one directory to another, beside servers and without.

use std::io::Write;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};

use crate::daypass::{Up, begin_import, command, files, import, output, pool};

/// More than a pipe and the program's own buffer hold, so that the program has to have read most of it.
const MANY: usize = 40_000;

async fn person(up: &Up, user: &str) -> String {
    let ready = up.ready();
    let token = up.client.get_open_id_token_for_developer_identity();
    let token = token.identity_pool_id(ready.identity_pool_id.to_string());
    let token = token.logins(&ready.developer_provider, user).send().await;
    token.expect("a token").identity_id.expect("an identity")
}

async fn exported(up: &Up) -> Vec<u8> {
    let done = pool(&["export", "--dir", up.dir()]).await;
    assert!(done.success, "{}", done.stderr);
    done.stdout.into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_keeps_their_identity_on_another_machine() {
    let up = Up::start().await;
    let (ada, eve) = (person(&up, "snapchat:ada").await, person(&up, "sn\u{202e}apchat:\u{0}eve 🦊").await);
    let file = exported(&up).await;
    person(&up, "came after the export").await;
    let id = up.ready().identity_pool_id.clone();
    let (_, _directory) = up.stop().await;

    let elsewhere = tempfile::tempdir().unwrap();
    let dir = elsewhere.path().join("state");
    let arguments = ["--dir", dir.to_str().unwrap()];
    let done = import(&file, &arguments);
    assert!(done.success, "{}", done.stderr);
    assert_eq!(done.stdout, format!("Imported {id} with 2 identities and 2 logins.\n"));
    let again = import(&file, &arguments);
    assert_eq!(again.stdout, format!("Nothing to do: {id} has the same 2 identities and 2 logins.\n"));

    let moved = Up::start_in(&dir).await;
    assert_eq!(moved.ready().identity_pool_id, id);
    assert_eq!(person(&moved, "snapchat:ada").await, ada);
    assert_eq!(person(&moved, "sn\u{202e}apchat:\u{0}eve 🦊").await, eve);
    let listed = pool(&["list", "--dir", moved.dir()]).await.stdout;
    assert!(listed.contains(&format!("{id}           2  daypass-demo")), "{listed}");
    assert!(listed.lines().all(|line| line.chars().count() <= 80), "{listed}");
    let shown = pool(&["show", id.as_str(), "--dir", moved.dir()]).await.stdout;
    assert!(shown.contains("\"developer_provider_name\": \"login.daypass.local\""), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_import_while_a_server_runs() {
    let up = Up::start().await;
    let file = exported(&up).await;
    let dir = up.dir().to_owned();
    let refused = tokio::task::spawn_blocking(move || import(&file, &["--dir", &dir])).await.unwrap();
    assert!(!refused.success && refused.stderr.contains("another `daypass up` runs on"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_went_on_is_not_overwritten() {
    let up = Up::start().await;
    person(&up, "ada").await;
    let file = exported(&up).await;
    let eve = person(&up, "eve").await;
    let later = exported(&up).await;
    let (dir, _directory) = up.stop().await;
    let arguments = ["--dir", dir.to_str().unwrap()];
    let refused = import(&file, &arguments);
    assert!(!refused.success && refused.stderr.contains("nothing was changed"), "{refused:?}");
    assert!(refused.stderr.contains("has 1 identity not found here"), "{}", refused.stderr);
    assert!(import(&later, &arguments).stdout.starts_with("Nothing to do"));
    assert!(String::from_utf8(later).unwrap().contains(&eve));
}

/// A file as a pool of many would give it, made by hand.
fn large_file() -> Vec<u8> {
    let mut file =
        b"{\"daypass_pool\":1,\"pool\":{\"id\":\"us-east-1:aa\",\"settings\":{\"name\":\"large\"},\
        \"roles\":{},\"tag_maps\":{}}}\n"
            .to_vec();
    for number in 0..MANY {
        let line = format!(
            "{{\"id\":\"us-east-1:{number:08x}\",\"authenticated\":true,\"enabled\":true,\
             \"created_at\":\"2026-01-01T00:00:00Z\",\"modified_at\":\"2026-01-01T00:00:00Z\",\
             \"logins\":[{{\"user\":\"user {number}\"}}]}}\n"
        );
        file.extend_from_slice(line.as_bytes());
    }
    let sum = hex(digest(&SHA256, &file).as_ref());
    file.extend_from_slice(format!("{{\"identities\":{MANY},\"sha256\":\"{sum}\"}}\n").as_bytes());
    file
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn exported_from(database: &Path) -> String {
    output(command(&["export", "--database", database.to_str().expect("a path of text")])).stdout
}

#[test]
fn an_import_that_is_killed_leaves_nothing_and_can_be_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("large.db");
    let arguments = ["--database", database.to_str().unwrap()];
    let file = large_file();
    assert!(file.len() > 6 << 20);
    for part in [3 << 20, file.len() - 2] {
        let mut child = begin_import(&arguments);
        child.stdin.as_mut().unwrap().write_all(&file[..part]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let listed = output(command(&["list", "--database", arguments[1]]));
        assert_eq!(listed.stdout.lines().count(), 1, "{}", listed.stdout);
    }
    let done = import(&file, &arguments);
    assert!(done.success && done.stdout.contains("40,000 identities"), "{done:?}");
    let identities = |file: &str| file.lines().skip(1).take(MANY).map(str::to_owned).collect::<Vec<_>>();
    let exported = exported_from(&database);
    assert!(identities(&exported) == identities(std::str::from_utf8(&file).unwrap()));
    assert_eq!(files(directory.path()), ["large.db", "large.db-audit"]);
}

#[test]
fn a_file_that_is_cut_off_is_refused_with_the_cure() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("new.db");
    let file = large_file();
    let refused = import(&file[..file.len() - 1], &["--database", database.to_str().unwrap()]);
    assert!(
        !refused.success && refused.stderr.contains("cut off in line 40002: export it again"),
        "{refused:?}"
    );
    let missing = output(command(&["export", "--database", "/nonexistent/daypass.db"]));
    assert!(!missing.success && missing.stderr.contains("there is no database"), "{missing:?}");
}
