//! What is asked of the table costs what docs/dynamodb.md says, in units as the emulator counts them.

use std::net::IpAddr;
use std::sync::Arc;

use daypass_core::ground::clock::{ManualClock, Timestamp};
use daypass_core::ground::ids::{IdentityId, IdentityPoolId, Region, RequestId, RoleName, SignInSessionId};
use daypass_core::ground::random::SeededRandom;
use daypass_core::ground::seal::Sealed;
use daypass_core::records::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use daypass_core::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
use daypass_core::records::linking::LinkRequest;
use daypass_core::records::scope::Scope;
use daypass_core::records::sign_in_session::{SignInSession, Upstream};
use daypass_core::store::{LinkOutcome, RevocationTarget, SharedStore};
use daypass_store::{DynamoEngine, Open, StoreUrl, open};

use crate::counting::{Counter, Units};
use crate::emulator;

const PAGE: &str = include_str!("../../../../docs/dynamodb.md");

/// The figures in a row of the page.
fn on_the_page(what: &str) -> Units {
    let row = PAGE.lines().find_map(|line| line.strip_prefix(&format!("| {what} | ")));
    let row = row.unwrap_or_else(|| panic!("docs/dynamodb.md has no row `{what}`"));
    let mut cells = row.trim_end_matches(" |").split(" | ").map(|cell| cell.parse().unwrap());
    Units { read: cells.next().unwrap(), written: cells.next().unwrap() }
}

struct Counted {
    store: SharedStore,
    counter: Counter,
    wrong: Vec<String>,
}

impl Counted {
    async fn new() -> Self {
        let counter = Counter::in_front_of(emulator::endpoint()).await;
        let url = emulator::url_at(&counter.endpoint);
        DynamoEngine::create(&url).await.unwrap();
        let store = open(&StoreUrl::Dynamo(url), Open::OrMake, &mut |_, _| {}).await.unwrap();
        Self { store, counter, wrong: Vec::new() }
    }

    /// Compares what was counted since the last time with the page.
    fn compare(&mut self, what: &str) {
        let (counted, told) = (self.counter.take(), on_the_page(what));
        if counted != told {
            self.wrong.push(format!("{what}: {counted:?} were counted, and the page says {told:?}"));
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_426_496).unwrap()
}

/// Somebody logs in by a backend.
fn request(pool_id: &IdentityPoolId, random: &SeededRandom) -> LinkRequest {
    LinkRequest {
        pool_id: pool_id.clone(),
        logins: vec![Login::developer("google:106843571690277312345")],
        identity_id: None,
        new_identity_id: IdentityId::generate(&region(), random),
        now: now(),
    }
}

fn region() -> Region {
    Region::parse("us-east-1").unwrap()
}

fn event(identity_id: &IdentityId, random: &SeededRandom) -> AuditEvent {
    let id = RequestId::generate(now(), random);
    AuditEvent {
        provider: Some("google".to_owned()),
        developer_user_identifier: Some("google:106843571690277312345".to_owned()),
        identity_id: Some(identity_id.clone()),
        source_ip: Some(IpAddr::from([203, 0, 113, 7])),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned()),
        ..AuditEvent::plain(now(), id, AuditAction::SignIn, AuditOutcome::Allowed)
    }
}

fn session(pool_id: &IdentityPoolId, identity_id: &IdentityId) -> SignInSession {
    let later = Timestamp::from_second(now().as_second() + 7_200).unwrap();
    SignInSession {
        id: SignInSessionId::of_bytes([7; SignInSessionId::LENGTH]),
        app: "web".to_owned(),
        pool_id: pool_id.clone(),
        identity_id: identity_id.clone(),
        provider: "google".to_owned(),
        upstream: Upstream { issuer: None, subject: "106843571690277312345".to_owned(), session: None },
        login: Sealed(vec![7; 256]),
        scope: Scope::default(),
        signed_in_at: Some(now()),
        checked_at: now(),
        key_thumbprint: None,
        device: None,
        generation: 0,
        created_at: now(),
        rotated_at: now(),
        late_at: None,
        idle_until: later,
        ends_at: later,
        ended: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_costs_what_the_page_says() {
    let mut it = Counted::new().await;
    let (store, random) = (Arc::clone(&it.store), SeededRandom::new(1));
    let pool_id = IdentityPoolId::generate(&region(), &random);
    let settings = PoolSettings { name: "pool".to_owned(), ..PoolSettings::default() };
    store.add_pool(&IdentityPool::new(pool_id.clone(), settings, PoolRoles::default())).await.unwrap();
    // The first login of a server reads what it then knows of the pool for a while.
    let other = LinkRequest { logins: vec![Login::developer("ada")], ..request(&pool_id, &random) };
    store.link_logins(&other).await.unwrap();
    it.counter.take();

    let linked = store.link_logins(&request(&pool_id, &random)).await.unwrap();
    let LinkOutcome::Created(identity) = linked else { panic!("{linked:?}") };
    it.compare("a first login");
    store.link_logins(&request(&pool_id, &random)).await.unwrap();
    it.compare("a known login");
    let role = RoleName::parse("reader").unwrap();
    store.standing(&identity.id, Some(&role), None).await.unwrap();
    it.compare("credentials for a token");

    let session = session(&pool_id, &identity.id);
    store.add_sign_in_session(&session, now()).await.unwrap();
    it.compare("a session begins");
    let found = store.find_sign_in_session(&session.id).await.unwrap().unwrap();
    assert!(
        store
            .replace_sign_in_session(&found, &SignInSession { generation: 1, ..found.clone() })
            .await
            .unwrap()
    );
    it.compare("a session is refreshed");
    let clock = Arc::new(ManualClock::at(now()));
    store.revoke_sessions(&RevocationTarget::Identity(identity.id.clone()), clock).await.unwrap();
    it.compare("a revocation of somebody");

    // The trail begins with lines of its own.
    store.add_audit_event(&event(&identity.id, &random)).await.unwrap();
    store.keep_up().await.unwrap();
    it.counter.take();
    store.keep_up().await.unwrap();
    it.compare("a look for events where there are none");
    store.add_audit_event(&event(&identity.id, &random)).await.unwrap();
    it.compare("an event is kept");
    store.keep_up().await.unwrap();
    it.compare("a look that finds one event");
    for _ in 0..10 {
        store.add_audit_event(&event(&identity.id, &random)).await.unwrap();
    }
    it.counter.take();
    store.keep_up().await.unwrap();
    it.compare("a look that finds ten events of one person");
    assert!(it.wrong.is_empty(), "{:#?}", it.wrong);
}
