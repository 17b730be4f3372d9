//! The password of the database: in a file of its own, and in no message.

use std::fs;

use crate::database::{execute, folder, url};
use crate::nodes::Nodes;
use crate::server::{Installation, Output};

const PASSWORD: &str = "hunter2 of the database";
const WRONG: &str = "hunter3 of nobody";

/// The store of a user who is asked for a password.
fn installation() -> Installation {
    execute(
        folder(),
        &format!("CREATE ROLE locked LOGIN PASSWORD '{PASSWORD}'; CREATE SCHEMA locked AUTHORIZATION locked"),
    );
    let installation = Installation::new(&url(folder(), "locked", "locked"));
    fs::write(installation.path("password"), format!("{PASSWORD}\n")).unwrap();
    fs::write(installation.path("wrong"), WRONG).unwrap();
    installation.change("[pool]", "password = { file = \"password\" }\n[pool]");
    installation
}

#[test]
fn a_password_is_read_from_its_file_and_told_nobody() {
    let nodes = Nodes::of(installation());
    let (_, ada) = nodes.one.log_in("ada");
    assert_eq!(nodes.two.credentials(&ada).0, 200);
    let listed = nodes.run(&["audit", "list"]);
    assert!(listed.contains("fake:ada"), "{listed}");

    let installation = &nodes.installation;
    installation.change("file = \"password\"", "file = \"wrong\"");
    let refusal = installation.refusal(Output::Null);
    assert!(refusal.contains("see to user and password"), "{refusal}");
    assert!(!refusal.contains(WRONG) && !refusal.contains(PASSWORD), "{refusal}");
    installation.change("password = { file = \"wrong\" }\n", "");
    let refusal = installation.refusal(Output::Null);
    assert!(!refusal.contains("hunter"), "{refusal}");
    for with_password in ["user=locked&password=hunter2", "user=locked:hunter2@"] {
        let before = fs::read_to_string(installation.path("daypass.toml")).unwrap();
        installation.change("user=locked", with_password);
        let checked = installation.run(&["check"]);
        assert!(!checked.success, "{checked:?}");
        assert!(!format!("{checked:?}").contains("hunter2"), "{checked:?}");
        fs::write(installation.path("daypass.toml"), before).unwrap();
    }
    installation.change("user=locked", "user=locked&password=hunter2");
    let checked = installation.run(&["check"]);
    assert!(checked.stdout.contains("password = { env"), "{checked:?}");
}
