//! DeleteIdentities, and what is left of somebody afterwards.

use serde_json::{Value, json};

use super::UNKNOWN;
use crate::harness::{AUTHENTICATED_ROLE, Answer, Backend, Daypass, OIDC};

async fn delete(daypass: &Daypass, ids: &[&Value]) -> Answer {
    daypass.signed("DeleteIdentities", json!({"IdentityIdsToDelete": ids})).await
}

fn entered(token: &Value) -> Value {
    json!({"identity_id": token["IdentityId"], "token": token["Token"]})
}

#[track_caller]
fn assert_not_found(answer: &Answer, id: &Value) {
    let message = format!("Identity '{}' not found.", id.as_str().unwrap());
    answer.assert_exception("ResourceNotFoundException", &message);
}

#[tokio::test]
async fn a_deleted_identity_is_gone_and_deleting_it_again_succeeds() {
    let daypass = Daypass::start().await;
    let (ada, grace) = (daypass.developer_token("ada").await, daypass.developer_token("grace").await);
    let id = &ada["IdentityId"];
    for _ in 0..2 {
        let answer = delete(&daypass, &[id, &json!(UNKNOWN), id]).await;
        assert_eq!(answer.body, r#"{"UnprocessedIdentityIds":[]}"#);
        assert_not_found(&daypass.signed("DescribeIdentity", json!({"IdentityId": id})).await, id);
    }
    assert_eq!(daypass.enabled_identities().await, [grace["IdentityId"].clone()]);
}

#[tokio::test]
async fn the_logins_of_a_deleted_identity_lead_to_a_new_one() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let ada = daypass.developer_token("ada").await["IdentityId"].clone();
    let alan = daypass.get_id(&daypass.logins(&[(OIDC, "alan")])).await;
    delete(&daypass, &[&ada, &alan]).await;
    let user = json!({"IdentityPoolId": daypass.pool_id(), "DeveloperUserIdentifier": "ada"});
    let answer = daypass.signed("LookupDeveloperIdentity", user).await;
    answer.assert_exception("ResourceNotFoundException", "Developer user identifier not found.");
    assert_ne!(daypass.developer_token("ada").await["IdentityId"], ada);
    assert_ne!(daypass.get_id(&daypass.logins(&[(OIDC, "alan")])).await, alan);
}

#[tokio::test]
async fn tokens_of_a_deleted_identity_are_worthless() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("ada").await;
    delete(&daypass, &[&token["IdentityId"]]).await;
    assert_not_found(&daypass.get_credentials(&entered(&token)).await, &token["IdentityId"]);
    let answer = daypass.assume(&token["Token"], AUTHENTICATED_ROLE).await;
    answer.assert_sts_error(403, "AccessDenied");
    // Neither for whoever has the login by now.
    let mut mixed = entered(&token);
    mixed["identity_id"] = daypass.developer_token("ada").await["IdentityId"].clone();
    daypass.get_credentials(&mixed).await.assert_code("NotAuthorizedException");
}

#[tokio::test]
async fn credentials_issued_before_end_with_the_identity() {
    let daypass = Daypass::start().await;
    let token = daypass.developer_token("ada").await;
    let credentials = daypass.credentials(&entered(&token)).await;
    assert!(daypass.may_list_pools(&credentials).await);
    delete(&daypass, &[&token["IdentityId"]]).await;
    let input = json!({"MaxResults": 1});
    daypass.signed_by(&credentials, "ListIdentityPools", input).await.assert_code("ExpiredTokenException");
}

/// Asked again, they all go.
#[tokio::test]
async fn where_the_store_fails_at_one_none_is_deleted_and_none_has_an_event() {
    let backend = Backend::sqlite();
    let by_hand = backend.connection();
    let daypass = Daypass::start().on(backend).await;
    let (ada, grace) = (daypass.developer_token("ada").await, daypass.developer_token("grace").await);
    let (ada, grace) = (&ada["IdentityId"], &grace["IdentityId"]);
    let (_, guid) = ada.as_str().unwrap().split_once(':').unwrap();
    let is_ada = format!("hex(old.id) LIKE '%' || replace('{guid}', '-', '')");
    let keep = format!("WHEN {is_ada} BEGIN SELECT RAISE(ABORT, 'kept'); END");
    by_hand.execute_batch(&format!("CREATE TRIGGER keep BEFORE DELETE ON identity {keep}")).unwrap();
    let before = daypass.audit_events().len();
    assert_eq!(delete(&daypass, &[grace, ada]).await.status, 500);
    assert_eq!(daypass.enabled_identities().await.len(), 2);
    assert_eq!(daypass.audit_events().len(), before);
    by_hand.execute_batch("DROP TRIGGER keep").unwrap();
    assert_eq!(delete(&daypass, &[ada, grace]).await.status, 200);
    assert_eq!(daypass.enabled_identities().await, [] as [Value; 0]);
}

#[tokio::test]
async fn between_one_and_sixty_are_deleted_at_once() {
    let daypass = Daypass::start().await;
    let unknown = json!(UNKNOWN);
    assert_eq!(delete(&daypass, &[&unknown; 60]).await.status, 200);
    for ids in [vec![], vec![&unknown; 61]] {
        delete(&daypass, &ids).await.assert_code("ValidationException");
    }
}
