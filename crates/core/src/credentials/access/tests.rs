use super::*;
use crate::credentials::role::{RoleDocument, RoleTrust};
use crate::credentials::session_token::Credentials;
use crate::credentials::sts::trust_context;
use crate::ground::clock::{ManualClock, SignedDuration, Timestamp};
use crate::ground::ids::{AccountId, IdentityId, IdentityPoolId, RoleName, RoleSessionName, UserName};
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::SeededRandom;
use crate::iam::{Document, Key};
use crate::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use crate::records::linking::{LinkRequest, UnlinkRequest, Unlinked};
use crate::store::memory::MemoryStore;
use crate::store::{Identities, Pools, RevocationTarget, Revocations};
use crate::token::openid_token::{Claims, TagsClaim, UNAUTHENTICATED};

const MINE: &str = "arn:aws:s3:::b/us-east-1:aa/diary.txt";
const OTHERS: &str = "arn:aws:s3:::b/us-east-1:bb/diary.txt";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*"},
    {"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::shared/*"}]}"#;

fn pool_id() -> IdentityPoolId {
    IdentityPoolId::parse("us-east-1:cc").unwrap()
}

fn ada() -> IdentityId {
    IdentityId::parse("us-east-1:aa").unwrap()
}

/// A login of `user`, who becomes `new_identity_id` if new.
fn login(user: &str, new_identity_id: &str) -> LinkRequest {
    LinkRequest {
        pool_id: pool_id(),
        logins: vec![Login::developer(user)],
        identity_id: None,
        new_identity_id: IdentityId::parse(new_identity_id).unwrap(),
        now: Timestamp::UNIX_EPOCH,
    }
}

#[track_caller]
fn assert_lapsed(opened: Result<OpenedSession, AccessError>, expected: Lapse) {
    match opened {
        Err(AccessError::Lapsed(lapse)) => assert_eq!(lapse, expected),
        other => panic!("{other:?} is not {expected:?}"),
    }
}

struct Fixture {
    access: Access,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    random: SeededRandom,
}

impl Fixture {
    fn new() -> Self {
        let random = SeededRandom::new(1);
        let (clock, store) =
            (Arc::new(ManualClock::at_second(1_700_000_000)), Arc::new(MemoryStore::default()));
        let pool_id = pool_id();
        let role = RoleDocument {
            name: RoleName::parse("authenticated").unwrap(),
            trust: RoleTrust::Pool { pool_id, amr: AUTHENTICATED },
            policy: POLICY.into(),
            max_session_duration: SignedDuration::from_hours(1),
        };
        let roles = Roles::compile(AccountId::parse("000000000000").unwrap(), vec![role]).unwrap();
        let access = Access {
            roles: Arc::new(roles),
            sessions: Arc::new(SessionSealer::new(&MasterKeys::generate(&random))),
            store: store.clone(),
            clock: clock.clone(),
        };
        Self { access, clock, store, random }
    }

    /// With the identity in the store that [`Self::session`] is of.
    async fn with_ada() -> Self {
        let fixture = Self::new();
        let pool = IdentityPool::new(pool_id(), PoolSettings::default(), PoolRoles::default());
        fixture.store.add_pool(&pool).await.unwrap();
        fixture.store.link_logins(&login("ada", ada().as_str())).await.unwrap();
        fixture
    }

    fn session(&self) -> Session {
        let now = self.clock.now();
        Session {
            role: RoleName::parse("authenticated").unwrap(),
            role_session_name: RoleSessionName::parse("test").unwrap(),
            identity_id: ada(),
            pool_id: pool_id(),
            amr: vec![AUTHENTICATED.into()],
            tags: std::collections::BTreeMap::new(),
            session_policy: None,
            guest_scope_down: false,
            token_issued_at: now,
            sign_in_session: None,
            expires_at: now + SignedDuration::from_hours(1),
        }
    }

    fn allows(&self, session: &Session, action: &str, resource: &str) -> bool {
        self.access.decide(session, action, resource, self.access.arrival(Origin::default())).is_ok()
    }

