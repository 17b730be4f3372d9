//! Whoever signed in decides.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{APPS, Person, asked, assert_page, assert_told, begin, form, poll, redeem, start};
use crate::harness::{BACKENDS, Daypass};

#[tokio::test]
async fn who_says_no_is_not_signed_in() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let mut person = Person::new(&daypass);
    let page = person.sign_in(&begun).await;
    let done = person.decide(&page, "deny").await;
    assert!(done.body.contains("Nothing was allowed"), "{done:?}");
    assert_told(&poll(&daypass, &begun).await, "access_denied");
    assert_page(&person.decide(&page, "allow").await, 404, "user_code_unknown");
    assert_told(&poll(&daypass, &begun).await, "access_denied");
}

#[tokio::test]
async fn a_login_that_is_cancelled_leaves_the_device_waiting() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let mut person = Person::new(&daypass);
    let location = person.start(&begun).await;
    let callback = person.browser.consent(&location, "ada", "deny").await;
    let page = person.browser.get(&callback).await;
    assert_page(&page, 403, "login_denied");
    assert!(page.body.contains("href=\"/device/login?device="), "{page:?}");
    assert!(page.body.contains("href=\"/login/snapchat?device="), "{page:?}");
    assert_told(&poll(&daypass, &begun).await, "authorization_pending");
    person.allow(&begun).await;
    redeem(&daypass, &begun).await;
}

#[tokio::test]
async fn the_first_decision_counts() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let (mut ada, mut other) = (Person::new(&daypass), Person::new(&daypass));
    let (page, late) = (ada.sign_in(&begun).await, other.sign_in(&begun).await);
    assert_eq!(ada.decide(&page, "allow").await.status, 200);
    for (page, verdict) in [(&late, "deny"), (&late, "allow"), (&page, "deny"), (&page, "allow")] {
        assert_page(&ada.decide(page, verdict).await, 404, "user_code_unknown");
    }
    redeem(&daypass, &begun).await;
}

#[tokio::test]
async fn of_racing_decisions_one_counts() {
    for backend in BACKENDS {
        let daypass = Daypass::start().on(backend()).with_tables(APPS).await;
        let begun = begin(&daypass).await;
        let page = Person::new(&daypass).sign_in(&begun).await;
        let decisions =
            (0..6).map(|number| {
                let (daypass, page) = (&daypass, &page);
                async move {
                    Person::new(daypass).decide(page, if number % 2 == 0 { "allow" } else { "deny" }).await
                }
            });
        let decided = join_all(decisions).await;
        let counted: Vec<_> = decided.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(counted.len(), 1, "{decided:?}");
        let allowed = counted[0].body.contains("Go back to your device");
        assert_eq!(poll(&daypass, &begun).await.status == 200, allowed);
    }
}

#[tokio::test]
async fn only_a_page_of_ours_decides() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let page = Person::new(&daypass).sign_in(&begun).await;
    let user_code = begun["user_code"].as_str().unwrap();
    for (path, members) in [
        ("/device", vec![("user_code", user_code)]),
        ("/device/decision", vec![("question", asked(&page)), ("verdict", "allow")]),
    ] {
        for origin in [
            None,
            Some("null"),
            Some("https://evil.example"),
            Some("https://shop.example"),
            Some("http://127.0.0.1:9402"),
        ] {
            let mut request = form(path, &members);
            if let Some(origin) = origin {
                request.headers_mut().insert("origin", origin.parse().unwrap());
            }
            assert_page(&daypass.send(request).await, 403, "origin_not_allowed");
        }
    }
    assert_told(&poll(&daypass, &begun).await, "authorization_pending");
}

#[tokio::test]
async fn what_is_decided_about_is_nobody_elses_to_write() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let mut person = Person::new(&daypass);
    let page = person.sign_in(&begun).await;
    let question = asked(&page);
    let mut changed = question.to_owned();
    changed.replace_range(40..41, if &question[40..41] == "A" { "B" } else { "A" });
    for made_up in ["", "x", &changed, &question[..question.len() - 2]] {
        let answer = person.send("/device/decision", &[("question", made_up), ("verdict", "allow")]).await;
        assert_page(&answer, 404, "user_code_unknown");
    }
    for verdict in ["", "ALLOW", "maybe"] {
        assert_page(&person.decide(&page, verdict).await, 400, "malformed_request");
    }
    assert_told(&poll(&daypass, &begun).await, "authorization_pending");
    assert_eq!(person.decide(&page, "allow").await.status, 200);
}

#[tokio::test]
async fn the_trail_says_who_decided_about_what() {
    let daypass = start().await;
    daypass.called_from("8.8.8.8", "a tv");
    let [allowed, denied] = [begin(&daypass).await, begin(&daypass).await];
    daypass.called_from("9.9.9.9", "a browser");
    let mut person = Person::new(&daypass);
    person.allow(&allowed).await;
    let page = person.sign_in(&denied).await;
    person.decide(&page, "deny").await;
    let events = daypass.audit_events();
    let of_device: Vec<_> = events.iter().filter(|event| event["action"] == "device").collect();
    for (event, outcome, reason) in
        [(of_device[0], "allowed", Value::Null), (of_device[1], "refused", json!("device_denied"))]
    {
        for (member, expected) in [
            ("outcome", json!(outcome)),
            ("reason", reason),
            ("provider", json!("snapchat")),
            ("developer_user_identifier", json!("snapchat:6Wb4xAG6hQwofI5BVIXN7lap+SdaluC/4JjlCAe2kPs=")),
            ("resource", json!("app tv on \"Kitchen <tv>\", begun 2026-09-21T14:13:20Z from 8.8.8.8")),
            ("source_ip", json!("9.9.9.9")),
        ] {
            assert_eq!(event[member], expected, "{member}");
        }
    }
    assert_eq!(of_device.len(), 2, "that a device begins is nothing yet");
}

#[tokio::test]
async fn no_code_is_in_the_trail_or_in_a_refusal() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let mut person = Person::new(&daypass);
    let page = person.sign_in(&begun).await;
    person.enter("BBBB-BBBB").await;
    person.decide(&page, "allow").await;
    person.decide(&page, "allow").await;
    redeem(&daypass, &begun).await;
    poll(&daypass, &begun).await;
    let user_code = begun["user_code"].as_str().unwrap();
    let secrets =
        [begun["device_code"].as_str().unwrap(), user_code, &user_code.replace('-', ""), asked(&page)];
    for text in daypass.audit_events().iter().map(Value::to_string).chain(daypass.refusals()) {
        for secret in secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
