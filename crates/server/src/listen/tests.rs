//! Clients that do not keep to what is expected of them.

use std::future::pending;
use std::io::ErrorKind;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;

const LIMITS: Limits = Limits {
    head: Duration::from_millis(200),
    idle: Duration::from_millis(1_500),
    write: Duration::from_millis(200),
    rest: Duration::from_millis(50),
    drain: Duration::from_secs(20),
    connections: 64,
    requests: 64,
};
const ASK: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const ASK_FOR_WORK: &str = "GET /work HTTP/1.1\r\nhost: a\r\n\r\n";
const WORK: Duration = Duration::from_millis(2);

/// A server under test.
struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    /// Lets `/slow` be answered.
    go_on: Arc<Notify>,
    /// Says that `/slow` was asked.
    asked: Arc<Notify>,
    /// Says that it has done its work.
    done: Arc<Notify>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let (go_on, asked) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (going_on, asking) = (go_on.clone(), asked.clone());
        let done = Arc::new(Notify::new());
        let doing = done.clone();
        let slow = move || async move {
            asking.notify_one();
            going_on.notified().await;
            doing.notify_one();
            "slow"
        };
        let place = |request: axum::extract::Request| async move {
            if request.extensions().get::<NoPlace>().is_some() { "no place" } else { "a place" }
        };
        let draining = |request: axum::extract::Request| async move {
            if request.extensions().get::<Stop>().unwrap().is_given() { "draining" } else { "serving" }
        };
        let router = Router::new()
            .route("/", get(place))
            .route("/healthz", get(place))
            .route("/readyz", get(draining))
            .route("/large", get(|| async { "x".repeat(64 * 1024) }))
            .route("/hangs", get(pending::<&'static str>))
            .route("/slow", get(slow))
            .route("/work", get(work))
            .route("/read", post(|body: String| async move { format!("read {body}") }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = Stop::channel();
        let (_, answering) = Answering::by(router);
        let running =
            tokio::spawn(listen_within(listener, answering, stopped, Terms { limits, ..Terms::default() }));
        Self { address, stop, running, go_on, asked, done }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn send(&self, text: &str) -> TcpStream {
        let mut client = self.connect().await;
        client.write_all(text.as_bytes()).await.unwrap();
        client
    }
}

/// Takes the processor for a moment, as a signature does.
async fn work(request: axum::extract::Request) -> &'static str {
    if request.extensions().get::<NoPlace>().is_some() {
        return "no place";
    }
    let began = Instant::now();
    while began.elapsed() < WORK {
        std::hint::spin_loop();
    }
    "a place"
}

/// What comes until the server hangs up.
async fn rest(client: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match client.read_to_end(&mut bytes).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8(bytes).unwrap()
}

/// One answer whose end is known.
async fn answer(client: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut bytes = [0; 4096];
        let length = client.read(&mut bytes).await.unwrap();
        assert!(length > 0, "it hung up after {text:?}");
        text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
    }
    text
}

#[tokio::test]
async fn a_connection_may_be_idle_for_longer_than_headers_may_take() {
    let server = Server::start(LIMITS).await;
    let mut client = server.send(ASK).await;
    answer(&mut client, "a place").await;
    // Longer than the limit for headers, which Hyper's own timer would count from here.
    sleep_until(Instant::now() + 2 * LIMITS.head).await;
    client.write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut client, "a place").await;
    let asked = Instant::now();
    assert_eq!(rest(&mut client).await, "", "it ends");
    assert!(asked.elapsed() >= 2 * LIMITS.head, "not before its time");
}

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    let server = Server::start(Limits { idle: Duration::from_mins(1), ..LIMITS }).await;
    assert_eq!(rest(&mut server.connect().await).await, "", "of a new connection");
    assert_eq!(rest(&mut server.send("GET / HT").await).await, "", "of a first request");
    let mut client = server.send(ASK).await;
    answer(&mut client, "a place").await;
    client.write_all(b"GET").await.unwrap();
    assert_eq!(rest(&mut client).await, "", "of a second one");
}

#[tokio::test]
async fn a_drop_at_a_time_does_not_stretch_the_time_for_headers() {
    let server = Server::start(Limits { idle: Duration::from_mins(1), ..LIMITS }).await;
    let (mut reader, mut writer) = server.connect().await.into_split();
    let dripping = tokio::spawn(async move {
        let mut drop = tokio::time::interval(LIMITS.head / 4);
        loop {
            drop.tick().await;
            if writer.write_all(b"G").await.is_err() {
                return;
            }
        }
    });
    let mut bytes = Vec::new();
    let _ = reader.read_to_end(&mut bytes).await;
    assert!(bytes.is_empty());
    dripping.abort();
}

#[tokio::test]
async fn who_does_not_read_is_not_answered_for_ever() {
    let server = Server::start(LIMITS).await;
    let client = server.connect().await;
    let (_reader, mut writer) = client.into_split();
    // More questions than their answers, or they themselves, fit into what the system keeps for a connection.
    let questions = "GET /large HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1_000);
    let writing = async { while writer.write_all(questions.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), writing).await.expect("the server hangs up");
}

