//! Several logins at once: what is linked, who is merged with whom, and who stays.

use std::slice;

use crate::ground::ids::IdentityId;
use crate::records::identity::{Identity, Login};
use crate::records::limits::MAX_LOGINS;
use crate::records::linking::{LinkRefusal, LinkRequest};
use crate::store::LinkOutcome::{self as Outcome, Known, Linked, Refused};
use crate::store::SharedStore;
use crate::store::contract::fixture::{Fixture, instant, public};

const GOOGLE: &str = "accounts.google.com";
const APPLE: &str = "appleid.apple.com";

pub async fn several_first_logins_create_one_identity(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins = [Login::developer("ada"), public(GOOGLE, "1"), public(APPLE, "1")];
    let ada = fixture.add_person(&logins).await;
    assert!(fixture.identity(&ada).await.authenticated);
    assert_eq!(fixture.logins_of(&ada).await, logins);
    for login in &logins {
        let known = Known(fixture.identity(&ada).await);
        assert_eq!(fixture.link(&fixture.logins(slice::from_ref(login))).await, known);
    }
    assert_eq!(fixture.link(&fixture.logins(&logins)).await, Known(fixture.identity(&ada).await));
}

pub async fn a_new_login_beside_a_known_one_is_linked(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [google, apple, developer] = [public(GOOGLE, "1"), public(APPLE, "2"), Login::developer("ada")];
    let ada = fixture.add_person(slice::from_ref(&google)).await;
    let linked = |now| Identity {
        id: ada.clone(),
        pool_id: fixture.pool_id.clone(),
        authenticated: true,
        disabled: false,
        created_at: instant(0),
        modified_at: now,
    };
    for (new, request) in [
        (&apple, fixture.logins(&[apple.clone(), google.clone()])),
        (&developer, fixture.logins_to(&[developer.clone(), google.clone()], &ada)),
    ] {
        let identity = linked(request.now);
        assert_eq!(fixture.link(&request).await, Linked { identity: identity.clone(), disabled: vec![] });
        assert_eq!(fixture.identity(&ada).await, identity);
        assert_eq!(fixture.owner(new).await.as_ref(), Some(&ada));
        assert_eq!(fixture.store.lookup_identity(&request.new_identity_id).await.unwrap(), None);
    }
    assert_eq!(fixture.logins_of(&ada).await, [developer, google, apple]);
}

pub async fn a_guest_takes_several_logins_at_once(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guest = fixture.add_guest().await;
    let logins = [Login::developer("ada"), public(GOOGLE, "1")];
    let outcome = fixture.link(&fixture.logins_to(&logins, &guest)).await;
    assert_eq!(outcome, Linked { identity: fixture.identity(&guest).await, disabled: vec![] });
    assert_eq!(fixture.logins_of(&guest).await, logins);
}

/// A pool may call its developer provider whatever it likes.
pub async fn public_and_developer_logins_of_the_same_text_do_not_meet(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let mut pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    pool.settings.developer_provider_name = Some(GOOGLE.to_owned());
    fixture.store.replace_pool(&pool).await.unwrap();
    let logins = [Login::developer("1"), public(GOOGLE, "1"), public(APPLE, "1"), public("Developer", "1")];
    let mut owners = Vec::new();
    for login in &logins {
        owners.push(fixture.add_person(slice::from_ref(login)).await);
    }
    for (login, owner) in logins.iter().zip(&owners) {
        assert_eq!(fixture.owner(login).await.as_ref(), Some(owner), "{login:?}");
        assert_eq!(fixture.logins_of(owner).await, slice::from_ref(login));
    }
}

pub async fn a_login_in_two_pools_is_two_people(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let google = public(GOOGLE, "1");
    let here = fixture.add_person(slice::from_ref(&google)).await;
    let request = LinkRequest {
        pool_id: fixture.other_pool_id.clone(),
        ..fixture.logins(&[google.clone(), Login::developer("ada")])
    };
    let Outcome::Created(there) = fixture.link(&request).await else { panic!("the login is new there") };
    assert_ne!(there.id, here);
    assert_eq!(fixture.logins_of(&here).await, slice::from_ref(&google));
    assert_eq!(fixture.find("ada").await, None);
}

