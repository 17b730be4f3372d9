//! The S3 endpoint: paths, queries, headers, XML and chunks. Whoever may write into one folder reads and changes
//! nothing beside it, and nothing makes the endpoint fail.
//!
//! Input: `q` for a signature in the query, `c` for a body in chunks, or anything else for one in the header; a
//! request, which is signed; and, behind the byte 0xff, header lines that are added afterwards.

#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use axum::Router;
use daypass_core::ground::clock::SystemClock;
use fuzz_support::world::{World, request};
use http::{HeaderName, HeaderValue};
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
    root: TempDir,
}

// s3s reads the machine's clock.
static STATE: LazyLock<State> = LazyLock::new(|| {
    let world = World::new(Arc::new(SystemClock), POLICY);
    let root = TempDir::new().unwrap();
    fill(root.path());
    let router = world.s3(&root.path().join("buckets"));
    State { world, router, root }
});

/// Two buckets and a file beside them.
fn fill(root: &Path) {
    for (folder, file, text) in [
        ("buckets/bucket/mine", "a", "mine"),
        ("buckets/bucket/mine", "é/b", "mine"),
        ("buckets/bucket/yours", "a", SECRET),
        ("buckets/bucket", "a", SECRET),
        ("buckets/other/mine", "a", SECRET),
        ("", "a", SECRET),
    ] {
        let path = root.join(folder).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
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
    let before = not_mine(STATE.root.path());
    let answer = STATE.world.ask_of(&STATE.router, request);
    let (status, said) = (answer.status().as_u16(), String::from_utf8_lossy(answer.body()));
    assert!(status < 500 || status == 501, "{asked}: {status} {said}");
    assert!(!said.contains(SECRET), "{asked}: {status} {said}");
    assert_eq!(before, not_mine(STATE.root.path()), "{asked}: {status}");
    tidy_up(STATE.root.path());
});

/// All files but those of the folder that is the caller's, and what the endpoint notes about them.
fn not_mine(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(root, root, &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let is_note = name.strip_prefix("buckets/").is_some_and(|name| name.starts_with('.'));
        if is_note || name == "buckets/bucket/mine" {
            continue;
        }
        if path.is_dir() {
            found.insert(name, Vec::new());
            collect(root, &path, found);
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Puts the caller's folder back as it was.
fn tidy_up(root: &Path) {
    let buckets = root.join("buckets");
    let _ = fs::remove_dir_all(buckets.join("bucket/mine"));
    for entry in fs::read_dir(&buckets).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with('.') {
            let _ = fs::remove_file(entry.path());
        }
    }
    fill(root);
}
