//! An STS that answers as those of AWS, SeaweedFS and Ceph do, as nobody should, and not at all.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::ground::clock::ManualClock;
use daypass_core::ground::random::SeededRandom;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::provider_http::{Limits, Reach, ReqwestHttp};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const TOKEN: &str = "eyJoZWFkZXIiOjF9.eyJwYXlsb2FkIjoxfQ.c2lnbmF0dXJl";

/// What SeaweedFS 4.48 answers, its session token shortened.
const GOOD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA066b3ae2c453351b</AccessKeyId><SecretAccessKey>v1IdCGJ8susIvLbBNtoU6SyRGNP+xGVbm+hDtgD3KZ4=</SecretAccessKey><SessionToken>session.token</SessionToken><Expiration>2026-09-21T15:13:20Z</Expiration></Credentials><SubjectFromWebIdentityToken>us-east-1:aa</SubjectFromWebIdentityToken></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>18EB</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"#;

fn error(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

/// Answers everybody alike, and keeps what it was asked.
struct Sts {
    status: u16,
    body: String,
    asked: Mutex<Vec<Request<Bytes>>>,
}

#[async_trait]
impl ProviderHttp for Sts {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        self.asked.lock().unwrap().push(request);
        let answer = Response::builder().status(self.status).body(Bytes::from(self.body.clone()));
        Ok(answer.unwrap())
    }
}

async fn ask_by(url: &str, http: Arc<dyn ProviderHttp>) -> Result<Credentials, Refusal> {
    let question = Question {
        role_arn: "arn:aws:iam::000000000000:role/Auth",
        session_name: &RoleSessionName::parse("daypass-aa").unwrap(),
        token: &Secret::new(TOKEN),
        duration: SignedDuration::from_hours(1),
    };
    Endpoint { url: url.parse().unwrap(), http }.assume(&question, NOW).await
}

async fn answered(status: u16, body: &str) -> Result<Credentials, Refusal> {
    let sts = Sts { status, body: body.to_owned(), asked: Mutex::default() };
    ask_by("https://sts.example.com", Arc::new(sts)).await
}

/// Asks a server over a real connection, which answers with these bytes and then holds the line.
async fn over_the_network(answer: Vec<u8>, allowed: &[&str]) -> Result<Credentials, Refusal> {
    let limits = Limits { total: Duration::from_millis(300), pause: Duration::ZERO, ..Limits::default() };
    let reach = Reach::with(allowed.iter().map(|host| (*host).to_owned().try_into().unwrap()));
    let (clock, random) = (Arc::new(ManualClock::at_second(0)), Arc::new(SeededRandom::new(1)));
    let http = ReqwestHttp::new(limits, reach, clock, random).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&answer).await;
        std::future::pending::<()>().await;
    });
    ask_by(&url, Arc::new(http)).await
}

fn refused(kind: Kind, said: &str) -> Result<Credentials, Refusal> {
    Err(Refusal { kind, said: said.to_owned() })
}

