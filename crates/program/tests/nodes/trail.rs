//! The audit trail that all nodes write.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::database::store;
use crate::nodes::Nodes;
use crate::server::{Installation, Server, program};

const PEOPLE_OF_EACH: usize = 40;

/// Everything that was granted.
fn granted(installation: &Installation) -> Vec<Value> {
    let listed = installation.run(&["audit", "list", "--json", "--limit", "1000000", "--outcome", "allowed"]);
    assert!(listed.success, "{listed:?}");
    listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each login that was granted, by whom it is of, and how often it is in the trail.
pub fn granted_logins(installation: &Installation) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for event in granted(installation).iter().filter(|event| event["action"] == "exchange") {
        *found.entry(event["developer_user_identifier"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

/// The IDs of all requests by which something was granted.
pub fn requests_that_were_granted(installation: &Installation) -> BTreeSet<String> {
    granted(installation).iter().map(|event| event["request_id"].as_str().unwrap().to_owned()).collect()
}

/// `daypass audit list --follow`, as somebody reads it until they have seen enough.
pub struct Follower {
    process: Child,
    lines: Receiver<String>,
}

impl Follower {
    pub fn of(installation: &Installation) -> Self {
        let mut command = program();
        command.args(["audit", "list", "--follow", "--config"]).arg(installation.path("daypass.toml"));
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, lines) = channel();
        let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        let also_told = told.clone();
        thread::spawn(move || read_lines(BufReader::new(stdout), &told));
        thread::spawn(move || read_lines(BufReader::new(stderr), &also_told));
        Self { process, lines }
    }

    /// Reads on until it is told so.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        // Far more than is needed, so that only a follower who is gone meets it.
        while !self.lines.recv_timeout(Duration::from_mins(1)).expect(text).contains(text) {}
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn read_lines(from: impl BufRead, to: &Sender<String>) {
    from.lines().map_while(Result::ok).take_while(|line| to.send(line.clone()).is_ok()).for_each(drop);
}

/// That the trail is as it was written.
pub fn assert_whole(installation: &Installation) {
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.success && verified.stdout.contains("is as it was written"), "{verified:?}");
}

#[test]
fn what_every_node_grants_is_in_the_trail_once_and_the_trail_is_whole() {
    let nodes = Nodes::new(&store());
    let log_in = |node: &Server, whose: usize| {
        for person in 0..PEOPLE_OF_EACH {
            assert_eq!(node.log_in(&format!("{whose}-{person}")).0, 200);
        }
    };
    thread::scope(|scope| {
        for whose in 0..4 {
            let node = nodes.both()[whose % 2];
            scope.spawn(move || log_in(node, whose));
        }
    });
    let people =
        (0..4).flat_map(|whose| (0..PEOPLE_OF_EACH).map(move |person| format!("fake:{whose}-{person}")));
    let expected: BTreeMap<String, usize> = people.map(|person| (person, 1)).collect();
    assert_eq!(granted_logins(&nodes.installation), expected);
    assert_whole(&nodes.installation);

    let (_, ada) = nodes.two.log_in("ada");
    let asked = nodes.run(&["audit", "who", ada["identity_id"].as_str().unwrap()]);
    assert!(asked.contains("person    fake:ada"), "{asked}");
    nodes.run(&["revoke", ada["identity_id"].as_str().unwrap()]);
    let asked = nodes.run(&["audit", "who", ada["identity_id"].as_str().unwrap()]);
    assert!(asked.contains("exchange") && asked.contains("revoke"), "{asked}");
    assert_whole(&nodes.installation);
}
