//! Sessions of people who signed in.

use std::sync::Arc;

use super::fixture::{Fixture, ODD_TEXT, instant, race, session, session_id as id};
use crate::ground::clock::{ManualClock, SignedDuration, Timestamp};
use crate::ground::ids::{IdentityId, RoleName, SignInSessionId};
use crate::ground::seal::Sealed;
use crate::records::scope::Scope;
use crate::records::sign_in_session::{EndReason, REMEMBERED_FOR, SessionEnd, SignInSession, Upstream};
use crate::store::sign_in_sessions::MAX_LISTED_SESSIONS;
use crate::store::{RevocationTarget, SharedStore};

pub async fn a_session_comes_back_as_it_was_added(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let plain = session(&fixture, 1, &fixture.draw_identity_id());
    let full = SignInSession {
        id: id(2),
        upstream: Upstream {
            issuer: Some(ODD_TEXT.to_owned()),
            subject: ODD_TEXT.to_owned(),
            session: Some(ODD_TEXT.to_owned()),
        },
        scope: Scope { openid: true, profile: true },
        signed_in_at: Some(instant(9)),
        key_thumbprint: Some(ODD_TEXT.to_owned()),
        device: Some(ODD_TEXT.to_owned()),
        generation: u32::MAX,
        late_at: Some(instant(7)),
        ended: Some(SessionEnd { at: instant(8), reason: EndReason::Reused }),
        ..plain.clone()
    };
    for session in [plain, full] {
        add(&fixture, &session).await;
        assert_eq!(find(&fixture, &session.id).await, Some(session));
    }
}

pub async fn an_unknown_session_is_none_and_neither_replaced_nor_ended(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let unknown = session(&fixture, 1, &fixture.draw_identity_id());
    assert_eq!(find(&fixture, &unknown.id).await, None);
    assert!(!fixture.store.replace_sign_in_session(&unknown, &unknown).await.unwrap());
    assert!(!fixture.store.end_sign_in_session(&unknown.id, end(1)).await.unwrap());
    assert_eq!(find(&fixture, &unknown.id).await, None);
}

pub async fn a_taken_session_id_is_refused_and_the_session_stays(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let first = session(&fixture, 1, &fixture.draw_identity_id());
    add(&fixture, &first).await;
    let thief = session(&fixture, 1, &fixture.draw_identity_id());
    fixture.store.add_sign_in_session(&thief, instant(0)).await.unwrap_err();
    assert_eq!(find(&fixture, &first.id).await, Some(first));
}

pub async fn a_session_is_replaced_whole_by_who_has_read_it_last(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let first = session(&fixture, 1, &fixture.draw_identity_id());
    add(&fixture, &first).await;
    let second = SignInSession {
        identity_id: fixture.draw_identity_id(),
        generation: 1,
        rotated_at: instant(3),
        idle_until: instant(4),
        ends_at: instant(5),
        login: Sealed(vec![1]),
        checked_at: instant(2),
        ..first.clone()
    };
    assert!(fixture.store.replace_sign_in_session(&first, &second).await.unwrap());
    assert_eq!(find(&fixture, &first.id).await, Some(second.clone()));
    assert!(!fixture.store.replace_sign_in_session(&first, &first).await.unwrap());

    let late = SignInSession { late_at: Some(instant(6)), ..second.clone() };
    assert!(fixture.store.replace_sign_in_session(&second, &late).await.unwrap());
    assert!(!fixture.store.replace_sign_in_session(&second, &late).await.unwrap());
    assert_eq!(find(&fixture, &first.id).await, Some(late.clone()));

    let checked = SignInSession { checked_at: instant(7), login: Sealed(vec![2]), ..late.clone() };
    assert!(fixture.store.replace_sign_in_session(&late, &checked).await.unwrap());
    assert!(!fixture.store.replace_sign_in_session(&late, &late).await.unwrap());
    assert_eq!(find(&fixture, &first.id).await, Some(checked));
}

