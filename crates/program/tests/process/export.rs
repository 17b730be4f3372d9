//! The audit trail on its way to a receiver of syslog, while the server ends, is killed, or has nobody to deliver to.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::server::{Installation, Output};

/// Far more than a delivery takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Reads each connection to its end, and tells what it read. It ends with the tests.
fn listen(listener: TcpListener) -> Receiver<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut text = String::new();
            if stream.unwrap().read_to_string(&mut text).is_ok() && tell.send(text).is_err() {
                return;
            }
        }
    });
    told
}

fn exporting_to(address: SocketAddr) -> Installation {
    let installation = Installation::new("sqlite:daypass.db");
    let export = format!("[[audit.export]]\nname = \"siem\"\nto = \"syslog\"\nurl = \"tcp://{address}\"\n");
    installation.change("[[role]]", &format!("{export}[[role]]"));
    installation
}

#[test]
fn what_was_decided_last_is_delivered_before_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let installation = exporting_to(listener.local_addr().unwrap());
    let told = listen(listener);
    let before = installation.run(&["audit", "exports"]);
    assert!(!before.success && before.stderr.contains("there is no store"), "{before:?}");
    let mut serving = installation.serve(Output::Null);
    assert_eq!(serving.log_in("ada").0, 200);
    serving.stop();
    let text = told.try_iter().collect::<String>();
    assert!(text.contains("daypass - exchange - ") && text.contains("fake:ada"), "{text}");
    let after = installation.run(&["audit", "exports"]);
    assert!(after.stdout.starts_with("siem\n  done      up to line"), "{after:?}");
    assert!(after.stdout.ends_with("\n  behind    nothing\n"), "{after:?}");
}

#[test]
fn what_was_decided_while_nobody_was_there_is_delivered_after_a_kill() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let installation = exporting_to(address);
    let log = installation.path("log");
    let mut serving = installation.serve(Output::File(log.clone()));
    assert_eq!(serving.log_in("ada").0, 200);
    let warning =
        serving.log_has(&log, "the audit trail is not exported for now, and nothing is lost: unreachable");
    assert!(warning.contains("\"exporter\":\"siem\""), "{warning}");
    serving.kill();
    let behind = installation.run(&["audit", "exports"]);
    assert!(behind.stdout.contains("\n  behind    "), "{behind:?}");
    assert!(!behind.stdout.contains("nothing"), "{behind:?}");

    let told = listen(TcpListener::bind(address).unwrap());
    let mut serving = installation.serve(Output::Null);
    let text = told.recv_timeout(PATIENCE).unwrap();
    assert!(text.contains("fake:ada"), "{text}");
    serving.stop();
}
