//! Sessions in a cookie: no page gets a refresh token, and only pages of the app reach its session.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::token::dpop::testing::ClientKey;
use http::{HeaderMap, Method, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, Daypass, SERVER, Wishes, claims};

const ORIGIN: &str = "http://127.0.0.1:3000";
const REDIRECT: &str = "http://127.0.0.1:3000/signed-in";
const COOKIE: &str = "daypass-session-kiosk";

async fn start() -> Daypass {
    let apps = format!(
        "[[app]]\nid = \"kiosk\"\norigins = [{ORIGIN:?}]\nredirect_uris = [{REDIRECT:?}]\nsession_cookie = true\n\
         [[app]]\nid = \"sibling\"\norigins = [\"http://127.0.0.1:4000\"]\nredirect_uris = [{REDIRECT:?}]\n\
         session_cookie = true\n"
    );
    Daypass::start().with_tables(&apps).await
}

/// A page in somebody's browser, which does what pages do.
struct Page<'a> {
    browser: Browser<'a>,
    /// Of the key that it has, if it has one.
    proof: Option<String>,
    headers: Vec<(&'static str, &'static str)>,
}

impl<'a> Page<'a> {
    fn new(daypass: &'a Daypass) -> Self {
        Self {
            browser: Browser::new(daypass),
            proof: None,
            headers: vec![("origin", ORIGIN), ("daypass-app", "kiosk")],
        }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.extend((!value.is_empty()).then_some((name, value)));
        self
    }

    fn with_proof(self, proof: String) -> Self {
        Self { proof: Some(proof), ..self }
    }

    async fn ask(&mut self, method: Method, path: &str, kind: &str, body: String) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("content-type", kind);
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        if let Some(proof) = &self.proof {
            request = request.header("dpop", proof);
        }
        self.browser.send(request.body(body).unwrap()).await
    }

    async fn post(&mut self, path: &str, members: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        self.ask(Method::POST, path, "application/x-www-form-urlencoded", body).await
    }

    async fn redeem(&mut self) -> Answer {
        let wishes = Wishes::new().with("app", "kiosk").with("redirect_uri", REDIRECT);
        let code = self.browser.sign_in(&wishes).await;
        self.post("/oauth2/token", &wishes.form(&code)).await
    }

    async fn sign_in(&mut self) -> Value {
        let answer = self.redeem().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    async fn refresh(&mut self) -> Answer {
        self.post("/oauth2/token", &[("grant_type", "refresh_token"), ("client_id", "kiosk")]).await
    }

    async fn sessions(&mut self, method: Method, path: &str) -> Answer {
        self.ask(method, path, "text/plain", String::new()).await
    }

    fn kept(&self) -> Option<&String> {
        self.browser.cookies.get(COOKIE)
    }
}

#[track_caller]
fn assert_over(answer: &Answer, reason: &str) {
    let told = answer.json();
    assert_eq!((&told["error"], &told["reason"]), (&json!("invalid_grant"), &json!(reason)), "{answer:?}");
    assert!(!answer.headers.contains_key("set-cookie"), "a late refusal takes no newer cookie away");
}

#[tokio::test]
async fn a_session_goes_on_by_its_cookie_and_no_page_sees_a_refresh_token() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    let answer = page.redeem().await;
    let session = answer.json();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.contains("dpr_") && session.get("refresh_token").is_none(), "{answer:?}");
    assert_eq!(session["refresh_expires_in"], 604_800);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with(&format!("{COOKIE}=dpr_")), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"), "{cookie}");

    let mut earlier = page.kept().cloned();
    for _ in 0..3 {
        daypass.advance(SignedDuration::from_mins(20));
        let answer = page.refresh().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.body.contains("dpr_"), "{answer:?}");
        assert_eq!(answer.json()["session_id"], session["session_id"]);
        assert!(page.kept().is_some() && page.kept() != earlier.as_ref());
        earlier = page.kept().cloned();
    }
}

#[tokio::test]
async fn without_a_cookie_nobody_is_signed_in() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    assert_over(&page.refresh().await, "no_cookie");
    page.sessions(Method::GET, "/v1/sessions").await.assert_problem(401, "refresh_token_refused");
    // Whoever signs out where nobody is signed in is signed out.
    assert_eq!(page.post("/oauth2/revoke", &[("client_id", "kiosk")]).await.status, 200);
    for nonsense in ["", "x", "dpr_x"] {
        page.browser.cookies.insert(COOKIE.into(), nonsense.into());
        let expected = if nonsense.is_empty() { "no_cookie" } else { "malformed" };
        assert_over(&page.refresh().await, expected);
    }
}

