//! A session from its login to its end, with a broker that does what the test says.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

#[path = "../broker/mod.rs"]
mod broker;
mod kept;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::provider::ProvideCredentials;
use daypass_client::{Clock, Daypass, Error, Home, Session, SessionName, TERMINAL};

use self::broker::{Broker, CODE, Fate};

const START: u64 = 1_800_000_000;
const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";
const SECRETS: [&str; 5] = ["dpr_", "the-secret-key", "the-session-token", "an-access-token", CODE];

/// A clock that moves when it is told to.
#[derive(Debug, Clone)]
struct Hands(Arc<AtomicU64>);

impl Clock for Hands {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A broker, a directory and a clock.
struct Setting {
    broker: Broker,
    dir: tempfile::TempDir,
    clock: Hands,
}

impl Setting {
    /// Where somebody signed in for credentials of an hour.
    async fn signed_in() -> Self {
        let setting = Self::new();
        setting.sign_in().await.unwrap();
        setting
    }

    /// The same from a runtime whose time does not pass by itself, which would end connections at once.
    fn signed_in_without_waiting() -> Self {
        let signing_in = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Self::signed_in())
        });
        signing_in.join().unwrap()
    }

    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { broker: Broker::start(3600), dir, clock: Hands(Arc::new(AtomicU64::new(START))) }
    }

    fn home(&self) -> Home {
        Home::at(self.dir.path().join("daypass"))
    }

    fn name(&self) -> SessionName {
        SessionName::new(&self.broker.url, TERMINAL).unwrap()
    }

    /// As another process would have it.
    fn daypass(&self) -> Daypass {
        Daypass::of(self.name(), self.home(), Arc::new(self.clock.clone()))
    }

    async fn sign_in(&self) -> Result<Session, Error> {
        let daypass = self.daypass();
        let sign_in = daypass.begin_sign_in(REDIRECT_URI, None).await?;
        let code = sign_in.code_of_paste(CODE).unwrap();
        daypass.finish_sign_in(&sign_in, &code, "a test").await.map(|signed_in| signed_in.session)
    }

    fn advance(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The one file that ends so.
    fn file(&self, end: &str) -> PathBuf {
        let mut found = self.files();
        found.retain(|path| path.to_str().unwrap().ends_with(end));
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.home().path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn assert_no_secret(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn credentials_last_until_a_quarter_of_an_hour_is_left() {
    let setting = Setting::signed_in().await;
    setting.advance(2699);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA1");
    setting.advance(1);
    let session = setting.daypass().session().await.unwrap();
    assert_eq!(session.access_key_id(), "ASIA2");
    assert_eq!(setting.broker.counts(), (2, 1));
    // By this machine's clock, and not by what the broker says of the year 2001.
    assert_eq!(session.expires_at(), UNIX_EPOCH + Duration::from_secs(START + 2700 + 3600));
    assert_eq!(session.ends_at(), UNIX_EPOCH + Duration::from_secs(START + 2700 + 30 * 86_400));
}

#[tokio::test]
async fn credentials_of_a_short_life_are_refreshed_in_its_middle() {
    let setting = Setting::signed_in().await;
    setting.broker.live_for(900);
    setting.advance(3600);
    for (later, expected) in [(0, "ASIA2"), (449, "ASIA2"), (1, "ASIA3")] {
        setting.advance(later);
        assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), expected);
    }
}

#[tokio::test]
async fn the_sdk_gets_credentials_and_has_something_to_fall_back_on() {
    let setting = Setting::signed_in().await;
    let daypass = setting.daypass();
    assert!(daypass.fallback_on_interrupt().is_none());
    let credentials = daypass.provide_credentials().await.unwrap();
    assert_eq!(credentials.secret_access_key(), "the-secret-key-1");
    assert_eq!(credentials.session_token(), Some("the-session-token-1"));
    assert_eq!(credentials.expiry(), Some(UNIX_EPOCH + Duration::from_secs(START + 3600)));
    setting.advance(3599);
    assert_eq!(daypass.fallback_on_interrupt(), Some(credentials));
    setting.advance(1);
    assert!(daypass.fallback_on_interrupt().is_none(), "what is expired helps nobody");
}

#[tokio::test]
async fn of_all_who_want_to_refresh_one_asks() {
    let setting = Setting::signed_in().await;
    setting.advance(3600);
    let all: Vec<_> = (0..20).map(|_| setting.daypass()).collect();
    let asked = all.into_iter().map(|daypass| tokio::spawn(async move { daypass.session().await }));
    for session in asked.collect::<Vec<_>>() {
        assert_eq!(session.await.unwrap().unwrap().access_key_id(), "ASIA2");
    }
    assert_eq!(setting.broker.counts(), (2, 1));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_with_the_same_token() {
    let setting = Setting::signed_in().await;
    setting.advance(3600);
    setting.broker.next(&[Fate::Lost]);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA2");
    assert_eq!(setting.broker.counts(), (3, 1), "asked twice, replaced once");

    setting.advance(3600);
    setting.broker.next(&[Fate::Lost, Fate::Lost]);
    let error = setting.daypass().session().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    setting.advance(5);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA3");
    assert_eq!(setting.broker.counts(), (6, 2));
}

#[tokio::test]
async fn old_credentials_are_good_while_they_live_and_the_broker_is_left_alone() {
    let setting = Setting::signed_in().await;
    setting.advance(2700);
    let daypass = setting.daypass();
    setting.broker.next(&[Fate::Status(503, "Retry-After: 7\r\n")]);
    assert_eq!(daypass.session().await.unwrap().access_key_id(), "ASIA1");
    setting.advance(6);
    // Another process knows of it, too.
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA1");
    assert_eq!(setting.broker.counts(), (2, 0));
    setting.advance(1);
    assert_eq!(daypass.session().await.unwrap().access_key_id(), "ASIA2");
}

#[tokio::test]
async fn expired_credentials_are_handed_out_to_nobody() {
    let setting = Setting::signed_in().await;
    setting.advance(3600);
    setting.broker.next(&[Fate::Status(500, ""), Fate::Status(429, "")]);
    let daypass = setting.daypass();
    for (later, asked, words) in [(0, 2, "500"), (0, 2, "500"), (1, 3, "429"), (1, 3, "429")] {
        setting.advance(later);
        let error = daypass.session().await.unwrap_err().to_string();
        assert!(error.contains(&format!("it answered {words}; try again")), "{error}");
        assert_eq!(setting.broker.counts(), (asked, 0));
    }
    setting.advance(1);
    assert_eq!(daypass.session().await.unwrap().access_key_id(), "ASIA2");
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_an_error_with_its_address() {
    let setting = Setting::signed_in().await;
    let gone = setting.broker.under("http://127.0.0.1:1");
    let setting = Setting { broker: gone, ..setting };
    let error = setting.sign_in().await.unwrap_err().to_string();
    assert!(error.starts_with("http://127.0.0.1:1 cannot be asked: Connection refused"), "{error}");
}

#[tokio::test]
async fn a_session_that_is_over_says_why_and_is_not_asked_for_again() {
    for (reason, words) in [
        ("expired", "was not used for too long"),
        ("signed_out", "it was signed out"),
        ("reused", "its token was used a second time"),
        ("revoked", "or by the operator"),
        ("login_unlinked", "is not yours any more"),
        ("identity_gone", "your identity is not there any more"),
        ("upstream", "does not vouch for you"),
        ("malformed", "none of this broker's"),
        ("of-tomorrow", "the broker says so"),
    ] {
        let setting = Setting::signed_in().await;
        setting.advance(2700);
        setting.broker.next(&[Fate::Over(reason)]);
        let daypass = setting.daypass();
        for _ in 0..2 {
            let error = daypass.session().await.unwrap_err().to_string();
            assert!(error.contains(words), "{reason}: {error}");
            assert!(error.ends_with(&format!("type `daypass login {}`", setting.broker.url)), "{error}");
        }
        assert_eq!(setting.broker.counts(), (2, 0));
        assert!(daypass.fallback_on_interrupt().is_none());
        assert_no_secret(&fs::read_to_string(setting.file(".json")).unwrap());
        setting.sign_in().await.unwrap();
        setting.daypass().session().await.unwrap();
    }
}

#[tokio::test]
async fn a_proxy_in_between_ends_no_session() {
    let setting = Setting::signed_in().await;
    setting.advance(2700);
    for status in [400, 401, 403, 404, 407, 502] {
        setting.broker.next(&[Fate::Status(status, "")]);
        assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA1", "{status}");
        setting.advance(1);
    }
    setting.advance(60);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA2");
}

#[tokio::test]
async fn an_app_that_is_not_there_is_the_operators_to_add() {
    let setting = Setting::new();
    let name = SessionName::new(&setting.broker.url, "nowhere").unwrap();
    let daypass = Daypass::of(name, setting.home(), Arc::new(setting.clock.clone()));
    let error = daypass.begin_sign_in(REDIRECT_URI, None).await.unwrap_err().to_string();
    assert!(error.contains("has no app \"nowhere\": its operator adds an [[app]]"), "{error}");
}

#[tokio::test]
async fn a_code_that_counts_for_nothing_says_so() {
    let setting = Setting::new();
    let daypass = setting.daypass();
    let sign_in = daypass.begin_sign_in(REDIRECT_URI, None).await.unwrap();
    let code = sign_in.code_of_paste("a-code-of-somebody-else").unwrap();
    let error = daypass.finish_sign_in(&sign_in, &code, "a test").await.unwrap_err().to_string();
    assert!(error.contains("counts for nothing any more") && error.contains("`daypass login"), "{error}");
    assert!(setting.files().iter().all(|path| path.extension().unwrap() == "lock"), "{:?}", setting.files());
}

#[tokio::test]
async fn a_login_names_the_app_the_device_and_the_verifier() {
    let setting = Setting::signed_in().await;
    let form = &setting.broker.forms()[0];
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("client_id", "terminal"),
        ("redirect_uri", REDIRECT_URI),
        ("code", CODE),
        ("credentials", "true"),
        ("device", "a test"),
    ] {
        assert_eq!(form[name], value);
    }
    assert_eq!(form["code_verifier"].len(), 43);
}

#[tokio::test]
async fn another_address_than_the_brokers_own_is_refused() {
    let setting = Setting::new();
    let url = setting.broker.url.replace("127.0.0.1", "localhost");
    let elsewhere = Setting { broker: setting.broker.under(&url), ..setting };
    let error = elsewhere.sign_in().await.unwrap_err().to_string();
    assert!(error.contains("it calls itself http://127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn who_is_no_broker_is_told_apart_from_one_that_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let setting = Setting::new();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let setting = Setting { broker: setting.broker.under(&url), ..setting };
    std::thread::spawn(move || {
        for answer in
            ["403 Forbidden\r\nContent-Length: 0\r\n\r\n", "200 OK\r\nContent-Length: 6\r\n\r\n<html>"]
        {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).unwrap();
        }
    });
    for words in ["it answered 403", "its answer cannot be read"] {
        let error = setting.sign_in().await.unwrap_err().to_string();
        assert_eq!(error, format!("{url} does not answer as a Daypass does: {words}"));
    }
}

#[tokio::test]
async fn who_says_https_where_nobody_speaks_tls_hears_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let setting = Setting::new();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let setting = Setting { broker: setting.broker.under(&url), ..setting };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = setting.sign_in().await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{url} does not answer as a Daypass does: nobody speaks TLS there: is it http://?")
    );
}

#[tokio::test]
async fn a_redirect_leads_no_token_elsewhere() {
    let (setting, other) = (Setting::signed_in().await, Broker::start(3600));
    setting.advance(3600);
    let location = format!("Location: {}/oauth2/token\r\n", other.url).leak();
    setting.broker.next(&[Fate::Status(307, location)]);
    let error = setting.daypass().session().await.unwrap_err().to_string();
    assert!(error.contains("refuses: it answered 307"), "{error}");
    assert_eq!(other.counts(), (0, 0));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_file_away() {
    let setting = Setting::signed_in().await;
    let daypass = setting.daypass();
    daypass.session().await.unwrap();
    assert!(daypass.sign_out(false).await.unwrap().untold.is_none());
    assert_eq!(setting.broker.revoked(), ["dpr_1"]);
    assert!(daypass.fallback_on_interrupt().is_none());
    let error = daypass.session().await.unwrap_err().to_string();
    assert_eq!(error, format!("you are not signed in at {0}: type `daypass login {0}`", setting.broker.url));
    assert_eq!(setting.home().sessions().unwrap(), []);

    setting.sign_in().await.unwrap();
    assert!(setting.daypass().sign_out(true).await.unwrap().untold.is_none());
    assert_eq!(setting.broker.revoked(), ["dpr_1", "all"]);
}

#[tokio::test]
async fn a_new_login_ends_the_session_of_before() {
    let setting = Setting::signed_in().await;
    setting.sign_in().await.unwrap();
    assert_eq!(setting.broker.revoked(), ["dpr_1"]);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA2");
    assert!(setting.daypass().sessions().await.is_ok());
}

#[tokio::test]
async fn signing_out_works_without_the_broker_and_says_so() {
    for everywhere in [false, true] {
        let setting = Setting::signed_in().await;
        setting.broker.fall_silent();
        let untold = setting.daypass().sign_out(everywhere).await.unwrap().untold.unwrap().to_string();
        assert!(untold.contains("cannot be asked"), "{untold}");
        assert!(setting.files().iter().all(|path| path.extension().unwrap() == "lock"));
    }
}

#[tokio::test]
async fn a_sign_out_while_a_refresh_is_under_way_stays_one() {
    let setting = Setting::signed_in().await;
    setting.advance(3600);
    setting.broker.next(&[Fate::Held]);
    let daypass = setting.daypass();
    let refreshing = tokio::spawn(async move { daypass.session().await });
    let broker = setting.broker.clone();
    tokio::task::spawn_blocking(move || broker.wait_for_held()).await.unwrap();
    fs::remove_file(setting.file(".json")).unwrap();
    setting.broker.release();
    assert!(matches!(refreshing.await.unwrap(), Err(Error::NotSignedIn(_))));
    assert!(setting.files().iter().all(|path| path.extension().unwrap() == "lock"));
}

#[tokio::test]
async fn who_cannot_write_spends_no_token() {
    let setting = Setting::signed_in().await;
    let lock = setting.file(".lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    setting.advance(2700);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA1");
    setting.advance(900);
    let error = setting.daypass().session().await.unwrap_err().to_string();
    assert!(error.contains("cannot write") && error.contains(".lock"), "{error}");
    assert_eq!(setting.broker.counts(), (1, 0));
}

#[tokio::test]
async fn ones_sessions_are_listed() {
    let setting = Setting::signed_in().await;
    let listed = setting.daypass().sessions().await.unwrap();
    assert_eq!((listed[0].current, listed[0].device.as_deref()), (true, Some("Terminal on Linux")));
    assert_eq!(setting.home().sessions().unwrap(), [setting.name()]);
}

/// Another process that holds the lock for ever, such as one that was halted.
#[tokio::test(start_paused = true)]
async fn whoever_waits_too_long_goes_on_with_what_is_there() {
    let setting = Setting::signed_in_without_waiting();
    let held = fs::File::open(setting.file(".lock")).unwrap();
    held.lock().unwrap();
    setting.advance(2700);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA1");
    setting.advance(900);
    let error = setting.daypass().session().await.unwrap_err();
    assert!(matches!(error, Error::Busy(_)), "{error}");
    assert_eq!(setting.broker.counts(), (1, 0));
}
