//! `daypass login`: a browser that comes back, or somebody who pastes what it ended at.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::broker::CODE;
use crate::person::{Login, Person, request};
use crate::{SECRETS, json};

#[test]
fn the_browser_comes_back_with_a_code() {
    let person = Person::new(3600);
    let login = person.login(&["--provider", "discord"]);
    let url = &person.broker.url;
    assert!(
        login.address.starts_with(&format!("{url}/oauth2/authorize?response_type=code&client_id=terminal&"))
    );
    assert!(login.address.ends_with("&code_challenge_method=S256&provider=discord"), "{}", login.address);
    let back = login.back(&[("code", CODE)]);
    let (status, page) = request("GET", &back, &[]);
    assert!(status == 200 && page.contains("You are signed in"), "{page}");
    assert!(
        page.contains("no-store") && page.contains("no-referrer") && page.contains("default-src 'none'"),
        "{page}"
    );
    let done = login.end();
    assert!(done.success, "{done:?}");
    assert_eq!(done.stdout, format!("You are signed in at {url} as Ada. Your identity is us-east-1:ada.\n"));
    let form = &person.broker.forms()[0];
    assert!(
        form["device"].starts_with("Terminal on ") && form["redirect_uri"] == back.split('?').next().unwrap()
    );
}

#[test]
fn what_comes_from_elsewhere_ends_no_login() {
    let person = Person::new(3600);
    let login = person.login(&[]);
    let back = login.back(&[("code", CODE)]);
    let (path, query) = back.split_once('?').unwrap();
    let other = query.replace("state=", "state=x");
    for (method, url, status) in [
        ("GET", format!("{path}?{other}"), 400),
        ("GET", path.to_owned(), 400),
        ("GET", format!("{path}?code={CODE}"), 400),
        ("GET", back.replace("/callback", "/other"), 404),
        ("HEAD", back.clone(), 405),
        ("POST", back.clone(), 405),
        ("OPTIONS", back.clone(), 405),
    ] {
        let (answered, page) = request(method, &url, &[]);
        assert_eq!(answered, status, "{method} {url}: {page}");
        assert!(!page.to_lowercase().contains("access-control"), "{page}");
    }
    assert_eq!(person.broker.counts().0, 0);
    assert!(request("GET", &back, &[]).1.contains("You are signed in"));
    assert!(login.end().success);
}

#[test]
fn a_login_that_was_cancelled_says_so_on_both_sides() {
    let person = Person::new(3600);
    let login = person.login(&[]);
    let (_, page) = request("GET", &login.back(&[("error", "access_denied")]), &[]);
    assert!(page.contains("You are not signed in") && page.contains("it was cancelled"), "{page}");
    let done = login.end();
    assert!(
        !done.success && done.stderr.contains("the sign-in came to nothing: it was cancelled"),
        "{done:?}"
    );
}

#[test]
fn a_code_that_counts_for_nothing_is_told_on_both_sides() {
    let person = Person::new(3600);
    let login = person.login(&[]);
    let (_, page) = request("GET", &login.back(&[("code", "a-code-of-another-login")]), &[]);
    assert!(page.contains("You are not signed in") && page.contains("Your terminal says why"), "{page}");
    let done = login.end();
    assert!(!done.success && done.stderr.contains("the code counts for nothing any more"), "{done:?}");
    assert!(!person.run(&["credentials"]).success);
}

#[test]
fn over_ssh_the_address_that_the_browser_ended_at_is_pasted() {
    let person = Person::new(3600);
    let login = person.login(&[]);
    let back = login.back(&[("code", CODE)]);
    let stray = back.replace("state=", "state=x");
    let done = login.paste("").paste("what?").paste(&stray).paste(&back).end();
    assert!(done.success, "{done:?}");
    assert!(done.stderr.contains("on any machine") && done.stderr.contains("paste it here"), "{done:?}");
    assert_eq!(done.stderr.matches("That is no answer to this login.").count(), 2, "{done:?}");
    assert!(SECRETS.iter().all(|secret| !format!("{done:?}").contains(secret)), "{done:?}");
    assert!(person.run(&["credentials"]).success);
}

#[test]
fn the_browser_of_the_environment_is_opened() {
    let person = Person::new(3600);
    let (script, opened) = (person.path("browser"), person.path("opened"));
    fs::write(&script, format!("#!/bin/sh\necho \"$@\" > {0}.new && mv {0}.new {0}\n", opened.display()))
        .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = person.command(&["login", &person.broker.url]);
    command.env("BROWSER", &script).env("SSH_CONNECTION", "yes").env("PATH", "/usr/bin:/bin");
    let login = Login::of(&mut command);
    let back = login.back(&[("code", CODE)]);
    // A script's standard input is left alone, so this is not read.
    let login = login.paste("what?");
    let address = login.address.clone();
    assert!(request("GET", &back, &[]).1.contains("You are signed in"));
    let done = login.end();
    assert!(
        done.success && done.stderr.contains("which opens now") && !done.stderr.contains("no answer"),
        "{done:?}"
    );
    while !opened.exists() {
        std::thread::yield_now();
    }
    assert_eq!(fs::read_to_string(opened).unwrap().trim(), address);
}

