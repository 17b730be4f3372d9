//! A device asks how it stands.

use daypass_core::ground::clock::SignedDuration;
use futures::future::join_all;

use super::{APPS, Person, assert_told, begin, form, id_of, poll, question, redeem, start};
use crate::device::sessions::refresh;
use crate::harness::{BACKENDS, Daypass};

#[tokio::test]
async fn a_device_waits_until_somebody_has_let_it() {
    for backend in BACKENDS {
        let daypass = Daypass::start().on(backend()).with_tables(APPS).await;
        let begun = begin(&daypass).await;
        assert_told(&poll(&daypass, &begun).await, "authorization_pending");
        let mut person = Person::new(&daypass);
        let page = person.sign_in(&begun).await;
        daypass.advance(SignedDuration::from_secs(90));
        assert_told(&poll(&daypass, &begun).await, "authorization_pending");
        assert_eq!(person.decide(&page, "allow").await.status, 200);
        let session = redeem(&daypass, &begun).await;
        assert_eq!(session["user"]["name"], "Ada");
        assert_eq!(session["identity_id"], daypass.enter("ada").await["identity_id"]);
        // The login was kept for the device for longer than for a page, and once.
        assert_told(&poll(&daypass, &begun).await, "invalid_grant");
    }
}

#[tokio::test]
async fn a_device_that_asks_too_often_has_to_slow_down() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    for (seconds, told) in [
        (0, "authorization_pending"),
        (5, "authorization_pending"),
        (3, "slow_down"),
        (8, "slow_down"),
        (15, "authorization_pending"),
        (13, "slow_down"),
        (20, "authorization_pending"),
    ] {
        daypass.advance(SignedDuration::from_secs(seconds));
        assert_told(&poll(&daypass, &begun).await, told);
    }
    Person::new(&daypass).allow(&begun).await;
    redeem(&daypass, &begun).await;
}

#[tokio::test]
async fn of_questions_that_race_one_keeps_to_the_interval() {
    for backend in BACKENDS {
        let daypass = Daypass::start().on(backend()).with_tables(APPS).await;
        let begun = begin(&daypass).await;
        let told = join_all((0..4).map(|_| poll(&daypass, &begun))).await;
        let pending = told.iter().filter(|answer| answer.json()["error"] == "authorization_pending").count();
        assert_eq!(pending, 1, "{told:?}");
        assert!(told.iter().all(|answer| answer.status == 400), "{told:?}");
    }
}

#[tokio::test]
async fn of_racing_redemptions_one_gets_the_session() {
    for backend in BACKENDS {
        let daypass = Daypass::start().on(backend()).with_tables(APPS).await;
        let begun = begin(&daypass).await;
        Person::new(&daypass).allow(&begun).await;
        let answers = join_all((0..8).map(|_| poll(&daypass, &begun))).await;
        let (signed_in, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(signed_in.len(), 1, "{answers:?}");
        for answer in refused {
            assert_told(answer, "invalid_grant");
        }
        assert_told(&poll(&daypass, &begun).await, "invalid_grant");
        let renewed = refresh(&daypass, &signed_in[0].json()).await;
        assert_eq!(renewed.status, 200, "a device that asks twice keeps its session: {renewed:?}");
    }
}

#[tokio::test]
async fn a_device_code_ends_after_ten_minutes_whatever_was_decided() {
    let daypass = start().await;
    let [waiting, allowed] = [begin(&daypass).await, begin(&daypass).await];
    Person::new(&daypass).allow(&allowed).await;
    let mut person = Person::new(&daypass);
    let page = person.sign_in(&waiting).await;
    daypass.advance(SignedDuration::from_secs(600));
    for begun in [&waiting, &allowed] {
        assert_told(&poll(&daypass, begun).await, "expired_token");
    }
    super::assert_page(&person.decide(&page, "allow").await, 404, "user_code_unknown");
    super::assert_page(&person.enter(waiting["user_code"].as_str().unwrap()).await, 404, "user_code_unknown");
    daypass.advance(SignedDuration::from_mins(10));
    begin(&daypass).await;
    assert_told(&poll(&daypass, &waiting).await, "invalid_grant");
}

#[tokio::test]
async fn a_device_may_be_let_in_the_last_second() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    let mut person = Person::new(&daypass);
    let page = person.sign_in(&begun).await;
    daypass.advance(SignedDuration::from_millis(599_999));
    assert_eq!(person.decide(&page, "allow").await.status, 200);
    redeem(&daypass, &begun).await;
}

#[tokio::test]
async fn a_device_code_is_for_its_app_alone() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    Person::new(&daypass).allow(&begun).await;
    let other = daypass.send(form("/oauth2/token", &question(&begun, "radio"))).await;
    assert_told(&other, "invalid_grant");
    redeem(&daypass, &begun).await;
}

#[tokio::test]
async fn who_knows_what_a_page_knows_has_no_device_code() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    Person::new(&daypass).allow(&begun).await;
    let code = begun["device_code"].as_str().unwrap();
    let mut changed = code.to_owned();
    changed.replace_range(67.., if code.ends_with('A') { "B" } else { "A" });
    let user_code = begun["user_code"].as_str().unwrap();
    for shown in ["x", &changed, user_code, &code[..67], &code[4..], &code.replace("dpd_", "dpr_")] {
        let members = [("grant_type", super::GRANT), ("client_id", "tv"), ("device_code", shown)];
        assert_told(&daypass.send(form("/oauth2/token", &members)).await, "invalid_grant");
    }
    let missing = [("grant_type", super::GRANT), ("client_id", "tv")];
    assert_told(&daypass.send(form("/oauth2/token", &missing)).await, "invalid_request");
    redeem(&daypass, &begun).await;
}

/// The one-time code stays here, and whoever had it and the device code would have it at this door alone.
#[tokio::test]
async fn what_a_device_waits_for_is_redeemed_at_no_other_door() {
    use daypass_core::records::device_authorization::Decision;
    for redirect_uri in ["device", "http://127.0.0.1:9400/device", "null"] {
        let daypass = start().await;
        let begun = begin(&daypass).await;
        let id = id_of(&daypass, &begun).await;
        Person::new(&daypass).allow(&begun).await;
        let kept = daypass.store.find_device_authorization(&id).await.unwrap().unwrap();
        let Some(Decision::Allowed(code)) = kept.decision else { panic!() };
        let proof = serde_json::json!({"login_code": code.expose(), "app": "tv", "redirect_uri": redirect_uri,
            "code_verifier": begun["device_code"]});
        daypass.exchange(&proof).await.assert_problem(401, "login_code_refused");
    }
}

#[tokio::test]
async fn a_question_that_is_malformed_is_none() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    for _ in 0..3 {
        let mut members = question(&begun, "tv");
        members.push(("credentials", "yes"));
        assert_told(&daypass.send(form("/oauth2/token", &members)).await, "invalid_request");
    }
    assert_told(&poll(&daypass, &begun).await, "authorization_pending");
}

#[tokio::test]
async fn questions_are_no_exchanges_and_leave_no_events() {
    let daypass = start().await;
    let begun = begin(&daypass).await;
    for _ in 0..3 {
        poll(&daypass, &begun).await;
    }
    assert_eq!(daypass.audit_events(), [serde_json::Value::Null; 0]);
    assert!(!daypass.app.metrics.text().contains("authorization_pending"));
}
