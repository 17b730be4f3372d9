//! A guest who logs in keeps the identity ID, and nobody takes over an identity that is somebody's.

use crate::harness::Daypass;

#[tokio::test]
async fn a_guest_who_logs_in_keeps_the_identity() {
    let daypass = Daypass::start().await;
    let guest = daypass.former_guest().await;
    let login = daypass.sign_in("ada").await;
    let upgraded = daypass.exchange(&login.proof_with("identity_id", guest.clone())).await.json();
    assert_eq!(upgraded["identity_id"], guest);
    assert_eq!(daypass.enter("ada").await["identity_id"], guest);
    assert_eq!(daypass.identities().await.len(), 1);
}

#[tokio::test]
async fn somebody_elses_identity_is_not_given_away() {
    let daypass = Daypass::start().await;
    let ada = daypass.enter("ada").await;
    let login = daypass.sign_in("grace").await;
    let answer = daypass.exchange(&login.proof_with("identity_id", ada["identity_id"].clone())).await;
    answer.assert_problem(401, "identity_refused");
    assert_eq!(daypass.identities().await.len(), 1);
}

#[tokio::test]
async fn a_person_with_an_identity_does_not_take_a_guests_as_well() {
    let daypass = Daypass::start().await;
    let ada = daypass.enter("ada").await;
    let guest = daypass.former_guest().await;
    let login = daypass.sign_in("ada").await;
    let answer = daypass.exchange(&login.proof_with("identity_id", guest)).await;
    answer.assert_problem(409, "login_belongs_to_another_identity");
    assert_eq!(daypass.enter("ada").await["identity_id"], ada["identity_id"]);
}

#[tokio::test]
async fn an_unknown_identity_is_not_made() {
    let daypass = Daypass::start().await;
    let login = daypass.sign_in("ada").await;
    let unknown = login.proof_with("identity_id", "us-east-1:00000000-0000-4000-8000-000000000000");
    daypass.exchange(&unknown).await.assert_problem(400, "unknown_identity");
    assert!(daypass.identities().await.is_empty());
}

#[tokio::test]
async fn a_guest_of_another_pool_is_unknown_here() {
    let daypass = Daypass::start().await;
    let guest = daypass.guest(&daypass.guest_pool().await).await;
    let login = daypass.sign_in("ada").await;
    let answer = daypass.exchange(&login.proof_with("identity_id", guest)).await;
    answer.assert_problem(400, "unknown_identity");
    assert!(daypass.identities().await.is_empty());
}
