//! What holds of decisions whatever becomes of their records.

use super::*;
use crate::audit::testing::Disk;
use crate::ground::clock::ManualClock;
use crate::ground::ids::RequestId;
use crate::ground::master_keys::{MasterKey, MasterKeys};
use crate::ground::random::SeededRandom;
use crate::iam::Origin;
use crate::store::memory::MemoryStore;

struct Fixture {
    logins: DeviceLogins,
    disk: Arc<Disk>,
}

impl Fixture {
    fn new() -> Self {
        Self::under(&MasterKey::new([9; 32]).into())
    }

    fn under(master_keys: &MasterKeys) -> Self {
        let store = Arc::new(MemoryStore::new());
        let disk = Disk::new(&store, false);
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at_second(1_700_000_000));
        let random = Arc::new(SeededRandom::new(1));
        let logins = DeviceLogins {
            apps: ["tv".to_owned()].into(),
            user_codes: user_codes(master_keys),
            questions: questions(master_keys),
            limits: Arc::new(DeviceLimits::new(&clock)),
            trail: Arc::new(disk.trail(clock.clone())),
            store,
            clock,
            random,
        };
        Self { logins, disk }
    }

    /// A device that waits, and what somebody has to decide about it who has signed in.
    async fn asked(&self) -> (Secret, String) {
        let new = NewDevice { app: "tv".to_owned(), scope: Scope::default(), device: None };
        let begun = self.logins.begin(new, None, &by()).await.unwrap();
        let question = Question {
            authorization: device_code::id_in(&begun.device_code).unwrap(),
            login_code: "code".to_owned(),
            provider: "snapchat".to_owned(),
            developer_user_identifier: "snapchat:ada".to_owned(),
        };
        let plain = serde_json::to_vec(&question).unwrap();
        let sealed = self.logins.questions.seal(&[], &plain, &*self.logins.random);
        (begun.device_code, BASE64_URL_SAFE_NO_PAD.encode(sealed.0))
    }
}

fn by() -> Requester {
    let request_id = RequestId::generate(Timestamp::UNIX_EPOCH, &SeededRandom::new(1));
    Requester::anonymous(&request_id, Origin::default())
}

#[tokio::test]
async fn a_device_is_not_let_if_that_cannot_be_recorded() {
    let fixture = Fixture::new();
    let (device_code, question) = fixture.asked().await;
    fixture.disk.fill(true);
    let refused = fixture.logins.decide(&question, Verdict::Allow, &by()).await;
    assert!(matches!(refused, Err(DecisionError::Store(_))), "{refused:?}");
    let told = fixture.logins.poll("tv", device_code.clone()).await;
    assert!(matches!(told, Err(PollError::Pending)), "{told:?}");

    fixture.disk.fill(false);
    fixture.logins.decide(&question, Verdict::Allow, &by()).await.unwrap();
    fixture.logins.poll("tv", device_code).await.unwrap();
}

#[tokio::test]
async fn a_no_stays_one_though_it_cannot_be_recorded() {
    let fixture = Fixture::new();
    let (device_code, question) = fixture.asked().await;
    fixture.disk.fill(true);
    let told = fixture.logins.decide(&question, Verdict::Deny, &by()).await;
    assert!(matches!(told, Err(DecisionError::Store(_))), "{told:?}");
    let told = fixture.logins.poll("tv", device_code).await;
    assert!(matches!(told, Err(PollError::Denied)), "{told:?}");
}

#[tokio::test]
async fn what_another_master_key_sealed_or_named_is_none_of_ours() {
    let (ours, theirs) = (Fixture::new(), Fixture::new());
    let (_, question) = ours.asked().await;
    let other = DeviceLogins {
        user_codes: user_codes(&MasterKeys::from(MasterKey::new([1; 32]))),
        questions: questions(&MasterKeys::from(MasterKey::new([1; 32]))),
        store: ours.logins.store.clone(),
        ..theirs.logins
    };
    let refused = other.decide(&question, Verdict::Allow, &by()).await;
    assert!(matches!(refused, Err(DecisionError::NothingWaits)), "{refused:?}");
    let code = UserCode::read("BCDF-GHJK").unwrap();
    assert_ne!(other.id(&code), ours.logins.id(&code));
}

#[tokio::test]
async fn what_began_under_the_master_key_before_ends_under_the_next_one() {
    let key = |byte: u8| MasterKey::new([byte; 32]);
    let before = Fixture::under(&key(1).into());
    let new = NewDevice { app: "tv".to_owned(), scope: Scope::default(), device: None };
    let begun = before.logins.begin(new, None, &by()).await.unwrap();
    let (_, question) = before.asked().await;
    let after = Fixture::under(&MasterKeys::new(key(2), vec![key(1)]));
    let after = DeviceLogins { store: before.logins.store.clone(), ..after.logins };
    let found = after.find(&begun.user_code, None, &by()).await.unwrap();
    assert_eq!(Some(found.id), device_code::id_in(&begun.device_code));
    after.decide(&question, Verdict::Allow, &by()).await.unwrap();
}
