//! An agent or a service acts for a person (RFC 8693 section 1.1): both are named, for a short time, and with the session of
//! the person it ends.

use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::store::RevocationTarget;
use serde_json::{Value, json};

use super::exchange::{self, GRANT};
use super::{ask, assert_over, form, revoke, token};
use crate::harness::{AUTHENTICATED_ROLE, Answer, Browser, Daypass, OIDC, OTHER_OIDC, Wishes, claims};

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const MAILER: &str = "system:serviceaccount:mail:mailer";

/// A provider of services, and one of theirs that may act for the people of `shop`.
const TABLES: &str = "[[provider]]\nid = \"workloads\"\nclient_id = \"our-client\"\nname = \"Workloads\"\nregister = \"Here.\"\n\
                      only_actors = true\nid_scope = \"global\"\naccept = [\"id_token\"]\nbinding.kind = \"id_token\"\npkce = \"never\"\n\
                      [provider.id_token]\nissuers = [\"https://login.example.com\"]\n\
                      keys = { discovery = \"https://login.example.com\" }\nnonce = \"none\"\n\
                      subject = { at = \"/sub\" }\n\
                      [pool.principal_tags]\nactor = \"{actor}\"\nwho = \"{subject}\"\n\
                      [[actor]]\nid = \"mailer\"\nprovider = \"workloads\"\n\
                      subject = \"system:serviceaccount:mail:mailer\"\napps = [\"shop\"]\n";

async fn start() -> Daypass {
    Daypass::start().with_tables(TABLES).await
}

/// Somebody signs in at `shop`, which asks for an ID token.
async fn sign_in(daypass: &Daypass) -> Value {
    let wishes = Wishes::new().with("scope", "openid");
    let code = Browser::new(daypass).sign_in(&wishes).await;
    token(daypass, &wishes.form(&code)).await.json()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The mailer asks to act for whoever signed in, but for these members; one without a value is left out.
async fn act(daypass: &Daypass, session: &Value, other: &[(&str, &str)]) -> Answer {
    let actor = daypass.id_token(OIDC, MAILER);
    let mut members = vec![
        ("grant_type", GRANT),
        ("client_id", "shop"),
        ("subject_token", text(&session["id_token"])),
        ("subject_token_type", ID_TOKEN),
        ("actor_token", text(&actor)),
        ("actor_token_type", ID_TOKEN),
    ];
    for (name, value) in other {
        members.retain(|(known, _)| known != name);
        members.push((name, value));
    }
    members.retain(|(_, value)| !value.is_empty());
    token(daypass, &members).await
}

async fn acting(daypass: &Daypass, session: &Value) -> Value {
    let answer = act(daypass, session, &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str, code: &str) {
    let told = answer.json();
    let heard = (answer.status.as_u16(), told["error"].as_str(), told["code"].as_str());
    assert_eq!(heard, (status, Some(error), Some(code)), "{answer:?}");
}

#[tokio::test]
async fn an_actor_gets_what_the_person_would_under_both_names() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    let given = acting(&daypass, &session).await;
    assert_eq!(given["identity_id"], session["identity_id"]);
    assert_eq!(given["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!(given["expires_in"], 900);
    for member in ["refresh_token", "refresh_expires_in", "session_id", "id_token", "scope"] {
        assert_eq!(given[member], Value::Null, "{member}");
    }
    let said = claims(&given["access_token"]);
    assert_eq!((&said["act"], &said["sid"]), (&json!({"sub": "mailer"}), &session["session_id"]));
    let tags = &said["https://aws.amazon.com/tags"]["principal_tags"];
    assert_eq!(tags["actor"], json!(["mailer"]));
    let own = claims(&session["access_token"]);
    assert_eq!(own["act"], Value::Null);
    let own = &own["https://aws.amazon.com/tags"]["principal_tags"];
    assert_eq!((&own["actor"], &own["who"]), (&Value::Null, &tags["who"]));
}

#[tokio::test]
async fn the_trail_has_both_names_wherever_the_token_goes() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    let before = daypass.audit_events().len();
    let given = act(&daypass, &session, &[("credentials", "true")]).await.json();
    let entered = json!({"identity_id": given["identity_id"], "token": given["access_token"]});
    daypass.credentials(&entered).await;
    assert_eq!(daypass.assume(&given["access_token"], AUTHENTICATED_ROLE).await.status, 200);
    let events = daypass.audit_events().split_off(before);
    let told: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["credentials", "exchange", "credentials", "assume"]);
    for event in &events {
        assert_eq!((&event["actor"], &event["identity_id"]), (&json!("mailer"), &session["identity_id"]));
        assert!(text(&event["developer_user_identifier"]).starts_with("snapchat:"), "{event}");
    }
}

#[tokio::test]
async fn credentials_of_an_actor_end_after_a_quarter_of_an_hour() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    let now = daypass.clock.now().as_second();
    let given = act(&daypass, &session, &[("credentials", "true")]).await.json();
    assert_eq!(given["credentials"]["expires_in"], 900);
    let entered = json!({"identity_id": given["identity_id"], "token": given["access_token"]});
    let answer = daypass.get_credentials(&entered).await.json();
    let ends = |answer: &Value| answer["Credentials"]["Expiration"].to_string();
    assert_eq!(ends(&answer), (now + 900).to_string());
    let assumed = daypass.assume(&given["access_token"], AUTHENTICATED_ROLE).await;
    let expected = daypass.clock.now() + SignedDuration::from_mins(15);
    assert!(
        expected.to_string().starts_with(assumed.element("Expiration").trim_end_matches('Z')),
        "{assumed:?}"
    );
    let own = json!({"identity_id": session["identity_id"], "token": session["access_token"]});
    let own = daypass.get_credentials(&own).await.json();
    assert_eq!(ends(&own), (now + 3600).to_string());
}

