//! GetCallerIdentity: who somebody is, for whoever can sign.

use daypass_core::ground::clock::SignedDuration;
use serde_json::json;

use super::{Assume, credentials};
use crate::harness::{Answer, Credentials, Daypass, Signer, sts_request};

async fn who_am_i(daypass: &Daypass, credentials: &Credentials) -> Answer {
    let signer = Signer { service: "sts", ..daypass.signer(credentials) };
    daypass.send(signer.sign(sts_request(&[("Action", "GetCallerIdentity")]))).await
}

#[tokio::test]
async fn a_developer_is_a_user_of_the_account() {
    let daypass = Daypass::start().await;
    let answer = who_am_i(&daypass, &daypass.key).await;
    let user_id = answer.element("UserId");
    assert_eq!((user_id.len(), &user_id[..4]), (20, "AIDA"), "{answer:?}");
    let expected = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::000000000000:user/test</Arn><UserId>{user_id}</UserId><Account>000000000000</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>",
        request = answer.header("x-amzn-requestid"),
    );
    assert_eq!(answer.body, expected);
    assert_eq!(answer.header("content-type"), "text/xml");
    let again = who_am_i(&daypass, &daypass.key).await;
    assert_eq!(again.element("UserId"), user_id, "a user keeps their ID");
}

#[tokio::test]
async fn a_session_is_an_assumed_role_and_no_policy_keeps_it_from_asking() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    let statement = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    let denies_all = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let session = credentials(&assume.with(&[("Policy", &denies_all)]).await);
    let answer = who_am_i(&daypass, &session).await;
    assert_eq!(answer.element("Arn"), "arn:aws:sts::000000000000:assumed-role/authenticated/sess");
    assert!(answer.element("UserId").starts_with("AROA"), "{answer:?}");
    assert!(answer.element("UserId").ends_with(":sess"), "{answer:?}");
}

#[tokio::test]
async fn callers_who_are_nobody() {
    let daypass = Daypass::start().await;
    let session = credentials(&Assume::ada(&daypass).await.with(&[]).await);
    daypass.advance(SignedDuration::from_hours(1));
    let answer = who_am_i(&daypass, &session).await;
    answer.assert_sts_error(403, "ExpiredToken");
    assert_eq!(answer.element("Message"), "The security token included in the request is expired");
    let stranger = Credentials::of_developer("AKIAAAAAAAAAAAAAAAAA", "secret");
    who_am_i(&daypass, &stranger).await.assert_sts_error(403, "InvalidClientTokenId");
    let forger = Credentials::of_developer(&daypass.key.access_key_id, "secret");
    who_am_i(&daypass, &forger).await.assert_sts_error(403, "SignatureDoesNotMatch");
}
