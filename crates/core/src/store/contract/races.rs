//! What holds when many ask at once. Random changes at once are in `model.rs`.

use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::FutureExt;

use super::audit_events::plain_event;
use super::fixture::{
    Fixture, access_key, instant, plain_pool, public, purge, race, signing_key, unlink_request,
};
use crate::audit::{AuditEvent, AuditSubject};
use crate::ground::clock::{Clock, ManualClock, Timestamp};
use crate::ground::ids::{IdentityId, RoleName};
use crate::ground::random::SeededRandom;
use crate::records::identity::{IdentityPool, Login};
use crate::records::linking::{LinkRefusal, LinkRequest, UnlinkRefusal};
use crate::store::LinkOutcome::Refused;
use crate::store::{
    AccessKeyOutcome, LinkOutcome as Outcome, Page, ReplaceOutcome, RevocationTarget, SharedStore,
    UnlinkOutcome,
};

pub async fn one_identity_for_two_hundred_racing_first_logins(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let outcomes = race_logins(&fixture, (0..200).map(|_| fixture.login("ada"))).await;
    let ada = fixture.find("ada").await.unwrap();
    let known = |outcome: &Outcome| matches!(outcome, Outcome::Known(identity) if identity.id == ada);
    let created = |outcome: &Outcome| matches!(outcome, Outcome::Created(identity) if identity.id == ada);
    assert_eq!(count(&outcomes, created), 1);
    assert_eq!(count(&outcomes, known), 199);
    assert_eq!(identities(&fixture).await, [ada]);
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
    assert_eq!(identities(&fixture).await.len(), 20);
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

/// Some come before the deletion and some after it; none of them leaves anything, and neither does the purge take anything
/// that comes after it.
pub async fn first_logins_racing_with_the_deletion_of_their_pool_leave_nothing(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    for round in 0..10 {
        let requests: Vec<_> = (0..20).map(|user| fixture.login(&format!("{round} {user}"))).collect();
        let logins = requests.clone().into_iter().map(|request| {
            let store = fixture.store.clone();
            // Whoever comes too late hears an error, and no answer.
            let login = async move { store.link_logins(&request).await.is_ok() };
            login.boxed()
        });
        let others = (0..6).map(|number| {
            let (store, id) = (fixture.store.clone(), pool.id.clone());
            let change = async move {
                if number == 0 {
                    store.delete_pool(&id).await.unwrap()
                } else {
                    store.purge_deleted_pools(3).await.unwrap()
                }
            };
            change.boxed()
        });
        race(logins.chain(others)).await;
        fixture.store.add_pool(&pool).await.unwrap();
        let guest = fixture.add_guest().await;
        purge(&fixture.store, 7, async || ()).await;
        for LinkRequest { logins, new_identity_id, .. } in &requests {
            assert_eq!(fixture.owner(&logins[0]).await, None);
            assert_eq!(fixture.state_of(&[new_identity_id]).await, [(None, vec![])]);
        }
        assert_eq!(identities(&fixture).await, [guest]);
        fixture.store.delete_pool(&pool.id).await.unwrap();
        fixture.store.add_pool(&pool).await.unwrap();
    }
}

pub async fn racing_purges_take_nothing_that_is_there(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
    for user in 0..20 {
        fixture.add_user(&user.to_string()).await;
    }
    fixture.store.delete_pool(&pool.id).await.unwrap();
    fixture.store.add_pool(&pool).await.unwrap();
    let requests: Vec<_> = (0..20).map(|user| fixture.login(&user.to_string())).collect();
    let purges = (0..6).map(|_| {
        let store = fixture.store.clone();
        async move { purge(&store, 2, async || ()).await }.boxed()
    });
    let logins = requests.clone().into_iter().map(|request| {
        let store = fixture.store.clone();
        async move { drop(store.link_logins(&request).await.unwrap()) }.boxed()
    });
    race(purges.chain(logins)).await;
    for LinkRequest { logins, new_identity_id, .. } in &requests {
        assert_eq!(fixture.owner(&logins[0]).await.as_ref(), Some(new_identity_id));
        assert_eq!(fixture.logins_of(new_identity_id).await, *logins);
    }
    assert_eq!(identities(&fixture).await.len(), 20);
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

pub async fn of_racing_changes_to_a_pool_one_wins_each_version(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for version in 1..=10 {
        let pool = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap().unwrap();
        assert_eq!(pool.version, version);
        let changes: Vec<IdentityPool> = (0..8).map(|number| renamed(&pool, number)).collect();
        let outcomes = race(changes.clone().into_iter().map(|change| {
            let store = fixture.store.clone();
            async move { store.replace_pool(&change).await.unwrap() }
        }))
        .await;
        let won = outcomes.iter().position(|outcome| *outcome == ReplaceOutcome::Replaced).unwrap();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == ReplaceOutcome::Stale).count(), 7);
        let now = fixture.store.lookup_pool(&fixture.pool_id).await.unwrap();
        assert_eq!(now, Some(IdentityPool { version: version + 1, ..changes[won].clone() }));
    }
}

