//! A session goes on: with the token that counts, with its predecessor for a while, and with no other.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::random::SeededRandom;
use daypass_core::store::{Page, Resealing, SealedItem, SealedValue};
use futures::future::join_all;
use http::Method;
use serde_json::Value;

use super::{ask, assert_over, form, refresh, refresh_with, sign_in, sign_in_on, token};
use crate::harness::{BACKENDS, Backend, Daypass, claims};

#[tokio::test]
async fn a_session_goes_on_with_a_new_token_each_time() {
    let daypass = Daypass::start().await;
    let first = sign_in(&daypass).await;
    assert_eq!(first["refresh_expires_in"], 7 * 24 * 3600);
    assert_eq!(claims(&first["access_token"])["sid"], first["session_id"]);
    daypass.advance(SignedDuration::from_hours(5));
    let second = refresh(&daypass, &first).await;
    for member in ["identity_id", "identity_pool_id", "region", "provider", "user", "session_id"] {
        assert_eq!(second[member], first[member], "{member}");
    }
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!((&second["token_type"], &second["expires_in"]), (&"Bearer".into(), &900.into()));
    assert_eq!(second["issued_token_type"], Value::Null);
    assert_eq!(claims(&second["access_token"])["sid"], first["session_id"]);
    let third = refresh(&daypass, &second).await;
    assert_ne!(third["refresh_token"], second["refresh_token"]);
}

#[tokio::test]
async fn credentials_come_along_if_they_are_asked_for() {
    let daypass = Daypass::start().await;
    let first = sign_in_on(&daypass, "", &[("credentials", "true")]).await;
    assert_eq!(first["credentials"]["expires_in"], 3600);
    let answer = refresh_with(&daypass, &first, &[("credentials", "true")]).await;
    let credentials = &answer.json()["credentials"];
    assert_eq!(credentials["expires_in"], 3600);
    assert_ne!(credentials["access_key_id"], first["credentials"]["access_key_id"]);
    assert_eq!(refresh(&daypass, &answer.json()).await["credentials"], Value::Null);
    let nonsense = refresh_with(&daypass, &answer.json(), &[("credentials", "yes")]).await;
    assert_eq!(nonsense.json()["error"], "invalid_request");
}

#[tokio::test]
async fn a_lost_answer_is_had_again_and_is_the_same() {
    let daypass = Daypass::start().await;
    let first = sign_in(&daypass).await;
    let second = refresh(&daypass, &first).await;
    for seconds in [1, 29] {
        daypass.advance(SignedDuration::from_secs(seconds));
        assert_eq!(refresh(&daypass, &first).await["refresh_token"], second["refresh_token"]);
    }
    daypass.advance(SignedDuration::from_hours(2));
    let late = refresh(&daypass, &first).await;
    assert_eq!(late["refresh_token"], second["refresh_token"]);
    // So was that answer, and another tab woke up, too.
    for seconds in [0, 30] {
        daypass.advance(SignedDuration::from_secs(seconds));
        assert_eq!(refresh(&daypass, &first).await["refresh_token"], second["refresh_token"]);
    }
    let events = daypass.audit_events();
    let noted = events.iter().filter(|event| event["reason"] == "refresh_retried_late");
    assert_eq!(noted.count(), 1, "{events:?}");
    daypass.advance(SignedDuration::from_hours(1));
    assert_over(&daypass, &first, "reused").await;
    assert_over(&daypass, &second, "reused").await;
}

#[tokio::test]
async fn a_stolen_token_in_step_with_its_owner_is_found_out() {
    let daypass = Daypass::start().await;
    let stolen = sign_in(&daypass).await;
    daypass.advance(SignedDuration::from_mins(10));
    let thief = refresh(&daypass, &stolen).await;
    daypass.advance(SignedDuration::from_mins(10));
    let owner = refresh(&daypass, &stolen).await;
    assert_eq!(owner["refresh_token"], thief["refresh_token"]);
    daypass.advance(SignedDuration::from_mins(10));
    refresh(&daypass, &thief).await;
    daypass.advance(SignedDuration::from_mins(10));
    assert_over(&daypass, &owner, "reused").await;
    let ended = daypass.audit_events();
    let ended = ended.iter().find(|event| event["action"] == "sign_out").unwrap();
    assert_eq!((&ended["reason"], &ended["identity_id"]), (&"reused".into(), &stolen["identity_id"]));
}

#[tokio::test]
async fn what_was_issued_in_a_session_that_somebody_copied_ends_too() {
    let daypass = Daypass::start().await;
    let first = sign_in_on(&daypass, "", &[("credentials", "true")]).await;
    let second = refresh(&daypass, &first).await;
    let third = refresh(&daypass, &second).await;
    assert!(super::gets_credentials(&daypass, &third).await);
    assert_over(&daypass, &first, "reused").await;
    assert!(!super::gets_credentials(&daypass, &third).await);
}

