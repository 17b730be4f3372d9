//! Who and what there is, and all that can be seen of it.

use std::task::{Context, Poll, Waker};

use crate::ground::clock::Timestamp;
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, SignInSessionId, UserName};
use crate::ground::random::SeededRandom;
use crate::ground::seal::Sealed;
use crate::records::identity::{IdentityPool, Login, LoginProvider, PoolRoles, PoolSettings};
use crate::records::scope::Scope;
use crate::records::sign_in_session::{SignInSession, Upstream};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{Page, SharedStore, StoredAccessKey, StoredSigningKey};

pub(super) fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_426_496_000 + milliseconds).unwrap()
}

pub(super) fn identity(name: &str) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{name}")).unwrap()
}

pub(super) fn pool_id() -> IdentityPoolId {
    IdentityPoolId::parse("us-east-1:aa").unwrap()
}

pub(super) fn pool() -> IdentityPool {
    IdentityPool::new(
        pool_id(),
        PoolSettings { name: "pool".into(), ..PoolSettings::default() },
        PoolRoles::default(),
    )
}

pub(super) fn public(provider: &str, user: &str) -> Login {
    Login { provider: LoginProvider::Public(provider.into()), user: user.into() }
}

pub(super) fn session_id(number: u8) -> SignInSessionId {
    SignInSessionId::of_bytes([number; 16])
}

pub(super) fn session(number: u8, of: &str) -> SignInSession {
    SignInSession {
        id: session_id(number),
        app: "web".into(),
        pool_id: pool_id(),
        identity_id: identity(of),
        provider: "snapchat".into(),
        upstream: Upstream { issuer: None, subject: "42".into(), session: None },
        login: Sealed(vec![number]),
        scope: Scope::default(),
        signed_in_at: None,
        checked_at: instant(0),
        key_thumbprint: None,
        device: None,
        generation: 0,
        created_at: instant(0),
        rotated_at: instant(0),
        late_at: None,
        idle_until: instant(3_600_000),
        ends_at: instant(7_200_000),
        ended: None,
    }
}

pub(super) fn access_key_id(number: u64) -> AccessKeyId {
    AccessKeyId::generate_developer(&SeededRandom::new(number))
}

pub(super) fn access_key(number: u64) -> StoredAccessKey {
    StoredAccessKey {
        id: access_key_id(number),
        name: UserName::parse("up").unwrap(),
        policy: format!("policy {number}"),
        sealed_secret: Sealed(vec![7]),
        created_at: instant(i64::try_from(number).unwrap()),
        enabled: true,
    }
}

pub(super) fn signing_key(number: i64) -> StoredSigningKey {
    StoredSigningKey {
        key_id: format!("key-{number}"),
        algorithm: Algorithm::Rs512,
        sealed_private_key: Sealed(vec![8]),
        created_at: instant(number),
        signs_from: instant(number + 1_000),
    }
}

pub(super) const IDENTITIES: [&str; 15] =
    ["01", "02", "03", "04", "05", "06", "10", "11", "12", "13", "14", "15", "16", "17", "18"];

pub(super) fn all_logins() -> Vec<Login> {
    let developers = ["ada", "bob", "cyd", "dan", "eve"].map(Login::developer);
    developers.into_iter().chain([public("snap", "1"), public("goog", "2"), public("goog", "3")]).collect()
}

/// All that can be seen.
pub(super) fn look(store: &SharedStore) -> String {
    finish(async {
        let mut seen = Vec::new();
        for id in IDENTITIES.map(identity) {
            let found = store.lookup_identity(&id).await.unwrap();
            let logins = store.lookup_identity_with_logins(&id).await.unwrap().map(|it| it.logins);
            let mut sessions = Vec::new();
            for session in store.list_sign_in_sessions(&id, instant(1)).await.unwrap() {
                sessions.push(session.id);
            }
            let standing = store.standing(&id, None, None).await.unwrap().revoked_until;
            seen.push(format!(
                "{id}: {:?} {logins:?} sessions {sessions:?} revoked {standing:?}",
                found.map(|it| (it.authenticated, it.disabled, it.created_at, it.modified_at))
            ));
        }
        for login in all_logins() {
            let owner =
                store.find_identity_by_login(&pool_id(), &login).await.unwrap().map(|it| it.identity.id);
            seen.push(format!("{login:?} -> {owner:?}"));
        }
        for number in 1..=6 {
            let found = store.find_sign_in_session(&session_id(number)).await.unwrap();
            seen.push(format!(
                "session {number}: {:?}",
                found.map(|it| (it.identity_id, it.generation, it.ended.map(|end| end.reason)))
            ));
        }
        let listed = store.list_identities(&pool_id(), false, Page { after: None, limit: 50 }).await.unwrap();
        seen.push(format!(
            "listed {:?}",
            listed.iter().map(|it| it.identity.id.to_string()).collect::<Vec<_>>()
        ));
        let keys = store.list_access_keys().await.unwrap();
        seen.push(format!(
            "keys {:?}",
            keys.iter().map(|it| (it.id.to_string(), it.enabled)).collect::<Vec<_>>()
        ));
        for number in 1..=4 {
            let key = store.lookup_access_key(&access_key_id(number)).await.unwrap();
            seen.push(format!("key {number}: {:?}", key.map(|it| (it.enabled, it.policy))));
        }
        let keys = store.list_signing_keys().await.unwrap();
        seen.push(format!("signing {:?}", keys.into_iter().map(|it| it.key_id).collect::<Vec<_>>()));
        seen.push(format!(
            "pool {:?}",
            store.lookup_pool(&pool_id()).await.unwrap().map(|it| (it.version, it.settings.name))
        ));
        seen.push(format!("names {:?}", store.configured_pools().await.unwrap().keys().collect::<Vec<_>>()));
        seen.join("\n")
    })
}

/// What comes of it, if nobody waits for anything but their turn.
pub(super) fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
    }
    panic!("a question has no end")
}
