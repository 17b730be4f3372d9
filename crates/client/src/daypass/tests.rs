//! Logins and their end with a keyring that does what the test says, and with a broker.

#[path = "../../tests/broker/mod.rs"]
mod broker;

use std::fs::{self, File};
use std::sync::atomic::Ordering;

use self::broker::{Broker, CODE};
use super::*;
use crate::keyring::Key;
use crate::keyring::tests::Memory;

/// A broker, a directory and a keyring.
struct Setting {
    broker: Broker,
    dir: tempfile::TempDir,
    keyring: Arc<Memory>,
}

impl Setting {
    fn new() -> Self {
        Self { broker: Broker::start(3600), dir: tempfile::tempdir().unwrap(), keyring: Arc::default() }
    }

    /// With a sealed session.
    async fn sealed() -> Self {
        let setting = Self::new();
        setting.sign_in(setting.daypass().with_keyring()).await.unwrap();
        setting
    }

    /// As another process would have it.
    fn daypass(&self) -> Daypass {
        let name = SessionName::new(&self.broker.url, TERMINAL).unwrap();
        let file = Arc::new(SessionFile::new(self.dir.path(), &name, self.keyring.clone()));
        Daypass { file, ..Daypass::of(name, Home::at(self.dir.path()), Arc::new(SystemClock)) }
    }

    async fn begin(&self, daypass: &Daypass) -> SignIn {
        daypass.begin_sign_in("http://127.0.0.1:1/callback", None).await.unwrap()
    }

    async fn finish(&self, daypass: &Daypass, sign_in: SignIn) -> Result<SignedIn, Error> {
        let code = sign_in.code_of_paste(CODE).unwrap();
        daypass.finish_sign_in(&sign_in, &code, "a test").await
    }

    async fn sign_in(&self, daypass: Daypass) -> Result<SignedIn, Error> {
        let sign_in = self.begin(&daypass).await;
        self.finish(&daypass, sign_in).await
    }

    fn lock(&self) -> File {
        let file = File::create(self.daypass().file.lock()).unwrap();
        file.try_lock().unwrap();
        file
    }

    /// Whether the session opens for somebody who has to ask the keyring.
    async fn opens(&self) -> bool {
        self.keyring.be(None);
        self.daypass().kept().await.is_ok()
    }
}

#[tokio::test]
async fn a_keyring_that_was_locked_meanwhile_is_not_unlocked_under_the_lock() {
    for trouble in [None, Some(NoKeyring::Locked), Some(NoKeyring::TooLong(8))] {
        for setting in [Setting::new(), Setting::sealed().await] {
            let daypass = setting.daypass().with_keyring();
            let sign_in = setting.begin(&daypass).await;
            setting.keyring.be(trouble.clone());
            setting.keyring.prompted.store(0, Ordering::SeqCst);
            let SignedIn { session, unended, unforgotten } = setting.finish(&daypass, sign_in).await.unwrap();
            assert_eq!(setting.keyring.prompted.load(Ordering::SeqCst), 0);
            assert_eq!((unended, unforgotten), (None, None));
            assert!(session.sealed_by.is_some() && setting.opens().await, "{trouble:?}");
        }
    }
}

#[tokio::test]
async fn a_key_that_was_deleted_meanwhile_costs_no_code() {
    let setting = Setting::new();
    let daypass = setting.daypass().with_keyring();
    let sign_in = setting.begin(&daypass).await;
    setting.keyring.clear();
    let error = setting.finish(&daypass, sign_in).await.unwrap_err();
    assert!(matches!(error, Error::KeyGone(_)), "{error}");
    assert!(error.to_string().ends_with(" --keyring`"), "{error}");
    assert_eq!(setting.broker.counts().0, 0);
}

#[tokio::test]
async fn a_key_that_is_another_by_now_is_the_one_that_counts() {
    let setting = Setting::new();
    let daypass = setting.daypass().with_keyring();
    let sign_in = setting.begin(&daypass).await;
    let other = Key::draw();
    setting.keyring.replace(&other);
    let signed_in = setting.finish(&daypass, sign_in).await.unwrap();
    assert_eq!(signed_in.session.sealed_by, Some(other));
    assert!(setting.opens().await);
}

