//! What reaches a server while it begins: signals, and a configuration that comes by a pipe.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::server::{Done, Installation, Output, program};

const PATIENCE: Duration = Duration::from_mins(1);

/// Has the configuration come by a pipe from now on; answers what is to come.
fn by_pipe(installation: &Installation) -> (PathBuf, String) {
    let pipe = installation.path("daypass.toml");
    let text = fs::read_to_string(&pipe).unwrap();
    fs::remove_file(&pipe).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    (pipe, text)
}

/// The other end, which opens when somebody begins to read.
fn writer(pipe: &Path) -> File {
    let (tell, told) = mpsc::channel();
    let pipe = pipe.to_owned();
    thread::spawn(move || tell.send(File::options().write(true).open(pipe)));
    told.recv_timeout(PATIENCE).expect("nobody reads the configuration").unwrap()
}

#[test]
fn a_sighup_before_anything_is_read_ends_nothing_and_counts_afterwards() {
    let installation = Installation::new("sqlite:daypass.db");
    let (pipe, text) = by_pipe(&installation);
    let log = installation.path("log");
    let beginning = installation.begin(Output::File(log.clone()));
    let mut writer = writer(&pipe);
    beginning.signal("HUP");
    beginning.signal("HUP");
    writer.write_all(text.as_bytes()).unwrap();
    drop(writer);
    let mut serving = beginning.ready();
    serving.log_has(&log, "cannot be read another time");
    assert_eq!(serving.log_in("ada").0, 200, "a pipe that says nothing more takes nothing away");
    serving.stop();
}

#[test]
fn whoever_ends_a_server_that_begins_need_not_wait_for_it() {
    let installation = Installation::new("sqlite:daypass.db");
    let (pipe, _) = by_pipe(&installation);
    for signal in ["TERM", "INT"] {
        let mut beginning = installation.begin(Output::Null);
        let writer = writer(&pipe);
        beginning.signal(signal);
        assert!(beginning.status().success(), "{signal}");
        drop(writer);
    }
    assert!(!installation.path("daypass.db").exists());
}

/// What the operating system does before a program begins, no program can: the shell keeps SIGHUP away until then.
#[test]
fn a_server_that_is_hung_up_on_without_end_begins_all_the_same() {
    let installation = Installation::new("sqlite:daypass.db");
    let beginning = installation.begin_without_sighup(Output::Null);
    let mut serving = thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        let target = beginning.target();
        let hanging_up = scope.spawn(move || {
            let mut times = 0;
            while is_done.try_recv() == Err(mpsc::TryRecvError::Empty) {
                target.signal("HUP");
                times += 1;
            }
            times
        });
        let serving = beginning.ready();
        drop(done);
        assert!(hanging_up.join().unwrap() > 0);
        serving
    });
    assert_eq!(serving.log_in("ada").0, 200);
    serving.stop();
}

fn check(installation: &Installation, text: &str, arguments: &[&str]) -> Done {
    let (pipe, _) = by_pipe(installation);
    let text = text.to_owned();
    let writing = thread::spawn(move || {
        let mut writer = writer(&pipe);
        // Who has read enough hears no more.
        let _ = writer.write_all(text.as_bytes());
    });
    let done = installation.run(arguments);
    writing.join().unwrap();
    done
}

#[test]
fn what_comes_by_a_pipe_is_looked_at_whole() {
    for (wrong, told) in [
        ("colour = 1\n", "line 1: colour: unknown key"),
        ("", "no mistakes, as a configuration of `daypass serve`"),
    ] {
        let installation = Installation::new("sqlite:daypass.db");
        let text = fs::read_to_string(installation.path("daypass.toml")).unwrap();
        let done = check(&installation, &format!("{wrong}{text}"), &["check"]);
        assert_eq!(done.success, wrong.is_empty(), "{done:?}");
        assert!(done.stdout.contains(told), "{done:?}");
    }
    let installation = Installation::new("sqlite:daypass.db");
    let text = fs::read_to_string(installation.path("daypass.toml")).unwrap();
    let mut by_stdin = program();
    by_stdin.current_dir(installation.path("")).args(["check", "-c", "/dev/stdin"]);
    by_stdin.stdin(File::open(installation.path("daypass.toml")).unwrap());
    let done = Done::of(by_stdin);
    assert!(done.success, "its paths start from where somebody types: {done:?}");
    assert!(check(&installation, &text, &["pool", "create"]).success, "a command that finds its place by it");
    let more = fs::read_to_string(installation.path("more.toml")).unwrap();
    let done = check(&Installation::new("sqlite:daypass.db"), &format!("{more}colour = 1\n"), &["check"]);
    assert!(!done.success && done.stdout.contains("colour: unknown key"), "{done:?}");
}