pub async fn a_session_that_ended_is_not_replaced_and_its_first_end_stays(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let session = session(&fixture, 1, &fixture.draw_identity_id());
    add(&fixture, &session).await;
    assert!(fixture.store.end_sign_in_session(&session.id, end(1)).await.unwrap());
    let later = SessionEnd { at: instant(2), reason: EndReason::Reused };
    assert!(!fixture.store.end_sign_in_session(&session.id, later).await.unwrap());
    let next = SignInSession { generation: 1, ..session.clone() };
    assert!(!fixture.store.replace_sign_in_session(&session, &next).await.unwrap());
    assert_eq!(find(&fixture, &session.id).await, Some(SignInSession { ended: Some(end(1)), ..session }));
}

pub async fn the_sessions_of_an_identity_are_listed_newest_first(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.draw_identity_id(), fixture.draw_identity_id()];
    let mut of_ada = Vec::new();
    for number in 0..5 {
        let session =
            SignInSession { created_at: instant(i64::from(number)), ..session(&fixture, number, &ada) };
        add(&fixture, &session).await;
        of_ada.insert(0, session);
    }
    add(&fixture, &session(&fixture, 9, &bob)).await;
    assert_eq!(list(&fixture, &ada, instant(6)).await, of_ada);
    fixture.store.end_sign_in_session(&of_ada[1].id, end(6)).await.unwrap();
    of_ada.remove(1);
    assert_eq!(list(&fixture, &ada, instant(6)).await, of_ada);
    assert_eq!(list(&fixture, &ada, of_ada[0].expires_at()).await, []);
}

pub async fn of_many_sessions_the_newest_are_listed(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    let many = u8::try_from(MAX_LISTED_SESSIONS).unwrap() + 2;
    for number in 0..many {
        let created_at = instant(i64::from(number));
        add(&fixture, &SignInSession { created_at, ..session(&fixture, number, &ada) }).await;
    }
    let listed = list(&fixture, &ada, instant(i64::from(many))).await;
    assert_eq!(listed.len(), MAX_LISTED_SESSIONS);
    assert_eq!((&listed[0].id, &listed[MAX_LISTED_SESSIONS - 1].id), (&id(many - 1), &id(2)));
}

pub async fn a_session_is_forgotten_long_after_its_end_and_not_before(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let old = session(&fixture, 1, &fixture.draw_identity_id());
    let living = SignInSession { idle_until: old.idle_until + SignedDuration::from_hours(1), ..old.clone() };
    let living = SignInSession { id: id(2), ..living };
    add(&fixture, &old).await;
    add(&fixture, &living).await;
    let forgotten_at = old.expires_at() + REMEMBERED_FOR;
    let one = |number| session(&fixture, number, &old.identity_id);
    let just_before = forgotten_at - SignedDuration::from_millis(1);
    fixture.store.add_sign_in_session(&one(3), just_before).await.unwrap();
    assert_eq!(find(&fixture, &old.id).await, Some(old.clone()));
    let fourth = SignInSession { idle_until: living.idle_until, ..one(4) };
    fixture.store.add_sign_in_session(&fourth, forgotten_at).await.unwrap();
    assert_eq!(find(&fixture, &old.id).await, None);
    assert_eq!(find(&fixture, &living.id).await, Some(living));
}

pub async fn the_sessions_of_a_deleted_identity_are_gone(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    let [of_ada, of_bob] = [session(&fixture, 1, &ada), session(&fixture, 2, &bob)];
    add(&fixture, &of_ada).await;
    add(&fixture, &of_bob).await;
    fixture.store.delete_identity(&ada).await.unwrap();
    assert_eq!(find(&fixture, &of_ada.id).await, None);
    assert_eq!(find(&fixture, &of_bob.id).await, Some(of_bob));
}

pub async fn the_sessions_of_an_identity_that_is_merged_are_the_survivors(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    let [of_ada, of_bob] = [session(&fixture, 1, &ada), session(&fixture, 2, &bob)];
    add(&fixture, &of_ada).await;
    add(&fixture, &of_bob).await;
    fixture.merge("ada", "bob").await;
    let moved = SignInSession { identity_id: bob.clone(), ..of_ada };
    assert_eq!(list(&fixture, &bob, instant(1)).await, [moved, of_bob]);
    assert_eq!(list(&fixture, &ada, instant(1)).await, []);
}

