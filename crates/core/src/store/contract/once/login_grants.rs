//! Outcomes of logins that wait for their apps.

use crate::ground::seal::Sealed;
use crate::store::contract::fixture::{Fixture, instant, race};
use crate::store::{SharedStore, StoredLoginGrant};

pub async fn a_login_grant_comes_back_once_as_it_was_added(store: SharedStore) {
    let grant = grant("a", 60_000);
    store.add_login_grant(&grant, instant(0)).await.unwrap();
    assert_eq!(store.redeem_login_grant("a", instant(1)).await.unwrap(), Some(grant));
    assert_eq!(store.redeem_login_grant("a", instant(1)).await.unwrap(), None);
}

pub async fn an_unknown_login_grant_is_none(store: SharedStore) {
    store.add_login_grant(&grant("a", 60_000), instant(0)).await.unwrap();
    for code_hash in ["", "A", "a ", "b"] {
        assert_eq!(store.redeem_login_grant(code_hash, instant(1)).await.unwrap(), None, "{code_hash:?}");
    }
}

pub async fn login_grants_with_two_codes_are_two(store: SharedStore) {
    let [a, b] = [grant("a", 60_000), grant("b", 50_000)];
    store.add_login_grant(&a, instant(0)).await.unwrap();
    store.add_login_grant(&b, instant(0)).await.unwrap();
    assert_eq!(store.redeem_login_grant("a", instant(1)).await.unwrap(), Some(a));
    assert_eq!(store.redeem_login_grant("b", instant(1)).await.unwrap(), Some(b));
}

pub async fn an_expired_login_grant_is_nobodys(store: SharedStore) {
    for (number, (now, usable)) in [(59_999, true), (60_000, false), (60_001, false)].into_iter().enumerate()
    {
        let code_hash = format!("code {number}");
        store.add_login_grant(&grant(&code_hash, 60_000), instant(0)).await.unwrap();
        let redeemed = store.redeem_login_grant(&code_hash, instant(now)).await.unwrap();
        assert_eq!(redeemed.is_some(), usable, "after {now} ms");
    }
}

pub async fn a_new_login_grant_takes_expired_ones_along_and_no_others(store: SharedStore) {
    store.add_login_grant(&grant("old", 10), instant(0)).await.unwrap();
    store.add_login_grant(&grant("live", 30), instant(0)).await.unwrap();
    store.add_login_grant(&grant("new", 60), instant(20)).await.unwrap();
    // A clock that goes backwards shows that the old one is gone rather than hidden.
    assert_eq!(store.redeem_login_grant("old", instant(0)).await.unwrap(), None);
    assert!(store.redeem_login_grant("live", instant(0)).await.unwrap().is_some());
}

pub async fn a_taken_code_is_refused_and_the_login_grant_stays(store: SharedStore) {
    let first = grant("a", 60_000);
    store.add_login_grant(&first, instant(0)).await.unwrap();
    assert!(store.add_login_grant(&grant("a", 70_000), instant(0)).await.is_err());
    assert_eq!(store.redeem_login_grant("a", instant(1)).await.unwrap(), Some(first));
}

pub async fn of_sixteen_racing_redemptions_of_a_login_grant_one_gets_it(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    for round in 0..10 {
        let code_hash = format!("code {round}");
        fixture.store.add_login_grant(&grant(&code_hash, 60_000), instant(0)).await.unwrap();
        let redemptions = (0..16).map(|_| {
            let (store, code_hash) = (fixture.store.clone(), code_hash.clone());
            async move { store.redeem_login_grant(&code_hash, instant(1)).await.unwrap() }
        });
        let redeemed = race(redemptions).await;
        assert_eq!(redeemed.iter().flatten().count(), 1, "round {round}");
    }
}

fn grant(code_hash: &str, expires_in_ms: i64) -> StoredLoginGrant {
    StoredLoginGrant {
        code_hash: code_hash.to_owned(),
        sealed: Sealed((0..=255).chain(code_hash.bytes()).collect()),
        expires_at: instant(expires_in_ms),
    }
}