#[test]
fn a_profile_is_written_where_it_was_asked_for() {
    let person = Person::new(3600);
    let config = person.path(".aws/config");
    fs::create_dir(person.path(".aws")).unwrap();
    fs::write(&config, "[default]\nregion = eu-west-1\n").unwrap();
    let done = person.login(&["--profile", "work"]).paste(CODE).end();
    assert!(
        done.success && done.stdout.contains("aws --profile work s3 ls s3://daypass-demo/us-east-1:ada/"),
        "{done:?}"
    );
    let text = fs::read_to_string(&config).unwrap();
    let program = env!("CARGO_BIN_EXE_daypass");
    let url = &person.broker.url;
    assert!(text.starts_with("[default]\nregion = eu-west-1\n\n[profile work]\n"), "{text}");
    let process = format!(
        "credential_process = \"{program}\" credentials --url {url} --app terminal\nregion = us-east-1\n"
    );
    assert!(text.contains(&process), "{text}");
    assert!(
        text.contains("[services daypass-work]") && text.contains("endpoint_url = http://127.0.0.1:9\n"),
        "{text}"
    );
    // As botocore runs it, without a shell.
    let given = json(&person.run(&["credentials", "--url", url, "--app", "terminal"]));
    assert_eq!(given["AccessKeyId"], "ASIA1");
    assert!(person.login(&["--profile", "work"]).paste(CODE).end().success);
    assert_eq!(fs::read_to_string(&config).unwrap(), text, "a second login changes nothing");
}

#[test]
fn a_profile_that_is_taken_is_told_before_anybody_signs_in() {
    let person = Person::new(3600);
    let (config, credentials) = (person.path("config"), person.path("credentials"));
    fs::write(&config, "[profile mine]\nrole_arn = x\n").unwrap();
    fs::write(&credentials, "[keys]\naws_access_key_id = AKIA\n").unwrap();
    for (profile, words) in [
        ("mine", "has a profile mine with role_arn, which is not Daypass's"),
        ("keys", "has keys of the profile keys, which would count instead"),
        ("a b", "takes letters, digits and ._-"),
    ] {
        let mut command = person.command(&["login", &person.broker.url, "--profile", profile]);
        command.env("AWS_CONFIG_FILE", &config).env("AWS_SHARED_CREDENTIALS_FILE", &credentials);
        let done = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && said.contains(words), "{said}");
    }
    assert_eq!(person.broker.counts().0, 0);
}

#[test]
fn a_keyring_that_is_not_there_is_told_before_anybody_signs_in() {
    let nowhere = tempfile::tempdir().unwrap();
    let environment = vec![("PATH", nowhere.path().to_str().unwrap().to_owned())];
    let person = Person { environment, ..Person::new(3600) };
    let done = person.run(&["login", &person.broker.url, "--keyring"]);
    assert!(!done.success && done.stderr.lines().count() == 1, "{done:?}");
    for words in [
        "the keyring cannot be used: there is no `secret-tool` on the PATH",
        "libsecret-tools",
        "sign in without --keyring",
    ] {
        assert!(done.stderr.contains(words), "{done:?}");
    }
    assert_eq!(fs::read_dir(person.path("sessions")).unwrap().count(), 0);
    assert_eq!(person.broker.counts().0, 0);
}

/// A program that leads to a keyring is in no group that a terminal's Ctrl-C reaches.
#[test]
fn who_gives_up_waiting_for_a_keyring_leaves_no_prompt_of_it_behind() {
    let (person, tools) = (Person::new(3600), tempfile::tempdir().unwrap());
    let hanging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/tests/stand-in/endless");
    std::os::unix::fs::symlink(hanging, tools.path().join("secret-tool")).unwrap();
    let alive = tools.path().join("alive");
    assert!(Command::new("mkfifo").arg(&alive).status().unwrap().success());
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut pipe = fs::File::open(alive).unwrap();
        sender.send("it runs").unwrap();
        pipe.read_to_end(&mut Vec::new()).unwrap();
        sender.send("it is gone")
    });

    let mut command = person.command(&["login", &person.broker.url, "--no-browser", "--keyring"]);
    let path = format!("{}:/usr/bin:/bin", tools.path().display());
    let mut waiting = command.env("PATH", path).spawn().unwrap();
    let patience = Duration::from_secs(5);
    assert_eq!(heard.recv_timeout(patience), Ok("it runs"));
    let id = waiting.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(heard.recv_timeout(patience), Ok("it is gone"));
    assert_eq!(
        waiting.wait().unwrap().signal(),
        Some(2),
        "as a shell wants it that is to end its script, too"
    );
}
