//! One installation in two Regions: the database in the one, and a long way to it from the other.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::database::{folder, store};
use crate::nodes::published;
use crate::outage::{assert_heals, assert_unavailable};
use crate::people::{credentials, refresh, sign_in, with_an_app};
use crate::server::{Done, Installation, Output, Server};
use crate::way::Way;

/// Half of what a question and its answer take between two Regions of one continent.
const DISTANCE: Duration = Duration::from_millis(15);

struct Regions {
    near: Server,
    far: Server,
    /// That of the far Region to the database.
    way: Way,
    here: Installation,
    _there: Installation,
}

impl Regions {
    /// What belongs to the installation is alike: public URL, master key, pool. How each reaches the database, its providers and
    /// whatever else is its own is not.
    fn new() -> Self {
        let store = store();
        let way = Way::from_afar(folder(), DISTANCE);
        let (_, parameters) = store.split_once("&options=").unwrap();
        let from_afar =
            format!("postgres://postgres@{}/postgres?sslmode=disable&options={parameters}", way.address);
        let (here, there) =
            (with_an_app(Installation::new(&store)), with_an_app(Installation::new(&from_afar)));
        there.change("[[app]]", "[limits]\naddress = \"1000/s\"\n[[app]]");
        let [near, far] = [&here, &there].map(|installation| installation.serve(Output::Null));
        Self { near, far, way, here, _there: there }
    }

    fn both(&self) -> [&Server; 2] {
        [&self.near, &self.far]
    }
}

#[test]
fn a_person_has_the_same_identity_in_every_region_also_when_they_come_to_both_at_once() {
    let regions = Regions::new();
    for person in 0..10 {
        let person = format!("person-{person}");
        let came = thread::scope(|scope| {
            let coming = regions.both().map(|node| scope.spawn(|| node.log_in(&person)));
            coming.map(|coming| coming.join().unwrap())
        });
        let [(200, near), (200, far)] = came else { panic!("{came:?}") };
        assert_eq!(near["identity_id"], far["identity_id"]);
        let id = near["identity_id"].as_str().unwrap();
        assert!(id.starts_with("eu-west-1:"), "it is of the pool's Region wherever it was made: {id}");
        for node in regions.both() {
            assert_eq!((node.credentials(&near).0, node.credentials(&far).0), (200, 200));
        }
    }
    assert_eq!(published(&regions.near), published(&regions.far));
}

#[test]
fn what_ends_in_one_region_has_ended_in_the_other() {
    let Regions { near, far, here, .. } = &Regions::new();
    let session = sign_in(far, "ada");
    assert_eq!((credentials(near, &session), credentials(far, &session)), (200, 200));
    let [first, second] = thread::scope(|scope| {
        let asking = [near, far].map(|node| scope.spawn(|| refresh(node, &session["refresh_token"])));
        asking.map(|asking| asking.join().unwrap())
    });
    assert_eq!((first.0, &first.1["refresh_token"]), (200, &second.1["refresh_token"]), "{second:?}");
    let Done { success, stderr, .. } = here.run(&["revoke", session["identity_id"].as_str().unwrap()]);
    assert!(success, "{stderr}");
    assert_eq!((credentials(near, &session), credentials(far, &session)), (400, 400));
    assert_eq!(refresh(far, &second.1["refresh_token"]).0, 400);
}

#[test]
fn a_region_that_is_cut_off_grants_nothing_and_the_other_one_goes_on_with_its_people() {
    let Regions { near, far, way, .. } = &Regions::new();
    let (ada, session) = (far.log_in("ada").1, sign_in(far, "grace"));
    way.is_cut.store(true, Ordering::Relaxed);
    assert_unavailable(far, &ada);
    assert_eq!(published(far), published(near), "whoever verifies tokens there goes on");

    assert_eq!(near.log_in("ada").1["identity_id"], ada["identity_id"]);
    assert_eq!(near.credentials(&ada).0, 200);
    let (status, goes_on): (u16, Value) = refresh(near, &session["refresh_token"]);
    assert_eq!((status, &goes_on["identity_id"]), (200, &session["identity_id"]), "{goes_on}");
    let (_, newcomer) = near.log_in("zoë");

    way.is_cut.store(false, Ordering::Relaxed);
    assert_heals(far);
    assert_eq!(far.log_in("zoë").1["identity_id"], newcomer["identity_id"]);
    assert_eq!(credentials(far, &goes_on), 200);
}

#[test]
fn a_server_with_another_public_url_takes_no_token_of_the_others() {
    let store = store();
    let (here, there) = (Installation::new(&store), Installation::new(&store));
    there.change("https://login.example.com", "https://login.example.org");
    let [near, far] = [&here, &there].map(|installation| installation.serve(Output::Null));
    let (ours, theirs) = (near.log_in("ada").1, far.log_in("ada").1);
    assert_eq!(ours["identity_id"], theirs["identity_id"]);
    assert_eq!((near.credentials(&ours).0, far.credentials(&theirs).0), (200, 200));
    assert_eq!((near.credentials(&theirs).0, far.credentials(&ours).0), (400, 400));
}
