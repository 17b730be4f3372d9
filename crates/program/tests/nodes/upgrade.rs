//! Servers, and tables that they may make or not.

use crate::database;
use crate::nodes::Nodes;
use crate::server::{Installation, Output};

#[test]
fn servers_that_may_make_no_tables_take_those_that_a_command_made() {
    let installation = Installation::new(&database::store());
    installation.change("[pool]", "migrate = false\n[pool]");
    let refused = installation.refusal(Output::Null);
    assert!(
        refused.contains("there are no tables of Daypass") && refused.contains("`daypass migrate"),
        "{refused}"
    );
    let due = installation.run(&["migrate", "--dry-run"]);
    assert!(due.success && due.stderr.contains("lacks 4 steps"), "{due:?}");
    // Several at once: one of them makes the steps.
    let made: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..3).map(|_| scope.spawn(|| installation.run(&["migrate"]))).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(made.iter().all(|made| made.success), "{made:?}");
    let told: String = made.iter().map(|made| made.stdout.as_str()).collect();
    assert_eq!(told, due.stdout);
    let nodes = Nodes::of(installation);
    let ada = nodes.one.log_in("ada");
    assert_eq!((ada.0, &ada.1["identity_id"]), (200, &nodes.two.log_in("ada").1["identity_id"]));
    let again = nodes.installation.run(&["migrate"]);
    assert!(again.success && again.stderr.contains("Nothing is to be done"), "{again:?}");
}
