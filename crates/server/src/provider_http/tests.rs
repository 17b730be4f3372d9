//! The client against servers that answer as nobody should, and not at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::clock::ManualClock;
use daypass_core::ground::random::SeededRandom;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::circuit::{FAILURES, REST};

const LIMITS: Limits = Limits {
    connect: Duration::from_millis(500),
    total: Duration::from_millis(300),
    max_bytes: 1024,
    idle: Duration::from_millis(50),
    at_once: 8,
    pause: Duration::from_millis(2),
};

fn client(limits: Limits) -> ReqwestHttp {
    client_at(limits, Arc::new(ManualClock::at_second(0)))
}

fn client_at(limits: Limits, clock: Arc<ManualClock>) -> ReqwestHttp {
    let loopback = Reach::with(["127.0.0.1".to_owned().try_into().unwrap()]);
    ReqwestHttp::new(limits, loopback, clock, Arc::new(SeededRandom::new(1))).unwrap()
}

/// A provider that answers each connection once, the last answer again and again, and counts them.
struct Far {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Far {
    async fn answering(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = Self {
            url: format!("http://{}/me?token=hidden", listener.local_addr().unwrap()),
            asked: Arc::default(),
        };
        let asked = far.asked.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let number = asked.fetch_add(1, Ordering::SeqCst);
                let status = statuses[number.min(statuses.len() - 1)];
                let _ = stream.read(&mut [0; 4096]).await;
                let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        far
    }

