use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::audit::testing;
use crate::credentials::access_key::ALLOW_ALL;
use crate::ground::clock::ManualClock;
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, RequestId, SignInSessionId, UserName};
use crate::ground::master_keys::MasterKey;
use crate::ground::random::SeededRandom;
use crate::iam::Origin;
use crate::records::scope::Scope;
use crate::records::sign_in_session::{SignInSession, Upstream};
use crate::records::signing_algorithm::Algorithm;
use crate::store::memory::MemoryStore;
use crate::store::{Keys, SignInSessions, StoredAccessKey};
use crate::token::key_set::KeySet;
use crate::token::local_keys::LocalKeys;
use crate::token::signing_key::SigningKey;

const SECOND: i64 = 1_700_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(SECOND + second).unwrap()
}

fn keys(current: u8, others: &[u8]) -> MasterKeys {
    let key = |byte: u8| MasterKey::new([byte; 32]);
    MasterKeys::new(key(current), others.iter().copied().map(key).collect())
}

fn id(byte: u8) -> MasterKeyId {
    MasterKey::new([byte; 32]).id()
}

fn by() -> Requester {
    let request_id = RequestId::generate(Timestamp::UNIX_EPOCH, &SeededRandom::new(1));
    Requester::anonymous(&request_id, Origin::default())
}

struct Fixture {
    store: Arc<MemoryStore>,
    random: Arc<SeededRandom>,
}

impl Fixture {
    fn new() -> Self {
        Self { store: Arc::default(), random: Arc::new(SeededRandom::new(1)) }
    }

    /// A signing key, an access key and so many sessions, sealed under a master key.
    async fn filled(master_key: u8, sessions: u16) -> Self {
        let (fixture, master_keys) = (Self::new(), keys(master_key, &[]));
        let (store, random) = (&fixture.store, &*fixture.random);
        let sealer = signing_key::sealer(&master_keys);
        let key = SigningKey::generate("us-east-11".into(), Algorithm::Es256, [at(0); 2], &sealer, random);
        store.add_signing_key(&key, &[]).await.unwrap();
        let id = AccessKeyId::generate_developer(random);
        let sealed_secret = access_key::sealer(&master_keys).seal(id.as_str().as_bytes(), b"secret", random);
        let (name, policy) = (UserName::parse("ci").unwrap(), ALLOW_ALL.into());
        let key = StoredAccessKey { id, name, policy, sealed_secret, created_at: at(0), enabled: true };
        store.add_first_access_key(&key).await.unwrap();
        for number in 0..sessions {
            fixture.add_session(number, &master_keys).await;
        }
        fixture
    }

    async fn add_session(&self, number: u16, master_keys: &MasterKeys) {
        let id = session_id(number);
        let login = logins(master_keys).seal(&sessions::context(&id), b"login", &*self.random);
        let session = SignInSession {
            id,
            app: "web".into(),
            pool_id: IdentityPoolId::parse("us-east-1:bb").unwrap(),
            identity_id: IdentityId::parse("us-east-1:aa").unwrap(),
            provider: "snapchat".into(),
            upstream: Upstream::default(),
            login,
            scope: Scope::default(),
            signed_in_at: None,
            checked_at: at(0),
            key_thumbprint: None,
            device: None,
            generation: 0,
            created_at: at(0),
            rotated_at: at(0),
            late_at: None,
            idle_until: at(100_000),
            ends_at: at(200_000),
            ended: None,
        };
        self.store.add_sign_in_session(&session, at(0)).await.unwrap();
    }

    async fn announce(&self, master_key: u8, second: i64) {
        self.store.announce_master_key(id(master_key), at(second)).await.unwrap();
    }

    async fn rotation(&self, master_keys: &MasterKeys) -> Result<Rotation, RotationError> {
        let clock = Arc::new(ManualClock::at_second(SECOND + 60));
        let trail = testing::trail(&self.store, clock.clone());
        Rotation::to(master_keys, self.store.clone(), Arc::new(trail), clock, self.random.clone()).await
    }

