//! What is asked, and what was asked before.

use std::fmt::Debug;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::world::*;
use crate::ground::clock::ManualClock;
use crate::ground::ids::IdentityId;
use crate::ground::seal::Sealed;
use crate::records::identity::{IdentityPool, Login, PoolSettings};
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest, Unlinked};
use crate::records::sign_in_session::{EndReason, SessionEnd, SignInSession};
use crate::store::{Page, RevocationTarget, SharedStore, StoreError, StoredLoginGrant};

pub(super) type Question = (String, Arc<dyn Fn(SharedStore) -> BoxFuture<'static, String> + Send + Sync>);

pub(super) fn question<F, Q, T>(name: &str, ask: F) -> Question
where
    F: Fn(SharedStore) -> Q + Send + Sync + 'static,
    Q: Future<Output = Result<T, StoreError>> + Send + 'static,
    T: Debug,
{
    let ask = Arc::new(move |store: SharedStore| -> BoxFuture<'static, String> {
        let asked = ask(store);
        Box::pin(async move {
            match asked.await {
                Ok(answer) => format!("{answer:?}"),
                Err(error) => format!("refused: {}", matches!(error, StoreError::Corrupt(_))),
            }
        })
    });
    (name.to_owned(), ask)
}

pub(super) fn link(name: &str, logins: &[Login], to: Option<&str>, new: &str, at: i64) -> Question {
    let request = LinkRequest {
        pool_id: pool_id(),
        logins: logins.to_vec(),
        identity_id: to.map(identity),
        new_identity_id: identity(new),
        now: instant(at),
    };
    question(name, move |store| {
        let request = request.clone();
        async move { store.link_logins(&request).await }
    })
}

pub(super) fn merge(source: &'static str, destination: &'static str, at: i64) -> Question {
    question(&format!("merge {source} into {destination}"), move |store| async move {
        let request = MergeRequest {
            pool_id: pool_id(),
            source: source.into(),
            destination: destination.into(),
            now: instant(at),
        };
        store.merge_developer_users(&request).await
    })
}

pub(super) fn unlink(name: &str, of: &'static str, logins: Unlinked, at: i64) -> Question {
    question(&format!("unlink {name} of {of}"), move |store| {
        let request = UnlinkRequest { identity_id: identity(of), logins: logins.clone(), now: instant(at) };
        async move { store.unlink(&request).await }
    })
}

pub(super) fn developer(user: &str) -> Unlinked {
    Unlinked::DeveloperUser { pool_id: pool_id(), user: user.into() }
}

pub(super) fn delete(ids: &'static [&'static str]) -> Question {
    question(&format!("delete {ids:?}"), move |store| async move {
        let ids: Vec<IdentityId> = ids.iter().map(|id| identity(id)).collect();
        store.delete_identities(&ids).await
    })
}

pub(super) fn add_session(number: u8, of: &'static str) -> Question {
    question(&format!("add session {number} of {of}"), move |store| async move {
        store.add_sign_in_session(&session(number, of), instant(1)).await
    })
}

pub(super) fn add_pool() -> Question {
    question("add the pool", |store| async move {
        store.find_or_add_configured_pool("main", &pool()).await.map(drop)
    })
}

pub(super) fn revoke(of: &'static str, at: i64) -> Question {
    question(&format!("revoke {of}"), move |store| async move {
        let target = RevocationTarget::Identity(identity(of));
        store.revoke_sessions(&target, Arc::new(ManualClock::at(instant(at)))).await
    })
}

/// 01 is ada with snap:1, 02 bob, 03 a guest, 05 eve into whom 04 was merged; each has a session.
pub(super) fn people() -> Vec<Question> {
    vec![
        add_pool(),
        link("ada", &[Login::developer("ada"), public("snap", "1")], None, "01", 10),
        link("bob", &[Login::developer("bob")], None, "02", 20),
        question(
            "guest",
            |store| async move { store.add_guest(&pool_id(), &identity("03"), instant(30)).await },
        ),
        link("cyd", &[Login::developer("cyd")], None, "04", 40),
        link("eve", &[Login::developer("eve")], None, "05", 50),
        add_session(1, "01"),
        add_session(2, "02"),
        add_session(3, "04"),
        add_session(4, "05"),
        merge("cyd", "eve", 60),
        question("key 1", |store| async move { store.add_first_access_key(&access_key(1)).await }),
        question("key 2", |store| async move { store.add_further_access_key(&access_key(2)).await }),
        question(
            "disable 1",
            |store| async move { store.set_access_key_enabled(&access_key_id(1), false).await },
        ),
        question("signing key", |store| async move { store.add_signing_key(&signing_key(1), &[]).await }),
        question("grant", |store| async move { store.add_login_grant(&grant(), instant(0)).await }),
    ]
}

pub(super) fn grant() -> StoredLoginGrant {
    StoredLoginGrant { code_hash: "code".into(), sealed: Sealed(vec![1]), expires_at: instant(60_000) }
}

