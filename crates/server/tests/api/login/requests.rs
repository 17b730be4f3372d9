//! Requests that start no login: they end on a page of ours, and never in a redirect.

use crate::harness::{APP_REDIRECT_URI, Answer, Browser, Daypass, Wishes};

async fn refuse(wishes: &Wishes, code: &str) -> Answer {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    for path in ["/login", "/login/snapchat"] {
        let answer = browser.get(&format!("{path}?{}", wishes.query())).await;
        assert_page(&answer, 400, code);
    }
    assert!(browser.cookies.is_empty());
    browser.get(&format!("/login?{}", wishes.query())).await
}

#[track_caller]
fn assert_page(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("location"), "");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.body.contains(&format!("<code>{code}</code>")), "{answer:?}");
    assert!(!answer.body.contains("Back to"), "{answer:?}");
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_the_apps_to_the_letter() {
    for uri in [
        "https://shop.example/signed-in/",
        "https://shop.example/signed-in?x",
        "https://shop.example/signed-in#x",
        "https://shop.example/signed-inn",
        "https://shop.example/signed-i",
        "https://shop.example",
        "https://SHOP.example/signed-in",
        "HTTPS://shop.example/signed-in",
        "http://shop.example/signed-in",
        "https://shop.example:443/signed-in",
        "https://shop.example@evil.example/signed-in",
        "https://user@shop.example/signed-in",
        "https://shop.example.evil.example/signed-in",
        "https://evil.example/https://shop.example/signed-in",
        "https://shop.example/x/../signed-in",
        "https://shop.example/%73igned-in",
        "https%3A%2F%2Fshop.example%2Fsigned-in",
        "https://shop.example\\\\@evil.example/signed-in",
        "https://shop.example/signed-in\r\nSet-Cookie: a=b",
        " https://shop.example/signed-in",
        "//shop.example/signed-in",
        "javascript:alert(1)",
        "http://127.0.0.1:9400/",
    ] {
        refuse(&Wishes::new().with("redirect_uri", uri), "redirect_uri_not_registered").await;
    }
    refuse(&Wishes::new().without("redirect_uri"), "redirect_uri_not_registered").await;
}

#[tokio::test]
async fn an_app_that_nobody_registered() {
    for app in ["Shop", "shop ", "https://shop.example", ""] {
        refuse(&Wishes::new().with("app", app), "unknown_app").await;
    }
    refuse(&Wishes::new().without("app"), "unknown_app").await;
}

#[tokio::test]
async fn a_login_without_a_challenge_of_the_app() {
    for challenge in ["", "short", &"a".repeat(44), &"+".repeat(43), &"=".repeat(43)] {
        refuse(&Wishes::new().with("code_challenge", challenge), "malformed_request").await;
    }
    refuse(&Wishes::new().without("code_challenge"), "malformed_request").await;
    refuse(&Wishes::new().with("code_challenge_method", "plain"), "malformed_request").await;
}

#[tokio::test]
async fn wishes_that_are_not_fulfilled_here() {
    for (name, value) in
        [("response_type", "token"), ("response_mode", "fragment"), ("response_mode", "form_post")]
    {
        refuse(&Wishes::new().with(name, value), "malformed_request").await;
    }
}

#[tokio::test]
async fn a_state_that_is_too_long() {
    refuse(&Wishes::new().with("state", &"s".repeat(513)), "malformed_request").await;
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    browser.start("snapchat", &Wishes::new().with("state", &"\"".repeat(512))).await;
    let cookie: usize = browser.cookies.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(cookie < 4096, "{cookie}");
}

#[tokio::test]
async fn a_parameter_that_stands_there_twice() {
    let daypass = Daypass::start().await;
    let twice = format!("{}&redirect_uri={APP_REDIRECT_URI}", Wishes::new().query());
    for path in ["/login", "/login/snapchat", "/login/snapchat/callback"] {
        assert_page(&daypass.get(&format!("{path}?{twice}")).await, 400, "malformed_request");
    }
}

#[tokio::test]
async fn a_query_that_is_too_long() {
    let daypass = Daypass::start().await;
    let long = format!("x={}", "y".repeat(8 * 1024));
    for path in ["/login", "/login/snapchat", "/login/snapchat/callback"] {
        assert_page(&daypass.get(&format!("{path}?{long}")).await, 413, "body_too_large");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_configured() {
    let daypass = Daypass::start().await;
    let query = Wishes::new().query();
    for path in [format!("/login/google?{query}"), "/login/google/callback?state=x".into()] {
        assert_page(&daypass.get(&path).await, 404, "unknown_provider");
    }
}

#[tokio::test]
async fn a_page_repeats_nothing_of_what_it_was_asked() {
    let wishes = Wishes::new().with("app", "<script>alert(1)</script>");
    let answer = refuse(&wishes, "unknown_app").await;
    assert!(!answer.body.contains("alert"), "{answer:?}");
}
