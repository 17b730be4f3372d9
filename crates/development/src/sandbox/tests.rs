//! The sandbox through its router, as an app, a person and an attacker see it.

mod authorize;
mod me;
mod pages;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::clock::{ManualClock, SignedDuration};
use daypass_core::ground::random::SeededRandom;
use daypass_core::ground::secret::Secret;
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt;

use super::*;

const OUR_REDIRECT: &str = "http://127.0.0.1:9400/";
const OUR_SECRET: &str = "our:secret +%/ä";
const EXTERNAL_ID: &str = "https://auth.snapchat.com/oauth2/api/user.external_id";
const DISPLAY_NAME: &str = "https://auth.snapchat.com/oauth2/api/user.display_name";
const BITMOJI: &str = "https://auth.snapchat.com/oauth2/api/user.bitmoji.avatar";
/// The pair of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

type Form = Vec<(String, String)>;

struct App {
    router: Router,
    clock: Arc<ManualClock>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

struct Tokens {
    access: String,
    refresh: String,
}

fn form(pairs: &[(&str, &str)]) -> Form {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The form with one parameter replaced, added, or with `None` taken out.
fn with(mut form: Form, name: &str, value: Option<&str>) -> Form {
    form.retain(|(key, _)| key != name);
    form.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    form
}

fn encode(form: &Form) -> String {
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = form.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A complete request for all scopes, with PKCE.
fn request() -> Form {
    form(&[
        ("client_id", DAYPASS_DEMO_CLIENT_ID),
        ("redirect_uri", OUR_REDIRECT),
        ("response_type", "code"),
        ("scope", &format!("{EXTERNAL_ID} {DISPLAY_NAME} {BITMOJI}")),
        ("state", "s-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

/// The request with Ada's consent to everything.
fn consent() -> Form {
    let mut form = request();
    form.extend(
        [("person", "ada"), ("share", EXTERNAL_ID), ("share", DISPLAY_NAME), ("share", BITMOJI)]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    form
}

/// Ada's consent to the other company's app.
fn other_consent() -> Form {
    let form = with(consent(), "client_id", Some(OTHER_GAMES_CLIENT_ID));
    with(form, "redirect_uri", Some(OTHER_GAMES_REDIRECT_URI))
}

fn redemption(code: &str) -> Form {
    form(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", OUR_REDIRECT),
        ("code_verifier", VERIFIER),
    ])
}

fn refreshing(refresh_token: &str) -> Form {
    form(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
}

fn basic(client_id: &str, secret: &str) -> String {
    let secret = utf8_percent_encode(secret, NON_ALPHANUMERIC);
    format!("Basic {}", BASE64_STANDARD.encode(format!("{client_id}:{secret}")))
}

fn ours() -> String {
    basic(DAYPASS_DEMO_CLIENT_ID, OUR_SECRET)
}

fn others() -> String {
    basic(OTHER_GAMES_CLIENT_ID, OTHER_GAMES_CLIENT_SECRET)
}

impl App {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at_second(1_800_000_000));
        let our_client = Client::daypass_demo(Secret::new(OUR_SECRET), vec![OUR_REDIRECT.to_owned()]);
        let config = SandboxConfig { public_url: "http://127.0.0.1:9402".to_owned(), our_client };
        let router = router(config, Arc::clone(&clock) as _, Arc::new(SeededRandom::new(7)));
        Self { router, clock }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn ask(&self, form: &Form) -> Answer {
        self.get(&format!("/accounts/oauth2/auth?{}", encode(form))).await
    }

    async fn post(&self, path: &str, authorization: Option<&str>, form: &Form) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = authorization
            .into_iter()
            .fold(request, |request, value| request.header(header::AUTHORIZATION, value));
        self.send(request.body(Body::from(encode(form))).unwrap()).await
    }

    async fn decide(&self, form: &Form) -> Answer {
        self.post("/accounts/oauth2/auth", None, form).await
    }

    async fn code(&self, form: &Form) -> String {
        self.decide(form).await.returned("code").expect("a code")
    }

    async fn token(&self, authorization: &str, form: &Form) -> Answer {
        self.post("/accounts/oauth2/token", Some(authorization), form).await
    }

    /// A whole sign-in of Ada's at our app.
    async fn sign_in(&self) -> Tokens {
        let code = self.code(&consent()).await;
        self.token(&ours(), &redemption(&code)).await.tokens()
    }

    async fn revoke(&self, authorization: &str, token: &str) -> Answer {
        self.post("/accounts/oauth2/revoke", Some(authorization), &form(&[("token", token)])).await
    }

    async fn me(&self, access_token: &str, query: &str) -> Answer {
        let body = serde_json::json!({ "query": query }).to_string();
        let request = Request::post("/v1/me")
            .header(header::AUTHORIZATION, format!("Bearer {access_token}"))
            .header(header::CONTENT_TYPE, "application/json;charset=UTF-8");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn is_alive(&self, access_token: &str) -> bool {
        self.me(access_token, "{me{externalId}}").await.status == StatusCode::OK
    }

    fn wait(&self, duration: SignedDuration) {
        self.clock.advance(duration);
    }
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn location(&self) -> &str {
        self.header(header::LOCATION)
    }

    /// A parameter that the redirect carries, in its query or its fragment.
    fn returned(&self, name: &str) -> Option<String> {
        let (_, pairs) = self.location().split_once(['?', '#'])?;
        let value = pairs.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(percent_decode_str(value).decode_utf8().unwrap().into_owned())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON: {}", self.body))
    }

    fn tokens(&self) -> Tokens {
        let json = self.json();
        let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("{name}: {json}")).to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// The status and the code of a refusal at the token endpoint.
    fn refusal(&self) -> (u16, String) {
        assert!(self.json()["error_description"].is_string(), "{}", self.body);
        (self.status.as_u16(), self.json()["error"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn a_whole_login_from_the_page_to_the_profile() {
    let app = App::new();
    assert_eq!(app.ask(&request()).await.status, StatusCode::OK);

    let decision = app.decide(&with(consent(), "decision", Some("allow"))).await;
    assert_eq!(decision.status, StatusCode::SEE_OTHER);
    assert!(decision.location().starts_with("http://127.0.0.1:9400/?code="), "{}", decision.location());
    assert_eq!(decision.returned("state").as_deref(), Some("s-1"));

    let code = decision.returned("code").unwrap();
    let answer = app.token(&ours(), &redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(answer.json()["expires_in"], 3600);
    assert_eq!(answer.json()["scope"], format!("{EXTERNAL_ID} {DISPLAY_NAME} {BITMOJI}"));

    let profile = app.me(&answer.tokens().access, "{me{externalId displayName bitmoji{avatar id}}}").await;
    assert_eq!(
        profile.json(),
        serde_json::json!({ "data": { "me": {
            "externalId": "6Wb4xAG6hQwofI5BVIXN7lap+SdaluC/4JjlCAe2kPs=",
            "displayName": "Ada",
            "bitmoji": { "avatar": "http://127.0.0.1:9402/avatars/ada.svg", "id": "bitmoji-ada" },
        } } })
    );
}

#[tokio::test]
async fn no_answer_is_cached_or_leaks_its_address() {
    let app = App::new();
    let answers = [
        app.ask(&request()).await,
        app.decide(&consent()).await,
        app.token(&ours(), &redemption("unknown")).await,
        app.token(&ours(), &redemption(&app.code(&consent()).await)).await,
        app.me("unknown", "{me{}}").await,
        app.get("/nowhere").await,
    ];
    for answer in answers {
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}