    /// One that accepts connections and never answers.
    async fn hanging() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = Self { url: format!("http://{}/", listener.local_addr().unwrap()), asked: Arc::default() };
        let asked = far.asked.clone();
        tokio::spawn(async move {
            let mut held = Vec::new();
            loop {
                held.push(listener.accept().await.unwrap());
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        far
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn request(&self) -> Request<Bytes> {
        Request::get(&self.url).body(Bytes::new()).unwrap()
    }

    fn question(&self) -> Request<Bytes> {
        Request::get(&self.url).extension(Repeatable).body(Bytes::new()).unwrap()
    }
}

/// Asks a server that answers every connection with `answer` and then holds the line.
async fn ask(answer: Vec<u8>) -> Result<Response<Bytes>, ProviderHttpError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/me?token=hidden", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(&answer).await.unwrap();
        std::future::pending::<()>().await;
    });
    let request = Request::get(url).body(Bytes::new()).unwrap();
    client(LIMITS).send(request).await
}

#[tokio::test]
async fn an_answer_comes_back_with_its_status() {
    let answer = ask(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno".to_vec()).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (401, &b"no"[..]));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_a_way_to_go() {
    let answer =
        ask(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec());
    assert_eq!(answer.await.unwrap().status(), 302);
}

#[tokio::test]
async fn silence_times_out_before_and_within_an_answer() {
    assert!(matches!(ask(Vec::new()).await, Err(ProviderHttpError::TimedOut)));
    let stalled = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec();
    assert!(matches!(ask(stalled).await, Err(ProviderHttpError::TimedOut)));
}

#[tokio::test]
async fn an_over_long_answer_is_cut_off_whatever_length_it_declares() {
    let mut declared = b"HTTP/1.1 202 Accepted\r\ncontent-length: 100000\r\n\r\n".to_vec();
    declared.resize(declared.len() + 2000, b'x');
    let error = ask(declared).await.unwrap_err();
    assert!(matches!(error, ProviderHttpError::AnswerTooLarge { status: StatusCode::ACCEPTED, .. }));

    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n800\r\n".to_vec();
    chunked.resize(chunked.len() + 0x800, b'x');
    chunked.extend_from_slice(b"\r\n");
    assert!(matches!(ask(chunked).await, Err(ProviderHttpError::AnswerTooLarge { .. })));
}

/// An answer that is packed although nobody may have asked for it.
fn packed(base64: &str) -> Vec<u8> {
    let body = BASE64_STANDARD.decode(base64).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_up_to_the_limit() {
    let small = packed("H4sIAAAAAAACA6tWykxRslKqUKoFALx+U4kKAAAA");
    assert_eq!(&ask(small).await.unwrap().body()[..], b"{\"id\":\"x\"}");
    let zeros = packed(
        "H4sIAAAAAAACA+3BMQEAAADCoPVPbQ0PoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIBXA32VEdSghgEA",
    );
    assert!(zeros.len() < LIMITS.max_bytes, "a hundred thousand bytes, once they are unpacked");
    assert!(matches!(ask(zeros).await, Err(ProviderHttpError::AnswerTooLarge { .. })));
    let broken = packed("H4sIAAAAAAACAwAAAAAAAAAAAAAAAA==");
    assert!(matches!(ask(broken).await, Err(ProviderHttpError::Unreachable(_))));
}

#[tokio::test]
async fn a_redirect_tells_where_to_without_what_its_query_holds() {
    let answer = b"HTTP/1.1 301 X\r\nlocation: https://there.example/keys?token=hidden#x\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n";
    let answer = ask(answer.to_vec()).await.unwrap();
    assert_eq!(answer.headers().len(), 1);
    assert_eq!(answer.headers()["location"], "https://there.example/keys");
}

#[tokio::test]
async fn providers_hear_what_the_operator_wants_them_to_hear() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&head[..length]).to_lowercase()
    });
    let reach = Reach::with(["127.0.0.1".to_owned().try_into().unwrap()]);
    let name = UserAgent::try_from("notes.example (ops@notes.example)".to_owned()).unwrap();
    let (clock, random) = (Arc::new(ManualClock::at_second(0)), Arc::new(SeededRandom::new(1)));
    let http = ReqwestHttp::called(name, LIMITS, reach, clock, random).unwrap();
    http.send(Request::get(url).body(Bytes::new()).unwrap()).await.unwrap();
    assert!(heard.await.unwrap().contains("user-agent: notes.example (ops@notes.example)\r\n"));
    for bad in ["", "a\nb", "ü", &"x".repeat(257)] {
        assert!(UserAgent::try_from(bad.to_owned()).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn an_unreachable_provider_is_named_without_its_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/me?token=hidden", listener.local_addr().unwrap());
    drop(listener);
    let request = Request::get(url).body(Bytes::new()).unwrap();
    let error = client(LIMITS).send(request).await.unwrap_err();
    assert!(matches!(&error, ProviderHttpError::Unreachable(text) if !text.contains("hidden")), "{error}");
    assert!(error.to_string().contains("refused"), "it says what the system said: {error}");
}

#[tokio::test]
async fn a_question_that_a_server_failed_at_is_repeated_once() {
    for statuses in [&[500, 200], &[502, 200], &[503, 200], &[504, 200]] {
        let far = Far::answering(statuses).await;
        assert_eq!(client(LIMITS).send(far.question()).await.unwrap().status(), 200);
    }
    let far = Far::answering(&[503]).await;
    assert_eq!(client(LIMITS).send(far.question()).await.unwrap().status(), 503);
    assert_eq!(far.asked(), 2);
}

#[tokio::test]
async fn what_may_not_be_sent_twice_is_sent_once() {
    let far = Far::answering(&[503, 200]).await;
    assert_eq!(client(LIMITS).send(far.request()).await.unwrap().status(), 503);
    assert_eq!(far.asked(), 1);
}

#[tokio::test]
async fn an_answer_of_the_provider_itself_is_not_questioned() {
    for statuses in [&[400, 200], &[401, 200], &[429, 200]] {
        let far = Far::answering(statuses).await;
        assert_eq!(client(LIMITS).send(far.question()).await.unwrap().status().as_u16(), statuses[0]);
    }
}

/// Made-up tokens that a provider answers with 500 open no circuit, and are not asked about twice for ever either.
#[tokio::test]
async fn a_provider_that_only_fails_is_soon_asked_once() {
    let far = Far::answering(&[500]).await;
    let client = client(LIMITS);
    for _ in 0..30 {
        assert_eq!(client.send(far.question()).await.unwrap().status(), 500);
    }
    assert_eq!(far.asked(), 30 + 20);
}

#[tokio::test]
async fn a_host_that_fails_again_and_again_is_left_alone_until_it_is_back() {
    let far = Far::answering(&[503, 503, 503, 503, 503, 200]).await;
    let clock = Arc::new(ManualClock::at_second(100));
    let client = client_at(LIMITS, clock.clone());
    for _ in 0..FAILURES {
        assert_eq!(client.send(far.request()).await.unwrap().status(), 503);
    }
    assert!(matches!(client.send(far.request()).await, Err(ProviderHttpError::Resting)));
    assert_eq!(far.asked(), 5, "nobody is asked while the circuit is open");
    clock.advance(REST);
    for _ in 0..2 {
        assert_eq!(client.send(far.request()).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn no_number_of_refused_proofs_closes_a_provider_to_others() {
    for statuses in [&[401], &[400], &[500]] {
        let far = Far::answering(statuses).await;
        let client = client(LIMITS);
        for _ in 0..3 * FAILURES {
            assert_eq!(client.send(far.request()).await.unwrap().status().as_u16(), statuses[0]);
        }
    }
}

#[tokio::test]
async fn a_private_host_is_not_asked_whether_it_is_named_by_address_or_by_name() {
    let far = Far::answering(&[200]).await;
    let clock = Arc::new(ManualClock::at_second(0));
    let public = ReqwestHttp::new(LIMITS, Reach::default(), clock, Arc::new(SeededRandom::new(1))).unwrap();
    for host in ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"] {
        let url = far.url.replace("127.0.0.1", host);
        let request = Request::get(url).extension(Repeatable).body(Bytes::new()).unwrap();
        let error = public.send(request).await.unwrap_err();
        assert!(matches!(error, ProviderHttpError::PrivateAddress { .. }), "{host}: {error}");
        assert!(error.to_string().contains("allow_private"), "{error}");
    }
    assert_eq!(far.asked(), 0);
}

#[tokio::test]
async fn a_name_that_leads_to_an_allowed_address_is_followed() {
    let far = Far::answering(&[200]).await;
    let url = far.url.replace("127.0.0.1", "localhost");
    let request = Request::get(url).body(Bytes::new()).unwrap();
    assert_eq!(client(LIMITS).send(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_provider_that_hangs_fills_its_own_places_and_slows_nobody_else() {
    let (hanging, healthy) = (Far::hanging().await, Far::answering(&[200]).await);
    let client = Arc::new(client(Limits { total: Duration::from_mins(10), ..LIMITS }));
    let waiting: Vec<_> = (0..200)
        .map(|_| {
            let (client, request) = (client.clone(), hanging.request());
            tokio::spawn(async move { client.send(request).await })
        })
        .collect();
    while hanging.asked() < LIMITS.at_once {
        tokio::task::yield_now().await;
    }
    for _ in 0..200 {
        assert_eq!(client.send(healthy.request()).await.unwrap().status(), 200);
    }
    assert!(waiting.iter().all(|request| !request.is_finished()), "they hang for ten minutes");
    assert_eq!(hanging.asked(), LIMITS.at_once, "no more connections than places");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn who_waits_for_a_place_waits_no_longer_than_for_an_answer() {
    let hanging = Far::hanging().await;
    let client = client(Limits { at_once: 1, ..LIMITS });
    let host = client.host(hanging.request().uri());
    let _only_place = host.places.acquire().await.unwrap();
    assert!(matches!(client.send(hanging.request()).await, Err(ProviderHttpError::TimedOut)));
    assert_eq!(hanging.asked(), 0, "nobody is asked without a place");
}

/// A provider that keeps its connections, and counts them.
async fn keeping() -> Far {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far = Far { url: format!("http://{}/", listener.local_addr().unwrap()), asked: Arc::default() };
    let connections = far.asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                }
            });
        }
    });
    far
}

#[tokio::test]
async fn a_connection_is_used_again_but_not_after_it_was_idle_for_long() {
    let far = keeping().await;
    let patient = client(Limits { idle: Duration::from_secs(4), ..LIMITS });
    for _ in 0..3 {
        patient.send(far.request()).await.unwrap();
    }
    assert_eq!(far.asked(), 1);
    let hasty = client(LIMITS);
    for connections in [2, 3] {
        hasty.send(far.request()).await.unwrap();
        assert_eq!(far.asked(), connections);
        let _ = tokio::time::timeout(2 * LIMITS.idle, std::future::pending::<()>()).await;
    }
}

#[tokio::test]
async fn no_connection_is_used_from_before_the_process_slept() {
    let (far, clock) = (keeping().await, Arc::new(ManualClock::at_second(0)));
    let client = client_at(Limits { idle: Duration::from_secs(4), ..LIMITS }, clock.clone());
    for (seconds, connections) in [(0, 1), (1, 1), (1, 1), (3_600, 2), (1, 2), (-7_200, 3)] {
        clock.advance(daypass_core::ground::clock::SignedDuration::from_secs(seconds));
        client.send(far.request()).await.unwrap();
        assert_eq!(far.asked(), connections, "{seconds} seconds later");
    }
}

/// Looks names up as a process does that has no descriptor left.
struct NoDescriptorLeft;

impl reqwest::dns::Resolve for NoDescriptorLeft {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let error = std::io::Error::from_raw_os_error(Errno::MFILE.raw_os_error());
        Box::pin(async { Err(error.into()) })
    }
}

#[tokio::test]
async fn descriptors_that_are_used_up_are_not_the_fault_of_the_host() {
    let client = reqwest::Client::builder().dns_resolver(Arc::new(NoDescriptorLeft)).build().unwrap();
    let error = failed(client.get("http://provider.example/").send().await.unwrap_err());
    assert!(matches!(error, ProviderHttpError::OutOfFiles), "{error:?}");
    assert!(error.to_string().contains("LimitNOFILE"), "the operator is told the cure");
    assert!(!is_down(&Err(error.clone())) && !is_worth_repeating(&Err(error)));
}
