//! People when many ask at once.

use std::slice;

use crate::records::identity::Login;
use crate::records::linking::{LinkRefusal, LinkRequest, UnlinkRefusal};
use crate::store::LinkOutcome::Refused;
use crate::store::contract::fixture::{Fixture, public, race, unlink_request};
use crate::store::{LinkOutcome as Outcome, SharedStore, UnlinkOutcome};

pub async fn one_identity_for_two_hundred_racing_first_logins(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let outcomes = race_logins(&fixture, (0..200).map(|_| fixture.login("ada"))).await;
    let ada = fixture.find("ada").await.unwrap();
    let known = |outcome: &Outcome| matches!(outcome, Outcome::Known(identity) if identity.id == ada);
    let created = |outcome: &Outcome| matches!(outcome, Outcome::Created(identity) if identity.id == ada);
    assert_eq!(count(&outcomes, created), 1);
    assert_eq!(count(&outcomes, known), 199);
    assert_eq!(fixture.identities().await, [ada]);
}

pub async fn racing_first_logins_of_many_people_do_not_mix(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins: Vec<_> = (0..100).map(|person| fixture.login(&format!("person {}", person % 20))).collect();
    let outcomes = race_logins(&fixture, logins.clone()).await;
    for (login, outcome) in logins.iter().zip(&outcomes) {
        let (Outcome::Created(identity) | Outcome::Known(identity)) = outcome else {
            panic!("a login without a guest gave {outcome:?}")
        };
        assert_eq!(fixture.owner(&login.logins[0]).await.as_ref(), Some(&identity.id));
    }
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, Outcome::Created(_))), 20);
    assert_eq!(fixture.identities().await.len(), 20);
}

pub async fn of_two_logins_racing_for_one_guest_one_is_linked(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..10 {
        let guest = fixture.add_guest().await;
        let users = [format!("ada {round}"), format!("eve {round}")];
        let outcomes = race_logins(&fixture, users.iter().map(|user| fixture.login_to(user, &guest))).await;
        assert_eq!(count(&outcomes, |outcome| matches!(outcome, Outcome::Linked { .. })), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, |outcome| *outcome == Refused(LinkRefusal::NotAmongItsLogins)), 1);
        assert_eq!(fixture.logins_of(&guest).await.len(), 1);
    }
}

pub async fn of_two_guests_one_login_races_for_one_is_linked(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..10 {
        let user = format!("ada {round}");
        let guests = [fixture.add_guest().await, fixture.add_guest().await];
        let outcomes = race_logins(&fixture, guests.iter().map(|guest| fixture.login_to(&user, guest))).await;
        assert_eq!(count(&outcomes, |outcome| matches!(outcome, Outcome::Linked { .. })), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, |outcome| *outcome == Refused(LinkRefusal::AlreadyRegistered)), 1);
        assert!(guests.contains(&fixture.find(&user).await.unwrap()));
    }
}

/// Either the link comes first and the login is known, or the login does and the guest stays a guest.
pub async fn a_first_login_racing_with_a_link_gives_it_one_identity(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..10 {
        let user = format!("ada {round}");
        let guest = fixture.add_guest().await;
        let outcomes = race_logins(&fixture, [fixture.login(&user), fixture.login_to(&user, &guest)]).await;
        let owner = fixture.find(&user).await.unwrap();
        match (&outcomes[0], &outcomes[1]) {
            (Outcome::Known(known), Outcome::Linked { identity: linked, .. }) => {
                assert_eq!((&known.id, &linked.id, &guest), (&owner, &owner, &owner));
            }
            (Outcome::Created(created), Refused(LinkRefusal::AlreadyRegistered)) => {
                assert_eq!(created.id, owner);
            }
            other => panic!("the race ended with {other:?}"),
        }
    }
}

/// Whichever comes first, what is left is one person with the login or nobody, and never half of one.
pub async fn a_deletion_racing_with_a_link_leaves_all_or_nothing(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..20 {
        let google = public("accounts.google.com", &format!("ada {round}"));
        let ada = Login::developer(format!("ada {round}"));
        let before = fixture.add_person(slice::from_ref(&google)).await;
        let request = fixture.logins(&[ada.clone(), google.clone()]);
        let link = fixture.store.link_logins(&request);
        let deletion = fixture.store.delete_identity(&before);
        let (linked, deleted) = tokio::join!(link, deletion);
        deleted.unwrap();
        let owners = [fixture.owner(&ada).await, fixture.owner(&google).await];
        match linked.unwrap() {
            Outcome::Created(identity) => {
                assert_eq!(owners, [Some(identity.id.clone()), Some(identity.id)]);
            }
            Outcome::Linked { identity, .. } => {
                assert_eq!(identity.id, before);
                assert_eq!(owners, [None, None]);
            }
            other => panic!("the race ended with {other:?}"),
        }
        assert_eq!(fixture.state_of(&[&before]).await, [(None, vec![])]);
    }
}

pub async fn of_racing_merges_both_ways_one_ends_an_identity(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..10 {
        let [ada, bob] = [format!("ada {round}"), format!("bob {round}")];
        let ids = [fixture.add_user(&ada).await, fixture.add_user(&bob).await];
        let requests = [fixture.merge_request(&ada, &bob), fixture.merge_request(&bob, &ada)];
        let outcomes = race(requests.into_iter().map(|request| {
            let store = fixture.store.clone();
            async move { store.merge_developer_users(&request).await.unwrap() }
        }))
        .await;
        assert_eq!(count(&outcomes, |outcome| matches!(outcome, Outcome::Linked { .. })), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, |outcome| matches!(outcome, Outcome::Known(_))), 1, "{outcomes:?}");
        let owner = fixture.find(&ada).await;
        assert_eq!(fixture.find(&bob).await, owner);
        for id in &ids {
            assert_eq!(fixture.identity(id).await.disabled, owner.as_ref() != Some(id));
        }
    }
}

pub async fn of_racing_unlinks_one_takes_the_login(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..10 {
        let user = format!("ada {round}");
        let ada = fixture.add_user(&user).await;
        let outcomes = race((0..4).map(|_| {
            let (store, request) =
                (fixture.store.clone(), unlink_request(&ada, fixture.developer_user(&user)));
            async move { store.unlink(&request).await.unwrap() }
        }))
        .await;
        let unlinked = outcomes.iter().filter(|outcome| **outcome == UnlinkOutcome::Unlinked).count();
        let late = UnlinkOutcome::Refused(UnlinkRefusal::NotLinked);
        assert_eq!(unlinked, 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == late).count(), 3, "{outcomes:?}");
    }
}

async fn race_logins(fixture: &Fixture, logins: impl IntoIterator<Item = LinkRequest>) -> Vec<Outcome> {
    let logins = logins.into_iter().map(|login| {
        let store = fixture.store.clone();
        async move { store.link_logins(&login).await.unwrap() }
    });
    race(logins).await
}

fn count(outcomes: &[Outcome], wanted: impl Fn(&Outcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| wanted(outcome)).count()
}
