//! From a trail in files to a receiver on the network.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::clock::ManualClock;
use daypass_core::ground::random::SeededRandom;
use daypass_store::SqliteStore;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::exporter::{Hindrance, Progress};
use super::testing::{Log, keep};
use super::*;

/// A receiver of webhooks at an address that stays the same.
struct Far {
    address: std::net::SocketAddr,
    heard: Arc<Heard>,
    serving: Option<JoinHandle<()>>,
}

struct Heard {
    status: AtomicU16,
    /// What it says besides.
    words: Mutex<&'static str>,
    webhooks: Mutex<Vec<(HeaderMap, String)>>,
}

async fn hear(
    State(heard): State<Arc<Heard>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, &'static str) {
    heard.webhooks.lock().unwrap().push((headers, body));
    let status = StatusCode::from_u16(heard.status.load(Ordering::SeqCst)).unwrap();
    (status, *heard.words.lock().unwrap())
}

impl Far {
    async fn up() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard =
            Arc::new(Heard { status: 204.into(), words: Mutex::default(), webhooks: Mutex::default() });
        let mut far = Self { address, heard, serving: None };
        far.serve(listener);
        far
    }

    fn serve(&mut self, listener: TcpListener) {
        let router = Router::new().route("/T0P/hook", post(hear)).with_state(self.heard.clone());
        self.serving = Some(tokio::spawn(async { axum::serve(listener, router).await.unwrap() }));
    }

    async fn down(&mut self) {
        let serving = self.serving.take().unwrap();
        serving.abort();
        let _ = serving.await;
    }

    async fn up_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    fn answer(&self, status: u16) {
        self.heard.status.store(status, Ordering::SeqCst);
    }

    /// The numbers of the events that came since this was asked last, a list for each webhook.
    fn numbers(&self) -> Vec<Vec<u64>> {
        let webhooks = std::mem::take(&mut *self.heard.webhooks.lock().unwrap());
        let number = |event: &Value| event["unmapped"]["resource"].as_str().unwrap().parse().unwrap();
        let events = |body: &str| serde_json::from_str::<Vec<Value>>(body).unwrap();
        webhooks.iter().map(|(_, body)| events(body).iter().map(number).collect()).collect()
    }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The exporter of a configuration, on a store that is opened anew.
fn exporter(directory: &Path, url: &str) -> (Exporter, SharedStore) {
    let (config, tools) = (config(directory, url), tools(directory));
    let exporters = Exporters::of(&config, &Secrets::default(), &tools).unwrap();
    (exporters.exporters(&tools).pop().unwrap(), tools.store)
}

fn config(directory: &Path, url: &str) -> Config {
    let secret = directory.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    Config::parse(&format!(
        "public_url = \"https://login.example.com\"\nmaster_key = {{ env = \"KEY\" }}\n[store]\nurl = \"sqlite:a.db\"\n\
         [pool]\nname = \"a\"\ndeveloper_provider = \"login.example.com\"\nregion = \"us-east-1\"\naccount_id = \"000000000000\"\n\
         [[audit.export]]\nname = \"siem\"\nto = \"webhook\"\nurl = \"{url}\"\nsecret = {{ file = {secret:?} }}\n"
    ))
    .unwrap()
}

fn tools(directory: &Path) -> Tools {
    Tools {
        store: Arc::new(SqliteStore::open(&directory.join("daypass.db")).unwrap()),
        clock: Arc::new(ManualClock::at_second(0)),
        random: Arc::new(SeededRandom::new(1)),
        metrics: Arc::default(),
    }
}

