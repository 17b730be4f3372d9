//! `identity_id` in front of an Amazon that does what its reference says: it associates a new login with whatever
//! identity is named, be it a guest's or somebody's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use crate::broker::{Broker, Port, table};
use crate::faults::POOL;
use crate::harness::{Answer, Daypass};

const GUEST: &str = "us-east-1:00000000-0000-4000-8000-0000000000a1";
const VICTIM: &str = "us-east-1:00000000-0000-4000-8000-0000000000a2";
const PUBLIC: &str = "us-east-1:00000000-0000-4000-8000-0000000000a3";
const UNKNOWN: &str = "us-east-1:00000000-0000-4000-8000-0000000000a4";
/// The last login was unlinked, or went to another identity in a merge.
const ORPHAN: &str = "us-east-1:00000000-0000-4000-8000-0000000000a5";

#[derive(Default)]
struct Identity {
    users: BTreeSet<String>,
    public: Vec<&'static str>,
    /// Whether it has, or once had, a login. Nothing that lists logins tells.
    authenticated: bool,
}

/// Amazon, with the identities of a pool.
struct Amazon {
    identities: Mutex<BTreeMap<String, Identity>>,
    /// Whether LookupDeveloperIdentity finds an identity that has no developer user; nothing says so.
    finds_guests: bool,
    allows_guests: bool,
    allows_classic_flow: bool,
    /// An operation that is not answered.
    broken: Option<&'static str>,
    asked: Mutex<Vec<String>>,
}

impl Amazon {
    fn new() -> Self {
        let of = |user: Option<&str>, public: &[&'static str]| Identity {
            users: user.map(str::to_owned).into_iter().collect(),
            public: public.to_vec(),
            authenticated: true,
        };
        let identities = [
            (GUEST.to_owned(), Identity::default()),
            (VICTIM.to_owned(), of(Some("snapchat:victim"), &[])),
            (PUBLIC.to_owned(), of(None, &["accounts.google.com"])),
            (ORPHAN.to_owned(), of(None, &[])),
        ];
        Self {
            identities: Mutex::new(identities.into()),
            finds_guests: true,
            allows_guests: true,
            allows_classic_flow: true,
            broken: None,
            asked: Mutex::default(),
        }
    }