    fn issue(&self) -> Credentials {
        self.access.sessions.issue(self.session(), &self.random).unwrap()
    }

    async fn open(&self, credentials: &Credentials) -> Result<OpenedSession, AccessError> {
        self.access.open(&credentials.access_key_id, credentials.session_token.expose()).await
    }
}

#[test]
fn a_session_reaches_its_own_folder_and_no_other() {
    let fixture = Fixture::new();
    assert!(fixture.allows(&fixture.session(), "s3:GetObject", MINE));
    assert!(!fixture.allows(&fixture.session(), "s3:GetObject", OTHERS));
    let context = fixture.access.arrival(Origin::default()).with(Key::CognitoSub, "us-east-1:bb");
    let decided = fixture.access.decide(&fixture.session(), "s3:GetObject", OTHERS, context);
    assert!(decided.is_err(), "a second value of `sub` opens nothing");
}

#[test]
fn a_session_policy_takes_away_and_never_adds() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    session.session_policy = Some(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#
            .into(),
    );
    assert!(fixture.allows(&session, "s3:GetObject", MINE));
    assert!(!fixture.allows(&session, "s3:PutObject", MINE));
    assert!(!fixture.allows(&session, "s3:GetObject", OTHERS));
    session.session_policy = Some("{}".into());
    assert!(!fixture.allows(&session, "s3:GetObject", MINE), "a policy that cannot be read allows nothing");
}

#[test]
fn guests_have_no_variables_and_only_the_services_of_guests() {
    let fixture = Fixture::new();
    let mut guest = fixture.session();
    guest.amr = vec![UNAUTHENTICATED.into()];
    guest.guest_scope_down = true;
    assert!(!fixture.allows(&guest, "s3:GetObject", MINE));
    assert!(fixture.allows(&guest, "s3:GetObject", "arn:aws:s3:::shared/a"));
    assert!(!fixture.allows(&guest, "kms:Decrypt", "arn:aws:s3:::shared/a"));
    guest.guest_scope_down = false;
    assert!(fixture.allows(&guest, "kms:Decrypt", "arn:aws:s3:::shared/a"));
}

#[test]
fn a_session_of_a_role_that_is_gone_may_do_nothing() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    session.role = RoleName::parse("retired").unwrap();
    assert!(!fixture.allows(&session, "s3:GetObject", MINE));
}

const KNOWN: Origin = Origin {
    source_ip: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9))),
    secure_transport: Some(true),
};

/// Who fills a key in, of those who may. There is no `_` here: a key that is new has to say who does.
fn is_added_by_a_service(key: &Key) -> bool {
    match key {
        // `s3/permission.rs` and `routes/aws/cognito.rs` of the server.
        Key::S3Prefix | Key::S3Delimiter | Key::S3MaxKeys | Key::IdentityPoolArn => true,
        // `Unfilled` by nobody: `iam/key/unfilled.rs`.
        Key::Unfilled(_)
        | Key::CognitoSub
        | Key::CognitoAud
        | Key::CognitoAmr
        | Key::FederatedProvider
        | Key::PrincipalArn
        | Key::PrincipalTag(_)
        | Key::PrincipalType
        | Key::UserId
        | Key::RequestTag(_)
        | Key::RoleSessionName
        | Key::CurrentTime
        | Key::EpochTime
        | Key::SecureTransport
        | Key::SourceIp => false,
    }
}

#[test]
fn every_key_that_a_trust_policy_may_ask_for_is_filled_in() {
    let session = Fixture::new().session();
    let claims = Claims {
        identity_id: session.identity_id,
        pool_id: session.pool_id,
        amr: session.amr,
        tags: TagsClaim::of([("team".to_owned(), "red".to_owned())].into()),
        issuer: String::new(),
        pool_arn: String::new(),
        expires_at: 0,
        issued_at: 0,
        issued_at_ms: None,
        session: None,
        act: None,
    };
    let arrival = Arrival { time: session.expires_at, origin: KNOWN };
    let context = trust_context(&claims, &session.role_session_name, &arrival);
    for (_, name) in iam::known_to(Document::Trust) {
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Federated": FEDERATED_PROVIDER},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": claims.pool_id},
                "ForAnyValue:StringEquals": {"cognito-identity.amazonaws.com:amr": AUTHENTICATED},
                "Null": {&name: "false"},
            }
        }});
        let policy = iam::TrustPolicy::parse(&policy.to_string()).unwrap();
        let request =
            iam::TrustRequest { provider: FEDERATED_PROVIDER, tags_session: true, context: &context };
        assert_eq!(policy.evaluate(&request), Decision::Allowed, "{name}");
    }
}

