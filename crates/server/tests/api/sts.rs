//! STS: a token becomes a session of a role, or one of AWS's refusals.

mod caller_identity;
mod protocol;

use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::store::RevocationTarget;
use daypass_core::token::openid_token::Claims;
use serde_json::{Value, json};

use crate::harness::{AUTHENTICATED_ROLE, Answer, Credentials, DEVELOPER_PROVIDER, Daypass, SERVER, allow};

const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";

struct Assume<'a> {
    daypass: &'a Daypass,
    token: String,
}

impl<'a> Assume<'a> {
    async fn ada(daypass: &'a Daypass) -> Self {
        let token = daypass.developer_token("ada").await["Token"].as_str().unwrap().to_owned();
        Self { daypass, token }
    }

    /// Takes on the role of people who logged in, with some members in place of the usual ones.
    async fn with(&self, members: &[(&str, &str)]) -> Answer {
        let usual = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("RoleArn", AUTHENTICATED_ROLE),
            ("RoleSessionName", "sess"),
            ("WebIdentityToken", &self.token),
        ];
        let kept = usual.iter().filter(|(name, _)| members.iter().all(|(other, _)| other != name));
        let all: Vec<(&str, &str)> = kept.chain(members).copied().collect();
        self.daypass.sts(&all).await
    }
}

const STAFF_ROLE: &str = "arn:aws:iam::000000000000:role/staff";
const HOURLY_ROLE: &str = "arn:aws:iam::000000000000:role/hourly";

fn mapped_by_rules(role: &str, otherwise: &str) -> Value {
    json!({"Type": "Rules", "AmbiguousRoleResolution": otherwise, "RulesConfiguration": {"Rules": [
        {"Claim": "group", "MatchType": "Equals", "Value": "staff", "RoleARN": role}
    ]}})
}

#[tokio::test]
async fn a_role_that_no_trust_policy_opens_is_given_by_the_pool_alone() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    assert_denied(&assume.with(&[("RoleArn", STAFF_ROLE)]).await);
    let told = daypass.audit_events().pop().unwrap();
    let detail = "no trust policy opens the role, and the pool does not give it to this login";
    assert_eq!(
        (&told["action"], &told["reason"], &told["detail"]),
        (&json!("assume"), &json!("role_refused"), &json!(detail))
    );

    // A rule gives it to others than Ada, whatever happens to those whom no rule names.
    for (otherwise, default_is_given) in [("Deny", false), ("AuthenticatedRole", true)] {
        daypass.set_roles(json!({DEVELOPER_PROVIDER: mapped_by_rules(STAFF_ROLE, otherwise)})).await;
        assert_denied(&assume.with(&[("RoleArn", STAFF_ROLE)]).await);
        assert_eq!(assume.with(&[]).await.status == 200, default_is_given, "{otherwise}");
    }

    let roles = json!({"authenticated": STAFF_ROLE});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles});
    daypass.call("SetIdentityPoolRoles", input).await;
    assert_eq!(assume.with(&[("RoleArn", STAFF_ROLE)]).await.status, 200, "the default role of the pool");
    assert_denied(&assume.with(&[]).await);
}

#[tokio::test]
async fn a_trust_policy_decides_by_itself_and_the_operator_is_told_what_it_opens() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    daypass.set_roles(json!({DEVELOPER_PROVIDER: mapped_by_rules(HOURLY_ROLE, "Deny")})).await;
    assert_eq!(assume.with(&[("RoleArn", HOURLY_ROLE)]).await.status, 200);
    assert_eq!(open_roles(&daypass).await, ["hourly"]);

    daypass.set_roles(json!({DEVELOPER_PROVIDER: mapped_by_rules(STAFF_ROLE, "Deny")})).await;
    assert!(open_roles(&daypass).await.is_empty(), "no trust policy opens it");
    daypass.set_roles(json!({DEVELOPER_PROVIDER: mapped_by_rules(AUTHENTICATED_ROLE, "Deny")})).await;
    assert!(open_roles(&daypass).await.is_empty(), "whoever logs in has the default role anyway");
}

/// The roles of which the log warns.
async fn open_roles(daypass: &Daypass) -> Vec<String> {
    let pools = &daypass.embedded.pools;
    let pool = pools.describe_pool(&IdentityPoolId::parse(daypass.pool_id()).unwrap()).await.unwrap();
    pools.mapped_roles_open_to_everybody(&pool).iter().map(|role| role.name.to_string()).collect()
}

