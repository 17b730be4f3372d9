//! What stands at which path: the documents that verifiers read, health, and that nothing else is there.

use daypass_core::ground::clock::SignedDuration;
use http::{Method, Request};
use serde_json::json;

use crate::harness::{Answer, Backend, Daypass, IDP, SERVER};

async fn ask(daypass: &Daypass, method: Method, path: &str) -> Answer {
    daypass.send(Request::builder().method(method).uri(path).body(String::new()).unwrap()).await
}

/// Every route of the server.
const ROUTES: [(Method, &str); 29] = [
    (Method::POST, "/"),
    (Method::GET, "/"),
    (Method::GET, "/playground/config.json"),
    (Method::GET, "/playground/app.js"),
    (Method::GET, "/playground/sdk/index.js"),
    (Method::GET, "/sdk/0.1.0/index.js"),
    (Method::POST, "/v1/exchange"),
    (Method::GET, "/v1/providers"),
    (Method::GET, "/oauth2/authorize"),
    (Method::POST, "/oauth2/token"),
    (Method::POST, "/oauth2/revoke"),
    (Method::POST, "/oauth2/device_authorization"),
    (Method::GET, "/device"),
    (Method::POST, "/device"),
    (Method::POST, "/device/decision"),
    (Method::GET, "/v1/sessions"),
    (Method::DELETE, "/v1/sessions"),
    (Method::GET, "/.well-known/oauth-authorization-server"),
    (Method::GET, "/login"),
    (Method::GET, "/login/style.css"),
    (Method::GET, "/login/popup.js"),
    (Method::GET, "/.well-known/openid-configuration"),
    (Method::GET, "/.well-known/jwks.json"),
    (Method::GET, "/.well-known/jwks_uri"),
    (Method::GET, "/healthz"),
    (Method::GET, "/readyz"),
    (Method::OPTIONS, "/"),
    (Method::OPTIONS, "/v1/exchange"),
    (Method::OPTIONS, "/v1/sessions"),
];

#[tokio::test]
async fn every_route_is_there() {
    let daypass = Daypass::start().await;
    for (method, path) in ROUTES {
        let status = ask(&daypass, method.clone(), path).await.status;
        assert!(status != 404 && status != 405 && status.as_u16() < 500, "{method} {path}: {status}");
    }
    // Each has its own series but for what only `up` has.
    let of_up = ROUTES.iter().filter(|(_, path)| path.starts_with("/playground/")).count();
    let metrics = daypass.app.metrics.text();
    for (status, count) in [("2xx", of_up), ("3xx", 0), ("4xx", 0), ("5xx", 0)] {
        let others = format!("daypass_requests_total{{route=\"other\",status=\"{status}\"}} {count}\n");
        assert!(metrics.contains(&others), "{metrics}");
    }
}

#[tokio::test]
async fn nothing_else_is_there() {
    let daypass = Daypass::start().await;
    let paths = [
        "/v1",
        "/v1/",
        "/v1/exchange/",
        "/v1/link/",
        "/oauth2/",
        "/login/",
        "/login/snapchat/",
        "/login/snapchat/callback/",
        "/metrics",
        "/console",
        "/sandbox.json",
        "/accounts/oauth2/auth",
        "/.well-known/",
        "/.well-known/jwks",
        "/playground/",
        "/playground/none.js",
        "/playground/..%2fapp.js",
        "/playground/sdk/..%2f..%2fCargo.toml",
        "/sdk",
        "/sdk/",
        "/%2e%2e/etc/passwd",
        "//healthz",
    ];
    for path in paths {
        let answer = ask(&daypass, Method::GET, path).await;
        answer.assert_problem(404, "not_found");
        assert_eq!(answer.json()["detail"], "There is nothing at this path.");
        assert_eq!(answer.json()["title"], "Not Found");
    }
}