fn has_a_value(key: &str, context: &Context) -> bool {
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {key: "false"}}
    }});
    let policy = [Policy::parse(&policy.to_string()).unwrap()];
    let request = iam::Request { action: "s3:GetObject", resource: MINE, context };
    iam::evaluate(&policy, None, &request) == Decision::Allowed
}

#[test]
fn every_key_that_a_policy_may_ask_for_is_filled_in() {
    let fixture = Fixture::new();
    let session = Session { tags: [("team".to_owned(), "red".to_owned())].into(), ..fixture.session() };
    let role = fixture.access.roles.find(&session.role).unwrap();
    let context = with_session_keys(fixture.access.arrival(KNOWN), role, &session);
    for (key, name) in iam::known_to(Document::Identity) {
        assert_ne!(has_a_value(&name, &context), is_added_by_a_service(&key), "{name}");
    }
}

const POOL: &str = "arn:aws:cognito-identity:us-east-1:000000000000:identitypool/us-east-1:cc";
const OTHER_POOL: &str = "arn:aws:cognito-identity:us-east-1:000000000000:identitypool/us-east-1:dd";

/// Whether a developer with these statements may perform `action`.
fn developer_may(statements: &str, action: &str, resource: &str) -> bool {
    let fixture = Fixture::new();
    let key = StoredAccessKey {
        id: AccessKeyId::generate_developer(&fixture.random),
        name: UserName::parse("reports").unwrap(),
        policy: format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#),
        sealed_secret: crate::ground::seal::Sealed(Vec::new()),
        created_at: fixture.clock.now(),
        enabled: true,
    };
    let context = fixture.access.arrival(Origin::default());
    fixture.access.decide_developer(&key, action, resource, context).is_ok()
}

#[test]
fn a_developer_does_what_their_policy_allows_where_it_allows_it() {
    let policy = format!(r#"{{"Effect":"Allow","Action":"cognito-identity:List*","Resource":"{POOL}"}}"#);
    assert!(developer_may(&policy, "cognito-identity:ListIdentities", POOL));
    assert!(!developer_may(&policy, "cognito-identity:ListIdentities", OTHER_POOL));
    assert!(!developer_may(&policy, "cognito-identity:ListIdentityPools", "*"));
    assert!(!developer_may(&policy, "cognito-identity:DescribeIdentityPool", POOL));
}

#[test]
fn a_deny_wins_and_reaches_no_further_than_its_resource() {
    let policy = format!(
        r#"{{"Effect":"Allow","Action":"*","Resource":"*"}},
           {{"Effect":"Deny","Action":"*","Resource":"{POOL}"}}"#
    );
    assert!(!developer_may(&policy, "cognito-identity:ListIdentities", POOL));
    assert!(developer_may(&policy, "cognito-identity:ListIdentities", OTHER_POOL));
    assert!(developer_may(&policy, "cognito-identity:ListIdentityPools", "*"));
}

#[test]
fn a_policy_can_ask_which_developer_it_is() {
    let id = crate::credentials::access_key::developer_id(
        &UserName::parse("reports").unwrap(),
        &AccountId::parse("000000000000").unwrap(),
    );
    assert_eq!((id.len(), &id[..4]), (20, "AIDA"));
    for (key, value, allowed) in [
        ("aws:PrincipalType", "User", true),
        ("aws:PrincipalArn", "arn:aws:iam::000000000000:user/reports", true),
        ("aws:userid", id.as_str(), true),
        ("aws:PrincipalType", "AssumedRole", false),
    ] {
        let policy = format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        );
        assert_eq!(developer_may(&policy, "s3:GetObject", MINE), allowed, "{key} {value}");
    }
}

