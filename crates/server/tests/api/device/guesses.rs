//! Codes that no device shows.

use daypass_core::ground::clock::SignedDuration;
use futures::future::join_all;
use serde_json::json;

use super::{Person, assert_page, begin, start};

const WRONG: &str = "BBBB-BBBB";

#[tokio::test]
async fn who_types_wrong_codes_has_to_wait_even_with_the_right_one() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let right = begun["user_code"].as_str().unwrap();
    let mut person = Person::new(&daypass);
    daypass.called_from("8.8.8.8", "a browser");
    for _ in 0..9 {
        assert_eq!(person.enter(right).await.status, 303, "a right one does not count");
        assert_page(&person.enter("not a code").await, 404, "user_code_unknown");
    }
    daypass.advance(SignedDuration::from_secs(20));
    for _ in 0..5 {
        assert_page(&person.enter(WRONG).await, 404, "user_code_unknown");
    }
    for code in [WRONG, right] {
        let refused = person.enter(code).await;
        assert_page(&refused, 429, "too_many_user_codes");
        assert_eq!(refused.header("retry-after"), "40");
    }
    daypass.called_from("9.9.9.9", "a browser");
    assert_eq!(person.enter(right).await.status, 303);
    daypass.called_from("8.8.8.8", "a browser");
    daypass.advance(SignedDuration::from_secs(40));
    assert_eq!(person.enter(right).await.status, 303);
}

#[tokio::test]
async fn many_addresses_have_so_many_guesses_together() {
    let daypass = start().await;
    let mut person = Person::new(&daypass);
    let mut found = 0;
    for number in 0..40 {
        let address: &'static str = format!("8.8.8.{number}").leak();
        daypass.called_from(address, "a browser");
        for _ in 0..3 {
            found += u32::from(person.enter(WRONG).await.status == 404);
        }
    }
    assert_eq!(found, 100);
}

#[tokio::test]
async fn codes_that_are_tried_at_once_are_counted_all_the_same() {
    let daypass = start().await;
    daypass.called_from("8.8.8.8", "a browser");
    let guesses = join_all((0..20).map(|_| {
        let daypass = &daypass;
        async move { Person::new(daypass).enter(WRONG).await }
    }));
    let looked_up = guesses.await.iter().filter(|answer| answer.status == 404).count();
    assert_eq!(looked_up, 5);
}

#[tokio::test]
async fn a_wrong_code_is_in_the_trail_as_nobodys() {
    let daypass = start().await;
    Person::new(&daypass).enter(WRONG).await;
    let events = daypass.audit_events();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&event["action"], &event["reason"]), (&json!("device"), &json!("user_code_unknown")));
    assert!(!event.to_string().contains("BBBB"), "{event}");
}
