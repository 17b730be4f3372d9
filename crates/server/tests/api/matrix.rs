//! Rights against doors: for each right every door that leads to it, each asked by somebody without the right. A
//! door is found where it is declared, so that a new one fails the first test here until somebody has said which
//! right it leads to, and who is turned away.

mod identities;
mod objects;
mod pages;
mod pools;
mod roles;

use std::collections::BTreeSet;

use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{AccessKeyId, IdentityId, UserName};
use daypass_core::store::RevocationTarget;
use daypass_server::routes::aws::{model, sts};
use http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, Credentials, Daypass, REGION, Signer, allow};

/// Doors that lead to no right: what they show is for everybody.
const OPEN: &[&str] = &[
    "GET /",
    "GET /.well-known/jwks.json",
    "GET /.well-known/jwks_uri",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/openid-configuration",
    "GET /device",
    "GET /device/login",
    "GET /healthz",
    "GET /login",
    "GET /login/popup.js",
    "GET /login/style.css",
    "GET /login/{provider}",
    "GET /playground/config.json",
    "GET /playground/sdk/{file}",
    "GET /playground/{file}",
    "GET /oauth2/authorize",
    "GET /readyz",
    "GET /sdk/{*path}",
    "GET /v1/providers",
    // Its operations are doors of their own.
    "POST /",
];

