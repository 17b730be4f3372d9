//! The database goes away, and comes back.

use std::iter;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::database::{execute, folder, store, store_in};
use crate::nodes::Nodes;
use crate::postgres::{Cluster, POSTGRES_16, POSTGRES_18};
use crate::server::{Installation, Output, Server};
use crate::trail::Follower;
use crate::way::Way;

/// A node that was told that the database is away asks again at once. The rest is for a machine with much to do.
const HEALED_WITHIN: Duration = Duration::from_secs(30);

/// Far less than a statement may take.
const AT_ONCE: Duration = Duration::from_millis(500);

pub fn assert_heals(node: &Server) {
    let since = Instant::now();
    while node.get("/readyz").0 != 200 || node.log_in("ada").0 != 200 {
        assert!(since.elapsed() < HEALED_WITHIN, "{:?}, {:?}", node.get("/readyz"), node.log_in("ada"));
    }
}

pub fn assert_unavailable(node: &Server, ada: &Value) {
    assert_eq!(node.get("/healthz").0, 200);
    let (status, body) = node.get("/readyz");
    assert_eq!((status, &body["code"]), (503, &"not_ready".into()), "{body}");
    for person in ["ada", "somebody new"] {
        let (status, body) = node.log_in(person);
        assert_eq!((status, &body["code"]), (503, &"store_unavailable".into()), "{body}");
    }
    let (status, body) = node.credentials(ada);
    assert_eq!((status, &body["__type"]), (500, &"InternalErrorException".into()), "{body}");
}

#[test]
fn nothing_is_granted_while_the_database_is_away_and_everything_again_when_it_is_back() {
    let elsewhere = [POSTGRES_16, POSTGRES_18].into_iter().filter_map(Cluster::start_of);
    for cluster in iter::once(Cluster::start()).chain(elsewhere) {
        assert_nothing_is_lost_by_crashes(cluster);
    }
}

fn assert_nothing_is_lost_by_crashes(mut cluster: Cluster) {
    let nodes = Nodes::new(&store_in(&cluster.folder, "away"));
    let (_, ada) = nodes.one.log_in("ada");
    let follower = Follower::of(&nodes.installation);
    follower.wait_for("fake:ada");
    for round in 0..2 {
        cluster.crash();
        follower.wait_for("shown when the store answers again");
        nodes.both().iter().for_each(|node| assert_unavailable(node, &ada));
        for command in
            [&["key", "list"][..], &["audit", "list"], &["revoke", ada["identity_id"].as_str().unwrap()]]
        {
            let done = nodes.installation.run(command);
            assert!(!done.success && done.stderr.contains("see whether it runs"), "{done:?}");
        }
        cluster.restart();
        nodes.both().iter().for_each(|node| assert_heals(node));
        assert_eq!(nodes.two.log_in("ada").1["identity_id"], ada["identity_id"]);
        assert_eq!(nodes.two.credentials(&ada).0, 200);
        let somebody = format!("somebody after round {round}");
        assert_eq!(nodes.one.log_in(&somebody).0, 200);
        follower.wait_for(&format!("fake:{somebody}"));
    }
    let verified = nodes.run(&["audit", "verify"]);
    assert!(verified.contains("is as it was written"), "{verified}");
}

/// As a full disk does, or a right that was taken away.
#[test]
fn a_node_whose_database_takes_nothing_is_not_ready_until_it_does() {
    let store = store();
    let (_, schema) = store.rsplit_once("%3D").unwrap();
    let node = &Installation::new(&store).serve(Output::Null);
    let (_, ada) = node.log_in("ada");
    let full = "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$";
    let on = format!("ON {schema}.daypass_item FOR EACH ROW EXECUTE FUNCTION {schema}.full()");
    execute(
        folder(),
        &format!(
            "CREATE FUNCTION {schema}.full() RETURNS trigger {full};
             CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE OR DELETE {on}"
        ),
    );
    assert_unavailable_after_a_login(node, &ada);
    execute(folder(), &format!("DROP TRIGGER full_disk ON {schema}.daypass_item"));
    assert_heals(node);
}

/// Credentials are written down, too.
fn assert_unavailable_after_a_login(node: &Server, ada: &Value) {
    assert_eq!(node.log_in("somebody").0, 503);
    assert_unavailable(node, ada);
}

#[test]
fn whoever_asks_while_the_database_is_silent_is_told_at_once() {
    let store = store();
    let (_, parameters) = store.split_once("&options=").unwrap();
    let way = Way::to(folder());
    let url = format!("postgres://postgres@{}/postgres?sslmode=disable&options={parameters}", way.address);
    let node = &Installation::new(&url).serve(Output::Null);
    let (_, ada) = node.log_in("ada");
    way.is_silent.store(true, Ordering::Relaxed);
    let log_in_together = || {
        thread::scope(|scope| {
            let coming = [(); 8].map(|()| {
                scope.spawn(|| {
                    let began = Instant::now();
                    (node.log_in("ada"), began.elapsed())
                })
            });
            coming.map(|coming| coming.join().unwrap())
        })
    };
    for ((status, body), _) in log_in_together() {
        assert_eq!((status, &body["code"]), (503, &"store_unavailable".into()), "{body}");
    }
    let told = log_in_together();
    assert!(told.iter().all(|((status, _), _)| *status == 503), "{told:?}");
    let at_once = told.iter().filter(|(_, took)| *took < AT_ONCE).count();
    // One finds out whether it is back, and others on a machine with much to do.
    assert!(at_once >= 5, "{told:?}");
    assert_eq!(node.get("/healthz").0, 200);
    way.is_silent.store(false, Ordering::Relaxed);
    assert_heals(node);
    assert_eq!(node.log_in("ada").1["identity_id"], ada["identity_id"]);
}

#[test]
fn a_node_that_starts_while_the_database_is_away_says_so() {
    let mut cluster = Cluster::start();
    let installation = Installation::new(&store_in(&cluster.folder, "away"));
    cluster.crash();
    let refusal = installation.refusal(Output::Null);
    let folder = cluster.folder.display().to_string();
    assert!(refusal.contains(&folder) && refusal.contains("see whether it runs"), "{refusal}");
    cluster.restart();
    assert_eq!(installation.serve(Output::Null).log_in("ada").0, 200);
}

#[test]
fn a_backup_is_the_databases_to_make() {
    let nodes = Nodes::new(&store());
    let file = nodes.installation.path("backup.db");
    for task in ["backup", "restore"] {
        let done = nodes.installation.run(&[task, file.to_str().unwrap()]);
        assert!(!done.success && done.stderr.contains("`pg_dump`"), "{done:?}");
    }
    assert!(!file.exists());
}