#[tokio::test]
async fn who_reads_late_gets_every_answer() {
    let server = Server::start(Limits { write: Duration::from_mins(1), ..LIMITS }).await;
    let last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let questions = "GET /large HTTP/1.1\r\nhost: a\r\n\r\n".repeat(400) + last;
    let mut client = server.send(&questions).await;
    let answers = rest(&mut client).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 401);
    assert!(answers.ends_with("a place"));
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_says_that_it_is_the_last() {
    let server = Server::start(LIMITS).await;
    for head in [
        "content-length: 5\r\n",
        "transfer-encoding: chunked\r\n",
        "content-length: 5\r\nexpect: 100-continue\r\n",
    ] {
        let mut client = server.send(&format!("PUT / HTTP/1.1\r\nhost: a\r\n{head}\r\n")).await;
        let text = rest(&mut client).await;
        assert!(text.starts_with("HTTP/1.1 405") && text.contains("connection: close\r\n"), "{head}: {text}");
    }
}

#[tokio::test]
async fn who_hangs_up_stops_nothing_that_has_begun_and_keeps_their_place() {
    let server = Server::start(Limits { requests: 1, ..LIMITS }).await;
    let client = server.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    server.asked.notified().await;
    drop(client);
    let last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    for _ in 0..3 {
        let text = rest(&mut server.send(last).await).await;
        assert!(text.ends_with("no place"), "{text}");
    }
    server.go_on.notify_one();
    server.done.notified().await;
    while !rest(&mut server.send(last).await).await.ends_with("a place") {}
}

#[tokio::test]
async fn a_request_says_to_whom_it_is_sent_and_says_it_once() {
    let server = Server::start(LIMITS).await;
    for (head, status) in [
        ("HTTP/1.1\r\n", "400"),
        ("HTTP/1.1\r\nhost: a\r\nHost: b\r\n", "400"),
        ("HTTP/1.1\r\nhost: a\r\nhost: a\r\n", "400"),
        ("HTTP/1.0\r\nhost: a\r\nhost: b\r\n", "400"),
        ("HTTP/1.0\r\n", "200"),
        ("HTTP/1.1\r\nhost:\r\nconnection: close\r\n", "200"),
    ] {
        let text = rest(&mut server.send(&format!("GET / {head}\r\n")).await).await;
        assert_eq!(text.split(' ').nth(1), Some(status), "{head}: {text}");
    }
}

#[tokio::test]
async fn an_answer_reaches_who_still_sends() {
    let server = Server::start(Limits { rest: Duration::from_mins(1), ..LIMITS }).await;
    let mut client = server.connect().await;
    // It is refused once its head is there; most of it comes after that.
    let head = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 600000\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..60 {
        client.write_all(&[b'x'; 10_000]).await.unwrap();
        tokio::task::yield_now().await;
    }
    client.write_all(ASK.as_bytes()).await.unwrap();
    let text = answer(&mut client, "a place").await;
    assert!(text.starts_with("HTTP/1.1 405") && !text.contains("connection: close"), "{text}");
    let long = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 20000000\r\n\r\n";
    let text = rest(&mut server.send(long).await).await;
    assert!(text.starts_with("HTTP/1.1 405") && text.contains("connection: close"), "at once: {text}");
}

#[tokio::test]
async fn a_body_that_was_read_leaves_the_connection_as_it_is() {
    let server = Server::start(LIMITS).await;
    let mut client = server.connect().await;
    for (head, body) in
        [("content-length: 5", "hello"), ("transfer-encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")]
    {
        let request = format!("POST /read HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n{body}");
        client.write_all(request.as_bytes()).await.unwrap();
        let text = answer(&mut client, "read hello").await;
        assert!(!text.contains("connection: close"), "{text}");
    }
    client.write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut client, "a place").await;
}

#[tokio::test]
async fn a_request_without_a_place_is_known_at_once_and_who_asks_for_life_needs_none() {
    let server = Server::start(Limits { requests: 1, ..LIMITS }).await;
    let _hangs = server.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    server.asked.notified().await;
    answer(&mut server.send(ASK).await, "no place").await;
    answer(&mut server.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await, "a place").await;
}

#[tokio::test]
async fn who_is_sent_away_keeps_the_connection_if_the_body_is_short_and_there() {
    let server = Server::start(Limits { requests: 1, ..LIMITS }).await;
    let _hangs = server.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    server.asked.notified().await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
        let text = answer(&mut client, "no place").await;
        assert!(!text.contains("connection: close"), "{text}");
    }
    let waited_for = "content-length: 5\r\nexpect: 100-continue";
    for head in ["content-length: 5", "content-length: 100000", waited_for, "transfer-encoding: chunked"] {
        let text =
            rest(&mut server.send(&format!("GET / HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n")).await).await;
        assert!(text.ends_with("no place") && text.contains("connection: close"), "{head}: {text}");
    }
}