#[tokio::test]
async fn pages_of_others_reach_nothing_with_the_cookie() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    page.sign_in().await;
    let cookies = page.browser.cookies.clone();
    let before = cookies[COOKIE].clone();
    for (who, name, value, status) in [
        ("a page that nobody registered", "origin", "https://evil.example", 403),
        ("a page of another registered app", "origin", "https://shop.example", 403),
        ("a page of another app with a cookie", "origin", "http://127.0.0.1:4000", 403),
        ("a sandboxed page", "origin", "null", 403),
        ("a request that no page sent", "origin", "", 403),
        ("a page without the header", "daypass-app", "", 400),
        ("a page that names another app", "daypass-app", "sibling", 403),
        ("a page that names an app without cookies", "daypass-app", "shop", 400),
        ("a page that names nothing", "daypass-app", "nobody", 400),
    ] {
        let mut page = Page::new(&daypass).with(name, value);
        page.browser.cookies = cookies.clone();
        let answer = page.refresh().await;
        assert_eq!(answer.status, status, "{who}: {answer:?}");
        assert_eq!(page.kept(), Some(&before), "{who}");
        let answer = page.post("/oauth2/revoke", &[("client_id", "kiosk")]).await;
        assert_eq!(answer.status, status, "{who}: {answer:?}");
        let without_header = name == "daypass-app" && value.is_empty();
        let status = if without_header { 401 } else { status };
        for method in [Method::GET, Method::DELETE] {
            let answer = page.sessions(method, "/v1/sessions").await;
            assert_eq!(answer.status, status, "{who}: {answer:?}");
        }
        let body = json!({"first": {}, "provider": "snapchat-token", "access_token": "x"}).to_string();
        let answer = page.ask(Method::POST, "/v1/link", "application/json", body).await;
        let status = if without_header { 400 } else { status };
        assert_eq!(answer.status, status, "{who}: {answer:?}");
    }
    assert_eq!(page.refresh().await.status, 200);
}

#[tokio::test]
async fn an_app_has_its_session_in_one_place() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    page.sign_in().await;
    let token = page.kept().unwrap().clone();
    let with_token = [("grant_type", "refresh_token"), ("client_id", "kiosk"), ("refresh_token", &*token)];
    let answer = page.post("/oauth2/token", &with_token).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["code"]),
        (400, &json!("session_cookie")),
        "{answer:?}"
    );
    let answer = page.post("/oauth2/revoke", &[("client_id", "kiosk"), ("token", &*token)]).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["code"]),
        (400, &json!("session_cookie")),
        "{answer:?}"
    );
    // Another app's session is in its page's hands, and the header does not change that.
    let of_shop = [("grant_type", "refresh_token"), ("client_id", "shop")];
    assert_eq!(page.post("/oauth2/token", &of_shop).await.json()["code"], "origin_not_allowed");
    let mut page = page.with("authorization", "Bearer dpr_x");
    page.sessions(Method::GET, "/v1/sessions").await.assert_problem(400, "session_cookie");
}

#[tokio::test]
async fn what_is_in_a_cookie_counts_from_nowhere_else_but_can_be_ended() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    page.sign_in().await;
    let copy = page.kept().unwrap().clone();
    let bearer = |method: Method| {
        let request = Request::builder().method(method).uri("/v1/sessions");
        request.header("authorization", format!("Bearer {copy}")).body(String::new()).unwrap()
    };
    for method in [Method::GET, Method::DELETE] {
        daypass.send(bearer(method)).await.assert_problem(400, "session_cookie");
    }
    let mut body = daypass.sign_in("grace").await.proof();
    body["first"] = json!({"refresh_token": copy});
    let link = Request::post("/v1/link").header("content-type", "application/json");
    daypass.send(link.body(body.to_string()).unwrap()).await.assert_problem(400, "session_cookie");
    // Nor does another app's session count in this app's cookie.
    let of_shop = super::sign_in(&daypass).await["refresh_token"].as_str().unwrap().to_owned();
    let mut planted = Page::new(&daypass);
    planted.browser.cookies.insert(COOKIE.into(), of_shop);
    planted.sessions(Method::GET, "/v1/sessions").await.assert_problem(400, "session_cookie");
    assert_over(&planted.refresh().await, "expired");

    assert_eq!(page.refresh().await.status, 200);
    assert_eq!(super::revoke(&daypass, "kiosk", &copy).await.status, 200);
    assert_over(&page.refresh().await, "signed_out");
}

#[tokio::test]
async fn a_session_in_a_cookie_can_be_bound_to_a_key() {
    let daypass = start().await;
    let key = ClientKey::new();
    let prove = |method: &str, path: &str, jti: &str| {
        let now = daypass.app.clock.now().as_second();
        key.prove(method, &format!("{SERVER}{path}"), jti, now)
    };
    let mut page = Page::new(&daypass).with_proof(prove("POST", "/oauth2/token", "1"));
    page.sign_in().await;
    page = page.with_proof(prove("POST", "/oauth2/token", "2"));
    assert_eq!(page.refresh().await.status, 200);
    page = page.with_proof(prove("GET", "/v1/sessions", "3"));
    assert_eq!(page.sessions(Method::GET, "/v1/sessions").await.status, 200);
    page.proof = None;
    assert_eq!(page.refresh().await.json()["error"], "invalid_dpop_proof");
    page.sessions(Method::DELETE, "/v1/sessions").await.assert_problem(400, "invalid_dpop_proof");
}