    async fn rotate(&self, master_keys: &MasterKeys) -> Rotated {
        let rotation = self.rotation(master_keys).await.unwrap();
        rotation.run(&by(), |_| ()).await.unwrap()
    }

    /// Whether everything opens under these keys.
    async fn opens(&self, master_keys: &MasterKeys) -> bool {
        let keys = KeySet::open(&self.store.list_signing_keys().await.unwrap(), master_keys, &LocalKeys);
        let sealer = access_key::sealer(master_keys);
        let access_keys = self.store.list_access_keys().await.unwrap();
        let sessions = self.store.list_sealed(Page { after: None, limit: 1_000 }).await.unwrap();
        keys.is_ok()
            && access_keys.iter().all(|key| access_key::open(&sealer, key).is_ok())
            && sessions.iter().all(|value| match &value.item {
                SealedItem::SignInSession(id) => {
                    logins(master_keys).open(&sessions::context(id), &value.sealed).is_ok()
                }
                _ => true,
            })
    }

    async fn recorded(&self) -> Vec<Option<String>> {
        use crate::store::AuditEvents;
        let about = crate::audit::AuditSubject::Request(by().request_id);
        let events = self.store.list_audit_events(&about, 10).await.unwrap();
        assert!(events.iter().all(|event| event.action == AuditAction::RotateMasterKey));
        events.into_iter().map(|event| event.resource).collect()
    }
}

fn session_id(number: u16) -> SignInSessionId {
    let mut bytes = [0; SignInSessionId::LENGTH];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    SignInSessionId::of_bytes(bytes)
}

/// As [`LoginSealer`] has it.
fn logins(master_keys: &MasterKeys) -> Sealer {
    master_keys.sealer("verified login")
}

#[tokio::test]
async fn everything_opens_under_the_new_key_alone_and_the_trail_has_it_once() {
    let fixture = Fixture::filled(1, 250).await;
    fixture.announce(2, 0).await;
    let rotated = fixture.rotate(&keys(2, &[1])).await;
    assert_eq!((rotated.resealed, rotated.left, rotated.closed), (252, 0, None));
    assert!(fixture.opens(&keys(2, &[])).await && !fixture.opens(&keys(1, &[])).await);
    assert_eq!(count(&*fixture.store).await.unwrap(), Kept::from([(Some(id(2)), 252)]));
    assert_eq!(fixture.recorded().await, [Some(format!("master key {}", id(2)))]);

    let again = fixture.rotate(&keys(2, &[1])).await;
    assert_eq!((again.resealed, again.left), (0, 0));
    assert_eq!(fixture.recorded().await.len(), 1, "nothing was done");
}

/// A server that has not the new key could open nothing any more.
#[tokio::test]
async fn nothing_is_sealed_anew_before_servers_seal_under_the_key() {
    let fixture = Fixture::filled(1, 1).await;
    let told = fixture.rotation(&keys(2, &[1])).await.err().unwrap().to_string();
    assert!(told.contains(&format!("no server seals under the master key {} yet:", id(2))), "{told}");
    fixture.announce(1, 0).await;
    let told = fixture.rotation(&keys(2, &[1])).await.err().unwrap().to_string();
    assert!(told.contains(&format!("but under {}", id(1))) && told.contains("SIGHUP"), "{told}");
    assert!(fixture.opens(&keys(1, &[])).await);
    assert_eq!(fixture.recorded().await, [] as [Option<String>; 0]);
}

#[tokio::test]
async fn what_does_not_open_is_left_and_named_and_everything_else_is_done() {
    let fixture = Fixture::filled(1, 3).await;
    fixture.add_session(7, &keys(3, &[])).await;
    fixture.announce(2, 0).await;
    let rotated = fixture.rotate(&keys(2, &[1])).await;
    assert_eq!((rotated.resealed, rotated.left), (5, 1));
    let told = rotated.closed.unwrap().to_string();
    assert!(told.contains(&session_id(7).to_string()) && told.contains(&id(3).to_string()), "{told}");
    let rotated = fixture.rotate(&keys(2, &[1, 3])).await;
    assert_eq!((rotated.resealed, rotated.left, rotated.closed), (1, 0, None));
}