#[tokio::test]
async fn sixteen_tabs_that_ask_at_once_all_go_on_with_one_token() {
    for backend in BACKENDS {
        let daypass = Daypass::start().on(backend()).await;
        let mut session = sign_in(&daypass).await;
        for _ in 0..4 {
            let answers = join_all((0..16).map(|_| refresh(&daypass, &session))).await;
            assert!(answers.iter().all(|answer| answer["refresh_token"] == answers[0]["refresh_token"]));
            session = answers.into_iter().next().unwrap();
        }
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_at_its_end() {
    let daypass = Daypass::start().await;
    let idle = sign_in(&daypass).await;
    let mut used = sign_in(&daypass).await;
    for _ in 0..4 {
        daypass.advance(SignedDuration::from_hours(6 * 24));
        used = refresh(&daypass, &used).await;
    }
    assert_over(&daypass, &idle, "expired").await;
    assert_eq!(used["refresh_expires_in"], 6 * 24 * 3600);
    daypass.advance(SignedDuration::from_hours(6 * 24));
    assert_over(&daypass, &used, "expired").await;
}

#[tokio::test]
async fn an_operator_says_how_long_sessions_go_on() {
    let app = "[[app]]\nid = \"native\"\norigins = []\nredirect_uris = [\"http://127.0.0.1/cb\"]\n";
    for (keys, expected) in [
        ("", 30 * 24 * 3600),
        ("session_idle = \"2h\"\n", 2 * 3600),
        ("session_lifetime = \"5d\"\n", 5 * 24 * 3600),
        ("session_idle = \"1d\"\nsession_lifetime = \"2d\"\n", 24 * 3600),
    ] {
        let daypass = Daypass::start().with_tables(&format!("{app}{keys}")).await;
        let id_token = super::exchange::subject_token(&daypass).await;
        let session = super::exchange::exchange(&daypass, "native", &id_token).await.json();
        assert_eq!(session["refresh_expires_in"], expected, "{keys}");
    }
}

#[tokio::test]
async fn a_refresh_token_is_for_its_app_alone_and_for_nothing_else() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let shown = session["refresh_token"].as_str().unwrap();
    let refused = |client: &'static str, refresh_token: &str| {
        let members =
            [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", refresh_token)];
        form("/oauth2/token", &members)
    };
    let of_another = daypass.send(refused("twin", shown)).await;
    assert_eq!((of_another.status.as_u16(), &of_another.json()["reason"]), (400, &"expired".into()));
    let of_nobody = daypass.send(refused("nobody", shown)).await;
    assert_eq!((of_nobody.status.as_u16(), &of_nobody.json()["error"]), (401, &"invalid_client".into()));
    let access_token = session["access_token"].as_str().unwrap();
    let changed = format!("{}{}", &shown[..shown.len() - 1], if shown.ends_with('A') { 'B' } else { 'A' });
    for token in [access_token, "", "dpr_", &changed] {
        let answer = daypass.send(refused("shop", token)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let reason = if token.is_empty() { Value::Null } else { "malformed".into() };
        assert_eq!(answer.json()["reason"], reason, "{token}");
    }
    refresh(&daypass, &session).await;
    let as_token = serde_json::json!({"identity_id": session["identity_id"], "token": shown});
    assert_eq!(daypass.get_credentials(&as_token).await.status, 400);
}

#[tokio::test]
async fn what_is_malformed_spends_nothing() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let shown = session["refresh_token"].as_str().unwrap();
    let whole = [("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", shown)];
    for at in 0..whole.len() {
        let mut members = whole.to_vec();
        members.remove(at);
        let answer = token(&daypass, &members).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &"invalid_request".into()));
    }
    let mut twice = whole.to_vec();
    twice.push(("client_id", "shop"));
    assert_eq!(token(&daypass, &twice).await.json()["error"], "invalid_request");
    daypass.advance(SignedDuration::from_mins(1));
    let second = refresh(&daypass, &session).await;
    daypass.advance(SignedDuration::from_mins(1));
    refresh(&daypass, &second).await;
}

#[tokio::test]
async fn no_refresh_token_is_in_the_trail_or_in_an_error() {
    let daypass = Daypass::start().await;
    let first = sign_in(&daypass).await;
    let second = refresh(&daypass, &first).await;
    let third = refresh(&daypass, &second).await;
    let told = refresh_with(&daypass, &first, &[]).await;
    let events = daypass.audit_events();
    for session in [&first, &second, &third] {
        let secret = session["refresh_token"].as_str().unwrap();
        assert!(!told.body.contains(secret));
        assert!(events.iter().all(|event| !event.to_string().contains(secret)));
    }
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["sign_in", "exchange", "refresh", "refresh", "sign_out", "refresh"]);
    assert_eq!(events.last().unwrap()["reason"], "refresh_reused");
}