#[tokio::test]
async fn a_full_house_says_that_it_lives() {
    let server = Server::start(Limits { connections: 2, ..LIMITS }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(server.send("GET /hangs HTTP/1.1\r\nhost: a\r\n\r\n").await);
    }
    let text = rest(&mut server.send(ASK).await).await;
    assert!(text.ends_with("no place") && text.contains("connection: close"), "{text}");
    let text = rest(&mut server.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await).await;
    assert!(text.ends_with("a place"), "{text}");
    drop(held);
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_answered_and_the_rest_hung_up() {
    let server = Server::start(Limits { idle: Duration::from_mins(1), ..LIMITS }).await;
    let mut idle = server.send(ASK).await;
    answer(&mut idle, "a place").await;
    let mut slow = server.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    server.asked.notified().await;
    server.stop.send(true).unwrap();
    assert_eq!(rest(&mut idle).await, "", "at once");
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody new is let in");
    server.go_on.notify_one();
    let text = rest(&mut slow).await;
    assert!(text.ends_with("slow") && text.contains("connection: close"), "{text}");
    server.running.await.unwrap();
}

#[tokio::test]
async fn the_end_does_not_wait_longer_than_it_may() {
    let server = Server::start(Limits { drain: Duration::from_millis(50), ..LIMITS }).await;
    let _slow = server.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    server.asked.notified().await;
    server.stop.send(true).unwrap();
    server.running.await.unwrap();
}

/// Whatever stops us, or ends a request, has to be as patient as we are.
#[test]
fn what_is_deployed_gives_a_request_and_the_end_their_time() {
    let number = |text: &str, after: &str| -> u64 {
        let (_, number) = text.split_once(after).unwrap_or_else(|| panic!("{after} is missing"));
        number.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    let (request, drain) = (TIME_OF_A_REQUEST.as_secs(), Limits::default().drain.as_secs());
    assert!(drain > request, "a request that began just before the end is answered");
    assert!(number(include_str!("../../../../deploy/systemd/daypass.service"), "\nTimeoutStopSec=") > drain);
    let docs = include_str!("../../../../docs/self-host.md");
    assert!(number(docs, "--stop-timeout ") > drain);
    let chart = include_str!("../../../../deploy/helm/daypass/values.yaml");
    assert!(
        number(chart, "\nterminationGracePeriodSeconds: ") > drain + 5,
        "five seconds pass before SIGTERM"
    );
    assert_eq!(number(include_str!("../../../../deploy/sam/template.yaml"), "\n      Timeout: "), request);
    let terraform = include_str!("../../../../deploy/terraform/main.tf");
    assert_eq!(number(terraform, "\n  timeout                        = "), request);
}

#[tokio::test]
async fn each_request_is_answered_by_what_was_there_when_it_came() {
    let (go_on, asked) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (going_on, asking) = (go_on.clone(), asked.clone());
    let slow = move || async move {
        asking.notify_one();
        going_on.notified().await;
        "the first"
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (replace, answering) = Answering::by(Router::new().route("/", get(slow)));
    let (_stop, stopped) = Stop::channel();
    tokio::spawn(listen_within(listener, answering, stopped, Terms { limits: LIMITS, ..Terms::default() }));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(ASK.as_bytes()).await.unwrap();
    asked.notified().await;
    replace.send(Router::new().route("/", get(|| async { "the second" }))).unwrap();
    go_on.notify_one();
    answer(&mut client, "the first").await;
    // The same connection goes on with the other.
    client.write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut client, "the second").await;
    drop(replace);
    client.write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut client, "the second").await;
}

/// Limits that nobody here comes to.
const WIDE: Limits = Limits {
    head: Duration::from_mins(1),
    idle: Duration::from_mins(1),
    write: Duration::from_mins(1),
    connections: 1_024,
    requests: 1_024,
    ..LIMITS
};

#[tokio::test]
async fn a_burst_has_all_the_places_it_needs() {
    let server = Server::start(WIDE).await;
    let mut burst = Vec::new();
    for _ in 0..100 {
        burst.push(server.send(ASK_FOR_WORK).await);
    }
    for mut client in burst {
        answer(&mut client, "a place").await;
    }
}

#[tokio::test]
async fn where_more_is_asked_than_is_done_it_is_said_at_once_and_only_as_long_as_it_is_so() {
    let server = Arc::new(Server::start(WIDE).await);
    let refused = Arc::new(Notify::new());
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (server, refused) = (server.clone(), refused.clone());
        crowd.spawn(async move {
            let mut client = server.connect().await;
            loop {
                client.write_all(ASK_FOR_WORK.as_bytes()).await.unwrap();
                if answer(&mut client, "place").await.ends_with("no place") {
                    refused.notify_one();
                }
            }
        });
    }
    refused.notified().await;
    let mut prober = server.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    answer(&mut prober, "a place").await;
    crowd.shutdown().await;
    // What they asked for last is done before this is.
    let mut client = server.send(ASK_FOR_WORK).await;
    answer(&mut client, "a place").await;
}
