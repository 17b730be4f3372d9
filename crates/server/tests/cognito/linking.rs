//! `POST /v1/link`, with the driver over the wire and with the embedded pool: both do the same.

use http::Request;
use serde_json::{Value, json};

use crate::broker::{Amazon, Broker};
use crate::harness::{Answer, Daypass, claims};

/// What answers: the broker, or the pool itself.
enum Server {
    Broker(Broker),
    Embedded,
}

impl Server {
    async fn both(amazon: &Amazon) -> [Self; 2] {
        [Self::Embedded, Self::Broker(Broker::start(&amazon.daypass, &amazon.table()).await)]
    }

    async fn post(&self, home: &Daypass, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(body.to_string()).unwrap();
        match self {
            Self::Broker(broker) => broker.send(request).await,
            Self::Embedded => home.send(request).await,
        }
    }

    async fn link(&self, home: &Daypass, first: &str, second: &str) -> Answer {
        let mut body = home.sign_in(second).await.proof();
        body["first"] = home.sign_in(first).await.proof();
        self.post(home, "/v1/link", &body).await
    }

    async fn enter(&self, home: &Daypass, person: &str) -> Value {
        let login = home.sign_in(person).await;
        self.post(home, "/v1/exchange", &login.proof()).await.json()["identity_id"].clone()
    }

    fn events(&self, home: &Daypass) -> Vec<Value> {
        match self {
            Self::Broker(broker) => broker.audit_events(),
            Self::Embedded => home.audit_events(),
        }
    }
}

#[tokio::test]
async fn the_second_login_leads_to_the_first_ones_identity_from_then_on() {
    for (which, known) in [(0, true), (0, false), (1, true), (1, false)] {
        let amazon = Amazon::start("us-east-1").await;
        let server = &Server::both(&amazon).await[which];
        let home = &amazon.daypass;
        let ada = server.enter(home, "ada").await;
        if known {
            assert_ne!(server.enter(home, "grace").await, ada);
        }
        let linked = server.link(home, "ada", "grace").await;
        assert_eq!(linked.status, 200, "{linked:?}");
        let linked = linked.json();
        assert_eq!(linked["identity_id"], ada);
        assert_eq!(claims(&linked["token"])["sub"], ada);
        assert_eq!(linked["user"]["name"], "Ada");
        assert_eq!(server.enter(home, "grace").await, ada);
        assert_eq!(server.enter(home, "ada").await, ada);

        let events = server.events(home);
        let links: Vec<_> = events.iter().filter(|event| event["action"] == "link").collect();
        assert_eq!(links.len(), 2, "{events:?}");
        assert!(links.iter().all(|event| event["identity_id"] == ada && event["outcome"] == "allowed"));
        assert_ne!(links[0]["developer_user_identifier"], links[1]["developer_user_identifier"]);
    }
}

#[tokio::test]
async fn linking_twice_or_to_oneself_changes_nothing() {
    let amazon = Amazon::start("us-east-1").await;
    for server in Server::both(&amazon).await {
        let home = &amazon.daypass;
        let first = server.link(home, "ada", "grace").await.json();
        let again = server.link(home, "ada", "grace").await.json();
        let alone = server.link(home, "ada", "ada").await.json();
        assert_eq!(again["identity_id"], first["identity_id"]);
        assert_eq!(alone["identity_id"], first["identity_id"]);
    }
}

#[tokio::test]
async fn both_logins_have_to_be_shown() {
    let amazon = Amazon::start("us-east-1").await;
    let home = &amazon.daypass;
    for server in Server::both(&amazon).await {
        let ada = server.enter(home, "ada").await;
        let mut body = home.sign_in("grace").await.proof();
        server.post(home, "/v1/link", &body).await.assert_problem(400, "malformed_request");
        body["first"] = home.sign_in("ada").await.proof();
        body["first"]["code"] = json!("made-up");
        server.post(home, "/v1/link", &body).await.assert_problem(401, "proof_refused");
        body["first"] = json!({"provider": "snapchat"});
        server.post(home, "/v1/link", &body).await.assert_problem(400, "malformed_request");
        body["first"] = home.sign_in("ada").await.proof();
        body["identity_id"] = ada.clone();
        server.post(home, "/v1/link", &body).await.assert_problem(400, "malformed_request");
        body["identity_id"] = Value::Null;
        body["first"]["region"] = json!("us-east-1");
        server.post(home, "/v1/link", &body).await.assert_problem(400, "malformed_request");
        body["first"] = json!({"first": body["first"].clone()});
        server.post(home, "/v1/link", &body).await.assert_problem(400, "malformed_request");
        server.post(home, "/v1/exchange", &body).await.assert_problem(400, "malformed_request");
        assert_ne!(server.enter(home, "grace").await, ada, "nothing was linked");
    }
}

#[tokio::test]
async fn a_link_is_made_in_every_region() {
    let (east, west) = (Amazon::start("us-east-1").await, Amazon::start("eu-west-1").await);
    let broker = Broker::start(&east.daypass, &format!("{}{}", east.table(), west.table())).await;
    let mut link = east.daypass.sign_in("grace").await.proof();
    link["first"] = east.daypass.sign_in("ada").await.proof();
    link["credentials"] = true.into();
    let request = Request::post("/v1/link").header("content-type", "application/json");
    let linked = broker.send(request.body(link.to_string()).unwrap()).await.json();
    assert!(linked["credentials"]["access_key_id"].is_string(), "{linked}");
    let credentials = |amazon: &Amazon| {
        let events = amazon.daypass.audit_events();
        events.iter().filter(|event| event["action"] == "credentials").count()
    };
    assert_eq!((credentials(&east), credentials(&west)), (1, 0), "nobody gets those of another Region");
    let mut identities = Vec::new();
    for person in ["ada", "grace"] {
        let login = east.daypass.sign_in(person).await;
        let answer = broker.exchange(&login.proof_with("region", "eu-west-1")).await.json();
        identities.push(answer["identity_id"].clone());
    }
    assert_eq!(identities[0], identities[1]);
    assert!(identities[0].as_str().unwrap().starts_with("eu-west-1:"));
}
