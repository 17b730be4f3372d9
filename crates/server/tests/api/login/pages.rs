//! What a person sees, and what a browser is told about it.

use daypass_development::sandbox::Scope;

use crate::harness::{APP_REDIRECT_URI, Answer, Browser, Daypass, Wishes};

#[track_caller]
fn assert_hardened(answer: &Answer, scripts: &str) {
    let policy = answer.header("content-security-policy");
    for directive in
        ["default-src 'none'", scripts, "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(directive), "{directive}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_person_chooses_among_the_providers_of_this_installation() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let answer = browser.get(&format!("/login?{}", Wishes::new().query())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_hardened(&answer, "script-src 'none'");
    for id in ["snapchat", "snapchat-token"] {
        assert!(answer.body.contains(&format!("href=\"/login/{id}?app=shop&#38;")), "{answer:?}");
    }
    assert!(answer.body.contains("Sign in to <span class=\"app\">shop.example</span>"), "{answer:?}");
    assert!(answer.body.contains("Continue with Snapchat"), "{answer:?}");
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn an_app_is_called_by_its_name_and_what_is_hidden_is_not_offered() {
    let hidden = format!(
        "[[app]]\nid = \"named\"\nname = \"Shop & more\"\norigins = []\nredirect_uris = [{APP_REDIRECT_URI:?}]\n\
         [[provider]]\nid = \"discord\"\nclient_id = \"c\"\nclient_secret = {{ env = \"PATH\" }}\nhidden = true\n"
    );
    let daypass = Daypass::start().with_tables(&hidden).await;
    let wishes = Wishes::new().with("app", "named");
    let page = Browser::new(&daypass).get(&format!("/login?{}", wishes.query())).await;
    assert!(page.body.contains("Sign in to <span class=\"app\">Shop &#38; more</span>"), "{page:?}");
    assert!(!page.body.contains("Discord") && page.body.contains("Continue with Snapchat"), "{page:?}");
    let named = Browser::new(&daypass).get(&format!("/login/discord?{}", wishes.query())).await;
    assert_eq!(named.status, 303, "{named:?}");
    let offers = daypass.get("/v1/providers").await.json();
    let hidden = |id: &str| {
        let offers = offers["providers"].as_array().unwrap();
        offers.iter().find(|offer| offer["id"] == id).unwrap()["hidden"].clone()
    };
    assert_eq!((hidden("discord"), hidden("snapchat")), (true.into(), serde_json::Value::Null));
}

#[tokio::test]
async fn a_person_who_did_not_share_who_they_are_reads_what_to_do() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let location = browser.start("snapchat", &Wishes::new()).await;
    let callback = browser.consent_sharing(&location, "ada", &[Scope::DisplayName]).await;
    let answer = browser.get(&callback).await;
    assert!(answer.body.contains("<code>subject_missing</code>"), "{answer:?}");
    assert!(answer.body.contains("leave everything allowed that Snapchat asks you about"), "{answer:?}");
}

#[tokio::test]
async fn every_button_starts_what_the_app_asked_for() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let wishes = Wishes::new().with("state", "\"<>&'");
    let page = browser.get(&format!("/login?{}", wishes.query())).await;
    let href =
        page.body.split("href=\"/login/snapchat?").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let answer = browser.get(&format!("/login/snapchat?{}", href.replace("&#38;", "&"))).await;
    let callback = browser.consent(answer.header("location"), "ada", "allow").await;
    let back = browser.get(&callback).await;
    assert!(back.header("location").ends_with("&state=%22%3C%3E%26%27"), "{back:?}");
}

#[tokio::test]
async fn no_answer_of_the_flow_is_cached_or_names_itself() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let wishes = Wishes::new();
    let start = browser.get(&format!("/login/snapchat?{}", wishes.query())).await;
    let callback = browser.consent(start.header("location"), "ada", "allow").await;
    let end = browser.get(&callback).await;
    for answer in [start, end] {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{answer:?}");
    }
    assert_hardened(&browser.get("/login").await, "script-src 'none'");
}

#[tokio::test]
async fn a_popup_gives_its_code_to_the_registered_address_alone() {
    let daypass = Daypass::start().await;
    let wishes = Wishes::new().with("response_mode", "web_message");
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&wishes).await;
    let answer = browser.get(&callback).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (200, ""), "{answer:?}");
    assert_hardened(&answer, "script-src 'self'");
    assert!(answer.body.contains(&format!("data-at-once href=\"{APP_REDIRECT_URI}?code=")), "{answer:?}");

    let message =
        answer.body.split("data-message=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let message = message.replace("&#34;", "\"").replace("&#38;", "&").replace("&#39;", "'");
    let message: serde_json::Value = serde_json::from_str(&message).unwrap();
    assert_eq!(message["state"], "the app's & own");
    let code = message["code"].as_str().unwrap();
    assert_eq!(daypass.exchange(&wishes.redemption(code)).await.status, 200);
}

#[tokio::test]
async fn a_popup_of_somebody_who_says_no_waits_for_them() {
    let daypass = Daypass::start().await;
    let wishes = Wishes::new().with("response_mode", "web_message");
    let mut browser = Browser::new(&daypass);
    let location = browser.start("snapchat", &wishes).await;
    let callback = browser.consent(&location, "ada", "deny").await;
    let answer = browser.get(&callback).await;
    assert_hardened(&answer, "script-src 'self'");
    assert!(answer.body.contains("access_denied"), "{answer:?}");
    assert!(!answer.body.contains("data-at-once"), "{answer:?}");
    assert!(answer.body.contains("response_mode=web_message"), "{answer:?}");
}

#[tokio::test]
async fn what_the_pages_are_made_of_is_served_as_what_it_is() {
    let daypass = Daypass::start().await;
    for (path, content_type) in [("style.css", "text/css"), ("popup.js", "text/javascript")] {
        let answer = daypass.get(&format!("/login/{path}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), format!("{content_type}; charset=utf-8"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}