#[test]
fn every_door_is_in_the_matrix() {
    let mut found = routes(include_str!("../../src/routes.rs"));
    found.extend(routes(include_str!("../../../development/src/playground.rs")));
    found.extend(model::OPERATIONS.iter().map(|operation| format!("aws {}", operation.name)));
    found.extend(sts::ACTIONS.iter().map(|action| format!("sts {}", action.name)));
    found.extend(objects::operations(include_str!("../../../development/src/s3/permission.rs")));

    let mut known: BTreeSet<String> = OPEN.iter().map(ToString::to_string).collect();
    for doors in [roles::DOORS, identities::DOORS, pages::DOORS, pools::DOORS, objects::DOORS] {
        known.extend(doors.iter().map(ToString::to_string));
    }
    let news: Vec<_> = found.difference(&known).collect();
    assert!(news.is_empty(), "say which right these lead to, and ask them without it: {news:?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "these are not there any more: {gone:?}");
}

/// `METHOD PATH` for whatever a source declares with `.route("PATH", get(…).post(…))`.
pub fn routes(source: &str) -> BTreeSet<String> {
    let declared = source.split(".route(").skip(1);
    declared
        .flat_map(|text| {
            let (path, methods) =
                within_parentheses(text).split_once('"').unwrap().1.split_once('"').unwrap();
            let methods: Vec<_> = ["get", "post", "put", "patch", "delete", "any"]
                .into_iter()
                .filter(|method| methods.contains(&format!("{method}(")))
                .map(|method| format!("{} {path}", method.to_uppercase()))
                .collect();
            assert!(!methods.is_empty(), "{path} has a method that is not known here");
            methods
        })
        .collect()
}

/// What stands before the parenthesis that ends a call.
fn within_parentheses(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    &text[..end.unwrap()]
}

/// Somebody who signs, or does not, and is refused with this code everywhere.
struct Asker {
    who: &'static str,
    /// Nobody, if there are none.
    credentials: Option<Credentials>,
    region: &'static str,
    /// Whether the signature is for another service than that which is asked.
    elsewhere: bool,
    late: SignedDuration,
    /// What a door of AWS JSON says.
    code: &'static str,
}

impl Asker {
    fn new(who: &'static str, credentials: Option<Credentials>, code: &'static str) -> Self {
        let (region, late) = (REGION, SignedDuration::ZERO);
        Self { who, credentials, region, elsewhere: false, late, code }
    }

    /// The request as they send it.
    fn sign(&self, daypass: &Daypass, service: &str, request: Request<String>) -> Request<String> {
        let Some(credentials) = &self.credentials else { return request };
        let usual = daypass.signer(credentials);
        let service = if self.elsewhere { "execute-api" } else { service };
        Signer { service, region: self.region, at: usual.at - self.late, ..usual }.sign(request)
    }
}

/// Everybody without a right, however much their credentials might allow: for each way in which credentials do not
/// count, some that would allow everything.
async fn without_standing(daypass: &Daypass) -> Vec<Asker> {
    const UNKNOWN: &str = "UnrecognizedClientException";
    const INVALID: &str = "InvalidSignatureException";
    const OVER: &str = "ExpiredTokenException";
    let good = daypass.key.clone();
    let with_secret = |secret: &str| Credentials::of_developer(&good.access_key_id, secret);
    let unknown = Credentials::of_developer("AKIAAAAAAAAAAAAAAAAA", &good.secret_access_key);
    let disabled = developer(daypass, "former", ALLOW_ALL).await;
    let id = AccessKeyId::parse(&disabled.access_key_id).unwrap();
    daypass.embedded.access_keys.set_enabled(&id, false).await.unwrap();

    let (revoked, id) = almighty(daypass).await;
    let target = RevocationTarget::Identity(IdentityId::parse(&id).unwrap());
    daypass.store.revoke_sessions(&target, daypass.clock.clone()).await.unwrap();
    let (deleted, id) = almighty(daypass).await;
    daypass.call("DeleteIdentities", json!({"IdentityIdsToDelete": [id]})).await;
    let (whole, _) = almighty(daypass).await;
    let half = Credentials { session_token: None, ..whole.clone() };
    let mixed = Credentials { session_token: whole.session_token, ..good.clone() };

    vec![
        Asker::new("nobody", None, "MissingAuthenticationTokenException"),
        Asker::new("the bearer of a key's ID", Some(with_secret("a guess")), INVALID),
        Asker::new("the bearer of an unknown key", Some(unknown), UNKNOWN),
        Asker::new("the bearer of a disabled key", Some(disabled), UNKNOWN),
        Asker { region: "eu-west-1", ..Asker::new("another Region's client", Some(good.clone()), INVALID) },
        Asker { elsewhere: true, ..Asker::new("another service's client", Some(good.clone()), INVALID) },
        Asker { late: SignedDuration::from_mins(16), ..Asker::new("an old request", Some(good), INVALID) },
        Asker::new("a revoked session", Some(revoked), OVER),
        Asker::new("a session of a deleted identity", Some(deleted), OVER),
        Asker::new("a session without its token", Some(half), UNKNOWN),
        Asker::new("a developer with a session's token", Some(mixed), UNKNOWN),
    ]
}

/// Whose credentials count, for something else.
async fn without_permission(daypass: &Daypass) -> Vec<Asker> {
    const DENIED: &str = "AccessDeniedException";
    let elsewhere = daypass.guest_pool().await;
    let arn = format!("arn:aws:cognito-identity:{REGION}:000000000000:identitypool/{elsewhere}");
    let statement = json!({"Effect": "Allow", "Action": "cognito-identity:*", "Resource": arn});
    let of_one_pool = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let person = daypass.credentials(&daypass.enter("ada").await).await;
    let of_guest = json!({"IdentityId": daypass.guest(daypass.pool_id()).await});
    let guest = daypass.public("GetCredentialsForIdentity", of_guest).await.credentials();
    vec![
        Asker::new("a guest", Some(guest), DENIED),
        Asker::new("somebody who logged in", Some(person), DENIED),
        Asker::new(
            "a developer of reports",
            Some(developer(daypass, "reports", &allow("rum:*")).await),
            DENIED,
        ),
        Asker::new(
            "a developer of another pool",
            Some(developer(daypass, "other", &of_one_pool).await),
            DENIED,
        ),
    ]
}

async fn developer(daypass: &Daypass, name: &str, policy: &str) -> Credentials {
    let name = UserName::parse(name).unwrap();
    let (key, secret) = daypass.embedded.access_keys.create(&name, policy).await.unwrap();
    Credentials::of_developer(key.id.as_str(), secret.expose())
}

/// A session that may do everything, and the identity behind it.
async fn almighty(daypass: &Daypass) -> (Credentials, String) {
    let id = daypass.guest(daypass.pool_id()).await;
    let token = daypass.public("GetOpenIdToken", json!({"IdentityId": id})).await.json()["Token"].clone();
    let assumed = daypass.assume(&token, "arn:aws:iam::000000000000:role/generous").await;
    (assumed.sts_credentials(), id)
}

/// A refusal is one of the caller's, and holds nothing that opens anything.
#[track_caller]
fn assert_refused(answer: &Answer, who: &str, door: &str) {
    let status = answer.status.as_u16();
    assert!((400..500).contains(&status), "{who} at {door}: {answer:?}");
    for given in
        ["SecretKey", "SecretAccessKey", "secret_access_key", "\"Token\"", "\"token\"", "access_token\":"]
    {
        assert!(!answer.body.contains(given), "{who} at {door}: {answer:?}");
    }
}

/// The code of AWS JSON.
#[track_caller]
fn assert_code(answer: &Answer, code: &str, who: &str, door: &str) {
    assert_refused(answer, who, door);
    assert_eq!(answer.json()["__type"], Value::from(code), "{who} at {door}: {answer:?}");
}