#[tokio::test]
async fn what_an_actor_has_ends_with_the_session_of_the_person() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    let given = acting(&daypass, &session).await;
    let entered = json!({"identity_id": given["identity_id"], "token": given["access_token"]});
    let credentials = daypass.credentials(&entered).await;
    assert!(daypass.may_list_pools(&credentials).await);
    revoke(&daypass, "shop", text(&session["refresh_token"])).await;
    daypass
        .signed_by(&credentials, "ListIdentityPools", json!({"MaxResults": 1}))
        .await
        .assert_code("ExpiredTokenException");
    assert_ne!(daypass.get_credentials(&entered).await.status, 200);
    let answer = act(&daypass, &session, &[]).await;
    assert_refused(&answer, 400, "invalid_request", "subject_token_refused");
    assert_eq!(answer.json()["reason"], "signed_out");
}

#[tokio::test]
async fn nobody_acts_for_somebody_whose_sessions_were_revoked() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    let identity = RevocationTarget::Identity(text(&session["identity_id"]).to_owned().try_into().unwrap());
    daypass.store.revoke_sessions(&identity, daypass.clock.clone()).await.unwrap();
    let answer = act(&daypass, &session, &[]).await;
    assert_refused(&answer, 400, "invalid_request", "subject_token_refused");
    assert_eq!(answer.json()["reason"], "revoked");
}

/// Whoever holds the person's ID token and nothing else has nothing.
#[tokio::test]
async fn only_a_named_actor_acts_and_only_for_people_of_its_apps() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    let other = daypass.id_token(OIDC, "system:serviceaccount:mail:other");
    assert_refused(
        &act(&daypass, &session, &[("actor_token", text(&other))]).await,
        403,
        "invalid_request",
        "actor_refused",
    );
    let elsewhere = daypass.id_token(OTHER_OIDC, MAILER);
    let answer = act(&daypass, &session, &[("actor_token", text(&elsewhere))]).await;
    assert_refused(&answer, 400, "invalid_request", "invalid_request");
    let for_others = daypass.issuer(OIDC).id_token(MAILER, "another-client", json!({}));
    let answer = act(&daypass, &session, &[("actor_token", for_others.expose())]).await;
    assert_refused(&answer, 400, "invalid_request", "proof_of_another_app");
    assert!(text(&answer.json()["error_description"]).starts_with("actor_token: "));
    // Of an app for whose people it may not act.
    let answer = act(&daypass, &session, &[("client_id", "twin")]).await;
    assert_refused(&answer, 403, "invalid_request", "actor_refused");
    // The person's own token is no actor's.
    let answer = act(&daypass, &session, &[("actor_token", text(&session["id_token"]))]).await;
    assert_refused(&answer, 400, "invalid_request", "invalid_request");
    let answer = act(&daypass, &session, &[("actor_token", ""), ("actor_token_type", "")]).await;
    assert_refused(&answer, 400, "invalid_request", "invalid_request");
    let refused = daypass.audit_events().into_iter().filter(|event| event["reason"] == "actor_refused");
    let who: Vec<_> = refused.map(|event| event["developer_user_identifier"].clone()).collect();
    assert_eq!(who[0], "workloads:system:serviceaccount:mail:other");
}