#[tokio::test]
async fn the_token_goes_out_in_one_form_without_a_signature() {
    let sts = Arc::new(Sts { status: 200, body: GOOD.into(), asked: Mutex::default() });
    ask_by("https://sts.example.com", sts.clone()).await.unwrap();
    let asked = sts.asked.lock().unwrap();
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(
        (request.method().as_str(), request.uri().to_string().as_str()),
        ("POST", "https://sts.example.com/")
    );
    assert!(!request.headers().contains_key(header::AUTHORIZATION));
    let form: BTreeMap<_, _> = form_urlencoded::parse(request.body()).into_owned().collect();
    let expected = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::000000000000:role/Auth"),
        ("RoleSessionName", "daypass-aa"),
        ("WebIdentityToken", TOKEN),
        ("DurationSeconds", "3600"),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[tokio::test]
async fn credentials_are_read_as_they_come() {
    let credentials = answered(200, GOOD).await.unwrap();
    assert_eq!(credentials.access_key_id.as_str(), "ASIA066b3ae2c453351b");
    assert_eq!(credentials.secret_access_key.expose(), "v1IdCGJ8susIvLbBNtoU6SyRGNP+xGVbm+hDtgD3KZ4=");
    assert_eq!(credentials.session_token.expose(), "session.token");
    assert_eq!(credentials.expiration.to_string(), "2026-09-21T15:13:20Z");
}

#[tokio::test]
async fn what_is_no_whole_answer_is_none() {
    for body in [
        String::new(),
        "<html><body>Welcome</body></html>".into(),
        "{\"Credentials\": {}}".into(),
        "\u{0}\u{1}<".into(),
        GOOD[..GOOD.len() - 10].to_owned(),
        GOOD.replace("AccessKeyId>", "KeyId>"),
        GOOD.replace("ASIA066b3ae2c453351b", "no key"),
        GOOD.replace("<SessionToken>session.token</SessionToken>", ""),
        GOOD.replace("session.token", ""),
        GOOD.replace("session.token", "two&#10;lines"),
        GOOD.replace("<SecretAccessKey>", "<SecretAccessKey>other</SecretAccessKey><SecretAccessKey>"),
        GOOD.replace("2026-09-21T15:13:20Z", "tomorrow"),
        GOOD.replace("2026-09-21", "2026-09-20"),
        GOOD.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE a [<!ENTITY b \"c\">]>"),
        error("AccessDenied", "no"),
    ] {
        assert_eq!(
            answered(200, &body).await,
            refused(Kind::Other, "status 200 without credentials"),
            "{body}"
        );
    }
}

/// The codes of AssumeRoleWithWebIdentity at AWS, those of SeaweedFS and those that any service of AWS has.
#[tokio::test]
async fn every_code_has_its_meaning() {
    let meanings: [(u16, &str, Kind); 18] = [
        (403, "AccessDenied", Kind::Role),
        (403, "AccessDeniedException", Kind::Role),
        (400, "ExpiredTokenException", Kind::Clock),
        (400, "ExpiredToken", Kind::Clock),
        (400, "InvalidIdentityToken", Kind::Issuer),
        (403, "IDPRejectedClaim", Kind::Issuer),
        (400, "IDPCommunicationError", Kind::IssuerUnreachable),
        (400, "MalformedPolicyDocument", Kind::Other),
        (400, "PackedPolicyTooLarge", Kind::Other),
        (400, "ValidationError", Kind::Other),
        (400, "InvalidParameterValue", Kind::Other),
        (403, "RegionDisabledException", Kind::Other),
        (400, "Throttling", Kind::Unavailable),
        (400, "RequestLimitExceeded", Kind::Unavailable),
        (503, "ServiceUnavailable", Kind::Unavailable),
        (503, "SlowDown", Kind::Unavailable),
        (500, "InternalFailure", Kind::Unavailable),
        (429, "NobodyKnows", Kind::Unavailable),
    ];
    for (status, code, kind) in meanings {
        let expected = refused(kind, &format!("{code}: because"));
        assert_eq!(answered(status, &error(code, "because")).await, expected, "{code}");
        let short = format!("<Error><Code>{code}</Code><Message>because</Message></Error>");
        assert_eq!(answered(status, &short).await, expected, "{code}");
    }
}

#[tokio::test]
async fn without_a_code_the_status_decides() {
    let meanings: [(u16, Kind); 7] = [
        (302, Kind::Other),
        (400, Kind::Other),
        (403, Kind::Role),
        (404, Kind::Other),
        (405, Kind::Other),
        (429, Kind::Unavailable),
        (502, Kind::Unavailable),
    ];
    for (status, kind) in meanings {
        for body in ["", "<html>", "not <xml"] {
            assert_eq!(answered(status, body).await, refused(kind, &format!("status {status}")), "{body}");
        }
    }
}

#[tokio::test]
async fn the_log_hears_no_token_and_no_end_of_words() {
    let refusal =
        answered(400, &error("InvalidIdentityToken", &format!("cannot parse {TOKEN}"))).await.unwrap_err();
    assert_eq!(refusal.said, "InvalidIdentityToken: …");
    let refusal = answered(400, &error(TOKEN, "no")).await.unwrap_err();
    assert_eq!(refusal.said, "…: no");
    let refusal = answered(400, &error("Odd", &"a&#10;".repeat(1_000))).await.unwrap_err();
    assert_eq!(refusal.said, format!("Odd: {}", "a\u{FFFD}".repeat(150)));
}

#[tokio::test]
async fn silence_is_an_outage_before_and_within_an_answer() {
    let timed_out = refused(Kind::Unavailable, "timed out");
    assert_eq!(over_the_network(Vec::new(), &["127.0.0.1"]).await, timed_out);
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n<AssumeRole".to_vec();
    assert_eq!(over_the_network(half, &["127.0.0.1"]).await, timed_out);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    answer.resize(200_000, b' ');
    let refusal = over_the_network(answer, &["127.0.0.1"]).await;
    assert_eq!(refusal, refused(Kind::Other, "the answer has more than 65536 bytes"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer =
        b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let refusal = over_the_network(answer.to_vec(), &["127.0.0.1"]).await;
    assert_eq!(refusal, refused(Kind::Other, "status 307"));
}

#[tokio::test]
async fn a_private_address_that_nobody_allowed_gets_no_token() {
    let refusal = over_the_network(Vec::new(), &[]).await.unwrap_err();
    assert!(refusal.kind == Kind::Other && refusal.said.contains("allow_private"), "{refusal:?}");
}