async fn all(exporter: &mut Exporter) -> Result<(), Hindrance> {
    while exporter.go_on().await? == Progress::GoneOn {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_down_gets_everything_when_it_is_up_again_also_after_a_restart() {
    let (directory, mut far) = (tempfile::tempdir().unwrap(), Far::up().await);
    let url = format!("http://{}/T0P/hook", far.address);
    let (mut first, store) = exporter(directory.path(), &url);
    all(&mut first).await.unwrap();
    keep(&store, 1..=3).await;
    all(&mut first).await.unwrap();
    assert_eq!(far.numbers(), [[1, 2, 3]]);

    far.down().await;
    keep(&store, 4..=5).await;
    let hindrance = all(&mut first).await.unwrap_err().to_string();
    assert!(!hindrance.contains("T0P") && !hindrance.contains(&SECRET[6..]), "{hindrance}");
    drop((first, store));

    far.up_again().await;
    let (mut second, store) = exporter(directory.path(), &url);
    far.answer(503);
    assert_eq!(all(&mut second).await.unwrap_err().to_string(), "it answered 503");
    far.answer(200);
    all(&mut second).await.unwrap();
    assert_eq!(far.numbers(), [[4, 5], [4, 5]]);
    keep(&store, [6]).await;
    all(&mut second).await.unwrap();
    assert_eq!(far.numbers(), [[6]]);
}

/// Longer than any answer that is read.
static NOVEL: [u8; 100_000] = [b'x'; 100_000];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_says_besides_its_status_is_of_any_length() {
    let (directory, far) = (tempfile::tempdir().unwrap(), Far::up().await);
    let (mut exporter, store) = exporter(directory.path(), &format!("http://{}/T0P/hook", far.address));
    all(&mut exporter).await.unwrap();
    *far.heard.words.lock().unwrap() = str::from_utf8(&NOVEL).unwrap();
    keep(&store, 1..=2).await;
    far.answer(503);
    assert_eq!(all(&mut exporter).await.unwrap_err().to_string(), "it answered 503");
    far.answer(200);
    all(&mut exporter).await.unwrap();
    assert_eq!(far.numbers(), [[1, 2], [1, 2]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_changed_counts_when_the_configuration_is_read_again() {
    let (directory, far) = (tempfile::tempdir().unwrap(), Far::up().await);
    let config = config(directory.path(), &format!("http://{}/T0P/hook", far.address));
    let tools = tools(directory.path());
    let exporters = Exporters::of(&config, &Secrets::default(), &tools).unwrap();
    let mut exporter = exporters.exporters(&tools).pop().unwrap();
    all(&mut exporter).await.unwrap();
    let signature = async |exporter: &mut Exporter| {
        keep(&tools.store, [7]).await;
        all(exporter).await.unwrap();
        let webhooks = std::mem::take(&mut *far.heard.webhooks.lock().unwrap());
        let [(headers, body)] = &webhooks[..] else { panic!("{} webhooks", webhooks.len()) };
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        (
            format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp")),
            header("webhook-signature"),
        )
    };
    let signed_by = |secret: [u8; 32], text: &str| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        format!("v1,{}", BASE64_STANDARD.encode(aws_lc_rs::hmac::sign(&key, text.as_bytes())))
    };
    std::fs::write(directory.path().join("secret"), "whsec_no").unwrap();
    assert!(exporters.renewed(&config, &Secrets::default(), &tools).is_err());
    let another = format!("whsec_{}", BASE64_STANDARD.encode([8; 32]));
    std::fs::write(directory.path().join("secret"), another).unwrap();
    let renewed = exporters.renewed(&config, &Secrets::default(), &tools).unwrap();
    let (text, before) = signature(&mut exporter).await;
    assert_ne!(before, signed_by([8; 32], &text), "it counts when all of the configuration does");
    exporters.take_up(renewed);
    let (text, after) = signature(&mut exporter).await;
    assert_eq!(after, signed_by([8; 32], &text));
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_heads_of_the_trail_are_no_events_and_hold_nothing_up() {
    use daypass_core::audit::head_key::HeadKeys;
    use daypass_core::ground::master_keys::MasterKey;
    use daypass_core::store::{AuditCare, Retention};

    let (directory, far) = (tempfile::tempdir().unwrap(), Far::up().await);
    let url = format!("http://{}/T0P/hook", far.address);
    let (mut exporter, store) = exporter(directory.path(), &url);
    all(&mut exporter).await.unwrap();
    store.attend(AuditCare {
        signer: Arc::new(HeadKeys::of(&MasterKey::new([7; 32]).into())),
        keep: Retention::default(),
        clock: Arc::new(ManualClock::at_second(0)),
        tell: Arc::new(|_| {}),
    });
    // More than one head vouches for.
    keep(&store, 1..=1_100).await;
    keep(&store, 1_101..=1_102).await;
    all(&mut exporter).await.unwrap();
    assert!(far.numbers().concat().into_iter().eq(1..=1_102));
    let position = store.find_export_position("siem").await.unwrap().unwrap();
    assert_eq!(position.line, store.audit_trail_extent().await.unwrap().last);
    assert_eq!(position.dropped, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_nobody_trusts_gets_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (address, mut told) = super::syslog::testing::listening(true).await;
    let (mut exporter, store) =
        exporter(directory.path(), &format!("https://localhost:{}/T0P/hook", address.port()));
    all(&mut exporter).await.unwrap();
    keep(&store, 1..=1).await;
    let hindrance = all(&mut exporter).await.unwrap_err().to_string();
    assert!(hindrance.contains("certificate") && !hindrance.contains("T0P"), "{hindrance}");
    assert!(told.try_recv().is_err());
    let position = store.find_export_position("siem").await.unwrap().unwrap();
    assert!(position.line < store.audit_trail_extent().await.unwrap().last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_without_tls_is_no_receiver_with_it() {
    let (directory, far) = (tempfile::tempdir().unwrap(), Far::up().await);
    let (mut exporter, store) = exporter(directory.path(), &format!("https://{}/T0P/hook", far.address));
    all(&mut exporter).await.unwrap();
    keep(&store, 1..=1).await;
    let hindrance = all(&mut exporter).await.unwrap_err().to_string();
    assert!(hindrance.starts_with("unreachable") && !hindrance.contains("T0P"), "{hindrance}");
    assert_eq!(far.numbers(), [[0; 0]; 0]);
}

#[tokio::test]
async fn no_log_line_of_an_export_holds_a_secret() {
    let (log, _logging) = Log::begin();
    let (directory, far) = (tempfile::tempdir().unwrap(), Far::up().await);
    let url = format!("http://{}/T0P/hook", far.address);
    for status in [307, 400, 401, 503] {
        let (exporter, store) = exporter(directory.path(), &url);
        far.answer(status);
        keep(&store, [1]).await;
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        let running = Running::start(vec![exporter], &random).await;
        keep(&store, [2]).await;
        running.end().await;
        let log = log.said();
        assert!(log.contains("siem") && log.contains(&format!("it answered {status}")), "{log}");
        let signature = far.heard.webhooks.lock().unwrap()[0].0["webhook-signature"].clone();
        let signature = signature.to_str().unwrap().strip_prefix("v1,").unwrap();
        for secret in ["T0P", &SECRET[6..], signature] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}
