//! Policies that ask where a request comes from: every door tells them.

use daypass_server::origin::Peer;
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::harness::{AUTHENTICATED_ROLE, Daypass, allow, cognito_request, exchange_request, sts_request};
use crate::s3::{S3, developer, request, signed};

const OFFICE: &str = "203.0.113.9";
const ELSEWHERE: &str = "198.51.100.7";
const PROXY: &str = "10.0.0.1";

fn from(address: &str, mut request: Request<String>) -> Request<String> {
    request.extensions_mut().insert(Peer { address: address.parse().unwrap(), over_tls: false });
    request
}

fn in_the_office() -> Value {
    json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:SecureTransport": "false"}})
}

/// Allows everything from the office, and nothing from elsewhere.
fn office_policy() -> String {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": in_the_office()});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Allows everything, and nothing to whoever is outside the office.
fn deny_outside() -> String {
    let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let outside = json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": outside});
    json!({"Version": "2012-10-17", "Statement": [allow, deny]}).to_string()
}

#[tokio::test]
async fn whoever_signs_says_nothing_about_where_they_are() {
    let s3 = S3::start().await;
    for (name, policy) in [("allowed", office_policy()), ("denied", deny_outside())] {
        let key = developer(&s3.daypass, name, &policy).await;
        for (address, is_let_in) in [(OFFICE, true), (ELSEWHERE, false)] {
            let list = cognito_request("ListIdentityPools", &json!({"MaxResults": 1}));
            let mut list = s3.daypass.signer(&key).sign(list);
            let mut get = signed(&key, request("GET", "/bucket/?list-type=2", ""));
            for request in [&mut list, &mut get] {
                request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static(OFFICE));
            }
            let listed = s3.daypass.send(from(address, list)).await;
            assert_eq!(listed.status == 200, is_let_in, "{name} {address} {listed:?}");
            let got = s3.send(from(address, get)).await;
            assert_eq!(got.status == 200, is_let_in, "{name} {address} {got:?}");
        }
        let nowhere = cognito_request("ListIdentityPools", &json!({"MaxResults": 1}));
        let nowhere = s3.daypass.send(s3.daypass.signer(&key).sign(nowhere)).await;
        assert_eq!(nowhere.status, 400, "{name}: where nobody knows, nothing is open");
    }
}

/// An installation whose role for people can be taken on in the office alone.
async fn with_office_role(more: &str) -> Daypass {
    let pool_id = Daypass::start().await.pool_id().to_owned();
    let mut condition = in_the_office();
    condition["StringEquals"] = json!({"cognito-identity.amazonaws.com:aud": pool_id});
    condition["ForAnyValue:StringEquals"] = json!({"cognito-identity.amazonaws.com:amr": "authenticated"});
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"], "Condition": condition,
    }]});
    let dir = tempfile::tempdir().unwrap();
    let [policy_file, trust_file] =
        ["policy.json", "trust.json"].map(|name| dir.path().join(name).display().to_string());
    std::fs::write(&policy_file, allow("*")).unwrap();
    std::fs::write(&trust_file, trust.to_string()).unwrap();
    let role =
        format!("[[role]]\nname = \"office\"\npolicy = {policy_file:?}\ntrust = {trust_file:?}\n{more}");
    let daypass = Daypass::start().with_tables(&role).await;
    assert_eq!(daypass.pool_id(), pool_id);
    daypass
}

const OFFICE_ROLE: &str = "arn:aws:iam::000000000000:role/office";

async fn give(daypass: &Daypass, role: &str) {
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": {"authenticated": role}});
    daypass.call("SetIdentityPoolRoles", input).await;
}

/// By each door to credentials, a request of somebody who logged in.
async fn doors(daypass: &Daypass) -> Vec<(&'static str, Request<String>)> {
    give(daypass, AUTHENTICATED_ROLE).await;
    let entered = daypass.enter("ada").await;
    let mut proof = daypass.sign_in("ada").await.proof_with("credentials", true);
    give(daypass, OFFICE_ROLE).await;
    let token = entered["token"].as_str().unwrap();
    let logins = json!({"cognito-identity.amazonaws.com": token});
    let input = json!({"IdentityId": entered["identity_id"], "Logins": logins});
    let assume = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", OFFICE_ROLE),
        ("RoleSessionName", "sess"),
        ("WebIdentityToken", token),
    ];
    vec![
        ("GetCredentialsForIdentity", cognito_request("GetCredentialsForIdentity", &input)),
        ("AssumeRoleWithWebIdentity", sts_request(&assume)),
        ("exchange", exchange_request(proof.take().to_string())),
    ]
}

#[tokio::test]
async fn trust_policies_are_told_where_somebody_asks_from() {
    let daypass = with_office_role("").await;
    for (address, is_let_in) in [(OFFICE, true), (ELSEWHERE, false)] {
        for (door, request) in doors(&daypass).await {
            let answer = daypass.send(from(address, request)).await;
            assert_eq!(answer.status == 200, is_let_in, "{door} from {address}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_tells_where_somebody_is() {
    let daypass = with_office_role("[network]\ntrusted_proxies = [\"10.0.0.0/8\"]\n").await;
    for (list, is_let_in) in [
        ("203.0.113.9", true),
        ("198.51.100.7, 203.0.113.9, 10.0.0.2", true),
        ("203.0.113.9, 198.51.100.7", false),
        ("unknown", false),
    ] {
        for (door, mut request) in doors(&daypass).await {
            request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static(list));
            request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("http"));
            let answer = daypass.send(from(PROXY, request)).await;
            assert_eq!(answer.status == 200, is_let_in, "{door} of {list}: {answer:?}");
        }
    }
}