#[tokio::test]
async fn another_method_is_not_allowed() {
    let daypass = Daypass::start().await;
    let others = [
        (Method::PUT, "/", "GET"),
        (Method::GET, "/v1/exchange", "POST"),
        (Method::GET, "/v1/link", "POST"),
        (Method::GET, "/oauth2/token", "POST"),
        (Method::POST, "/login", "GET,HEAD"),
        (Method::POST, "/login/snapchat", "GET,HEAD"),
        (Method::POST, "/v1/providers", "GET,HEAD"),
        (Method::DELETE, "/.well-known/jwks.json", "GET,HEAD"),
        (Method::POST, "/healthz", "GET,HEAD"),
        (Method::POST, "/sdk/0.1.0/index.js", "GET,HEAD"),
    ];
    for (method, path, allowed) in others {
        let answer = ask(&daypass, method, path).await;
        answer.assert_problem(405, "method_not_allowed");
        assert!(answer.header("allow").contains(allowed), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    let daypass = Daypass::start().await;
    let (first, second) = (daypass.get("/healthz").await, daypass.get("/healthz").await);
    assert_ne!(first.header("x-amzn-requestid"), second.header("x-amzn-requestid"));
}

#[tokio::test]
async fn discovery_names_the_issuer_and_its_keys() {
    let daypass = Daypass::start().await;
    let answer = daypass.get("/.well-known/openid-configuration").await;
    for (member, expected) in [
        ("issuer", json!(SERVER)),
        ("jwks_uri", json!(format!("{SERVER}/.well-known/jwks_uri"))),
        ("token_endpoint", json!(format!("{SERVER}/oauth2/token"))),
        ("response_types_supported", json!(["code"])),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!(["RS512"])),
    ] {
        assert_eq!(answer.json()[member], expected, "{member}");
    }
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn the_keys_stand_at_two_paths_and_hold_nothing_private() {
    let daypass = Daypass::start().await;
    let answer = daypass.get("/.well-known/jwks_uri").await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let keys = answer.json();
    let key = keys["keys"][0].as_object().unwrap();
    let members: Vec<&str> = key.keys().map(String::as_str).collect();
    assert_eq!(members, ["kty", "alg", "use", "kid", "n", "e"]);
    assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("RSA"), &json!("RS512"), &json!("sig")));
    assert_eq!(daypass.get("/.well-known/jwks.json").await.json(), keys);
}

#[tokio::test]
async fn health_is_plain() {
    let daypass = Daypass::start().await;
    assert_eq!(daypass.get("/healthz").await.body, "ok\n");
    assert_eq!(daypass.get("/readyz").await.body, "ready\n");
}

/// What is known of the keys counts for a while. After that nothing is signed, and whoever watches over the server hears it before
/// anybody who signs in.
#[tokio::test]
async fn a_server_that_cannot_read_its_keys_again_is_not_ready() {
    let backend = Backend::sqlite();
    let by_hand = backend.connection();
    let daypass = Daypass::start().on(backend).await;
    by_hand.execute("UPDATE signing_key SET sealed_private_key = x'00'", []).unwrap();
    daypass.advance(SignedDuration::from_mins(9));
    assert_eq!(daypass.get("/readyz").await.body, "ready\n");
    daypass.enter("ada").await;
    daypass.advance(SignedDuration::from_mins(2));
    daypass.get("/readyz").await.assert_problem(503, "not_ready");
    let login = daypass.sign_in("ada").await;
    daypass.exchange(&login.proof()).await.assert_problem(500, "store_unavailable");
    assert_eq!(daypass.get("/.well-known/jwks.json").await.status, 200, "what is known is still of use");
}

#[tokio::test]
async fn a_login_page_learns_what_it_may_offer() {
    let daypass = Daypass::start().await;
    let provider = |id: &str, accepts: &[&str]| {
        json!({
            "id": id,
            "name": "Snapchat",
            "authorization_endpoint": format!("{IDP}/accounts/oauth2/auth"),
            "client_id": "6d1f0a52-5f3e-4c5e-9d57-0a6f2f9b7c01",
            "scope": "https://auth.snapchat.com/oauth2/api/user.external_id \
                      https://auth.snapchat.com/oauth2/api/user.display_name \
                      https://auth.snapchat.com/oauth2/api/user.bitmoji.avatar",
            "pkce": "required",
            "login_url": format!("{SERVER}/login/{id}"),
            "grade": "N",
            "accepts": accepts,
        })
    };
    let expected = json!({
        "identity_pool_id": daypass.pool_id(),
        "region": "us-east-1",
        "identity_pool_endpoint": SERVER,
        "guests": false,
        "providers": [provider("snapchat", &["code"]), provider("snapchat-token", &["code", "access_token"])],
    });
    assert_eq!(daypass.get("/v1/providers").await.json(), expected);
}

#[tokio::test]
async fn a_page_learns_whether_there_are_guests() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    assert_eq!(daypass.get("/v1/providers").await.json()["guests"], true);
}

#[tokio::test]
async fn any_page_may_import_the_sdk_of_this_version() {
    let daypass = Daypass::start().await;
    let answer = daypass.get("/sdk/0.1.0/index.js").await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(answer.body.contains("export { createDaypass }"), "{answer:?}");
}

#[tokio::test]
async fn an_sdk_that_is_not_here_is_answered_with_the_one_that_is() {
    let daypass = Daypass::start().await;
    for path in [
        "/sdk/0.0.9/index.js",
        "/sdk/index.js",
        "/sdk/0.1.0/none.js",
        "/sdk/0.1.0/",
        "/sdk/..%2f..%2fCargo.toml",
    ] {
        let answer = daypass.get(path).await;
        answer.assert_problem(404, "sdk_not_found");
        assert!(answer.json()["detail"].as_str().unwrap().contains("/sdk/0.1.0/index.js"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}: a page can read why");
        assert!(!answer.header("cache-control").contains("immutable"), "{path}");
    }
}