fn credentials(answer: &Answer) -> Credentials {
    answer.sts_credentials()
}

#[tokio::test]
async fn a_token_becomes_a_session() {
    let daypass = Daypass::start().await;
    let entered = daypass.developer_token("ada").await;
    let assume = Assume { token: entered["Token"].as_str().unwrap().into(), daypass: &daypass };
    let answer = assume.with(&[]).await;
    let given = credentials(&answer);
    let role_id = &daypass.embedded.sts.roles.find_by_arn(AUTHENTICATED_ROLE).unwrap().unique_id;
    let expected = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult>\
         <SubjectFromWebIdentityToken>{subject}</SubjectFromWebIdentityToken>\
         <Audience>{audience}</Audience>\
         <Provider>cognito-identity.amazonaws.com</Provider>\
         <AssumedRoleUser><AssumedRoleId>{role_id}:sess</AssumedRoleId>\
         <Arn>arn:aws:sts::000000000000:assumed-role/authenticated/sess</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{session}</SessionToken><Expiration>2026-09-21T15:13:20Z</Expiration></Credentials>\
         </AssumeRoleWithWebIdentityResult>\
         <ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata>\
         </AssumeRoleWithWebIdentityResponse>",
        subject = entered["IdentityId"].as_str().unwrap(),
        audience = daypass.pool_id(),
        key = given.access_key_id,
        secret = given.secret_access_key,
        session = given.session_token.unwrap(),
        request = answer.header("x-amzn-requestid"),
    );
    assert_eq!(answer.body, expected);
    assert_eq!(answer.header("content-type"), "text/xml");
}

#[tokio::test]
async fn a_session_policy_narrows_the_role_and_widens_nothing() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    let input = json!({"MaxResults": 1});
    let create = json!({"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false});

    let kept = credentials(&assume.with(&[("Policy", &allow("cognito-identity:*"))]).await);
    assert_eq!(daypass.signed_by(&kept, "ListIdentityPools", input.clone()).await.status, 200);
    let widened = daypass.signed_by(&kept, "CreateIdentityPool", create).await;
    widened.assert_code("AccessDeniedException");

    let narrowed = credentials(&assume.with(&[("Policy", &allow("s3:GetObject"))]).await);
    let refused = daypass.signed_by(&narrowed, "ListIdentityPools", input).await;
    refused.assert_code("AccessDeniedException");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_was_asked_within_bounds() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    for (seconds, expiration) in [("900", "2026-09-21T14:28:20Z"), ("43200", "2026-09-22T02:13:20Z")] {
        assert_eq!(assume.with(&[("DurationSeconds", seconds)]).await.element("Expiration"), expiration);
    }
    for seconds in ["899", "43201", "0", "-1", "1.5", "long", ""] {
        assume.with(&[("DurationSeconds", seconds)]).await.assert_sts_error(400, "ValidationError");
    }
    let hourly = ("RoleArn", "arn:aws:iam::000000000000:role/hourly");
    assert_eq!(assume.with(&[hourly, ("DurationSeconds", "3600")]).await.status, 200);
    let answer = assume.with(&[hourly, ("DurationSeconds", "3601")]).await;
    answer.assert_sts_error(400, "ValidationError");
    let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!(answer.element("Message"), message);
}

#[tokio::test]
async fn an_expired_token() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    daypass.advance(SignedDuration::from_mins(15));
    let answer = assume.with(&[]).await;
    answer.assert_sts_error(400, "ExpiredTokenException");
    let message =
        "Token expired: current date/time 1790000900 must be before the expiration date/time 1790000900";
    assert_eq!(answer.element("Message"), message);
}

#[tokio::test]
async fn texts_that_are_no_token_of_ours() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    let (message, signature) = assume.token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{message}.{first}{}", &signature[1..]);
    let header = "eyJrZXkiOiJub25lIn0";
    for token in [tampered, "not a token".into(), format!("{header}.{message}"), format!("{message}.")] {
        let answer = assume.with(&[("WebIdentityToken", &token)]).await;
        answer.assert_sts_error(400, "InvalidIdentityToken");
        assert!(!answer.body.contains(&token), "{answer:?}");
    }
    let message =
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    let answer = assume.with(&[("WebIdentityToken", "access-token")]).await;
    assert_eq!(answer.element("Message"), message);
}

