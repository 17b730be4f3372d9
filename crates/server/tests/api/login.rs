//! `/login`: the hosted sign-in, from an app to a provider and back, and what attackers make of it.

mod answers;
mod codes;
mod native;
mod pages;
mod requests;
mod unshared;

use serde_json::json;

use crate::harness::{APP_REDIRECT_URI, Browser, Daypass, SERVER, Wishes, parameter};

#[tokio::test]
async fn a_login_leads_back_to_the_app_with_a_code_for_an_identity() {
    let daypass = Daypass::start().await;
    let (wishes, mut browser) = (Wishes::new(), Browser::new(&daypass));
    let callback = browser.come_back(&wishes).await;
    let answer = browser.get(&callback).await;

    assert_eq!(answer.status, 303, "{answer:?}");
    let location = answer.header("location");
    assert!(location.starts_with(&format!("{APP_REDIRECT_URI}?")), "{location}");
    assert_eq!(parameter(location, "state"), "the app's & own");
    assert_eq!(parameter(location, "iss"), SERVER);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);

    let body = daypass.exchange(&wishes.redemption(&parameter(location, "code"))).await.json();
    assert_eq!(body["provider"], "snapchat");
    assert_eq!(body["user"]["name"], "Ada");
    // It is the person who signs in without the hosted page, too.
    assert_eq!(daypass.enter("ada").await["identity_id"], body["identity_id"]);
}

#[tokio::test]
async fn the_provider_hears_our_state_our_nonce_and_our_challenge_and_nothing_of_the_app() {
    let daypass = Daypass::start().await;
    let wishes = Wishes::new();
    let mut browser = Browser::new(&daypass);
    let location = browser.start("snapchat", &wishes).await;

    assert_eq!(parameter(&location, "redirect_uri"), format!("{SERVER}/login/snapchat/callback"));
    assert_eq!(parameter(&location, "code_challenge_method"), "S256");
    for (name, of_app) in [("state", "state"), ("code_challenge", "code_challenge")] {
        assert_eq!(parameter(&location, name).len(), 43);
        assert_ne!(parameter(&location, name), wishes.members[of_app]);
    }
    assert!(!location.contains("shop.example"), "{location}");
    assert_ne!(browser.start("snapchat", &wishes).await, location);
}

#[tokio::test]
async fn a_redirect_uri_keeps_its_query_and_an_app_needs_no_state() {
    let daypass = Daypass::start().await;
    let wishes = Wishes::new().with("redirect_uri", "https://shop.example/?page=in").without("state");
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&wishes).await;
    let answer = browser.get(&callback).await;
    let location = answer.header("location");
    assert!(location.starts_with("https://shop.example/?page=in&code="), "{location}");
    assert!(!location.contains("state="), "{location}");
}

#[tokio::test]
async fn two_logins_in_one_browser_do_not_disturb_each_other() {
    let daypass = Daypass::start().await;
    let wishes = Wishes::new();
    let mut browser = Browser::new(&daypass);
    let first = browser.come_back(&wishes).await;
    let second = browser.come_back(&wishes).await;
    for callback in [second, first] {
        assert_eq!(browser.get(&callback).await.status, 303);
    }
}

#[tokio::test]
async fn the_trail_names_who_came_back_and_who_was_turned_away() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    browser.sign_in(&Wishes::new()).await;
    let callback = browser.come_back(&Wishes::new()).await;
    let state = parameter(&callback, "state");
    browser.get(&format!("/login/snapchat/callback?state={state}&code=made-up")).await;

    let events = daypass.audit_events();
    let seen: Vec<_> = events.iter().map(|event| (&event["action"], &event["outcome"])).collect();
    let (sign_in, allowed, refused) = (json!("sign_in"), json!("allowed"), json!("refused"));
    assert_eq!(seen, [(&sign_in, &allowed), (&sign_in, &refused)]);
    assert_eq!(
        events[0]["developer_user_identifier"],
        "snapchat:6Wb4xAG6hQwofI5BVIXN7lap+SdaluC/4JjlCAe2kPs="
    );
}

#[tokio::test]
async fn the_trail_names_logins_that_ended_at_the_provider_but_not_in_its_words() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let location = browser.start("snapchat", &Wishes::new()).await;
    let denied = browser.consent(&location, "ada", "deny").await;
    assert_eq!(browser.get(&denied).await.status, 403);
    for answer in ["error=made-up&error_description=made-up", "code=", "made-up=1"] {
        let state = parameter(&browser.start("snapchat", &Wishes::new()).await, "state");
        let answer = browser.get(&format!("/login/snapchat/callback?state={state}&{answer}")).await;
        assert_eq!(answer.status, 502, "{answer:?}");
    }

    let events = daypass.audit_events();
    let reasons: Vec<_> = events.iter().map(|event| event["reason"].as_str().unwrap()).collect();
    let failed = "provider_reported_error";
    assert_eq!(reasons, ["login_denied", failed, failed, failed]);
    for event in &events {
        assert_eq!(
            (&event["action"], &event["outcome"], &event["provider"]),
            (&json!("sign_in"), &json!("refused"), &json!("snapchat"))
        );
        assert!(!event.to_string().contains("made-up"), "{event}");
    }
}
