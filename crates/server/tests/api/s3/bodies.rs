//! Bodies that are not what their requests announce. None of them leaves anything behind.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};

use super::*;

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const WITH_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const WITH_UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
/// Of the document that removes `a`.
const MD5_OF_DELETE: &str = "aFPqFnlCon58cZ4Qt7zwvQ==";
/// Of `hello world`.
const CRC32: &str = "DUoRhQ==";

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A request whose headers are signed, and the chain of signatures that its chunks go on with (Amazon S3 API Reference,
/// "Signature calculations for the Authorization header: transferring payload in multiple chunks").
struct Chunked {
    request: Request<String>,
    key: Vec<u8>,
    /// The instant and the scope.
    scope: String,
    previous: String,
}

impl Chunked {
    fn new(s3: &S3, method: &str, path: &str, form: &'static str, declared: usize) -> Self {
        let signer = signer(&s3.daypass.key);
        let mut request = request(method, path, "");
        let headers = request.headers_mut();
        headers.remove("content-length");
        headers.insert("x-amz-content-sha256", HeaderValue::from_static(form));
        headers.insert("x-amz-decoded-content-length", declared.into());
        if form.ends_with("TRAILER") {
            headers.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32"));
            headers.insert("x-amz-sdk-checksum-algorithm", HeaderValue::from_static("CRC32"));
        }
        let request = signer.sign_over(request, SignableBody::Precomputed(form.to_owned()));
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let (instant, previous) = (header("x-amz-date"), header("authorization"));
        let (_, previous) = previous.rsplit_once("Signature=").unwrap();
        let secret = &s3.daypass.key.secret_access_key;
        let key = generate_signing_key(secret, SystemTime::from(signer.at), REGION, "s3").as_ref().to_vec();
        let scope = format!("{instant}\n{}/{REGION}/s3/aws4_request", &instant[..8]);
        Self { previous: previous.to_owned(), request, key, scope }
    }

    fn next_signature(&mut self, kind: &str, of: &str) -> String {
        let text = format!("AWS4-HMAC-SHA256-{kind}\n{}\n{}\n{of}", self.scope, self.previous);
        self.previous = calculate_signature(&self.key, text.as_bytes());
        self.previous.clone()
    }

    fn chunk(&mut self, data: &str) -> String {
        let of = format!("{}\n{}", sha256(b""), sha256(data.as_bytes()));
        let signature = self.next_signature("PAYLOAD", &of);
        let end = if data.is_empty() { "" } else { "\r\n" };
        format!("{:x};chunk-signature={signature}\r\n{data}{end}", data.len())
    }

    fn trailer(&mut self, value: &str) -> String {
        let of = sha256(format!("x-amz-checksum-crc32:{value}\n").as_bytes());
        let signature = self.next_signature("TRAILER", &of);
        format!("x-amz-checksum-crc32:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n")
    }

    fn with(mut self, body: String) -> Request<String> {
        self.request.headers_mut().insert("content-length", body.len().into());
        *self.request.body_mut() = body;
        self.request
    }
}

/// Changes the last signature of a text, whichever sign stands before it.
fn forged(text: &str) -> String {
    let start = text.rfind("signature").unwrap() + "signature=".len();
    let (before, signature) = text.split_at(start);
    let another = if signature.starts_with('0') { '1' } else { '0' };
    format!("{before}{another}{}", &signature[1..])
}

/// Status and code, unless it is taken.
type Refused = Option<(u16, &'static str)>;

/// The bodies of a signed upload of `hello world`, and how each is answered.
fn bodies(chain: &mut Chunked) -> Vec<(&'static str, String, Refused)> {
    const NOT_SIGNED: Refused = Some((403, "SignatureDoesNotMatch"));
    const NO_CHUNKS: Refused = Some((400, "InvalidRequest"));
    const SHORT: Refused = Some((400, "IncompleteBody"));
    let (first, second, end) = (chain.chunk("hello "), chain.chunk("world"), chain.chunk(""));
    let whole = format!("{first}{second}{end}");
    let far_too_long = format!("b;{}=\r\n", "x".repeat(2_000));
    vec![
        ("a first chunk with another signature", format!("{}{second}{end}", forged(&first)), NOT_SIGNED),
        ("a second one", format!("{first}{}{end}", forged(&second)), NOT_SIGNED),
        ("a last one", format!("{first}{second}{}", forged(&end)), NOT_SIGNED),
        ("other bytes", whole.replace("world", "w0rld"), NOT_SIGNED),
        ("chunks in another order", format!("{second}{first}{end}"), NOT_SIGNED),
        ("a chunk without a signature", "b\r\nhello world\r\n0\r\n".into(), NO_CHUNKS),
        ("no size", whole.replacen('6', "six", 1), NO_CHUNKS),
        ("a size that nothing has", whole.replacen('6', "ffffffff", 1), SHORT),
        ("no end of a line", whole.replace("hello \r\n", "hello !!"), NO_CHUNKS),
        ("a line without an end", far_too_long, NO_CHUNKS),
        ("no chunks at all", "hello world".into(), SHORT),
        ("nothing", String::new(), SHORT),
        ("an end within a chunk", whole[..100].to_owned(), SHORT),
        ("an end between chunks", first.clone(), SHORT),
        ("what was announced", whole, None),
    ]
}

#[tokio::test]
async fn a_body_in_chunks_is_what_was_signed_or_nothing() {
    let s3 = S3::start().await;
    let count = bodies(&mut Chunked::new(&s3, "PUT", "/bucket/a", SIGNED, 11)).len();
    for at in 0..count {
        s3.ask(request("PUT", "/bucket/a", "as it was")).await;
        for path in ["/bucket/a", "/bucket/new"] {
            let before = s3.names();
            let mut chain = Chunked::new(&s3, "PUT", path, SIGNED, 11);
            let (what, body, refused) = bodies(&mut chain).swap_remove(at);
            let answer = s3.send(chain.with(body)).await;
            let Some((status, code)) = refused else {
                assert_eq!(answer.status, 200, "{answer:?}");
                assert_eq!(s3.ask(request("GET", path, "")).await.body, "hello world");
                continue;
            };
            assert_eq!(
                (answer.status.as_u16(), answer.element("Code")),
                (status, code),
                "{what}: {answer:?}"
            );
            assert_eq!(s3.names(), before, "{what}");
        }
        if at + 1 < count {
            assert_eq!(s3.ask(request("GET", "/bucket/a", "")).await.body, "as it was");
        }
    }
    for declared in [10, 12, 0] {
        let mut chain = Chunked::new(&s3, "PUT", "/bucket/other", SIGNED, declared);
        let body = chain.chunk("hello world") + &chain.chunk("");
        assert_refused(&s3.send(chain.with(body)).await, 400, "IncompleteBody");
        assert!(!s3.holds("other").await);
    }
}

#[tokio::test]
async fn a_trailer_that_is_announced_is_there_and_signed() {
    let s3 = S3::start().await;
    for path in ["/bucket/a", "/bucket/b/c"] {
        let chain = || Chunked::new(&s3, "PUT", path, WITH_TRAILER, 11);
        let chunks = |chain: &mut Chunked| chain.chunk("hello world") + &chain.chunk("");
        let mut without = chain();
        let body = chunks(&mut without);
        assert_refused(&s3.send(without.with(body)).await, 400, "MalformedTrailerError");
        let mut another = chain();
        let body = chunks(&mut another) + &another.trailer(CRC32).replace(CRC32, "AAAAAA==");
        assert_refused(&s3.send(another.with(body)).await, 403, "SignatureDoesNotMatch");
        let mut forged_one = chain();
        let body = chunks(&mut forged_one) + &forged(&forged_one.trailer(CRC32));
        assert_refused(&s3.send(forged_one.with(body)).await, 403, "SignatureDoesNotMatch");
        assert!(!s3.holds(path.trim_start_matches("/bucket/")).await);
        let mut right = chain();
        let body = chunks(&mut right) + &right.trailer(CRC32);
        assert_eq!(s3.send(right.with(body)).await.status, 200);
        assert_eq!(s3.ask(request("GET", path, "")).await.body, "hello world");
    }
    for (body, answered) in [
        (String::from("b\r\nhello world\r\n0\r\n"), Some("MalformedTrailerError")),
        (String::from("b\r\nhello world\r\n0\r\nx-amz-meta-a:b\r\n\r\n"), Some("MalformedTrailerError")),
        (String::from("b\r\nhello world\r\n0\r\nno field\r\n\r\n"), Some("InvalidRequest")),
        (String::from("b\r\nhello world\r\n"), Some("MalformedTrailerError")),
        (format!("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:{CRC32}\r\n\r\n"), None),
    ] {
        let chain = Chunked::new(&s3, "PUT", "/bucket/unsigned", WITH_UNSIGNED_TRAILER, 11);
        let answer = s3.send(chain.with(body.clone())).await;
        match answered {
            Some(code) => assert_refused(&answer, 400, code),
            None => assert_eq!(answer.status, 200, "{answer:?}"),
        }
        assert_eq!(s3.holds("unsigned").await, answered.is_none(), "{body:?}");
    }
}

#[tokio::test]
async fn a_part_in_chunks_is_what_was_signed_or_nothing() {
    let s3 = S3::start().await;
    let begun = s3.ask(request("POST", "/bucket/film?uploads", "")).await;
    let id = begun.element("UploadId");
    let path = format!("/bucket/film?partNumber=1&uploadId={id}");
    let before = s3.names();
    let mut chain = Chunked::new(&s3, "PUT", &path, SIGNED, 11);
    let body = forged(&chain.chunk("hello world")) + &chain.chunk("");
    assert_refused(&s3.send(chain.with(body)).await, 403, "SignatureDoesNotMatch");
    let mut chain = Chunked::new(&s3, "PUT", &path, SIGNED, 12);
    let body = chain.chunk("hello world") + &chain.chunk("");
    assert_refused(&s3.send(chain.with(body)).await, 400, "IncompleteBody");
    assert_eq!(s3.names(), before);
    let mut chain = Chunked::new(&s3, "PUT", &path, SIGNED, 11);
    let body = chain.chunk("hello world") + &chain.chunk("");
    assert_eq!(s3.send(chain.with(body)).await.status, 200);
}

#[tokio::test]
async fn a_body_has_the_hash_that_was_signed() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/a", "as it was")).await;
    let begun = s3.ask(request("POST", "/bucket/film?uploads", "")).await;
    let upload = format!("uploadId={}", begun.element("UploadId"));
    let delete = "<Delete><Object><Key>a</Key></Object></Delete>";
    let parts = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>";
    let before = s3.names();
    for (method, path, body) in [
        ("PUT", "/bucket/a".to_owned(), "another"),
        ("PUT", "/bucket/new".to_owned(), "another"),
        ("PUT", format!("/bucket/film?partNumber=1&{upload}"), "another"),
        ("POST", "/bucket?delete".to_owned(), delete),
        ("POST", format!("/bucket/film?{upload}"), parts),
    ] {
        for form in FORMS {
            let mut odd = request(method, &path, body);
            if path.contains("delete") {
                odd.headers_mut().insert("content-md5", HeaderValue::from_static(MD5_OF_DELETE));
            }
            let hash = sha256(b"something else");
            odd.headers_mut().insert("x-amz-content-sha256", hash.parse().unwrap());
            let odd = match form {
                Form::Header => signer(&s3.daypass.key).sign_over(odd, SignableBody::Precomputed(hash)),
                Form::Presigned => {
                    signer(&s3.daypass.key).presign_over(odd, SignableBody::UnsignedPayload, 600)
                }
            };
            let answer = s3.send(odd).await;
            assert_refused(&answer, 400, "XAmzContentSHA256Mismatch");
            assert_eq!(s3.names(), before, "{method} {path}");
        }
    }
    assert_eq!(s3.ask(request("GET", "/bucket/a", "")).await.body, "as it was");
}

#[tokio::test]
async fn only_objects_and_parts_come_in_chunks() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/a", "as it was")).await;
    let delete = "<Delete><Object><Key>a</Key></Object></Delete>";
    let mut chain = Chunked::new(&s3, "POST", "/bucket?delete", SIGNED, delete.len());
    let body = forged(&chain.chunk(delete)) + &chain.chunk("");
    assert_refused(&s3.send(chain.with(body)).await, 501, "NotImplemented");
    assert!(s3.holds("a").await);
}
