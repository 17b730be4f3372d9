//! What the cases are about: pools, guests and logins whose IDs follow from a seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::Barrier;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{
    AccessKeyId, IdentityId, IdentityPoolId, Region, RequestId, SignInSessionId, UserName,
};
use crate::ground::random::SeededRandom;
use crate::ground::seal::Sealed;
use crate::records::identity::{
    AmbiguousRoleResolution, Identity, IdentityPool, Login, LoginProvider, MappingRule, MatchType, PoolRoles,
    PoolSettings, PrincipalTagMap, RoleMapping, RoleMappingType, RulesConfiguration,
};
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest, Unlinked};
use crate::records::scope::Scope;
use crate::records::sign_in_session::{SignInSession, Upstream};
use crate::records::signing_algorithm::Algorithm;
use crate::store::{LinkOutcome, Page, SharedStore, StoredAccessKey, StoredSigningKey, UnlinkOutcome};

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
        Self::with_seed(store, 1).await
    }

    /// One of several fixtures in one store.
    pub(super) async fn with_seed(store: SharedStore, seed: u64) -> Self {
        let random = SeededRandom::new(seed);
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

    /// These logins, which name no identity.
    pub(super) fn logins(&self, logins: &[Login]) -> LinkRequest {
        LinkRequest {
            pool_id: self.pool_id.clone(),
            logins: logins.to_vec(),
            identity_id: None,
            new_identity_id: self.draw_identity_id(),
            now: instant(1000),
        }
    }

    /// These logins, which name an identity.
    pub(super) fn logins_to(&self, logins: &[Login], identity_id: &IdentityId) -> LinkRequest {
        LinkRequest { identity_id: Some(identity_id.clone()), ..self.logins(logins) }
    }

    /// A login of the developer user `user` that names no identity.
    pub(super) fn login(&self, user: &str) -> LinkRequest {
        self.logins(&[Login::developer(user)])
    }

    /// A login of the developer user `user` that names an identity.
    pub(super) fn login_to(&self, user: &str, identity_id: &IdentityId) -> LinkRequest {
        self.logins_to(&[Login::developer(user)], identity_id)
    }

    pub(super) async fn link(&self, request: &LinkRequest) -> LinkOutcome {
        self.store.link_logins(request).await.unwrap()
    }

    pub(super) fn merge_request(&self, source: &str, destination: &str) -> MergeRequest {
        MergeRequest {
            pool_id: self.pool_id.clone(),
            source: source.to_owned(),
            destination: destination.to_owned(),
            now: instant(2000),
        }
    }

    pub(super) async fn merge(&self, source: &str, destination: &str) -> LinkOutcome {
        self.store.merge_developer_users(&self.merge_request(source, destination)).await.unwrap()
    }

    pub(super) async fn unlink(&self, identity_id: &IdentityId, logins: Unlinked) -> UnlinkOutcome {
        self.store.unlink(&unlink_request(identity_id, logins)).await.unwrap()
    }

    /// The developer user `user` of the first pool, to be unlinked.
    pub(super) fn developer_user(&self, user: &str) -> Unlinked {
        Unlinked::DeveloperUser { pool_id: self.pool_id.clone(), user: user.to_owned() }
    }

    /// The identity of somebody who logged in for the first time just now.
    pub(super) async fn add_person(&self, logins: &[Login]) -> IdentityId {
        self.add_person_at(0, logins).await
    }

    /// The same, so many milliseconds later.
    pub(super) async fn add_person_at(&self, milliseconds: i64, logins: &[Login]) -> IdentityId {
        let request = LinkRequest { now: instant(milliseconds), ..self.logins(logins) };
        match self.link(&request).await {
            LinkOutcome::Created(identity) => identity.id,
            other => panic!("the first {logins:?} gave {other:?}"),
        }
    }

    /// The identity of a developer user who logged in for the first time just now.
    pub(super) async fn add_user(&self, user: &str) -> IdentityId {
        self.add_person(&[Login::developer(user)]).await
    }

    /// Whom a login belongs to.
    pub(super) async fn owner(&self, login: &Login) -> Option<IdentityId> {
        self.store.find_identity_by_login(&self.pool_id, login).await.unwrap().map(|it| it.identity.id)
    }

    /// Whom the developer user `user` belongs to.
    pub(super) async fn find(&self, user: &str) -> Option<IdentityId> {
        self.owner(&Login::developer(user)).await
    }

    pub(super) async fn logins_of(&self, id: &IdentityId) -> Vec<Login> {
        let found = self.store.lookup_identity_with_logins(id).await.unwrap();
        found.map(|found| found.logins).unwrap_or_default()
    }

    /// An identity that must exist.
    pub(super) async fn identity(&self, id: &IdentityId) -> Identity {
        self.store.lookup_identity(id).await.unwrap().unwrap()
    }

    /// The identities of the first pool, in order.
    pub(super) async fn identities(&self) -> Vec<IdentityId> {
        let page = Page { after: None, limit: 1000 };
        let listed = self.store.list_identities(&self.pool_id, false, page).await.unwrap();
        listed.into_iter().map(|it| it.identity.id).collect()
    }

    /// Everything there is to know about some identities.
    pub(super) async fn state_of(&self, ids: &[&IdentityId]) -> Vec<(Option<Identity>, Vec<Login>)> {
        let mut state = Vec::new();
        for id in ids {
            state.push((self.store.lookup_identity(id).await.unwrap(), self.logins_of(id).await));
        }
        state
    }
}