/// The file says so, where the keyring says nothing.
#[tokio::test]
async fn a_key_that_was_another_ones_when_the_keyring_was_locked_costs_no_code() {
    let setting = Setting::new();
    let daypass = setting.daypass().with_keyring();
    let sign_in = setting.begin(&daypass).await;
    setting.keyring.clear();
    setting.sign_in(setting.daypass().with_keyring()).await.unwrap();
    setting.keyring.be(Some(NoKeyring::Locked));
    let error = setting.finish(&daypass, sign_in).await.unwrap_err();
    assert!(matches!(error, Error::NoKeyring(NoKeyring::Locked)), "{error}");
    assert_eq!(setting.broker.counts().0, 1);
    assert!(setting.opens().await, "the other one's session is as it was");
}

#[tokio::test]
async fn a_plain_login_tells_what_a_locked_keyring_did_not_let_go_of() {
    let setting = Setting::sealed().await;
    setting.keyring.be(Some(NoKeyring::Locked));
    let signed_in = setting.sign_in(setting.daypass()).await.unwrap();
    assert_eq!(signed_in.unended, Some(NoKeyring::Locked));
    assert_eq!(signed_in.unforgotten, Some(NoKeyring::Locked));
    assert!(setting.broker.revoked().is_empty() && signed_in.session.sealed_by.is_none());

    let setting = Setting::sealed().await;
    let signed_in = setting.sign_in(setting.daypass()).await.unwrap();
    assert_eq!((signed_in.unended, signed_in.unforgotten), (None, None));
    assert_eq!(setting.broker.revoked(), ["dpr_1"]);
    assert!(setting.keyring.keys().is_empty());
}

#[tokio::test]
async fn signing_out_of_a_damaged_file_takes_the_key_away_and_asks_nobody() {
    let setting = Setting::sealed().await;
    let daypass = setting.daypass();
    fs::write(daypass.file.path(), "{").unwrap();
    setting.keyring.prompted.store(0, Ordering::SeqCst);
    let signed_out = daypass.sign_out(false).await.unwrap();
    assert!(matches!(signed_out.untold, Some(Error::Damaged { .. })), "{signed_out:?}");
    assert!(setting.keyring.keys().is_empty() && !daypass.file.path().exists());
    assert_eq!(setting.keyring.prompted.load(Ordering::SeqCst), 0);

    fs::write(daypass.file.path(), "{").unwrap();
    setting.keyring.be(Some(NoKeyring::NotHere));
    daypass.sign_out(false).await.expect("where there is no keyring, there is a file to remove");
    assert!(!daypass.file.path().exists());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_away_without_the_lock() {
    let setting = Setting::new();
    let _lock = setting.lock();
    let daypass = setting.daypass();
    let over = || daypass.file.write_over("revoked").unwrap();
    let damaged = || fs::write(daypass.file.path(), "{").unwrap();
    for prepare in [&over as &dyn Fn(), &damaged] {
        prepare();
        let begun = tokio::time::Instant::now();
        daypass.sign_out(false).await.unwrap();
        assert!(begun.elapsed() >= PATIENCE);
        assert!(!daypass.file.path().exists(), "in the end it is gone");
    }
}

#[tokio::test]
async fn a_session_that_began_while_signing_out_waited_is_ended_at_the_broker() {
    let setting = Setting::sealed().await;
    let daypass = setting.daypass();
    let lock = setting.lock();
    let session = daypass.kept().await.unwrap();
    daypass.file.write_over("revoked").unwrap();
    let signing_out = tokio::spawn({
        let daypass = setting.daypass();
        async move { daypass.sign_out(false).await }
    });
    // It comes as far as to the lock: what is before that, waits for nothing.
    tokio::task::yield_now().await;
    daypass.file.draft().unwrap().put(&session).unwrap();
    drop(lock);
    assert!(signing_out.await.unwrap().unwrap().untold.is_none());
    assert_eq!(setting.broker.revoked(), ["dpr_1"]);
    assert!(setting.keyring.keys().is_empty() && !daypass.file.path().exists());
}

#[tokio::test]
async fn what_to_type_has_the_keyring_in_it_while_the_session_does() {
    let setting = Setting::sealed().await;
    assert!(setting.daypass().login_command().ends_with(" --keyring"));
    setting.sign_in(setting.daypass()).await.unwrap();
    assert!(!setting.daypass().login_command().contains("--keyring"));
}