pub async fn the_sessions_of_a_survivor_go_with_it_and_with_nobody_else(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob, cyd] =
        [fixture.add_user("ada").await, fixture.add_user("bob").await, fixture.add_user("cyd").await];
    for (number, identity) in [(1, &ada), (2, &bob), (3, &cyd)] {
        add(&fixture, &session(&fixture, number, identity)).await;
    }
    fixture.merge("ada", "bob").await;
    fixture.merge("bob", "cyd").await;
    for loser in [&bob, &ada] {
        fixture.store.delete_identity(loser).await.unwrap();
        for number in 1..=3 {
            assert_eq!(find(&fixture, &id(number)).await.map(|it| it.identity_id), Some(cyd.clone()));
            assert_eq!(running(&fixture, &cyd, Some(&id(number))).await, Some(id(number)));
        }
        assert_eq!(list(&fixture, &cyd, instant(1)).await.len(), 3);
    }
    fixture.store.delete_identity(&cyd).await.unwrap();
    for number in 1..=3 {
        assert_eq!(find(&fixture, &id(number)).await, None, "{number}");
        assert_eq!(running(&fixture, &cyd, Some(&id(number))).await, None, "{number}");
    }
}

pub async fn an_identity_goes_with_sessions_that_are_long_over(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    add(&fixture, &session(&fixture, 1, &ada)).await;
    let later = instant(0) + SignedDuration::from_hours(24 * 365);
    let of_bob = SignInSession { idle_until: later, ends_at: later, ..session(&fixture, 2, &bob) };
    fixture.store.add_sign_in_session(&of_bob, later).await.unwrap();
    fixture.store.delete_identity(&ada).await.unwrap();
    assert_eq!(find(&fixture, &id(1)).await, None);
    assert_eq!(find(&fixture, &id(2)).await, Some(of_bob));
}

pub async fn a_session_may_be_written_under_its_identity_again_after_that_was_merged(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    let of_ada = session(&fixture, 1, &ada);
    add(&fixture, &of_ada).await;
    fixture.merge("ada", "bob").await;
    let moved = find(&fixture, &of_ada.id).await.unwrap();
    assert_eq!(moved.identity_id, bob);
    let back = SignInSession { generation: moved.generation + 1, ..of_ada };
    assert!(fixture.store.replace_sign_in_session(&moved, &back).await.unwrap());
    let found = find(&fixture, &back.id).await.unwrap();
    assert_eq!(found.generation, back.generation);
}

pub async fn what_was_revoked_of_an_identity_stays_so_when_it_is_merged(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    let clock = Arc::new(ManualClock::at(instant(5)));
    fixture.store.revoke_sessions(&RevocationTarget::Identity(ada.clone()), clock).await.unwrap();
    for (number, created_at, ended) in [(1, 5, None), (2, 6, None), (3, 0, Some(end(4)))] {
        let session =
            SignInSession { created_at: instant(created_at), ended, ..session(&fixture, number, &ada) };
        add(&fixture, &session).await;
    }
    fixture.merge("ada", "bob").await;
    let reason = async |number| find(&fixture, &id(number)).await.unwrap().ended.map(|end| end.reason);
    assert_eq!(reason(1).await, Some(EndReason::Revoked));
    assert_eq!(reason(2).await, None);
    assert_eq!(reason(3).await, Some(EndReason::SignedOut), "the first end stays");
    let listed = list(&fixture, &bob, instant(7)).await;
    assert_eq!(listed.into_iter().map(|session| session.id).collect::<Vec<_>>(), [id(2)]);
}

pub async fn a_standing_says_whether_its_session_goes_on(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    let session = session(&fixture, 1, &ada);
    assert_eq!(running(&fixture, &ada, Some(&session.id)).await, None);
    add(&fixture, &session).await;
    assert_eq!(running(&fixture, &ada, Some(&session.id)).await, Some(session.id.clone()));
    assert_eq!(running(&fixture, &ada, Some(&id(2))).await, None);
    assert_eq!(running(&fixture, &ada, None).await, None);
    fixture.store.end_sign_in_session(&session.id, end(1)).await.unwrap();
    assert_eq!(running(&fixture, &ada, Some(&session.id)).await, None);
}