fn renamed(pool: &IdentityPool, number: usize) -> IdentityPool {
    let mut pool = pool.clone();
    pool.settings.name = format!("pool {number}");
    pool
}

pub async fn racing_starts_agree_on_the_configured_pool(store: SharedStore) {
    let random = SeededRandom::new(1);
    let pools = race((0..32).map(|_| plain_pool(&random)).map(|candidate| {
        let store = store.clone();
        async move { store.find_or_add_configured_pool("app", &candidate).await.unwrap() }
    }))
    .await;
    assert!(pools.iter().all(|pool| *pool == pools[0]));
    let listed = store.list_pools(Page { after: None, limit: 60 }).await.unwrap();
    assert_eq!(listed, [pools[0].clone()]);
}

pub async fn racing_starts_agree_on_the_signing_key(store: SharedStore) {
    let answers = race((0..32).map(|number| {
        let store = store.clone();
        async move { store.list_or_add_signing_keys(&signing_key(number)).await.unwrap() }
    }))
    .await;
    assert_eq!(answers[0].len(), 1);
    assert!(answers.iter().all(|keys| *keys == answers[0]));
    assert_eq!(store.list_signing_keys().await.unwrap(), answers[0]);
}

pub async fn racing_starts_agree_on_the_access_key(store: SharedStore) {
    let keys = race((0..32).map(|number| {
        let store = store.clone();
        async move { store.find_or_add_access_key(&access_key(number, "up")).await.unwrap() }
    }))
    .await;
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(store.lookup_access_key(&keys[0].id).await.unwrap().as_ref(), Some(&keys[0]));
}

pub async fn racing_rotations_leave_two_enabled_access_keys(store: SharedStore) {
    store.add_first_access_key(&access_key(0, "up")).await.unwrap();
    let outcomes = race((1..33).map(|number| {
        let store = store.clone();
        async move { store.add_further_access_key(&access_key(number, "up")).await.unwrap() }
    }))
    .await;
    let added = |outcome: &&AccessKeyOutcome| matches!(outcome, AccessKeyOutcome::Done(_));
    assert_eq!(outcomes.iter().filter(added).count(), 1);
    assert_eq!(store.list_access_keys().await.unwrap().len(), 2);
}

pub async fn a_rotation_racing_with_an_enabling_leaves_two_enabled_access_keys(store: SharedStore) {
    for round in 0..10 {
        let (name, number) = (format!("up{round}"), round * 4);
        let [old, current, next] = [0, 1, 2].map(|step| access_key(number + step, &name));
        store.add_first_access_key(&old).await.unwrap();
        store.set_access_key_enabled(&old.id, false).await.unwrap();
        store.add_further_access_key(&current).await.unwrap();
        let questions = [true, false].map(|rotate| {
            let (store, old, next) = (store.clone(), old.clone(), next.clone());
            async move {
                let asked = if rotate {
                    store.add_further_access_key(&next).await
                } else {
                    store.set_access_key_enabled(&old.id, true).await
                };
                asked.unwrap()
            }
        });
        let outcomes = race(questions).await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == AccessKeyOutcome::TooMany).count(), 1);
        let keys = store.list_access_keys().await.unwrap();
        let enabled = keys.iter().filter(|key| key.name == old.name && key.enabled);
        assert_eq!(enabled.count(), 2);
    }
}