#[tokio::test]
async fn an_id_token_counts_for_its_app_in_its_time_and_as_nothing_else() {
    let daypass = Daypass::start().with_tables(&TABLES.replace("[\"shop\"]", "[\"shop\", \"twin\"]")).await;
    let session = sign_in(&daypass).await;
    let answer = act(&daypass, &session, &[("client_id", "twin")]).await;
    assert_refused(&answer, 400, "invalid_request", "subject_token_refused");
    // The token of the pool is for the pool.
    for kind in [ID_TOKEN, "urn:ietf:params:oauth:token-type:access_token"] {
        let other = [("subject_token", text(&session["access_token"])), ("subject_token_type", kind)];
        assert_eq!(act(&daypass, &session, &other).await.status, 400, "{kind}");
    }
    let mut forged = text(&session["id_token"]).to_owned();
    forged.truncate(forged.rfind('.').unwrap() + 1);
    let answer = act(&daypass, &session, &[("subject_token", &forged)]).await;
    assert_refused(&answer, 400, "invalid_request", "subject_token_refused");
    daypass.advance(SignedDuration::from_mins(15));
    let answer = act(&daypass, &session, &[]).await;
    assert_refused(&answer, 400, "invalid_request", "subject_token_refused");
}

#[tokio::test]
async fn an_id_token_of_no_session_stands_for_nobody() {
    let daypass = start().await;
    let mut body = daypass.sign_in("ada").await.proof();
    body["app"] = "shop".into();
    body["scope"] = "openid".into();
    let exchanged = daypass.exchange(&body).await.json();
    let answer = act(&daypass, &exchanged, &[]).await;
    assert_refused(&answer, 400, "invalid_request", "subject_token_refused");
    assert!(text(&answer.json()["error_description"]).contains("no session"));
}

#[tokio::test]
async fn an_actor_may_show_what_the_persons_provider_gave() {
    let daypass = start().await;
    let subject = exchange::subject_token(&daypass).await;
    let other = [
        ("subject_token", subject.as_str()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_issuer", "snapchat-token"),
    ];
    let answer = act(&daypass, &json!({"id_token": ""}), &other).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let said = claims(&answer.json()["access_token"]);
    assert_eq!((&said["act"]["sub"], &said["sid"]), (&json!("mailer"), &Value::Null));
    let event = daypass.audit_events().pop().unwrap();
    assert_eq!((&event["action"], &event["actor"]), (&json!("exchange"), &json!("mailer")));
}

#[tokio::test]
async fn another_provider_of_the_same_issuer_is_in_nobodys_way() {
    let people = TABLES.split("[pool.principal_tags]").next().unwrap().replace("\"workloads\"", "\"people\"");
    let people = people.replace("only_actors = true\n", "");
    let daypass = Daypass::start().with_tables(&(people + TABLES)).await;
    let session = sign_in(&daypass).await;
    assert_eq!(claims(&acting(&daypass, &session).await["access_token"])["act"]["sub"], "mailer");
}

/// A proof that counts once is not spent for whoever is no actor.
#[tokio::test]
async fn the_actor_is_looked_at_before_the_person() {
    let daypass = start().await;
    let session = json!({"id_token": "unknown"});
    let other = daypass.id_token(OIDC, "nobody");
    let answer =
        act(&daypass, &session, &[("actor_token", text(&other)), ("subject_issuer", "snapchat")]).await;
    assert_refused(&answer, 403, "invalid_request", "actor_refused");
}

#[tokio::test]
async fn what_an_actor_cannot_have_is_refused_and_not_passed_over() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    for (member, value, error) in [
        ("actor_token", "", "invalid_request"),
        ("actor_token", "no token", "invalid_request"),
        ("actor_token_type", "", "invalid_request"),
        ("actor_token_type", "urn:ietf:params:oauth:token-type:access_token", "invalid_request"),
        ("scope", "openid", "invalid_scope"),
        ("requested_token_type", ID_TOKEN, "invalid_scope"),
        ("grant_type", "refresh_token", "invalid_request"),
        ("grant_type", "authorization_code", "invalid_request"),
        ("identity_id", "us-east-1:aa", "invalid_request"),
        ("device", "phone", "invalid_request"),
        ("audience", "https://s3.example", "invalid_target"),
        ("subject_token", "", "invalid_request"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request"),
    ] {
        let answer = act(&daypass, &session, &[(member, value)]).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]),
            (400, &error.into()),
            "{member} {value}"
        );
    }
}