#[tokio::test]
async fn who_signs_in_takes_the_place_of_whoever_was_there() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    let first = page.sign_in().await;
    let of_first = page.browser.cookies.clone();
    let second = page.sign_in().await;
    assert_ne!(first["session_id"], second["session_id"]);
    assert_eq!(page.refresh().await.status, 200);
    // An answer that came late put the first one's cookie back.
    page.browser.cookies = of_first;
    assert_over(&page.refresh().await, "signed_out");
    assert!(!super::gets_credentials(&daypass, &first).await);
    assert!(super::gets_credentials(&daypass, &second).await);
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_go_on() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    page.sign_in().await;
    let mut other = Page::new(&daypass);
    other.browser.cookies = page.browser.cookies.clone();
    assert_eq!(
        (page.refresh().await.status, other.refresh().await.status),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    assert_eq!(page.kept(), other.kept());
}

#[tokio::test]
async fn signing_out_forgets_the_cookie() {
    let daypass = start().await;
    for how in ["revoke", "own", "all"] {
        let mut page = Page::new(&daypass);
        let session = page.sign_in().await;
        let cookies = page.browser.cookies.clone();
        let own = format!("/v1/sessions/{}", session["session_id"].as_str().unwrap());
        let answer = match how {
            "revoke" => page.post("/oauth2/revoke", &[("client_id", "kiosk")]).await,
            "own" => page.sessions(Method::DELETE, &own).await,
            _ => page.sessions(Method::DELETE, "/v1/sessions").await,
        };
        assert!(answer.status.is_success(), "{how}: {answer:?}");
        assert_eq!(page.kept(), None, "{how}");
        page.browser.cookies = cookies;
        let reason = if how == "all" { "revoked" } else { "signed_out" };
        assert_over(&page.refresh().await, reason);
        // What is signed out everywhere is what there was until that second.
        daypass.advance(SignedDuration::from_secs(i64::from(how == "all")));
        page.sign_in().await;
        assert_eq!(page.refresh().await.status, 200, "{how}");
    }
}

#[tokio::test]
async fn a_page_lists_devices_and_signs_one_out_without_losing_its_own() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    let session = page.sign_in().await;
    let mut phone = Page::new(&daypass);
    let other = phone.sign_in().await;
    let listed = page.sessions(Method::GET, "/v1/sessions").await.json();
    let current: Vec<&Value> =
        listed["sessions"].as_array().unwrap().iter().filter(|it| it["current"] == true).collect();
    assert_eq!(
        (listed["sessions"].as_array().unwrap().len(), &current[0]["id"]),
        (2, &session["session_id"])
    );
    let path = format!("/v1/sessions/{}", other["session_id"].as_str().unwrap());
    assert_eq!(page.sessions(Method::DELETE, &path).await.status, 204);
    assert!(page.kept().is_some());
    assert_over(&phone.refresh().await, "signed_out");
    assert_eq!(page.refresh().await.status, 200);
}

#[tokio::test]
async fn another_login_is_linked_to_the_cookies_session() {
    let daypass = start().await;
    let mut page = Page::new(&daypass);
    let session = page.sign_in().await;
    let mut body = daypass.sign_in("grace").await.proof();
    body["first"] = json!({});
    let answer = page.ask(Method::POST, "/v1/link", "application/json", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["identity_id"], session["identity_id"]);
    assert_eq!(claims(&answer.json()["token"])["sid"], session["session_id"]);
    for first in [json!({"refresh_token": "dpr_x"}), json!({"provider": "snapchat", "code": "x"})] {
        let mut body = daypass.sign_in("grace").await.proof();
        body["first"] = first;
        let answer = page.ask(Method::POST, "/v1/link", "application/json", body.to_string()).await;
        answer.assert_problem(400, "session_cookie");
    }
}

#[tokio::test]
async fn browsers_learn_whose_pages_may_send_cookies() {
    let daypass = start().await;
    for (origin, with_cookies, allowed) in [
        (ORIGIN, "true", ORIGIN),
        ("https://shop.example", "", "https://shop.example"),
        ("https://evil.example", "", ""),
        ("null", "", ""),
    ] {
        for path in ["/oauth2/token", "/oauth2/revoke", "/v1/sessions", "/v1/link"] {
            let request = Request::options(path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type,daypass-app");
            let answer = daypass.send(request.body(String::new()).unwrap()).await;
            assert_eq!(answer.header("access-control-allow-credentials"), with_cookies, "{origin} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin} {path}");
            assert!(answer.header("access-control-allow-headers").contains("daypass-app"), "{answer:?}");
            assert!(vary(&answer.headers).contains("origin"), "{answer:?}");
        }
        // The AWS API answers any page, and never one with cookies.
        let request =
            Request::options("/").header("origin", origin).header("access-control-request-method", "POST");
        let answer = daypass.send(request.body(String::new()).unwrap()).await;
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{answer:?}");
    }
}

fn vary(headers: &HeaderMap) -> String {
    headers
        .get_all("vary")
        .iter()
        .map(|value| value.to_str().unwrap().to_lowercase())
        .collect::<Vec<_>>()
        .join(",")
}