pub async fn of_racing_first_access_keys_of_one_name_one_is_kept(store: SharedStore) {
    let outcomes = race((0..32).map(|number| {
        let store = store.clone();
        async move { store.add_first_access_key(&access_key(number, "up")).await.unwrap() }
    }))
    .await;
    let kept = store.list_access_keys().await.unwrap();
    assert_eq!(kept.len(), 1);
    let winners = outcomes.iter().filter(|outcome| **outcome == AccessKeyOutcome::Done(kept[0].clone()));
    assert_eq!(winners.count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == AccessKeyOutcome::NameTaken).count(), 31);
}

pub async fn racing_revocations_leave_the_latest(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    race((0..32).map(|number| {
        let (store, target) = (fixture.store.clone(), RevocationTarget::Identity(ada.clone()));
        // 7 and 32 share no divisor: every instant once, in no order.
        let clock = Arc::new(ManualClock::at(instant(number * 7 % 32)));
        async move { store.revoke_sessions(&target, clock).await.unwrap() }
    }))
    .await;
    let role = RoleName::parse("reader").unwrap();
    let standing = fixture.store.standing(&ada, &role).await.unwrap();
    assert_eq!(standing.revoked_until, Some(instant(31)));
}

/// A clock that is a millisecond further each time somebody looks.
struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        instant(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Revoke and issue, side by side. Whoever issues draws an instant, keeps the event, and only then hands out what
/// was made; whoever revokes is told up to when. Of the two, one is first: what was kept before the revocation
/// ended with it, so that nobody outruns it by being quick.
pub async fn a_revocation_is_later_than_whatever_was_kept_before(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    let clock = Arc::new(TickingClock(AtomicI64::new(0)));
    let kept_until = Arc::new(AtomicI64::new(-1));
    let target = RevocationTarget::Identity(ada.clone());
    race((0..64).map(|number| {
        let (store, clock, kept_until) = (fixture.store.clone(), clock.clone(), kept_until.clone());
        let (target, event) = (target.clone(), plain_event(&fixture, 0));
        async move {
            if number % 8 == 7 {
                let before = kept_until.load(Ordering::SeqCst);
                let until = store.revoke_sessions(&target, clock).await.unwrap();
                assert!(until.as_millisecond() > before, "{until} is not after the event of {before}");
                return;
            }
            let issued_at = clock.now();
            store.add_audit_event(&AuditEvent { time: issued_at, ..event }).await.unwrap();
            kept_until.fetch_max(issued_at.as_millisecond(), Ordering::SeqCst);
        }
    }))
    .await;
}

pub async fn racing_audit_events_are_all_kept(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let identity_id = fixture.draw_identity_id();
    let events =
        (0..200).map(|at| AuditEvent { identity_id: Some(identity_id.clone()), ..plain_event(&fixture, at) });
    let events: Vec<_> = events.collect();
    race(events.clone().into_iter().map(|event| {
        let store = fixture.store.clone();
        async move { store.add_audit_event(&event).await.unwrap() }
    }))
    .await;
    let kept = fixture.store.list_audit_events(&AuditSubject::Identity(identity_id), 1000).await.unwrap();
    assert!(kept.iter().rev().eq(&events));
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

async fn identities(fixture: &Fixture) -> Vec<IdentityId> {
    let page = Page { after: None, limit: 1000 };
    let listed = fixture.store.list_identities(&fixture.pool_id, false, page).await.unwrap();
    listed.into_iter().map(|identity| identity.id).collect()
}
