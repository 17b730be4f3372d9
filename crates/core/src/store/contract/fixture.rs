//! What the cases are about: pools, guests and logins whose IDs follow from a seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::Barrier;

use crate::clock::Timestamp;
use crate::identity::{IdentityPool, PoolRoles, PoolSettings};
use crate::ids::{AccessKeyId, IdentityId, IdentityPoolId, Region, RequestId, UserName};
use crate::random::SeededRandom;
use crate::seal::Sealed;
use crate::store::{DeveloperLogin, DeveloperLoginOutcome, SharedStore, StoredAccessKey, StoredSigningKey};

/// Text that a careless store changes, cuts or chokes on.
pub(super) const ODD_TEXT: &str = "🦊 Zoë\u{301} ﬁ\u{202e}\t'\"\\%_;--\u{fffd}\u{10ffff} \0 ";

/// An instant with milliseconds.
pub(super) fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_426_496_123 + milliseconds).expect("an instant within the calendar")
}

/// The last instant of the calendar that a store of milliseconds can hold.
pub(super) fn last_millisecond() -> Timestamp {
    Timestamp::new(Timestamp::MAX.as_second(), 999_000_000).expect("an instant within the calendar")
}

/// A store with two pools, and the IDs that a case draws.
pub(super) struct Fixture {
    pub(super) store: SharedStore,
    pub(super) pool_id: IdentityPoolId,
    pub(super) other_pool_id: IdentityPoolId,
    random: SeededRandom,
}

impl Fixture {
    pub(super) async fn new(store: SharedStore) -> Self {
        let random = SeededRandom::new(1);
        let [pool, other_pool] = [plain_pool(&random), plain_pool(&random)];
        store.add_pool(&pool).await.unwrap();
        store.add_pool(&other_pool).await.unwrap();
        Self { store, pool_id: pool.id, other_pool_id: other_pool.id, random }
    }

    pub(super) fn draw_identity_id(&self) -> IdentityId {
        IdentityId::generate(&region(), &self.random)
    }

    pub(super) fn draw_request_id(&self) -> RequestId {
        RequestId::generate(Timestamp::UNIX_EPOCH, &self.random)
    }

    pub(super) fn draw_access_key_id(&self) -> AccessKeyId {
        AccessKeyId::generate_temporary(&self.random)
    }

    pub(super) async fn add_guest(&self) -> IdentityId {
        let id = self.draw_identity_id();
        assert!(self.store.add_guest(&self.pool_id, &id, instant(0)).await.unwrap());
        id
    }

    /// A login of `user` that names no identity.
    pub(super) fn login(&self, user: &str) -> DeveloperLogin {
        DeveloperLogin {
            pool_id: self.pool_id.clone(),
            developer_user_identifier: user.to_owned(),
            identity_id: None,
            new_identity_id: self.draw_identity_id(),
            now: instant(1000),
        }
    }

    /// A login of `user` that names an identity.
    pub(super) fn login_to(&self, user: &str, identity_id: &IdentityId) -> DeveloperLogin {
        DeveloperLogin { identity_id: Some(identity_id.clone()), ..self.login(user) }
    }

    pub(super) async fn resolve(&self, login: &DeveloperLogin) -> DeveloperLoginOutcome {
        self.store.resolve_developer_login(login).await.unwrap()
    }

    /// The identity of a user who logged in for the first time just now.
    pub(super) async fn add_user(&self, user: &str) -> IdentityId {
        match self.resolve(&self.login(user)).await {
            DeveloperLoginOutcome::Created(identity) => identity.id,
            other => panic!("a first login of {user:?} gave {other:?}"),
        }
    }

    /// Whom `user` belongs to.
    pub(super) async fn find(&self, user: &str) -> Option<IdentityId> {
        self.store.find_identity_by_developer_user(&self.pool_id, user).await.unwrap()
    }
}

fn region() -> Region {
    Region::parse("us-east-1").expect("a Region")
}

/// A pool with a name and nothing else.
pub(super) fn plain_pool(random: &SeededRandom) -> IdentityPool {
    IdentityPool {
        id: IdentityPoolId::generate(&region(), random),
        settings: PoolSettings { name: "pool".to_owned(), ..PoolSettings::default() },
        roles: PoolRoles::default(),
    }
}

/// Roles that say something everywhere.
pub(super) fn full_roles() -> PoolRoles {
    let mapping = serde_json::json!({"Type": "Rules", "z": [1, 2.5, null, true], "a": {ODD_TEXT: ODD_TEXT}});
    PoolRoles {
        authenticated: Some("arn:aws:iam::000000000000:role/authenticated".to_owned()),
        unauthenticated: Some("arn:aws:iam::000000000000:role/guest".to_owned()),
        mappings: BTreeMap::from([("login.example.com".to_owned(), mapping)]),
    }
}

pub(super) fn signing_key(number: u8) -> StoredSigningKey {
    StoredSigningKey {
        key_id: format!("key-{number}"),
        sealed_private_key: Sealed((0..=255).chain([number]).collect()),
        created_at: instant(number.into()),
    }
}

pub(super) fn access_key(number: u8, name: &str) -> StoredAccessKey {
    StoredAccessKey {
        id: AccessKeyId::generate_developer(&SeededRandom::new(number.into())),
        name: UserName::parse(name).expect("a user name"),
        policy: format!("the policy of key {number} {ODD_TEXT}"),
        sealed_secret: Sealed((0..=255).chain([number]).collect()),
        created_at: instant(number.into()),
        enabled: true,
    }
}

/// Asks `questions` at once, each from a task of its own, and hands back the answers in order.
pub(super) async fn race<Q>(questions: impl IntoIterator<Item = Q>) -> Vec<Q::Output>
where
    Q: Future<Output: Send> + Send + 'static,
{
    let questions: Vec<_> = questions.into_iter().collect();
    let start = Arc::new(Barrier::new(questions.len()));
    let racers = questions.into_iter().map(|question| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            question.await
        })
    });
    let racers: Vec<_> = racers.collect();
    join_all(racers).await.into_iter().map(Result::unwrap).collect()
}