#[test]
fn a_developer_whose_policy_cannot_be_read_may_do_nothing() {
    assert!(!developer_may("7", "s3:GetObject", MINE));
}

#[tokio::test]
async fn revoking_an_identity_or_a_role_ends_what_began_before_and_nothing_later() {
    for target in
        [RevocationTarget::Identity(ada()), RevocationTarget::Role(RoleName::parse("authenticated").unwrap())]
    {
        let fixture = Fixture::with_ada().await;
        let before = fixture.issue();
        fixture.open(&before).await.unwrap();
        fixture.clock.advance(SignedDuration::from_millis(1));
        fixture.store.revoke_sessions(&target, fixture.clock.clone()).await.unwrap();
        let at_once = fixture.issue();
        fixture.clock.advance(SignedDuration::from_millis(1));
        let after = fixture.issue();
        assert_lapsed(fixture.open(&before).await, Lapse::Revoked);
        assert_lapsed(fixture.open(&at_once).await, Lapse::Revoked);
        fixture.open(&after).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_is_as_old_as_the_token_that_it_was_made_from() {
    let fixture = Fixture::with_ada().await;
    let mut session = fixture.session();
    fixture.clock.advance(SignedDuration::from_secs(1));
    fixture.store.revoke_sessions(&RevocationTarget::Identity(ada()), fixture.clock.clone()).await.unwrap();
    fixture.clock.advance(SignedDuration::from_secs(1));
    session.expires_at = fixture.clock.now() + SignedDuration::from_hours(1);
    let sealed_afterwards = fixture.access.sessions.issue(session, &fixture.random).unwrap();
    assert_lapsed(fixture.open(&sealed_afterwards).await, Lapse::Revoked);
}

#[tokio::test]
async fn a_session_ends_with_the_login_and_with_the_identity_that_it_rests_on() {
    let fixture = Fixture::with_ada().await;
    let mut session = fixture.session();
    let entry = "login.app:us-east-1:cc:ada".to_owned();
    session.amr = vec![AUTHENTICATED.into(), "login.app".into(), entry];
    let on_a_login = fixture.access.sessions.issue(session, &fixture.random).unwrap();
    let on_the_identity = fixture.issue();
    fixture.open(&on_a_login).await.unwrap();

    let unlink = UnlinkRequest {
        identity_id: ada(),
        logins: Unlinked::DeveloperUser { pool_id: pool_id(), user: "ada".into() },
        now: fixture.clock.now(),
    };
    fixture.store.unlink(&unlink).await.unwrap();
    assert_lapsed(fixture.open(&on_a_login).await, Lapse::Login);
    fixture.store.delete_identity(&ada()).await.unwrap();
    assert_lapsed(fixture.open(&on_the_identity).await, Lapse::Identity);
}

#[tokio::test]
async fn a_guests_session_ends_when_the_guest_becomes_somebody() {
    let fixture = Fixture::with_ada().await;
    let guest = IdentityId::parse("us-east-1:bb").unwrap();
    fixture.store.add_guest(&pool_id(), &guest, fixture.clock.now()).await.unwrap();
    let session =
        Session { identity_id: guest.clone(), amr: vec![UNAUTHENTICATED.into()], ..fixture.session() };
    let credentials = fixture.access.sessions.issue(session, &fixture.random).unwrap();
    fixture.open(&credentials).await.unwrap();
    let bob = LinkRequest { identity_id: Some(guest), ..login("bob", "us-east-1:b0") };
    fixture.store.link_logins(&bob).await.unwrap();
    assert_lapsed(fixture.open(&credentials).await, Lapse::Identity);
}

#[tokio::test]
async fn an_expired_session_does_not_open() {
    let fixture = Fixture::with_ada().await;
    let credentials = fixture.issue();
    fixture.clock.advance(SignedDuration::from_hours(1));
    assert!(matches!(fixture.open(&credentials).await, Err(AccessError::Session(SessionError::Expired))));
}
