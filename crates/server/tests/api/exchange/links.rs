//! `/v1/link` while somebody takes away what it links.

use std::sync::Arc;

use http::Request;
use serde_json::{Value, json};

use crate::harness::{BACKENDS, Daypass};

async fn link(daypass: &Daypass, body: &Value) -> u16 {
    let request = Request::post("/v1/link").header("content-type", "application/json");
    let answer = daypass.send(request.body(body.to_string()).unwrap()).await;
    assert!(matches!(answer.status.as_u16(), 200 | 503), "the client named no identity: {answer:?}");
    answer.status.as_u16()
}

async fn delete_everybody(daypass: &Daypass) {
    let ids: Vec<Value> = daypass.identities().await.iter().map(|it| it["IdentityId"].clone()).collect();
    if !ids.is_empty() {
        daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": ids})).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_link_that_races_with_deletion_is_made_anew() {
    for backend in BACKENDS {
        let daypass = Arc::new(Daypass::start().on(backend()).with_oidc_hosts(&[]).await);
        let mut linked = 0;
        for _ in 0..20 {
            let mut body = daypass.sign_in("grace").await.proof();
            body["first"] = daypass.sign_in("ada").await.proof();
            let deleting = {
                let daypass = daypass.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        delete_everybody(&daypass).await;
                    }
                })
            };
            linked += usize::from(link(&daypass, &body).await == 200);
            deleting.await.unwrap();
        }
        assert!(linked > 0, "some are linked");
    }
}