#[tokio::test]
async fn sessions_outlive_the_process() {
    let backend = Backend::sqlite();
    let store = backend.store();
    let daypass = Daypass::start().on(backend).await;
    let first = sign_in(&daypass).await;
    refresh(&daypass, &first).await;
    let id =
        daypass_core::ground::ids::SignInSessionId::parse(first["session_id"].as_str().unwrap()).unwrap();
    let kept = store.find_sign_in_session(&id).await.unwrap().unwrap();
    assert_eq!((kept.generation, kept.upstream.subject.is_empty()), (1, false));
}

#[tokio::test]
async fn an_app_that_nobody_registered_any_more_has_no_sessions() {
    let mut daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    daypass.reread(|config| config.apps.retain(|app| app.id != "shop"), "").await.unwrap();
    let answer = refresh_with(&daypass, &session, &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (401, &"invalid_client".into()));
}

/// What came to nothing was not taken.
#[tokio::test]
async fn a_late_token_is_noted_when_it_is_taken() {
    let daypass = Daypass::start().await;
    let first = sign_in(&daypass).await;
    refresh(&daypass, &first).await;
    daypass.advance(SignedDuration::from_hours(2));
    let roles = |roles: Value| serde_json::json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles});
    daypass.call("SetIdentityPoolRoles", roles(serde_json::json!({}))).await;
    let noted = || {
        let events = daypass.audit_events();
        events.iter().filter(|event| event["reason"] == "refresh_retried_late").count()
    };
    for _ in 0..3 {
        let answer = refresh_with(&daypass, &first, &[("credentials", "true")]).await;
        assert_eq!((answer.status.as_u16(), noted()), (500, 0), "{answer:?}");
        daypass.advance(SignedDuration::from_hours(1));
    }
    refresh(&daypass, &first).await;
    assert_eq!(noted(), 1);
}

/// The trail's last word about a refresh is what its client heard.
#[tokio::test]
async fn sign_outs_that_race_with_refreshes_win_and_the_trail_says_so() {
    for backend in BACKENDS {
        let daypass = Daypass::start().on(backend()).await;
        for _ in 0..8 {
            let session = sign_in(&daypass).await;
            let shown = session["refresh_token"].as_str().unwrap();
            let refreshes = join_all((0..4).map(|_| refresh_with(&daypass, &session, &[])));
            let (answers, _) = futures::join!(refreshes, super::revoke(&daypass, "shop", shown));
            assert_over(&daypass, &session, "signed_out").await;
            for answer in answers.iter().filter(|answer| answer.status == 200) {
                assert!(!super::gets_credentials(&daypass, &answer.json()).await);
            }
            let refused = answers.iter().filter(|answer| answer.status != 200);
            for answer in refused {
                let id = answer.header("x-amzn-requestid");
                let events = daypass.audit_events();
                let of_it = events.iter().rev().find(|event| event["request_id"] == id).unwrap();
                assert_eq!((&of_it["outcome"], &of_it["reason"]), (&"refused".into(), &"signed_out".into()));
            }
        }
    }
}

/// A master key is missing, say: whoever heard that their token is none would sign in again, and the session would be lost.
#[tokio::test]
async fn a_session_whose_login_does_not_open_is_not_over() {
    let daypass = Daypass::start().await;
    let session = sign_in(&daypass).await;
    let sealed = daypass.store.list_sealed(Page { after: None, limit: 100 }).await.unwrap();
    let login = sealed.into_iter().find(|it| matches!(it.item, SealedItem::SignInSession(_))).unwrap();
    let other =
        MasterKeys::from(MasterKey::new([9; 32])).sealer("login").seal(b"", b"", &SeededRandom::new(1));
    let closed = SealedValue { sealed: other.clone(), item: login.item.clone() };
    let reseal = async |from: SealedValue, to| daypass.store.reseal(&[Resealing { from, to }]).await;
    assert_eq!(reseal(login.clone(), other).await.unwrap(), 1);
    let answer = refresh_with(&daypass, &session, &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (503, &"temporarily_unavailable".into()));
    assert_eq!(ask(&daypass, Method::GET, "/v1/sessions", &session).await.status, 200);
    assert_eq!(reseal(closed, login.sealed).await.unwrap(), 1);
    refresh(&daypass, &session).await;
}