pub async fn the_last_end_of_sessions_is_of_those_whose_token_is_of_before(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.draw_identity_id();
    let last = async |before| fixture.store.last_end_of_sessions(instant(before), instant(50)).await.unwrap();
    assert_eq!(last(1_000).await, None);
    for (number, rotated_at, idle_until, ends_at) in
        [(1, 10, 400, 300), (2, 20, 200, 900), (3, 30, 800, 800), (4, 40, 45, 99)]
    {
        let session = SignInSession {
            rotated_at: instant(rotated_at),
            idle_until: instant(idle_until),
            ends_at: instant(ends_at),
            ..session(&fixture, number, &ada)
        };
        add(&fixture, &session).await;
    }
    for (before, end) in [(10, None), (11, Some(300)), (30, Some(300)), (31, Some(800)), (99, Some(800))] {
        assert_eq!(last(before).await, end.map(instant), "{before}");
    }
    fixture.store.end_sign_in_session(&id(3), end(49)).await.unwrap();
    fixture.store.end_sign_in_session(&id(1), end(49)).await.unwrap();
    assert_eq!(last(99).await, Some(instant(200)));
    fixture.store.end_sign_in_session(&id(2), end(49)).await.unwrap();
    assert_eq!(last(99).await, None, "what is over by now has ended");
}

pub async fn of_racing_changes_to_a_session_one_wins_each_generation(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let first = session(&fixture, 1, &fixture.draw_identity_id());
    add(&fixture, &first).await;
    for generation in 0..8 {
        let from = SignInSession { generation, ..first.clone() };
        let changes = (0..16).map(|racer| {
            let store = fixture.store.clone();
            let to = SignInSession { generation: generation + 1, rotated_at: instant(racer), ..from.clone() };
            let from = from.clone();
            async move { store.replace_sign_in_session(&from, &to).await.unwrap() }
        });
        assert_eq!(race(changes).await.into_iter().filter(|won| *won).count(), 1, "{generation}");
    }
    assert_eq!(find(&fixture, &first.id).await.unwrap().generation, 8);
}

pub async fn an_end_racing_with_changes_to_a_session_stays(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for number in 0..8 {
        let first = session(&fixture, number, &fixture.draw_identity_id());
        add(&fixture, &first).await;
        let next = SignInSession { generation: 1, ..first.clone() };
        let outcomes = race((0..8).map(|racer| {
            let (store, first, next) = (fixture.store.clone(), first.clone(), next.clone());
            async move {
                if racer % 2 == 0 {
                    store.end_sign_in_session(&first.id, end(racer)).await.unwrap()
                } else {
                    store.replace_sign_in_session(&first, &next).await.unwrap();
                    false
                }
            }
        }))
        .await;
        assert_eq!(outcomes.into_iter().filter(|ended| *ended).count(), 1);
        assert!(find(&fixture, &first.id).await.unwrap().ended.is_some());
    }
}

fn end(milliseconds: i64) -> SessionEnd {
    SessionEnd { at: instant(milliseconds), reason: EndReason::SignedOut }
}

async fn add(fixture: &Fixture, session: &SignInSession) {
    fixture.store.add_sign_in_session(session, instant(0)).await.unwrap();
}

async fn find(fixture: &Fixture, id: &SignInSessionId) -> Option<SignInSession> {
    fixture.store.find_sign_in_session(id).await.unwrap()
}

async fn list(fixture: &Fixture, identity_id: &IdentityId, now: Timestamp) -> Vec<SignInSession> {
    fixture.store.list_sign_in_sessions(identity_id, now).await.unwrap()
}

async fn running(
    fixture: &Fixture,
    identity_id: &IdentityId,
    session: Option<&SignInSessionId>,
) -> Option<SignInSessionId> {
    let role = RoleName::parse("reader").unwrap();
    fixture.store.standing(identity_id, Some(&role), session).await.unwrap().session
}