/// A token that our own key signed, whatever it says.
async fn mint(daypass: &Daypass, identity_id: &str, amr: &[&str], issuer: &str) -> String {
    let now = daypass.clock.now().as_second();
    let claims = Claims {
        identity_id: IdentityId::parse(identity_id).unwrap(),
        pool_id: IdentityPoolId::parse(daypass.pool_id()).unwrap(),
        amr: amr.iter().map(|&method| method.to_owned()).collect(),
        tags: None,
        issuer: issuer.to_owned(),
        pool_arn: String::new(),
        expires_at: now + 600,
        issued_at: now,
        issued_at_ms: None,
        session: None,
        act: None,
    };
    daypass.embedded.sts.tokens.sign(&claims).await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_token_of_another_issuer_with_our_key() {
    let daypass = Daypass::start().await;
    let entered = daypass.developer_token("ada").await;
    let id = entered["IdentityId"].as_str().unwrap();
    let token = mint(&daypass, id, &["authenticated"], "https://cognito-identity.amazonaws.com").await;
    let answer = Assume { token, daypass: &daypass }.with(&[]).await;
    answer.assert_sts_error(400, "InvalidIdentityToken");
}

#[tokio::test]
async fn a_guest_does_not_take_on_the_role_of_people_who_logged_in() {
    let daypass = Daypass::start().await;
    let guest = daypass.former_guest().await;
    let token = mint(&daypass, &guest, &["unauthenticated"], SERVER).await;
    let assume = Assume { token, daypass: &daypass };
    assert_denied(&assume.with(&[]).await);
    let own_role = ("RoleArn", "arn:aws:iam::000000000000:role/unauthenticated");
    // Whoever turns guests off is not served them by another door, with tokens of before.
    for (admits, status) in [(false, 403), (true, 200), (false, 403)] {
        let input = json!({"IdentityPoolId": daypass.pool_id()});
        let mut pool: Value = daypass.call("DescribeIdentityPool", input).await;
        pool["AllowUnauthenticatedIdentities"] = admits.into();
        daypass.call("UpdateIdentityPool", pool).await;
        assert_eq!(assume.with(&[own_role]).await.status, status);
    }
}

#[tokio::test]
async fn a_guest_who_says_to_have_logged_in_has_not() {
    let daypass = Daypass::start().await;
    let guest = daypass.former_guest().await;
    let token = mint(&daypass, &guest, &["authenticated"], SERVER).await;
    assert_denied(&Assume { token, daypass: &daypass }.with(&[]).await);
}

#[tokio::test]
async fn a_token_of_another_pool() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.guest_pool().await;
    let input = json!({"IdentityPoolId": pool_id, "Logins": {DEVELOPER_PROVIDER: "ada"}});
    let entered: Value = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await;
    let token = entered["Token"].as_str().unwrap().to_owned();
    assert_denied(&Assume { token, daypass: &daypass }.with(&[]).await);
}

#[tokio::test]
async fn an_identity_whose_sessions_were_revoked_gets_no_new_one_by_its_old_token() {
    let daypass = Daypass::start().await;
    let entered = daypass.developer_token("ada").await;
    let assume = Assume { token: entered["Token"].as_str().unwrap().into(), daypass: &daypass };
    daypass.advance(SignedDuration::from_secs(1));
    let id = IdentityId::parse(entered["IdentityId"].as_str().unwrap()).unwrap();
    daypass.store.revoke_sessions(&RevocationTarget::Identity(id), daypass.clock.clone()).await.unwrap();
    assert_denied(&assume.with(&[]).await);

    daypass.advance(SignedDuration::from_millis(1));
    assert_eq!(Assume::ada(&daypass).await.with(&[]).await.status, 200, "a login of the same second");
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    for name in ["none", "unauthenticated", "Authenticated"] {
        let role = format!("arn:aws:iam::000000000000:role/{name}");
        assert_denied(&assume.with(&[("RoleArn", &role)]).await);
    }
}

#[track_caller]
fn assert_denied(answer: &Answer) {
    answer.assert_sts_error(403, "AccessDenied");
    assert_eq!(answer.element("Message"), DENIED);
}

#[tokio::test]
async fn session_policies_that_are_none() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    for policy in ["{}", "not JSON", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Permit"}]}"#] {
        assume.with(&[("Policy", policy)]).await.assert_sts_error(400, "MalformedPolicyDocument");
    }
    let long = allow(&format!("s3:{}", "a".repeat(2048)));
    for policy in [long.as_str(), "", "\u{1F600}"] {
        assume.with(&[("Policy", policy)]).await.assert_sts_error(400, "ValidationError");
    }
}

