//! Signatures of the AWS API, in the header and in the query. What is accepted is what was signed.
//!
//! Input: `q` for the query or anything else for the header; a request, which is signed; the byte 0xff; and
//! a request that the signature is taken over to.

#![no_main]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::ground::clock::ManualClock;
use fuzz_support::NOW;
use fuzz_support::world::{World, request};
use http::{HeaderMap, Request, Uri};
use libfuzzer_sys::fuzz_target;

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let world = World::new(Arc::new(ManualClock::at_second(NOW)), ALLOW_ALL);
    let ordinary = request(b"POST /\nhost: a\nx-amz-target: b\n\n{}").unwrap();
    for signed in [world.sign(ordinary.clone(), SERVICE), world.presign(ordinary, SERVICE)] {
        assert!(accepted(&world, signed.unwrap()), "an ordinary request is accepted");
    }
    world
});

const SERVICE: &str = "cognito-identity";
/// What the signer writes.
const OF_SIGNATURE: [&str; 3] = ["authorization", "x-amz-date", "x-amz-security-token"];
/// What may come to a request on its way.
const MAY_BE_UNSIGNED: [&str; 2] = ["x-amz-cf-id", "x-amz-user-agent"];

fuzz_target!(|input: &[u8]| {
    let Some((form, input)) = input.split_first() else { return };
    let mut parts = input.splitn(2, |byte| *byte == 0xff);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    // Without a host the signer of the client fails.
    let Some(mut meant) = request(first).filter(|it| it.headers().contains_key("host")) else { return };
    for name in OF_SIGNATURE {
        meant.headers_mut().remove(name);
    }
    let signed = match form {
        b'q' => WORLD.presign(meant.clone(), SERVICE),
        _ => WORLD.sign(meant.clone(), SERVICE),
    };
    let Some(signed) = signed else { return };
    let Some(second) = second else {
        accepted(&WORLD, signed);
        return;
    };
    let Some(mut sent) = request(second) else { return };
    let said = sent.clone();
    match form {
        b'q' => {
            let (_, signature) = signed.uri().query().unwrap().split_once("X-Amz-").unwrap();
            let query = sent.uri().query().map(|query| format!("{query}&")).unwrap_or_default();
            let uri = format!("{}?{query}X-Amz-{signature}", sent.uri().path());
            let Ok(uri) = uri.parse() else { return };
            *sent.uri_mut() = uri;
        }
        _ => {
            for name in ["authorization", "x-amz-date"] {
                sent.headers_mut().insert(name, signed.headers()[name].clone());
            }
        }
    }
    if accepted(&WORLD, sent) {
        assert_same(&meant, &said);
    }
});

fn accepted(world: &World, request: Request<Vec<u8>>) -> bool {
    let (parts, body) = request.into_parts();
    let body = Bytes::from(body);
    world.block_on(world.embedded.callers.authenticate(&parts, &body, SERVICE)).is_ok()
}

/// Whether two requests mean the same, as far as a signature has to care.
fn assert_same(meant: &Request<Vec<u8>>, sent: &Request<Vec<u8>>) {
    assert_eq!(meant.method(), sent.method());
    assert_eq!(meant.body(), sent.body());
    assert_eq!(parameters(meant.uri()), parameters(sent.uri()), "{} {}", meant.uri(), sent.uri());
    assert_eq!(meaningful(meant.headers()), meaningful(sent.headers()));
    let plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
    if plain(meant.uri().path()) && plain(sent.uri().path()) {
        let segments = |uri: &Uri| {
            uri.path().split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(segments(meant.uri()), segments(sent.uri()));
    }
}

fn parameters(uri: &Uri) -> Vec<(String, String)> {
    let query = uri.query().unwrap_or_default();
    let mut parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    parameters.sort();
    parameters
}

/// The headers of AWS's, and the host. Space around and within values is as good as a single one.
fn meaningful(headers: &HeaderMap) -> Vec<(String, Vec<String>)> {
    let value = |value: &http::HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let names = headers.keys().map(|name| name.as_str()).filter(|name| {
        (*name == "host" || name.starts_with("x-amz-"))
            && !OF_SIGNATURE.contains(name)
            && !MAY_BE_UNSIGNED.contains(name)
    });
    let mut all: Vec<_> =
        names.map(|name| (name.to_owned(), headers.get_all(name).iter().map(value).collect())).collect();
    all.sort();
    all
}