    fn users(&self, id: &str) -> BTreeSet<String> {
        self.identities.lock().unwrap()[id].users.clone()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn answer(&self, operation: &str, input: &Value) -> (u16, Value) {
        self.asked.lock().unwrap().push(operation.to_owned());
        if self.broken == Some(operation) {
            return (500, json!({"__type": "InternalErrorException", "message": "sorry"}));
        }
        let mut identities = self.identities.lock().unwrap();
        let named = input["IdentityId"].as_str().map(str::to_owned);
        if let Some(id) = named.as_ref().filter(|id| !identities.contains_key(*id)) {
            return not_found(id);
        }
        match (operation, named) {
            ("LookupDeveloperIdentity", Some(id)) => {
                let users = &identities[&id].users;
                if users.is_empty() && !self.finds_guests {
                    return not_found(&id);
                }
                (200, json!({"IdentityId": id, "DeveloperUserIdentifierList": users}))
            }
            ("DescribeIdentity", Some(id)) => {
                let mut answer = json!({"IdentityId": id});
                if !identities[&id].public.is_empty() {
                    answer["Logins"] = json!(identities[&id].public);
                }
                (200, answer)
            }
            ("GetOpenIdToken", Some(_)) if !self.allows_classic_flow => refusal(
                "InvalidParameterException",
                "Basic (classic) flow is not enabled, please use enhanced flow.",
            ),
            ("GetOpenIdToken" | "GetCredentialsForIdentity", Some(_)) if !self.allows_guests => refusal(
                "NotAuthorizedException",
                "Unauthenticated access is not supported for this identity pool.",
            ),
            ("GetOpenIdToken" | "GetCredentialsForIdentity", Some(id)) if identities[&id].authenticated => {
                refusal("NotAuthorizedException", &format!("Access to Identity '{id}' is forbidden."))
            }
            ("GetOpenIdToken", Some(id)) => (200, json!({"IdentityId": id, "Token": token(&id)})),
            ("GetCredentialsForIdentity", Some(id)) => (200, json!({"IdentityId": id, "Credentials": {}})),
            ("GetOpenIdTokenForDeveloperIdentity", named) => {
                let user = input["Logins"]["login.daypass.local"].as_str().unwrap();
                let own = identities.iter().find(|(_, identity)| identity.users.contains(user));
                let own = own.map(|(id, _)| id.clone());
                let new = "us-east-1:00000000-0000-4000-8000-0000000000ff".to_owned();
                let id = named.or(own).unwrap_or(new);
                let identity = identities.entry(id.clone()).or_default();
                identity.users.insert(user.to_owned());
                identity.authenticated = true;
                (200, json!({"IdentityId": id, "Token": token(&id)}))
            }
            (other, _) => panic!("{other} is not asked here"),
        }
    }
}

fn not_found(id: &str) -> (u16, Value) {
    refusal("ResourceNotFoundException", &format!("Identity '{id}' not found."))
}

fn refusal(exception: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": exception, "message": message}))
}

fn token(id: &str) -> String {
    let claims = json!({"sub": id, "aud": POOL, "exp": 1_790_000_900});
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

async fn respond(State(amazon): State<Arc<Amazon>>, headers: HeaderMap, body: String) -> Response {
    let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap();
    let (status, answer) = amazon.answer(operation, &serde_json::from_str(&body).unwrap());
    (StatusCode::from_u16(status).unwrap(), answer.to_string()).into_response()
}

/// An installation in front of it.
struct Scene {
    amazon: Arc<Amazon>,
    home: Daypass,
    broker: Broker,
    _port: Port,
}

impl Scene {
    async fn before(amazon: Amazon) -> Self {
        let (amazon, home) = (Arc::new(amazon), Daypass::start().await);
        let port = Port::open(Router::new().fallback(respond).with_state(amazon.clone())).await;
        let broker = Broker::start(&home, &table("us-east-1", POOL, port.address)).await;
        Self { amazon, home, broker, _port: port }
    }

    async fn enter_as(&self, person: &str, id: &str) -> Answer {
        let login = self.home.sign_in(person).await;
        self.broker.exchange(&login.proof_with("identity_id", id)).await
    }
}

#[tokio::test]
async fn nobody_enters_the_identity_of_somebody_else_by_naming_it() {
    let scene = Scene::before(Amazon::new()).await;
    scene.enter_as("grace", VICTIM).await.assert_problem(401, "identity_refused");
    assert_eq!(scene.amazon.asked(), ["LookupDeveloperIdentity"], "the ID went no further");
    scene.enter_as("grace", PUBLIC).await.assert_problem(401, "identity_refused");
    assert_eq!(scene.amazon.asked(), ["LookupDeveloperIdentity", "DescribeIdentity"]);
    assert_eq!(scene.amazon.users(VICTIM), BTreeSet::from(["snapchat:victim".to_owned()]));
    assert!(scene.amazon.users(PUBLIC).is_empty());
    scene.enter_as("grace", UNKNOWN).await.assert_problem(400, "unknown_identity");
}

#[tokio::test]
async fn nobody_enters_an_identity_that_somebody_had_once() {
    for (finds_guests, allows_classic_flow) in [(true, true), (false, true), (true, false), (false, false)] {
        let scene = Scene::before(Amazon { finds_guests, allows_classic_flow, ..Amazon::new() }).await;
        scene.enter_as("grace", ORPHAN).await.assert_problem(401, "identity_refused");
        assert!(scene.amazon.users(ORPHAN).is_empty());
        let last = scene.amazon.asked().pop().unwrap();
        assert_eq!(last, if allows_classic_flow { "GetOpenIdToken" } else { "GetCredentialsForIdentity" });
    }
}

#[tokio::test]
async fn a_pool_without_guests_tells_nobody_who_is_one() {
    let scene = Scene::before(Amazon { allows_guests: false, ..Amazon::new() }).await;
    let answer = scene.enter_as("grace", GUEST).await;
    answer.assert_problem(401, "identity_refused");
    assert!(answer.body.contains("does not allow guests"), "{}", answer.body);
    assert!(scene.amazon.users(GUEST).is_empty());
}

#[tokio::test]
async fn a_guest_is_upgraded_and_is_nobody_elses_from_then_on() {
    for (finds_guests, allows_classic_flow) in [(true, true), (false, true), (true, false)] {
        let scene = Scene::before(Amazon { finds_guests, allows_classic_flow, ..Amazon::new() }).await;
        for _first_then_own in 0..2 {
            let answer = scene.enter_as("ada", GUEST).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["identity_id"]), (200, &json!(GUEST)));
        }
        scene.enter_as("grace", GUEST).await.assert_problem(401, "identity_refused");
        assert_eq!(scene.amazon.users(GUEST).len(), 1);
    }
}

#[tokio::test]
async fn what_amazon_does_not_answer_upgrades_nobody() {
    for broken in
        ["LookupDeveloperIdentity", "DescribeIdentity", "GetOpenIdToken", "GetCredentialsForIdentity"]
    {
        let allows_classic_flow = broken != "GetCredentialsForIdentity";
        let amazon = Amazon { broken: Some(broken), allows_classic_flow, ..Amazon::new() };
        let scene = Scene::before(amazon).await;
        scene.enter_as("ada", GUEST).await.assert_problem(503, "identity_pool_unavailable");
        assert!(scene.amazon.users(GUEST).is_empty());
    }
}
