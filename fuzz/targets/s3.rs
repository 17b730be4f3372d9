//! The S3 endpoint: paths, queries, headers, XML and chunks. Whoever may write into one folder reads and changes
//! nothing beside it, and nothing makes the endpoint fail.
//!
//! Input: `q` for a signature in the query, `c` for a body in chunks, or anything else for one in the header; a
//! request, which is signed; and, behind the byte 0xff, header lines that are added afterwards.

#![no_main]

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, LazyLock};

use axum::Router;
use daypass_core::ground::clock::SystemClock;
use fuzz_support::world::{Key, World, request};
use http::{HeaderName, HeaderValue, Request};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/mine/*"},
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket",
     "Condition": {"StringLike": {"s3:prefix": "mine/*"}}}
]}"#;
/// What stands in every file that is not mine.
const SECRET: &str = "what nobody may read";
const CHUNKED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

struct State {
    world: World,
    router: Router,
    owner: Key,
    root: TempDir,
    /// What there is at first.
    before: Everything,
}

// s3s reads the machine's clock.
static STATE: LazyLock<State> = LazyLock::new(|| {
    let world = World::new(Arc::new(SystemClock), POLICY);
    let root = TempDir::new().unwrap();
    fs::write(root.path().join("a"), SECRET).unwrap();
    fs::create_dir(root.path().join("buckets")).unwrap();
    let router = world.s3(&root.path().join("buckets"));
    let owner = world.owner();
    let mut state = State { world, router, owner, root, before: Everything::default() };
    for bucket in ["/bucket", "/other"] {
        state.ask("PUT", bucket, "");
    }
    for (path, text) in [("/bucket/yours/a", SECRET), ("/bucket/a", SECRET), ("/other/mine/a", SECRET)] {
        state.ask("PUT", path, text);
    }
    state.fill();
    state.before = state.everything();
    state
});

/// What is in buckets, by what a listing says of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Everything {
    mine: BTreeSet<String>,
    not_mine: BTreeSet<String>,
}

impl State {
    /// A request of whoever may everything.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "s3.fuzzed")
            .header("content-length", body.len())
            .body(body.as_bytes().to_vec());
        let signed = self.world.sign_by(&self.owner, request.unwrap(), "s3").unwrap();
        let answer = self.world.ask_of(&self.router, signed);
        assert!(answer.status().is_success(), "{method} {path}: {answer:?}");
        String::from_utf8_lossy(answer.body()).into_owned()
    }

    fn everything(&self) -> Everything {
        let mut found = Everything::default();
        for (bucket, list, entry) in [
            ("bucket", "list-type=2&encoding-type=url", "Contents"),
            ("bucket", "uploads&encoding-type=url", "Upload"),
            ("other", "list-type=2&encoding-type=url", "Contents"),
            ("other", "uploads&encoding-type=url", "Upload"),
        ] {
            let listed = self.ask("GET", &format!("/{bucket}?{list}"), "");
            for entry in listed.split(&format!("<{entry}>")).skip(1) {
                let is_mine = bucket == "bucket" && entry.contains("<Key>mine/");
                let half = if is_mine { &mut found.mine } else { &mut found.not_mine };
                half.insert(format!("{bucket} {}", entry.split("</Owner>").next().unwrap()));
            }
        }
        let names = fs::read_dir(self.root.path())
            .unwrap()
            .chain(fs::read_dir(self.root.path().join("buckets")).unwrap());
        found.not_mine.extend(names.map(|entry| entry.unwrap().path().display().to_string()));
        found
    }

    /// Puts what is mine there as it was.
    fn fill(&self) {
        for path in ["/bucket/mine/a", "/bucket/mine/%C3%A9/b"] {
            self.ask("PUT", path, "mine");
        }
    }

    fn empty(&self, mine: &BTreeSet<String>) {
        for entry in mine {
            let between = |name: &str| {
                let (_, rest) = entry.split_once(&format!("<{name}>"))?;
                rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
            };
            let key = between("Key").unwrap();
            match between("UploadId") {
                Some(id) => self.ask("DELETE", &format!("/bucket/{key}?uploadId={id}"), ""),
                None => self.ask("DELETE", &format!("/bucket/{key}"), ""),
            };
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((form, input)) = input.split_first() else { return };
    let mut parts = input.splitn(2, |byte| *byte == 0xff);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(mut meant) = request(first) else { return };
    for name in ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
        meant.headers_mut().remove(name);
    }
    meant.headers_mut().entry("host").or_insert(HeaderValue::from_static("s3.fuzzed"));
    let signed = match form {
        b'q' => STATE.world.presign(meant, "s3"),
        b'c' => STATE.world.sign_over(meant, "s3", CHUNKED),
        _ => STATE.world.sign(meant, "s3"),
    };
    let Some(mut request) = signed else { return };
    if !request.body().is_empty() || request.method() == http::Method::PUT {
        let length = request.body().len();
        request.headers_mut().entry("content-length").or_insert(length.into());
    }
    for line in second.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(line[colon + 1..].trim_ascii()))
        else {
            return;
        };
        request.headers_mut().append(name, value);
    }
    let asked = format!("{} {}", request.method(), request.uri());
    let answer = STATE.world.ask_of(&STATE.router, request);
    let (status, said) = (answer.status().as_u16(), String::from_utf8_lossy(answer.body()));
    assert!(status < 500 || status == 501, "{asked}: {status} {said}");
    assert!(!said.contains(SECRET), "{asked}: {status} {said}");
    let after = STATE.everything();
    assert_eq!(after.not_mine, STATE.before.not_mine, "{asked}: {status}");
    if after.mine != STATE.before.mine {
        STATE.empty(&after.mine);
        STATE.fill();
    }
});
