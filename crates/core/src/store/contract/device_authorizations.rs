//! Device authorizations.

use super::fixture::{ODD_TEXT, instant, race};
use crate::ground::clock::SignedDuration;
use crate::ground::secret::Secret;
use crate::records::device_authorization::{Decision, DeviceAuthorization, INTERVAL};
use crate::records::scope::Scope;
use crate::store::SharedStore;

pub async fn a_device_authorization_comes_back_as_it_was_added(store: SharedStore) {
    let full = |id: &str, address: &str, decision| DeviceAuthorization {
        scope: Scope { openid: true, profile: true },
        device: Some(ODD_TEXT.to_owned()),
        source_ip: Some(address.parse().unwrap()),
        interval: u32::MAX,
        polled_at: Some(instant(7)),
        decision: Some(decision),
        ..begun(id)
    };
    let allowed = Decision::Allowed(Secret::new(ODD_TEXT));
    for authorization in [
        begun("plain"),
        full("allowed", "203.0.113.9", allowed),
        full("denied", "2001:db8::1", Decision::Denied),
    ] {
        add(&store, &authorization).await;
        assert_eq!(find(&store, &authorization.id).await, Some(authorization));
    }
}

pub async fn an_unknown_device_authorization_is_none_and_is_not_replaced(store: SharedStore) {
    add(&store, &begun("a")).await;
    for id in ["", "A", "a ", "b"] {
        assert_eq!(find(&store, id).await, None, "{id:?}");
    }
    let unknown = begun("b");
    assert!(!store.replace_device_authorization(&unknown, &denied(&unknown)).await.unwrap());
    assert_eq!(find(&store, "b").await, None);
}

pub async fn a_taken_user_code_is_refused_and_the_device_authorization_stays(store: SharedStore) {
    let first = begun("a");
    add(&store, &first).await;
    let thief = DeviceAuthorization { device_code_hash: "theirs".to_owned(), ..begun("a") };
    store.add_device_authorization(&thief, instant(0)).await.unwrap_err();
    assert_eq!(find(&store, "a").await, Some(first));
}

pub async fn a_device_authorization_is_replaced_by_who_has_read_it_last(store: SharedStore) {
    let begun = begun("a");
    add(&store, &begun).await;
    let polled = DeviceAuthorization { polled_at: Some(instant(1)), ..begun.clone() };
    let slower = DeviceAuthorization { interval: 10, ..polled.clone() };
    let allowed =
        DeviceAuthorization { decision: Some(Decision::Allowed(Secret::new("code"))), ..slower.clone() };
    for (from, to) in [(&begun, &polled), (&polled, &slower), (&slower, &allowed)] {
        assert!(store.replace_device_authorization(from, to).await.unwrap());
        assert_eq!(find(&store, "a").await.as_ref(), Some(to));
        assert!(!store.replace_device_authorization(from, to).await.unwrap());
    }
    assert!(!store.replace_device_authorization(&slower, &denied(&slower)).await.unwrap());
    assert_eq!(find(&store, "a").await, Some(allowed));
}

pub async fn a_device_authorization_is_forgotten_long_after_its_end_and_not_before(store: SharedStore) {
    let old = begun("old");
    let living =
        DeviceAuthorization { ends_at: old.ends_at + SignedDuration::from_mins(1), ..begun("living") };
    add(&store, &old).await;
    add(&store, &living).await;
    let just_before = old.forgotten_at() - SignedDuration::from_millis(1);
    store.add_device_authorization(&begun("third"), just_before).await.unwrap();
    assert_eq!(find(&store, "old").await, Some(old.clone()));
    store.add_device_authorization(&begun("fourth"), old.forgotten_at()).await.unwrap();
    assert_eq!(find(&store, "old").await, None);
    assert_eq!(find(&store, "living").await, Some(living));
}

pub async fn of_racing_decisions_about_a_device_one_counts(store: SharedStore) {
    for round in 0..10 {
        let begun = begun(&format!("round {round}"));
        add(&store, &begun).await;
        let decisions = (0..16).map(|racer| {
            let decision = Decision::Allowed(Secret::new(format!("code {racer}")));
            let to = if racer % 2 == 0 { denied(&begun) } else { decided(&begun, decision) };
            let (store, begun) = (store.clone(), begun.clone());
            async move {
                let won = store.replace_device_authorization(&begun, &to).await.unwrap();
                won.then_some(to)
            }
        });
        let won: Vec<_> = race(decisions).await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert_eq!(find(&store, &begun.id).await.as_ref(), won.first());
    }
}

pub async fn a_decision_racing_with_questions_of_the_device_stays(store: SharedStore) {
    for round in 0..8 {
        let begun = begun(&format!("round {round}"));
        add(&store, &begun).await;
        let changes = (0..8).map(|racer| {
            let (store, id) = (store.clone(), begun.id.clone());
            async move {
                loop {
                    let from = find(&store, &id).await.unwrap();
                    let to = match racer {
                        0 => denied(&from),
                        _ => DeviceAuthorization { interval: from.interval + 1, ..from.clone() },
                    };
                    if store.replace_device_authorization(&from, &to).await.unwrap() {
                        return;
                    }
                }
            }
        });
        race(changes).await;
        let left = find(&store, &begun.id).await.unwrap();
        assert_eq!((left.interval, left.decision), (INTERVAL + 7, Some(Decision::Denied)));
    }
}

fn begun(id: &str) -> DeviceAuthorization {
    DeviceAuthorization {
        id: id.to_owned(),
        device_code_hash: "hash".to_owned(),
        app: "tv".to_owned(),
        scope: Scope::default(),
        device: None,
        source_ip: None,
        created_at: instant(0),
        ends_at: instant(600_000),
        interval: INTERVAL,
        polled_at: None,
        decision: None,
    }
}

fn decided(authorization: &DeviceAuthorization, decision: Decision) -> DeviceAuthorization {
    DeviceAuthorization { decision: Some(decision), ..authorization.clone() }
}

fn denied(authorization: &DeviceAuthorization) -> DeviceAuthorization {
    decided(authorization, Decision::Denied)
}

async fn add(store: &SharedStore, authorization: &DeviceAuthorization) {
    store.add_device_authorization(authorization, instant(0)).await.unwrap();
}

async fn find(store: &SharedStore, id: &str) -> Option<DeviceAuthorization> {
    store.find_device_authorization(id).await.unwrap()
}