pub(super) fn about_people() -> Vec<Question> {
    vec![
        link("ada and bob are one", &[public("snap", "1"), Login::developer("bob")], None, "10", 100),
        merge("ada", "bob", 110),
        merge("bob", "ada", 120),
        merge("eve", "ada", 130),
        merge("bob", "eve", 135),
        link("the guest is goog:2", &[public("goog", "2")], Some("03"), "11", 140),
        link("the guest is bob", &[public("goog", "3"), Login::developer("bob")], Some("02"), "12", 145),
        link("the guest is snap:1", &[public("snap", "1")], Some("03"), "13", 146),
        link("dan", &[Login::developer("dan")], None, "14", 150),
        link("dan again", &[Login::developer("dan")], None, "15", 155),
        link("goog:2 and snap:1", &[public("goog", "2"), public("snap", "1")], None, "16", 160),
        link("dan and goog:2", &[public("goog", "2"), Login::developer("dan")], None, "17", 165),
        unlink("ada", "01", developer("ada"), 170),
        unlink("bob", "02", developer("bob"), 175),
        unlink("ada", "02", developer("ada"), 176),
        unlink(
            "snap",
            "01",
            Unlinked::Public { providers: vec!["snap".into()], proof: vec![public("snap", "1")] },
            180,
        ),
        link("ada", &[Login::developer("ada")], None, "18", 185),
        delete(&["01"]),
        delete(&["02"]),
        delete(&["01", "02"]),
        delete(&["03"]),
        delete(&["04"]),
        delete(&["05"]),
        question("find ada", |store| async move {
            store.find_identity_by_login(&pool_id(), &Login::developer("ada")).await
        }),
        question("find bob", |store| async move {
            store.find_identity_by_login(&pool_id(), &Login::developer("bob")).await
        }),
        question("add guest", |store| async move {
            store.add_guest(&pool_id(), &identity("06"), instant(190)).await
        }),
    ]
}

pub(super) fn about_sessions() -> Vec<Question> {
    let replace = |number: u8, of: &'static str| {
        question(&format!("refresh {number}"), move |store| async move {
            let from = session(number, of);
            store.replace_sign_in_session(&from, &SignInSession { generation: 1, ..from.clone() }).await
        })
    };
    let end = |number: u8| {
        question(&format!("end {number}"), move |store| async move {
            let end = SessionEnd { at: instant(5), reason: EndReason::SignedOut };
            store.end_sign_in_session(&session_id(number), end).await
        })
    };
    let standing = |of: &'static str, number: u8| {
        question(&format!("standing of {of} in {number}"), move |store| async move {
            let standing = store.standing(&identity(of), None, Some(&session_id(number))).await?;
            // It is read in parts: what counts is whether somebody goes on.
            let lives = standing.identity.is_some_and(|it| !it.disabled);
            Ok(lives && standing.revoked_until.is_none() && standing.session.is_some())
        })
    };
    vec![
        replace(1, "01"),
        replace(3, "05"),
        end(1),
        end(3),
        add_session(5, "01"),
        add_session(6, "02"),
        revoke("01", 1_000),
        revoke("05", 1_000),
        standing("01", 1),
        standing("05", 3),
        question("find session 1", |store| async move {
            Ok(store
                .find_sign_in_session(&session_id(1))
                .await?
                .map(|it| (it.identity_id, it.generation, it.ended.map(|end| end.reason))))
        }),
        question("list sessions of 02", |store| async move {
            Ok(store
                .list_sign_in_sessions(&identity("02"), instant(1))
                .await?
                .into_iter()
                .map(|it| it.id)
                .collect::<Vec<_>>())
        }),
    ]
}

pub(super) fn about_keys() -> Vec<Question> {
    let set = |number: u64, enabled: bool| {
        question(&format!("set {number} {enabled}"), move |store| async move {
            store.set_access_key_enabled(&access_key_id(number), enabled).await
        })
    };
    vec![
        set(1, true),
        set(2, false),
        set(2, true),
        question("add key 3", |store| async move { store.add_further_access_key(&access_key(3)).await }),
        question("add key 4", |store| async move { store.add_further_access_key(&access_key(4)).await }),
        question("add first key 4", |store| async move { store.add_first_access_key(&access_key(4)).await }),
        question(
            "find or add key 3",
            |store| async move { store.find_or_add_access_key(&access_key(3)).await },
        ),
        question("delete key 1", |store| async move { store.delete_access_key(&access_key_id(1)).await }),
        question("delete key 2", |store| async move { store.delete_access_key(&access_key_id(2)).await }),
        question("look up key 1", |store| async move { store.lookup_access_key(&access_key_id(1)).await }),
        question("look up key 2", |store| async move { store.lookup_access_key(&access_key_id(2)).await }),
        question("add signing key 2", |store| async move {
            store.add_signing_key(&signing_key(2), &["key-1".into()]).await
        }),
        question("add signing key 3", |store| async move {
            store.add_signing_key(&signing_key(3), &["key-1".into()]).await
        }),
        question("delete signing key 1", |store| async move {
            store.delete_signing_keys(&["key-1".into()]).await
        }),
        question(
            "use once",
            |store| async move { store.use_once("name", instant(60_000), instant(1)).await },
        ),
        question("redeem", |store| async move { store.redeem_login_grant("code", instant(1)).await }),
    ]
}

pub(super) fn about_pools() -> Vec<Question> {
    vec![
        question("delete the pool", |store| async move { store.delete_pool(&pool_id()).await }),
        question("add the pool again", |store| async move { store.add_pool(&pool()).await }),
        question("find or add the pool", |store| async move {
            Ok(store.find_or_add_configured_pool("main", &pool()).await?.version)
        }),
        question("replace the pool", |store| async move {
            let settings = PoolSettings { name: "other".into(), ..PoolSettings::default() };
            store.replace_pool(&IdentityPool { settings, ..pool() }).await
        }),
        question("list identities", |store| async move {
            store.list_identities(&pool_id(), false, Page { after: None, limit: 50 }).await
        }),
    ]
}
