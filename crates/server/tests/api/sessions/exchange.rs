//! Token exchange (RFC 8693): what a provider's own SDK gave to an app, in place of a code.

use daypass_core::audit::Requester;
use daypass_core::broker::developer_pool::ExchangeOptions;
use daypass_core::broker::exchange::{ExchangeRequest, PresentedProof};
use daypass_core::broker::sessions::NewSession;
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::secret::Secret;
use daypass_core::iam::Origin;
use daypass_core::login::provider::UnverifiedProof;
use daypass_core::records::scope::Scope;
use daypass_development::sandbox::Client;
use http::Request;
use serde_json::{Value, json};

use super::{form, refresh, token};
use crate::harness::{Answer, Backend, Daypass, SERVER, ours};

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// An access token that the provider gave to our client.
pub(super) async fn subject_token(daypass: &Daypass) -> String {
    daypass.access_token(&ours(), "ada").await
}

pub(super) async fn exchange(daypass: &Daypass, client: &str, subject_token: &str) -> Answer {
    exchange_with(daypass, &[("client_id", client), ("subject_token", subject_token)]).await
}

/// An exchange of an access token of Snapchat's, but for these members; one without a value is left out.
async fn exchange_with(daypass: &Daypass, other: &[(&str, &str)]) -> Answer {
    let mut members = vec![
        ("grant_type", GRANT),
        ("client_id", "shop"),
        ("subject_token_type", ACCESS_TOKEN),
        ("subject_issuer", "snapchat-token"),
    ];
    for (name, value) in other {
        members.retain(|(known, _)| known != name);
        members.push((name, value));
    }
    members.retain(|(_, value)| !value.is_empty());
    token(daypass, &members).await
}