pub async fn a_stranger_without_a_login_of_it_reaches_no_identity(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [google, apple] = [public(GOOGLE, "ada"), public(APPLE, "eve")];
    let ada = fixture.add_person(slice::from_ref(&google)).await;
    let eve = fixture.add_person(slice::from_ref(&apple)).await;
    let guest = fixture.add_guest().await;
    let before = fixture.state_of(&[&ada, &eve, &guest]).await;
    for logins in [
        vec![public(APPLE, "new")],
        vec![apple.clone()],
        vec![apple, Login::developer("new")],
        vec![Login::developer("new")],
    ] {
        let outcome = fixture.link(&fixture.logins_to(&logins, &ada)).await;
        assert_eq!(outcome, Refused(LinkRefusal::NotAmongItsLogins), "{logins:?}");
        assert_eq!(fixture.state_of(&[&ada, &eve, &guest]).await, before);
    }
    assert_eq!(fixture.find("new").await, None);
    assert_eq!(fixture.owner(&public(APPLE, "new")).await, None);
}

pub async fn a_developer_user_of_another_identity_merges_nobody(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let google = public(GOOGLE, "ada");
    let ada = fixture.add_person(slice::from_ref(&google)).await;
    let [bob, guest] = [fixture.add_user("bob").await, fixture.add_guest().await];
    let before = fixture.state_of(&[&ada, &bob, &guest]).await;
    for named in [&ada, &guest] {
        let request = fixture.logins_to(&[Login::developer("bob"), google.clone()], named);
        assert_eq!(fixture.link(&request).await, Refused(LinkRefusal::AlreadyRegistered));
        assert_eq!(fixture.state_of(&[&ada, &bob, &guest]).await, before);
    }
}

pub async fn a_merge_keeps_all_logins_and_disables_the_loser(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let first = [Login::developer("ada"), public(GOOGLE, "1")];
    let second = [Login::developer("bob"), public(APPLE, "2")];
    let older = fixture.add_person_at(1, &first).await;
    let younger = fixture.add_person_at(2, &second).await;
    let extra = public("graph.facebook.com", "3");
    let request = fixture.logins(&[second[1].clone(), first[1].clone(), extra.clone()]);

    let outcome = fixture.link(&request).await;
    let survivor = fixture.identity(&older).await;
    assert_eq!(outcome, Linked { identity: survivor.clone(), disabled: vec![younger.clone()] });
    assert_eq!((survivor.disabled, survivor.modified_at), (false, request.now));
    assert_eq!((survivor.authenticated, survivor.created_at), (true, instant(1)));
    let loser = fixture.identity(&younger).await;
    assert_eq!((loser.disabled, loser.modified_at, loser.created_at), (true, request.now, instant(2)));

    let all = [&first[..1], &second[..1], &first[1..], &second[1..], &[extra]].concat();
    assert_eq!(fixture.logins_of(&older).await, all);
    assert_eq!(fixture.logins_of(&younger).await, []);
    for login in &all {
        assert_eq!(fixture.owner(login).await.as_ref(), Some(&older));
    }
}

pub async fn three_people_who_are_one_are_merged_at_once(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins = [Login::developer("ada"), public(GOOGLE, "1"), public(APPLE, "2")];
    let mut ids = Vec::new();
    for (login, milliseconds) in logins.iter().zip([3, 1, 2]) {
        ids.push(fixture.add_person_at(milliseconds, slice::from_ref(login)).await);
    }
    let survivor = ids.remove(1);
    ids.sort();
    let outcome = fixture.link(&fixture.logins(&logins)).await;
    assert_eq!(outcome, Linked { identity: fixture.identity(&survivor).await, disabled: ids });
    assert_eq!(fixture.logins_of(&survivor).await, logins);
}

pub async fn the_owner_of_a_login_survives_rather_than_a_guest(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let google = public(GOOGLE, "1");
    let owner = fixture.add_person_at(500, slice::from_ref(&google)).await;
    let older_guest = fixture.add_guest().await;
    let request = fixture.logins_to(&[google.clone(), public(APPLE, "2")], &older_guest);
    let outcome = fixture.link(&request).await;
    let identity = fixture.identity(&owner).await;
    assert_eq!(outcome, Linked { identity, disabled: vec![older_guest.clone()] });
    let guest = fixture.identity(&older_guest).await;
    assert_eq!((guest.disabled, guest.authenticated), (true, false));
    assert_eq!(fixture.logins_of(&owner).await, [google, public(APPLE, "2")]);
}