#[tokio::test]
async fn what_goes_with_a_session_is_refused_and_not_passed_over() {
    let daypass = start().await;
    let (session, actor) = (sign_in(&daypass).await, daypass.id_token(OIDC, MAILER));
    let members = [
        ("grant_type", GRANT),
        ("client_id", "shop"),
        ("subject_token", text(&session["id_token"])),
        ("subject_token_type", ID_TOKEN),
        ("actor_token", text(&actor)),
        ("actor_token_type", ID_TOKEN),
    ];
    for header in ["dpop", "daypass-app"] {
        let mut request = form("/oauth2/token", &members);
        request.headers_mut().insert(header, "shop".parse().unwrap());
        assert_refused(&daypass.send(request).await, 400, "invalid_request", "invalid_request");
    }
}

/// Everybody whom the issuer of services vouches for would be a person otherwise.
#[tokio::test]
async fn by_a_provider_for_actors_alone_nobody_signs_in() {
    let daypass = start().await;
    for subject in [MAILER, "system:serviceaccount:somebody:else"] {
        let token = daypass.id_token(OIDC, subject);
        let body = json!({"provider": "workloads", "id_token": token});
        daypass.exchange(&body).await.assert_problem(400, "unknown_provider");
        for issuer in ["", "workloads"] {
            let mut members = vec![
                ("grant_type", GRANT),
                ("client_id", "shop"),
                ("subject_token", text(&token)),
                ("subject_token_type", ID_TOKEN),
                ("subject_issuer", issuer),
            ];
            members.retain(|(_, value)| !value.is_empty());
            assert_eq!(super::token(&daypass, &members).await.status, 400);
        }
    }
    let login = daypass.sign_in("ada").await.proof();
    let other = json!({"first": login, "provider": "workloads", "id_token": daypass.id_token(OIDC, MAILER)});
    let request = http::Request::post("/v1/link").header("content-type", "application/json");
    let answer = daypass.send(request.body(other.to_string()).unwrap()).await;
    answer.assert_problem(400, "unknown_provider");
    assert!(daypass.identities().await.is_empty());
    let listed = daypass.get("/v1/providers").await.json();
    assert!(listed["providers"].as_array().unwrap().iter().all(|provider| provider["id"] != "workloads"));
    assert_eq!(daypass.get(&format!("/login/workloads?{}", Wishes::new().query())).await.status, 404);
}

/// The token of an actor opens no door that is the person's.
#[tokio::test]
async fn an_actor_has_no_session_to_list_or_to_go_on_with() {
    let daypass = start().await;
    let session = sign_in(&daypass).await;
    let given = acting(&daypass, &session).await;
    let as_session = json!({"refresh_token": given["access_token"]});
    assert_eq!(ask(&daypass, http::Method::GET, "/v1/sessions", &as_session).await.status, 401);
    assert_over(&daypass, &as_session, "malformed").await;
}

#[tokio::test]
async fn a_shorter_limit_of_the_operators_holds_for_actors_too() {
    let mut daypass = start().await;
    let limit = SignedDuration::from_mins(5);
    daypass.reread(|config| config.pool.max_token_duration = limit, TABLES).await.unwrap();
    let session = sign_in(&daypass).await;
    assert_eq!(acting(&daypass, &session).await["expires_in"], 300);
}

#[tokio::test]
async fn who_is_no_actor_any_more_is_none_at_once() {
    let mut daypass = start().await;
    let session = sign_in(&daypass).await;
    let of_another = TABLES.replace("mail:mailer\"", "mail:another\"");
    daypass.reread(|_| (), &of_another).await.unwrap();
    assert_refused(&act(&daypass, &session, &[]).await, 403, "invalid_request", "actor_refused");
}
