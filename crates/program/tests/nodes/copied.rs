//! An installation that began with a file, and goes on with a database.

use crate::database::store;
use crate::server::{Done, Installation, Output, program};

/// `daypass store copy`, from what the configuration says now.
fn copy(installation: &Installation, to: &str) -> Done {
    let mut command = program();
    command.current_dir(installation.path(""));
    command.args(["store", "copy", "--from", "daypass.toml", "--to", to]);
    Done::of(command)
}

fn assert_refused(done: &Done, words: &str) {
    assert!(!done.success && done.stderr.contains(words), "{words}: {done:?}");
}

#[test]
fn whoever_signed_in_before_goes_on_as_they_are() {
    let (installation, database) = (Installation::new("sqlite:daypass.db"), store());
    let mut server = installation.serve(Output::Null);
    let people = ["ada", "zoë"].map(|person| server.log_in(person).1);
    assert_refused(&copy(&installation, &database), "is open in a running Daypass");
    server.stop();

    std::fs::copy(installation.path("daypass.toml"), installation.path("new.toml")).unwrap();
    installation.change_in("new.toml", "sqlite:daypass.db", &database);
    let done = copy(&installation, "new.toml");
    assert!(done.success && done.stdout.contains("all of it is there, and is the same."), "{done:?}");
    let identities = done.stdout.lines().find(|line| line.starts_with("identities")).unwrap();
    assert_eq!(identities.split_whitespace().nth(1), Some("2"), "{identities}");
    assert_refused(&copy(&installation, &database), "in the store to copy into, which stays as it is");

    installation.change("sqlite:daypass.db", &database);
    let mut server = installation.serve(Output::Null);
    for (person, before) in ["ada", "zoë"].into_iter().zip(&people) {
        assert_eq!(server.log_in(person).1["identity_id"], before["identity_id"]);
        assert_eq!(server.credentials(before).0, 200, "its token was signed by a key that moved, too");
    }
    server.stop();
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.success && verified.stdout.contains("is as it was written"), "{verified:?}");
    let who = installation.run(&["audit", "who", people[0]["identity_id"].as_str().unwrap()]);
    assert!(who.stdout.contains("fake:ada"), "{who:?}");

    // And back.
    let done = copy(&installation, "sqlite:back.db");
    assert!(done.success, "{done:?}");
    installation.change(&database, "sqlite:back.db");
    let mut server = installation.serve(Output::Null);
    assert_eq!(server.log_in("ada").1["identity_id"], people[0]["identity_id"]);
    server.stop();
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.success, "{verified:?}");
}

#[test]
fn no_server_starts_on_half_a_copy() {
    let installation = Installation::new("sqlite:daypass.db");
    installation.serve(Output::Null).stop();
    for half in [store(), "sqlite:half.db".to_owned()] {
        begin(&installation, &half);
        installation.change("sqlite:daypass.db", &half);
        let refused = installation.refusal(Output::Null);
        assert!(refused.contains("ask `daypass store copy` again"), "{refused}");
        installation.change(&half, "sqlite:daypass.db");
        let done = copy(&installation, &half);
        assert!(done.success, "{done:?}");
    }
}

/// Begins a copy, and goes no further.
fn begin(installation: &Installation, to: &str) {
    let url = if to == "sqlite:half.db" {
        format!("sqlite:{}", installation.path("half.db").display())
    } else {
        to.to_owned()
    };
    let from = format!("sqlite:{}", installation.path("daypass.db").canonicalize().unwrap().display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let target = daypass_store::open_to_fill(&url.try_into().unwrap()).await.unwrap();
        target.begin(&from).await.unwrap();
    });
}
