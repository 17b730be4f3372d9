//! IAM's calls of `up`, and whoever makes one and does not wait for it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use daypass_core::ground::random::SystemRandom;
use daypass_development::iam::{self, Book, Iam, TakeUp};
use daypass_server::installation::home::Home;
use daypass_server::installation::made_roles;
use http::Request;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;
use tower::ServiceExt;

use crate::harness::{Daypass, HOST, Signer};

struct World {
    daypass: Daypass,
    router: Router,
    wishes: Receiver<TakeUp>,
    home: Home,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let (daypass, folder) = (Daypass::start().await, tempfile::tempdir().unwrap());
        let home = Home::open(&folder.path().join("state"), &SystemRandom).unwrap();
        let (book, wishes) = Book::new(&home);
        let iam = Arc::new(Iam { embedded: daypass.embedded.clone(), book: Arc::new(book) });
        let router = Router::new().layer(from_fn_with_state(iam, iam::divert));
        Self { daypass, router, wishes, home, _folder: folder }
    }

    fn create_role(&self) -> Request<String> {
        let pool = self.daypass.pool_id();
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"cognito-identity.amazonaws.com"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringEquals":{{"cognito-identity.amazonaws.com:aud":"{pool}"}},"ForAnyValue:StringLike":{{"cognito-identity.amazonaws.com:amr":"authenticated"}}}}}}]}}"#
        );
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("Action", "CreateRole"), ("Version", "2010-05-08"), ("RoleName", "editor")]);
        form.append_pair("AssumeRolePolicyDocument", &trust);
        let request = Request::post("/").header("host", HOST);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.finish());
        let signer = Signer { service: "iam", ..self.daypass.signer(&self.daypass.key) };
        signer.sign(request.unwrap())
    }

    /// Asks for the role, and hangs up when it is written and not taken up yet.
    async fn hang_up_half_way(&mut self) -> TakeUp {
        let answering = self.router.clone().oneshot(self.create_role().map(Body::from));
        tokio::select! {
            answer = answering => panic!("nobody waited: {answer:?}"),
            wish = self.wishes.recv() => wish.unwrap(),
        }
    }

    /// The event of the change, once it is there.
    async fn event(&self) -> Value {
        for _ in 0..10_000 {
            if let Some(event) = self.daypass.audit_events().pop() {
                return event;
            }
            tokio::task::yield_now().await;
        }
        panic!("the change has left no event")
    }

    fn has_role(&self) -> bool {
        made_roles::read(self.home.dir()).unwrap().keys().any(|name| name.as_str() == "editor")
    }
}

#[tokio::test]
async fn a_change_whose_client_hangs_up_is_made_whole_and_recorded() {
    let mut world = World::new().await;
    let wish = world.hang_up_half_way().await;
    assert!(wish.send(Ok(())).is_ok(), "nobody waits for what comes of it");
    let event = world.event().await;
    assert_eq!((&event["action"], &event["outcome"]), (&"role".into(), &"allowed".into()), "{event}");
    assert_eq!(event["resource"], "arn:aws:iam::000000000000:role/editor");
    assert!(world.has_role());
}

#[tokio::test]
async fn a_change_whose_client_hangs_up_is_taken_back_if_it_is_not_taken_up() {
    let mut world = World::new().await;
    let wish = world.hang_up_half_way().await;
    assert!(world.has_role(), "it is written before it is taken up");
    assert!(wish.send(Err("no".into())).is_ok(), "nobody waits for what comes of it");
    let event = world.event().await;
    assert_eq!((&event["action"], &event["outcome"]), (&"role".into(), &"refused".into()), "{event}");
    assert!(!world.has_role());
}