/// The name says which identity is meant, and not which one stays.
pub async fn the_older_of_two_owners_survives_even_if_the_younger_is_named(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [google, apple] = [public(GOOGLE, "1"), public(APPLE, "2")];
    let younger = fixture.add_person_at(2, slice::from_ref(&google)).await;
    let older = fixture.add_person_at(1, slice::from_ref(&apple)).await;
    let outcome = fixture.link(&fixture.logins_to(&[google, apple], &younger)).await;
    assert_eq!(outcome, Linked { identity: fixture.identity(&older).await, disabled: vec![younger] });
}

pub async fn of_two_owners_of_one_age_the_smaller_id_survives(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..8 {
        let logins = [public(GOOGLE, &round.to_string()), public(APPLE, &round.to_string())];
        let one = fixture.add_person(&logins[..1]).await;
        let other = fixture.add_person(&logins[1..]).await;
        let [smaller, larger] = if one < other { [one, other] } else { [other, one] };
        let outcome = fixture.link(&fixture.logins(&logins)).await;
        assert_eq!(outcome, Linked { identity: fixture.identity(&smaller).await, disabled: vec![larger] });
    }
}

pub async fn one_identity_never_has_two_users_of_one_public_provider(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [one, other] = [public(GOOGLE, "1"), public(GOOGLE, "2")];
    let ada = fixture.add_person(&[Login::developer("ada"), one.clone()]).await;
    let bob = fixture.add_person(&[public(APPLE, "1"), other.clone()]).await;
    let before = fixture.state_of(&[&ada, &bob]).await;
    let new = public("graph.facebook.com", "new");
    for request in [
        fixture.logins(&[Login::developer("ada"), other]),
        fixture.logins(&[Login::developer("ada"), public(GOOGLE, "3"), new.clone()]),
        fixture.logins_to(&[one, public(APPLE, "1"), new.clone()], &ada),
    ] {
        assert_eq!(fixture.link(&request).await, Refused(LinkRefusal::TwoUsersOfOneProvider));
        assert_eq!(fixture.state_of(&[&ada, &bob]).await, before);
    }
    assert_eq!(fixture.merge_after_adding(&bob, "ada").await, Refused(LinkRefusal::TwoUsersOfOneProvider));
    assert_eq!(fixture.owner(&new).await, None);
    assert_eq!(fixture.owner(&public(GOOGLE, "3")).await, None);
}

pub async fn an_identity_may_have_20_logins_and_no_more(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins: Vec<Login> = (0..=MAX_LOGINS).map(|number| public(&format!("{number:02}"), "ada")).collect();
    let ada = fixture.add_person(&logins[..10]).await;
    fixture.link(&fixture.logins(&logins[9..MAX_LOGINS])).await;
    assert_eq!(fixture.logins_of(&ada).await, logins[..MAX_LOGINS]);

    let bob = fixture.add_person(&logins[MAX_LOGINS..]).await;
    let before = fixture.state_of(&[&ada, &bob]).await;
    for one_more in [logins[MAX_LOGINS].clone(), Login::developer("new"), public("new", "new")] {
        let request = fixture.logins(&[logins[0].clone(), one_more]);
        assert_eq!(fixture.link(&request).await, Refused(LinkRefusal::TooManyLogins));
        assert_eq!(fixture.state_of(&[&ada, &bob]).await, before);
    }
    assert_eq!(fixture.find("new").await, None);
}

pub async fn a_disabled_identity_is_refused_and_stays_as_it_is(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    fixture.merge("ada", "bob").await;
    let before = fixture.state_of(&[&ada, &bob]).await;
    for logins in [[Login::developer("ada")], [Login::developer("new")], [public(GOOGLE, "new")]] {
        let outcome = fixture.link(&fixture.logins_to(&logins, &ada)).await;
        assert_eq!(outcome, Refused(LinkRefusal::Disabled(ada.clone())), "{logins:?}");
        assert_eq!(fixture.state_of(&[&ada, &bob]).await, before);
    }
    assert_eq!(fixture.find("new").await, None);
}

impl Fixture {
    /// Gives an identity a developer user of its own, and tries to merge it into another.
    async fn merge_after_adding(&self, id: &IdentityId, into: &str) -> Outcome {
        let mut logins = self.logins_of(id).await;
        logins.push(Login::developer("added"));
        self.link(&self.logins(&logins)).await;
        self.merge("added", into).await
    }
}