pub(super) fn unlink_request(identity_id: &IdentityId, logins: Unlinked) -> UnlinkRequest {
    UnlinkRequest { identity_id: identity_id.clone(), logins, now: instant(3000) }
}

/// A login of a public provider.
pub(super) fn public(provider: &str, user: &str) -> Login {
    Login { provider: LoginProvider::Public(provider.to_owned()), user: user.to_owned() }
}

pub(super) fn region() -> Region {
    Region::parse("us-east-1").expect("a Region")
}

/// A pool with a name and nothing else.
pub(super) fn plain_pool(random: &SeededRandom) -> IdentityPool {
    let settings = PoolSettings { name: "pool".to_owned(), ..PoolSettings::default() };
    IdentityPool::new(IdentityPoolId::generate(&region(), random), settings, PoolRoles::default())
}

/// Roles that say something everywhere.
pub(super) fn full_roles() -> PoolRoles {
    let match_types = [MatchType::Equals, MatchType::Contains, MatchType::StartsWith, MatchType::NotEqual];
    let rules = match_types.map(|match_type| MappingRule {
        claim: ODD_TEXT.to_owned(),
        match_type,
        value: ODD_TEXT.to_owned(),
        role_arn: "arn:aws:iam::000000000000:role/ruled".to_owned(),
    });
    let by_rules = RoleMapping {
        r#type: RoleMappingType::Rules,
        ambiguous_role_resolution: AmbiguousRoleResolution::Deny,
        rules_configuration: Some(RulesConfiguration { rules: rules.into() }),
    };
    let by_token = RoleMapping {
        r#type: RoleMappingType::Token,
        ambiguous_role_resolution: AmbiguousRoleResolution::AuthenticatedRole,
        rules_configuration: None,
    };
    PoolRoles {
        authenticated: Some("arn:aws:iam::000000000000:role/authenticated".to_owned()),
        unauthenticated: Some("arn:aws:iam::000000000000:role/guest".to_owned()),
        mappings: BTreeMap::from([("b".to_owned(), by_rules), ("a".to_owned(), by_token)]),
    }
}

/// Tag maps of either kind.
pub(super) fn full_tag_maps() -> BTreeMap<String, PrincipalTagMap> {
    let tags = BTreeMap::from([(ODD_TEXT.to_owned(), ODD_TEXT.to_owned())]);
    BTreeMap::from([
        (ODD_TEXT.to_owned(), PrincipalTagMap { use_defaults: false, tags }),
        ("a".to_owned(), PrincipalTagMap { use_defaults: true, tags: BTreeMap::new() }),
    ])
}

pub(super) fn signing_key(number: u8) -> StoredSigningKey {
    StoredSigningKey {
        key_id: format!("key-{number}"),
        algorithm: Algorithm::Rs512,
        sealed_private_key: Sealed((0..=255).chain([number]).collect()),
        created_at: instant(number.into()),
        signs_from: instant(i64::from(number) + 1_000),
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

pub(super) fn session_id(number: u8) -> SignInSessionId {
    SignInSessionId::of_bytes([number; SignInSessionId::LENGTH])
}

pub(super) fn session(fixture: &Fixture, number: u8, identity_id: &IdentityId) -> SignInSession {
    SignInSession {
        id: session_id(number),
        app: "web".to_owned(),
        pool_id: fixture.pool_id.clone(),
        identity_id: identity_id.clone(),
        provider: "snapchat".to_owned(),
        upstream: Upstream { issuer: None, subject: "42".to_owned(), session: None },
        login: Sealed((0..=255).collect()),
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

/// Purges what deleted pools left behind, so many records at a time, and looks after each time.
pub(super) async fn purge(store: &SharedStore, limit: usize, mut look: impl AsyncFnMut()) {
    // More than any case leaves behind: a purge that never ends fails.
    for _ in 0..10_000 {
        let more = store.purge_deleted_pools(limit).await.unwrap().more;
        look().await;
        if !more {
            return;
        }
    }
    panic!("there is always more to purge");
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