fn assert_error(answer: &Answer, status: u16, error: &str, code: &str) {
    let told = answer.json();
    assert_eq!(
        (answer.status.as_u16(), told["error"].as_str(), told["code"].as_str()),
        (status, Some(error), Some(code)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_providers_token_is_exchanged_and_begins_a_session() {
    let daypass = Daypass::start().await;
    let subject = subject_token(&daypass).await;
    let answer = exchange(&daypass, "shop", &subject).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let session = answer.json();
    assert_eq!(session["issued_token_type"], ACCESS_TOKEN);
    assert_eq!((&session["token_type"], &session["provider"]), (&"Bearer".into(), &"snapchat-token".into()));
    assert_eq!(refresh(&daypass, &session).await["identity_id"], session["identity_id"]);
    assert_eq!(exchange(&daypass, "shop", &subject).await.json()["identity_id"], session["identity_id"]);
}

#[tokio::test]
async fn an_app_may_call_the_token_an_id_token() {
    let daypass = Daypass::start().await;
    let subject = subject_token(&daypass).await;
    let with =
        |requested: &'static str| [("subject_token", subject.as_str()), ("requested_token_type", requested)];
    let answer = exchange_with(&daypass, &with(ID_TOKEN)).await.json();
    assert_eq!((&answer["issued_token_type"], &answer["token_type"]), (&ID_TOKEN.into(), &"N_A".into()));
    for other in ["urn:ietf:params:oauth:token-type:saml2", "access_token", ID_TOKEN.to_uppercase().leak()] {
        let refused = exchange_with(&daypass, &with(other)).await;
        assert_error(&refused, 400, "invalid_request", "invalid_request");
    }
}

#[tokio::test]
async fn a_token_of_another_app_opens_nothing() {
    let daypass = Daypass::start().await;
    let subject = daypass.access_token(&Client::other_games(), "ada").await;
    let with = [("subject_token", subject.as_str()), ("subject_issuer", "snapchat")];
    assert_error(&exchange_with(&daypass, &with).await, 400, "invalid_request", "unbound_access_token");
    assert_error(&exchange(&daypass, "shop", "unknown").await, 400, "invalid_request", "proof_refused");
    assert!(daypass.identities().await.is_empty());
}

#[tokio::test]
async fn a_guest_is_upgraded_on_the_way() {
    let daypass = Daypass::start().await;
    let guest = daypass.former_guest().await;
    let subject = subject_token(&daypass).await;
    let with = [("subject_token", subject.as_str()), ("identity_id", guest.as_str())];
    assert_eq!(exchange_with(&daypass, &with).await.json()["identity_id"], json!(guest));
}

#[tokio::test]
async fn who_has_an_identity_signs_in_where_a_guest_was() {
    let daypass = Daypass::start().await;
    let ada = exchange(&daypass, "shop", &subject_token(&daypass).await).await.json();
    let guest = daypass.former_guest().await;
    let subject = subject_token(&daypass).await;
    let with = [("subject_token", subject.as_str()), ("identity_id", guest.as_str())];
    let answer = exchange_with(&daypass, &with).await;
    assert_eq!(answer.json()["identity_id"], ada["identity_id"], "{answer:?}");
}

#[tokio::test]
async fn who_signs_in_is_given_nobody_elses_identity() {
    let daypass = Daypass::start().await;
    let grace = daypass.enter("grace").await;
    let subject = subject_token(&daypass).await;
    let with = [("subject_token", subject.as_str()), ("identity_id", grace["identity_id"].as_str().unwrap())];
    assert_error(&exchange_with(&daypass, &with).await, 400, "invalid_request", "identity_refused");
}

#[tokio::test]
async fn what_is_not_taken_is_refused_and_not_passed_over() {
    let daypass = Daypass::start().await;
    let subject = subject_token(&daypass).await;
    for (member, value, error) in [
        ("subject_token", "", "invalid_request"),
        ("subject_token_type", "", "invalid_request"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request"),
        ("subject_issuer", "", "invalid_request"),
        ("subject_issuer", "nobody", "invalid_request"),
        ("audience", "https://s3.example", "invalid_target"),
        ("resource", "https://s3.example", "invalid_target"),
        ("actor_token", "somebody", "invalid_request"),
        ("identity_id", "none", "invalid_request"),
        ("device", "two\nlines", "invalid_request"),
        ("device", "x".repeat(101).leak(), "invalid_request"),
    ] {
        let mut members = vec![("subject_token", subject.as_str())];
        members.retain(|(name, _)| *name != member);
        members.push((member, value));
        let answer = exchange_with(&daypass, &members).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &error.into()), "{member}");
    }
    assert!(daypass.identities().await.is_empty());
    assert_ne!(exchange(&daypass, "shop", &subject).await.json()["refresh_token"], Value::Null);
}

/// Where each process has a store of its own there are no sessions, and no routes that lead here.
#[tokio::test]
async fn a_session_that_cannot_be_kept_is_none_and_the_trail_says_so() {
    let daypass = Daypass::start().on(Backend::unshared()).await;
    let token = Secret::new(subject_token(&daypass).await);
    let proof = UnverifiedProof::AccessToken(token);
    let presented = PresentedProof::OfProvider { provider: "snapchat-token".into(), proof };
    let request = ExchangeRequest { presented, options: ExchangeOptions::default() };
    let new = NewSession { app: "shop".into(), device: None, scope: Scope::default(), key_holder: None };
    let id = RequestId::generate(daypass.app.clock.now(), daypass.random());
    let by = Requester::anonymous(&id, Origin::default());
    daypass.app.sessions.begin(request, new, &by).await.unwrap_err();
    let events = daypass.audit_events();
    let told: Vec<_> = events.iter().map(|event| (&event["action"], &event["outcome"])).collect();
    let (exchange, allowed, refused) = (json!("exchange"), json!("allowed"), json!("refused"));
    assert_eq!(told, [(&exchange, &allowed), (&exchange, &refused)]);
    assert_eq!(events[1]["reason"], "store_unavailable");
}

#[tokio::test]
async fn what_is_issued_for_an_app_is_not_for_pages_of_another() {
    let daypass = Daypass::start().await;
    for (origin, client, status) in [
        ("https://shop.example", "shop", 200),
        ("https://shop.example", "playground", 403),
        ("https://shop.example", "twin", 403),
        (SERVER, "shop", 403),
    ] {
        let proof = daypass.sign_in("ada").await.proof();
        let subject = subject_token(&daypass).await;
        let members = [
            ("grant_type", GRANT),
            ("client_id", client),
            ("subject_token_type", ACCESS_TOKEN),
            ("subject_issuer", "snapchat-token"),
            ("subject_token", &subject),
        ];
        let mut request = form("/oauth2/token", &members);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let answer = daypass.send(request).await;
        assert_eq!(answer.status, status, "{origin} {client}: {answer:?}");

        let mut body = proof;
        body["app"] = client.into();
        body["scope"] = "openid".into();
        let request = Request::post("/v1/exchange").header("content-type", "application/json");
        let request = request.header("origin", origin).body(body.to_string()).unwrap();
        let answer = daypass.send(request).await;
        assert_eq!(answer.status, status, "{origin} {client}: {answer:?}");
        let code = &answer.json()["code"];
        let expected = if status == 200 { Value::Null } else { json!("origin_not_allowed") };
        assert_eq!(code, &expected);
    }
}
