//! What a person sees, and what a browser is told about it.

use daypass_core::ground::clock::SignedDuration;

use super::{APPS, Person, assert_page, begin, begin_with, id_of, start};
use crate::harness::{Answer, Backend, Daypass, Wishes};

#[track_caller]
fn assert_hardened(answer: &Answer) {
    let has_form = answer.body.contains("<form");
    // With `no-referrer` a browser would not say that our own form is ours.
    let (forms, referrer) = if has_form { ("'self'", "strict-origin") } else { ("'none'", "no-referrer") };
    let forms = format!("form-action {forms}");
    let policy = answer.header("content-security-policy");
    for directive in
        ["default-src 'none'", "script-src 'none'", &forms, "base-uri 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(directive), "{directive}: {policy}");
    }
    for (name, value) in
        [("cache-control", "no-store"), ("referrer-policy", referrer), ("x-content-type-options", "nosniff")]
    {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(!answer.body.contains("<script"), "{answer:?}");
}

#[tokio::test]
async fn every_page_of_a_device_is_hardened() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let mut person = Person::new(&daypass);
    let pages = [
        person.browser.get("/device").await,
        person.enter("BBBB-BBBB").await,
        person.review(&begun).await,
        person.sign_in(&begun).await,
    ];
    let done = person.decide(&pages[3], "allow").await;
    assert_eq!(pages.each_ref().map(|page| page.body.contains("<form")), [true, true, false, true]);
    for page in pages.iter().chain([&done]) {
        assert_hardened(page);
    }
}

#[tokio::test]
async fn a_code_in_the_address_is_shown_and_sent_by_the_person_alone() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let address = begun["verification_uri_complete"].as_str().unwrap();
    let page = daypass.get(address.strip_prefix("http://127.0.0.1:9400").unwrap()).await;
    assert_eq!((page.status.as_u16(), page.header("set-cookie")), (200, ""), "{page:?}");
    assert!(page.body.contains(&format!("value=\"{}\"", begun["user_code"].as_str().unwrap())), "{page:?}");
    assert!(!page.body.contains("Kitchen"), "{page:?}");
}

#[tokio::test]
async fn a_code_is_taken_however_it_is_typed() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let code = begun["user_code"].as_str().unwrap();
    for typed in [code.to_lowercase(), code.replace('-', ""), code.replace('-', " ")] {
        assert_eq!(Person::new(&daypass).enter(&typed).await.status, 303, "{typed}");
    }
}

#[tokio::test]
async fn a_person_can_tell_whether_it_is_theirs() {
    let daypass = start().await;
    daypass.called_from("8.8.8.8", "a tv");
    let begun = begin(&daypass).await;
    daypass.advance(SignedDuration::from_secs(200));
    daypass.called_from("9.9.9.9", "a browser");
    let mut person = Person::new(&daypass);
    let (review, ask) = (person.review(&begun).await, person.sign_in(&begun).await);
    for page in [&review, &ask] {
        for told in [
            "Films &#38; &#60;b&#62;more&#60;/b&#62;",
            "Kitchen &#60;tv&#62;",
            "3 minutes ago",
            "8.8.8.8",
            "if you began this yourself, on a device before you",
        ] {
            assert!(page.body.contains(told), "{told}: {page:?}");
        }
    }
    assert!(ask.body.contains("You are signed in at Snapchat as <strong>Ada</strong>."), "{ask:?}");
    let unnamed = begin_with(&daypass, &[("client_id", "radio")]).await.json();
    let page = person.review(&unnamed).await;
    assert!(page.body.contains("<span class=\"app\">radio</span>"), "{page:?}");
    assert!(!page.body.contains("Calls itself"), "{page:?}");
}

#[tokio::test]
async fn no_address_is_shown_where_callers_are_not_kept() {
    let tables = format!("{APPS}[audit]\ncallers = false\n");
    let daypass = Daypass::start().with_tables(&tables).await;
    daypass.called_from("8.8.8.8", "a tv");
    let begun = begin(&daypass).await;
    let page = Person::new(&daypass).review(&begun).await;
    assert!(!page.body.contains("8.8.8.8"), "{page:?}");
}

#[tokio::test]
async fn what_was_typed_comes_back_as_text_and_what_a_link_says_does_not() {
    let daypass = start().await;
    let markup = "\"><script>alert(1)</script>";
    for (typed, shown) in [
        (markup, "&#34;&#62;&#60;script&#62;alert(1)&#60;/"),
        ("WDJB\u{0}-\u{202e}MJHX", "WDJB-MJHX"),
        (&"x".repeat(5_000), &"x".repeat(20)),
    ] {
        let page = Person::new(&daypass).enter(typed).await;
        assert!(page.body.contains(&format!("name=\"user_code\" value=\"{shown}\"")), "{page:?}");
    }
    for text in [markup, "call 555 0100", "AAAA-AAAA"] {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("user_code", text).finish();
        let page = daypass.get(&format!("/device?{query}")).await;
        assert!(page.body.contains("name=\"user_code\" value=\"\""), "{page:?}");
    }
}

#[tokio::test]
async fn a_login_is_for_a_device_that_waits_and_for_nothing_besides() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let id = id_of(&daypass, &begun).await;
    let beside = daypass.get(&format!("/login/snapchat?device={id}&{}", Wishes::new().query())).await;
    assert_page(&beside, 400, "malformed_request");
    for path in ["/login/snapchat", "/device/login"] {
        for other in ["device=x", "device=x&device=y", "device="] {
            let answer = daypass.get(&format!("{path}?{other}")).await;
            assert!(answer.status.is_client_error() && answer.header("set-cookie").is_empty(), "{answer:?}");
        }
    }
    daypass.advance(SignedDuration::from_mins(10));
    for path in ["/login/snapchat", "/device/login"] {
        assert_page(&daypass.get(&format!("{path}?device={id}")).await, 404, "user_code_unknown");
    }
}

#[tokio::test]
async fn a_device_whose_time_ends_while_somebody_signs_in_is_not_asked_about() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    daypass.advance(SignedDuration::from_mins(5));
    let mut person = Person::new(&daypass);
    let location = person.start(&begun).await;
    daypass.advance(SignedDuration::from_mins(5));
    let callback = person.browser.consent(&location, "ada", "allow").await;
    assert_page(&person.browser.get(&callback).await, 404, "user_code_unknown");
}

#[tokio::test]
async fn where_each_process_has_a_store_of_its_own_no_device_waits() {
    let daypass = Daypass::start().on(Backend::unshared()).with_tables(APPS).await;
    daypass.get("/device").await.assert_problem(404, "not_found");
    assert_eq!(begin_with(&daypass, &[("client_id", "tv")]).await.status, 404);
}