#[tokio::test]
async fn a_session_that_could_not_travel() {
    let daypass = Daypass::start().await;
    let tags: serde_json::Map<_, _> = (0..50).map(|n| (format!("tag{n}"), json!("x".repeat(256)))).collect();
    let logins = json!({DEVELOPER_PROVIDER: "ada"});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins, "PrincipalTags": tags});
    let entered = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await;
    let token = entered["Token"].as_str().unwrap().to_owned();
    let answer = Assume { token, daypass: &daypass }.with(&[]).await;
    answer.assert_sts_error(400, "PackedPolicyTooLarge");
    let message = answer.element("Message").strip_prefix("Packed size of session tags consumes ");
    let percent = message.and_then(|text| text.strip_suffix("% of allotted space.")).unwrap();
    assert!((200..300).contains(&percent.parse().unwrap()), "{percent}");
}

#[tokio::test]
async fn the_packed_size_is_told_to_those_who_packed_something() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    assert!(!assume.with(&[]).await.body.contains("PackedPolicySize"));
    let size = |answer: Answer| answer.element("PackedPolicySize").parse::<u32>().unwrap();
    let small = size(assume.with(&[("Policy", &allow("s3:GetObject"))]).await);
    let large = size(assume.with(&[("Policy", &allow(&format!("s3:{}", "a".repeat(1900))))]).await);
    assert!(small > 0 && large > small + 25 && large <= 100, "{small} {large}");

    let logins = json!({DEVELOPER_PROVIDER: "ada"});
    let input =
        json!({"IdentityPoolId": daypass.pool_id(), "Logins": logins, "PrincipalTags": {"team": "x"}});
    let entered = daypass.call("GetOpenIdTokenForDeveloperIdentity", input).await;
    let token = entered["Token"].as_str().unwrap().to_owned();
    assert!(size(Assume { token, daypass: &daypass }.with(&[]).await) > 0);
}

#[tokio::test]
async fn what_daypass_does_not_have_is_refused_and_not_passed_over() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    let managed = ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    assume.with(&[managed]).await.assert_sts_error(400, "ValidationError");
    assert_eq!(assume.with(&[("PolicyArns", "")]).await.status, 200, "an empty list, as SDKs write it");
    for provider in ["www.amazon.com", "no"] {
        assume.with(&[("ProviderId", provider)]).await.assert_sts_error(400, "ValidationError");
    }
}

#[tokio::test]
async fn a_minimum_size_of_the_token_is_read_and_has_no_effect() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    for size in ["0", "4096"] {
        assert_eq!(assume.with(&[("MinimumSessionTokenSize", size)]).await.status, 200);
    }
    for size in ["-1", "4097", "large"] {
        let answer = assume.with(&[("MinimumSessionTokenSize", size)]).await;
        answer.assert_sts_error(400, "ValidationError");
        assert!(answer.element("Message").contains("minimumSessionTokenSize"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_role_that_is_no_arn() {
    let daypass = Daypass::start().await;
    let assume = Assume::ada(&daypass).await;
    let answer = assume.with(&[("RoleArn", "authenticated-is-no-arn")]).await;
    answer.assert_sts_error(400, "ValidationError");
    assert_eq!(answer.element("Message"), "authenticated-is-no-arn is invalid");

    let answer = assume.with(&[("RoleArn", &assume.token)]).await;
    assert!(!answer.body.contains(&assume.token), "a token in the wrong place is not repeated: {answer:?}");
}

#[tokio::test]
async fn members_that_are_missing_or_break_their_shape() {
    let daypass = Daypass::start().await;
    let answer = daypass.sts(&[("Action", "AssumeRoleWithWebIdentity")]).await;
    answer.assert_sts_error(400, "ValidationError");
    let missing = |member| {
        format!("Value null at &apos;{member}&apos; failed to satisfy constraint: Member must not be null")
    };
    let all = ["roleArn", "roleSessionName", "webIdentityToken"].map(missing).join("; ");
    assert_eq!(answer.element("Message"), format!("3 validation errors detected: {all}"));
    let assume = Assume::ada(&daypass).await;
    for (member, value) in [
        ("RoleArn", "arn"),
        ("RoleSessionName", "s"),
        ("RoleSessionName", "a session"),
        ("RoleSessionName", "us-east-1:0"),
        ("WebIdentityToken", "x"),
    ] {
        assume.with(&[(member, value)]).await.assert_sts_error(400, "ValidationError");
    }
}