/// As every release before 0035 sealed.
#[tokio::test]
async fn what_names_no_master_key_names_one_afterwards() {
    let fixture = Fixture::filled(1, 3).await;
    let values = fixture.store.list_sealed(Page { after: None, limit: 10 }).await.unwrap();
    let unnamed = values.into_iter().map(|from| {
        let to = Sealed([&[1], &from.sealed.0[1 + MasterKeyId::LENGTH..]].concat());
        Resealing { from, to }
    });
    fixture.store.reseal(&unnamed.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(count(&*fixture.store).await.unwrap(), Kept::from([(None, 5)]));
    assert!(fixture.opens(&keys(1, &[])).await);
    fixture.announce(1, 0).await;
    assert_eq!(fixture.rotate(&keys(1, &[])).await.resealed, 5);
    assert_eq!(count(&*fixture.store).await.unwrap(), Kept::from([(Some(id(1)), 5)]));
}

#[tokio::test]
async fn the_old_key_is_wanted_until_the_last_that_was_handed_out_has_ended() {
    let half_a_day = 12 * 60 * 60;
    let fixture = Fixture::filled(1, 0).await;
    fixture.announce(2, 30).await;
    let rotated = fixture.rotate(&keys(2, &[1])).await;
    assert_eq!(rotated.handed_out_until, at(30 + half_a_day));
    fixture.add_session(1, &keys(1, &[])).await;
    let rotated = fixture.rotate(&keys(2, &[1])).await;
    assert_eq!(rotated.handed_out_until, at(100_000), "when a session ends that has an old refresh token");
    let session = fixture.store.find_sign_in_session(&session_id(1)).await.unwrap().unwrap();
    let refreshed = SignInSession { generation: 1, rotated_at: at(40), ..session.clone() };
    fixture.store.replace_sign_in_session(&session, &refreshed).await.unwrap();
    let rotated = fixture.rotate(&keys(2, &[1])).await;
    assert_eq!(rotated.handed_out_until, at(30 + half_a_day));
}

/// Refreshes have read a session before it is sealed anew, and write after it.
#[tokio::test(flavor = "multi_thread")]
async fn racing_rotations_beside_refreshes_leave_nothing_under_the_old_key() {
    let fixture = Arc::new(Fixture::filled(1, 400).await);
    fixture.announce(2, 0).await;
    let done = Arc::new(AtomicBool::new(false));
    let refreshes = (0..2_u16).map(|task| {
        let (fixture, done) = (fixture.clone(), done.clone());
        tokio::spawn(async move {
            let mut number = task;
            while !done.load(Ordering::Relaxed) {
                let from = fixture.store.find_sign_in_session(&session_id(number)).await.unwrap().unwrap();
                tokio::task::yield_now().await;
                let to = SignInSession { generation: from.generation + 1, ..from.clone() };
                fixture.store.replace_sign_in_session(&from, &to).await.unwrap();
                number = (number + 7) % 400;
            }
        })
    });
    let refreshes: Vec<_> = refreshes.collect();
    let rotations = (0..3).map(|_| {
        let fixture = fixture.clone();
        tokio::spawn(async move { fixture.rotate(&keys(2, &[1])).await })
    });
    let mut resealed = 0;
    for rotation in rotations.collect::<Vec<_>>() {
        let rotated = rotation.await.unwrap();
        assert_eq!((rotated.left, rotated.closed), (0, None));
        resealed += rotated.resealed;
    }
    done.store(true, Ordering::Relaxed);
    for refresh in refreshes {
        refresh.await.unwrap();
    }
    assert_eq!(resealed, 402, "each value once");
    assert!(fixture.opens(&keys(2, &[])).await);
}
