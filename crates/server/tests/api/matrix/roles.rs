//! The right to a role: every door that gives credentials.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::IdentityId;
use daypass_core::store::RevocationTarget;
use serde_json::{Value, json};

use super::assert_refused;
use crate::harness::{AUTHENTICATED_ROLE, DEVELOPER_PROVIDER, Daypass, ours};

pub const DOORS: &[&str] =
    &["aws GetCredentialsForIdentity", "POST /v1/exchange", "POST /v1/link", "sts AssumeRoleWithWebIdentity"];

/// A role of the pool's own, which its mappings give to some.
const STAFF_ROLE: &str = "arn:aws:iam::000000000000:role/staff";
/// What takes our tokens for a login.
const OURS: &str = "cognito-identity.amazonaws.com";

/// Somebody who asks for a role with a token.
struct Asker {
    who: &'static str,
    id: Value,
    token: Value,
}

impl Asker {
    fn of(who: &'static str, issued: &Value) -> Self {
        Self { who, id: issued["IdentityId"].clone(), token: issued["Token"].clone() }
    }

    /// Asks both doors that take tokens for the role.
    async fn is_refused(&self, daypass: &Daypass, role_arn: &str, code_of_sts: &str) {
        let answer = daypass.assume(&self.token, role_arn).await;
        assert_refused(&answer, self.who, "AssumeRoleWithWebIdentity");
        assert_eq!(answer.element("Code"), code_of_sts, "{}: {answer:?}", self.who);
        let logins = json!({OURS: self.token});
        let mut input = json!({"IdentityId": self.id, "Logins": logins, "CustomRoleArn": role_arn});
        let answer = daypass.public("GetCredentialsForIdentity", input.clone()).await;
        assert_refused(&answer, self.who, "GetCredentialsForIdentity");
        input.as_object_mut().unwrap().remove("Logins");
        let answer = daypass.public("GetCredentialsForIdentity", input).await;
        assert_refused(&answer, self.who, "GetCredentialsForIdentity without a token");
    }
}

#[tokio::test]
async fn no_role_is_given_to_who_has_no_right_to_it() {
    let daypass = Daypass::start().await;
    daypass.accept_public_logins().await;
    let ada = daypass.developer_token("ada").await;
    assert_eq!(daypass.assume(&ada["Token"], AUTHENTICATED_ROLE).await.status, 200);
    let garbage = json!({"IdentityId": ada["IdentityId"], "Token": "no token at all"});
    let forged = tampered(&ada);
    let id = daypass.guest(daypass.pool_id()).await;
    let guest = daypass.public("GetOpenIdToken", json!({"IdentityId": id})).await.json();
    let elsewhere =
        json!({"IdentityPoolId": daypass.guest_pool().await, "Logins": {DEVELOPER_PROVIDER: "ada"}});
    let elsewhere = daypass.call("GetOpenIdTokenForDeveloperIdentity", elsewhere).await;
    let deleted = daypass.developer_token("heidi").await;
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [deleted["IdentityId"]]})).await;
    let unlinked = daypass.developer_token("ivan").await;
    let unlink = json!({"IdentityPoolId": daypass.pool_id(), "IdentityId": unlinked["IdentityId"],
        "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": "ivan"});
    daypass.call("UnlinkDeveloperIdentity", unlink).await;
    let revoked = daypass.developer_token("judy").await;
    let target =
        RevocationTarget::Identity(IdentityId::parse(revoked["IdentityId"].as_str().unwrap()).unwrap());
    daypass.store.revoke_sessions(&target, daypass.clock.clone()).await.unwrap();
    for (asker, code) in [
        (Asker::of("somebody with garbage", &garbage), "InvalidIdentityToken"),
        (Asker::of("a forger", &forged), "InvalidIdentityToken"),
        (Asker::of("a guest", &guest), "AccessDenied"),
        (Asker::of("somebody of another pool", &elsewhere), "AccessDenied"),
        (Asker::of("a deleted identity", &deleted), "AccessDenied"),
        (Asker::of("a login that was unlinked", &unlinked), "AccessDenied"),
        (Asker::of("a revoked identity", &revoked), "AccessDenied"),
    ] {
        asker.is_refused(&daypass, AUTHENTICATED_ROLE, code).await;
    }
    let of_grace =
        json!({"IdentityId": daypass.developer_token("grace").await["IdentityId"], "Token": ada["Token"]});
    let input = json!({"IdentityId": of_grace["IdentityId"], "Logins": {OURS: of_grace["Token"]}});
    let answer = daypass.public("GetCredentialsForIdentity", input).await;
    assert_refused(&answer, "somebody else", "GetCredentialsForIdentity");

    daypass.advance(SignedDuration::from_mins(15));
    Asker::of("an old token", &ada).is_refused(&daypass, AUTHENTICATED_ROLE, "ExpiredTokenException").await;
}

/// A role that no trust policy opens is the pool's to give: whom the mappings refuse, every door refuses.
#[tokio::test]
async fn whom_the_mappings_refuse_a_role_every_door_refuses_it() {
    let daypass = Daypass::start().await;
    let rules = json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [
        {"Claim": "group", "MatchType": "Equals", "Value": "staff", "RoleARN": STAFF_ROLE}
    ]}});
    let ada = Asker::of("somebody of no group", &daypass.developer_token("ada").await);
    ada.is_refused(&daypass, STAFF_ROLE, "AccessDenied").await;
    daypass.set_roles(json!({DEVELOPER_PROVIDER: rules})).await;
    for role in [STAFF_ROLE, AUTHENTICATED_ROLE] {
        ada.is_refused(&daypass, role, "AccessDenied").await;
    }
    let mut wanting = daypass.sign_in("ada").await.proof();
    wanting["credentials"] = true.into();
    let answer = daypass.exchange(&wanting).await;
    assert_refused(&answer, ada.who, "POST /v1/exchange");
}

/// The broker gives the credentials of a login that it believes, and of no other.
#[tokio::test]
async fn no_credentials_come_of_a_proof_that_is_somebody_elses() {
    let daypass = Daypass::start().await;
    let spent = daypass.sign_in("ada").await;
    assert_eq!(daypass.exchange(&spent.proof()).await.status, 200);
    let stolen = daypass.sign_in("ada").await.proof_with("code_verifier", "w".repeat(43));
    let bare = json!({"provider": "snapchat", "access_token": daypass.access_token(&ours(), "ada").await});
    let invented = json!({"provider": "snapchat-token", "access_token": "invented"});
    for (who, mut proof) in [
        ("somebody with a spent code", spent.proof()),
        ("somebody with a stolen code", stolen),
        ("somebody with a bare access token", bare),
        ("somebody with an invented token", invented),
    ] {
        proof["credentials"] = true.into();
        assert_refused(&daypass.exchange(&proof).await, who, "POST /v1/exchange");
        for first in [true, false] {
            let own = daypass.sign_in("grace").await.proof();
            let mut theirs = proof.clone();
            theirs.as_object_mut().unwrap().remove("credentials");
            let (first, mut second) = if first { (theirs, own) } else { (own, theirs) };
            second["first"] = first;
            second["credentials"] = true.into();
            let answer = super::identities::post(&daypass, "/v1/link", None, &second).await;
            assert_refused(&answer, who, "POST /v1/link");
        }
    }
}

/// The token with another signature.
fn tampered(issued: &Value) -> Value {
    let (message, signature) = issued["Token"].as_str().unwrap().rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    json!({"IdentityId": issued["IdentityId"], "Token": format!("{message}.{first}{}", &signature[1..])})
}
