//! `[credentials] source = "sts"`: whose token goes to the other STS, for which role, and what comes of its answer.

use bytes::Bytes;
use daypass_core::audit::Requester;
use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::outbound::ProviderHttpError;
use daypass_core::ground::secret::Secret;
use daypass_core::iam::Origin;
use daypass_core::pool::PoolError;
use daypass_core::store::RevocationTarget;
use daypass_core::token::openid_token::Claims;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    AUTHENTICATED_ROLE, Answer, DEVELOPER_PROVIDER, Daypass, FAR_STS, GUEST_ROLE, OIDC, OIDC_ARN, SERVER,
    USER_POOL, USER_POOL_CLIENT, claims,
};

const ROLE_THERE: &str = "arn:aws:iam::111122223333:role/Auth";
const MISCONFIGURED: &str = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";

/// One whose default role is called otherwise there.
async fn start() -> Daypass {
    start_with("").await
}

async fn start_with(more: &str) -> Daypass {
    let roles = format!("[credentials.roles]\n{AUTHENTICATED_ROLE:?} = {ROLE_THERE:?}\n");
    let tables = format!("[credentials]\nsource = \"sts\"\nurl = {FAR_STS:?}\n{more}\n{roles}");
    Daypass::start().with_tables(&tables).await
}

/// The one form that the STS was sent.
#[track_caller]
fn asked(daypass: &Daypass) -> std::collections::BTreeMap<String, String> {
    let asked = daypass.far_sts.asked();
    let [form] = asked.as_slice() else { panic!("{asked:?}") };
    form.clone()
}

/// What the token that the STS was sent says, if it is ours.
fn token_claims(daypass: &Daypass) -> Claims {
    let token = Secret::new(asked(daypass)["WebIdentityToken"].clone());
    daypass.embedded.sts.tokens.verify(&token, daypass.clock.now()).unwrap()
}

async fn get_credentials(daypass: &Daypass, identity_id: &Value, logins: Value) -> Answer {
    let input = json!({"IdentityId": identity_id, "Logins": logins});
    daypass.public("GetCredentialsForIdentity", input).await
}

fn last_event(daypass: &Daypass) -> Value {
    daypass.audit_events().into_iter().rfind(|event| event["action"] == "credentials").unwrap()
}

#[tokio::test]
async fn a_developer_token_becomes_what_the_sts_gives() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let body = daypass.get_credentials(&entered).await.json();
    let expected = json!({
        "IdentityId": entered["identity_id"],
        "Credentials": {"AccessKeyId": "ASIA066b3ae2c453351b", "SecretKey": "far&secret",
            "SessionToken": "far.session.token", "Expiration": 1_790_003_600},
    });
    assert_eq!(body, expected);

    let form = asked(&daypass);
    let (_, guid) = entered["identity_id"].as_str().unwrap().split_once(':').unwrap();
    let named: Vec<&str> = form.keys().map(String::as_str).collect();
    assert_eq!(
        named,
        ["Action", "DurationSeconds", "RoleArn", "RoleSessionName", "Version", "WebIdentityToken"]
    );
    assert_eq!(form["RoleArn"], ROLE_THERE);
    assert_eq!(form["RoleSessionName"], format!("daypass-{guid}"));
    assert_eq!(form["DurationSeconds"], "3600");
}

#[tokio::test]
async fn which_roles_are_there_only_the_other_sts_knows() {
    let daypass = start().await;
    let mut pool = daypass.store.lookup_pool(&daypass.embedded.pool_id).await.unwrap().unwrap();
    pool.roles.authenticated = Some("arn:aws:iam::000000000000:role/of-another".into());
    assert!(daypass.embedded.pools.roles_that_are_missing(&pool).is_empty());
}

#[tokio::test]
async fn the_token_is_signed_anew_and_lives_as_long_as_the_credentials() {
    let daypass = start_with("duration = \"2h\"").await;
    let entered = daypass.enter("ada").await;
    daypass.advance(SignedDuration::from_secs(600));
    daypass.get_credentials(&entered).await.credentials();

    let (shown, sent) =
        (claims(&entered["token"]), claims(&asked(&daypass)["WebIdentityToken"].clone().into()));
    let now = daypass.clock.now().as_second();
    let mut expected = shown;
    (expected["iat"], expected["iat_ms"], expected["exp"]) =
        (json!(now), json!(now * 1000), json!(now + 7_200));
    assert_eq!(sent, expected);
    assert_eq!(asked(&daypass)["DurationSeconds"], "7200");
}

/// There are stores that take a token without an end.
#[tokio::test]
async fn every_token_says_whose_it_is_for_whom_and_until_when() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    daypass.get_credentials(&entered).await.credentials();
    let token = asked(&daypass)["WebIdentityToken"].clone();
    token_claims(&daypass);
    let sent = claims(&token.into());
    assert_eq!(sent["iss"], SERVER);
    assert_eq!(sent["aud"], daypass.pool_id());
    assert_eq!(sent["sub"], entered["identity_id"]);
    assert!(sent["exp"].is_i64() && sent["iat"].is_i64(), "{sent}");
    assert!(sent.get("https://aws.amazon.com/tags").is_none(), "{sent}");
}

#[tokio::test]
async fn an_exchange_brings_credentials_of_the_sts() {
    let daypass = start().await;
    let login = daypass.sign_in("ada").await;
    let answer = daypass.exchange(&login.proof_with("credentials", true)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    assert_eq!(
        body["credentials"],
        json!({"access_key_id": "ASIA066b3ae2c453351b", "secret_access_key": "far&secret",
            "session_token": "far.session.token", "expiration": "2026-09-21T15:13:20Z"})
    );
    assert_eq!(token_claims(&daypass).identity_id.as_str(), body["identity_id"]);
    assert_eq!(asked(&daypass)["RoleArn"], ROLE_THERE);
}

#[tokio::test]
async fn the_trail_names_the_key_and_the_role_there() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    daypass.get_credentials(&entered).await.credentials();
    let event = last_event(&daypass);
    assert_eq!(event["access_key_id"], "ASIA066b3ae2c453351b");
    assert_eq!(event["resource"], ROLE_THERE);
    assert_eq!(event["identity_id"], entered["identity_id"]);
    assert_eq!(event["outcome"], "allowed");
    let trail = json!(daypass.audit_events()).to_string();
    let token = asked(&daypass)["WebIdentityToken"].clone();
    for secret in ["far&secret", "far.session.token", &token] {
        assert!(!trail.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_guest_gets_the_pools_role_for_guests_under_its_own_name() {
    let daypass = start().await;
    let pool_id = daypass.guest_pool().await;
    let roles = json!({"IdentityPoolId": pool_id, "Roles": {"unauthenticated": GUEST_ROLE}});
    daypass.call("SetIdentityPoolRoles", roles).await;
    let guest = daypass.guest(&pool_id).await;
    get_credentials(&daypass, &json!(guest), json!({})).await.credentials();
    assert_eq!(asked(&daypass)["RoleArn"], GUEST_ROLE);
    let claims = token_claims(&daypass);
    assert_eq!(
        (claims.pool_id.as_str(), claims.amr.as_slice()),
        (&*pool_id, &["unauthenticated".to_owned()][..])
    );
}

#[tokio::test]
async fn a_pool_without_a_role_asks_nobody() {
    let daypass = start().await;
    let guest = daypass.guest(&daypass.guest_pool().await).await;
    let answer = get_credentials(&daypass, &json!(guest), json!({})).await;
    answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
    assert!(daypass.far_sts.asked().is_empty());
}

/// A pool for logins of an OIDC provider and of a user pool, and somebody who has both.
async fn public_pool(daypass: &Daypass, mappings: Value) -> Value {
    let input = json!({"IdentityPoolId": daypass.pool_id(), "IdentityPoolName": "test",
        "AllowUnauthenticatedIdentities": false, "DeveloperProviderName": DEVELOPER_PROVIDER,
        "OpenIdConnectProviderARNs": [OIDC_ARN],
        "CognitoIdentityProviders": [{"ProviderName": USER_POOL, "ClientId": USER_POOL_CLIENT}]});
    daypass.call("UpdateIdentityPool", input).await;
    let roles = json!({"authenticated": AUTHENTICATED_ROLE});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles, "RoleMappings": mappings});
    daypass.call("SetIdentityPoolRoles", input).await;
    let input = json!({"IdentityPoolId": daypass.pool_id(),
        "Logins": daypass.logins(&[(OIDC, "alice"), (USER_POOL, "alice")])});
    daypass.public("GetId", input).await.json()["IdentityId"].clone()
}

#[tokio::test]
async fn a_public_login_becomes_a_token_of_ours() {
    let daypass = start().await;
    let alice = public_pool(&daypass, json!({})).await;
    get_credentials(&daypass, &alice, daypass.logins(&[(OIDC, "alice")])).await.credentials();
    let claims = token_claims(&daypass);
    assert_eq!(claims.identity_id.as_str(), alice);
    assert_eq!(claims.amr, ["authenticated", OIDC, &format!("{OIDC_ARN}:OIDC:alice")]);
}

#[tokio::test]
async fn a_rule_of_the_pool_may_name_a_role_that_only_the_sts_knows() {
    let daypass = start().await;
    let engineers = "arn:aws:iam::111122223333:role/Engineers";
    let rule = json!({"Claim": "group", "MatchType": "Equals", "Value": "x", "RoleARN": engineers});
    let mapping =
        json!({"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}});
    let alice = public_pool(&daypass, json!({OIDC_ARN: mapping})).await;
    let token = daypass.id_token_with(OIDC, "alice", json!({"group": "x"}));
    get_credentials(&daypass, &alice, json!({OIDC: token})).await.credentials();
    assert_eq!(asked(&daypass)["RoleArn"], engineers);
}

#[tokio::test]
async fn a_role_that_only_a_login_names_is_not_asked_for() {
    let daypass = start().await;
    let key = format!("{USER_POOL}:{USER_POOL_CLIENT}");
    let mapping = json!({"Type": "Token", "AmbiguousRoleResolution": "Deny"});
    let alice = public_pool(&daypass, json!({key: mapping})).await;
    let token = |role: &str| {
        let claims = json!({"cognito:preferred_role": role, "cognito:roles": [role]});
        json!({USER_POOL: daypass.id_token_with(USER_POOL, "alice", claims)})
    };
    let answer = get_credentials(&daypass, &alice, token("arn:aws:iam::111122223333:role/Admin")).await;
    answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
    assert!(daypass.far_sts.asked().is_empty());
    get_credentials(&daypass, &alice, token(AUTHENTICATED_ROLE)).await.credentials();
    assert_eq!(asked(&daypass)["RoleArn"], ROLE_THERE);
}

#[tokio::test]
async fn a_custom_role_is_no_free_choice() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    for role in [GUEST_ROLE, ROLE_THERE] {
        let logins = json!({"cognito-identity.amazonaws.com": entered["token"]});
        let input = json!({"IdentityId": entered["identity_id"], "Logins": logins, "CustomRoleArn": role});
        daypass.public("GetCredentialsForIdentity", input).await.assert_code("NotAuthorizedException");
    }
    assert!(daypass.far_sts.asked().is_empty());
}

#[tokio::test]
async fn tags_travel_where_there_are_some_and_never_as_patterns() {
    let daypass = start().await;
    let input = |value: &str| json!({"IdentityPoolId": daypass.pool_id(), "Logins": {DEVELOPER_PROVIDER: "42"}, "PrincipalTags": {"team": value}});
    for value in ["*", "r?d"] {
        let answer = daypass.signed("GetOpenIdTokenForDeveloperIdentity", input(value)).await;
        answer.assert_code("InvalidParameterException");
    }
    let given = daypass.call("GetOpenIdTokenForDeveloperIdentity", input("red")).await;
    let logins = json!({"cognito-identity.amazonaws.com": given["Token"]});
    get_credentials(&daypass, &given["IdentityId"], logins).await.credentials();
    let sent = claims(&asked(&daypass)["WebIdentityToken"].clone().into());
    assert_eq!(sent["https://aws.amazon.com/tags"], json!({"principal_tags": {"team": ["red"]}}));
}

#[tokio::test]
async fn whoever_lost_their_standing_is_not_vouched_for() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let id = entered["identity_id"].as_str().unwrap();
    let forbidden = format!("Access to Identity '{id}' is forbidden.");
    let role = RevocationTarget::Role("authenticated".to_owned().try_into().unwrap());
    daypass.store.revoke_sessions(&role, daypass.clock.clone()).await.unwrap();
    daypass.get_credentials(&entered).await.assert_exception("NotAuthorizedException", &forbidden);
    daypass.advance(SignedDuration::from_secs(1));

    let entered = daypass.enter("ada").await;
    let identity = RevocationTarget::Identity(id.to_owned().try_into().unwrap());
    daypass.store.revoke_sessions(&identity, daypass.clock.clone()).await.unwrap();
    daypass.get_credentials(&entered).await.assert_exception("NotAuthorizedException", &forbidden);
    assert!(daypass.far_sts.asked().is_empty());
}

#[tokio::test]
async fn an_expired_token_is_refused_before_anybody_is_asked() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    daypass.advance(SignedDuration::from_mins(15));
    daypass.get_credentials(&entered).await.assert_code("NotAuthorizedException");
    assert!(daypass.far_sts.asked().is_empty());
}

#[tokio::test]
async fn our_own_sts_goes_on() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let answer = daypass.assume(&entered["token"], AUTHENTICATED_ROLE).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.element("AccessKeyId").starts_with("ASIA"));
    assert!(daypass.far_sts.asked().is_empty());
}

#[tokio::test]
async fn a_role_of_the_pool_that_is_the_arn_of_something_else_is_not_asked_for() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let roles = json!({"authenticated": "arn:aws:iam::000000000000:role"});
    let input = json!({"IdentityPoolId": daypass.pool_id(), "Roles": roles});
    daypass.call("SetIdentityPoolRoles", input).await;
    let answer = daypass.get_credentials(&entered).await;
    answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
    assert!(daypass.far_sts.asked().is_empty());
}

/// They are in our form as well, and nobody here issued them.
#[tokio::test]
async fn credentials_from_elsewhere_open_nothing_here() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let credentials = daypass.get_credentials(&entered).await.credentials();
    let answer = daypass.signed_by(&credentials, "ListIdentityPools", json!({"MaxResults": 1})).await;
    answer.assert_code("UnrecognizedClientException");
}

type Refusal = fn() -> Result<Response<Bytes>, ProviderHttpError>;

#[expect(clippy::unnecessary_wraps, reason = "other refusals are no answers at all")]
fn error(status: u16, code: &str) -> Result<Response<Bytes>, ProviderHttpError> {
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>far words</Message></Error></ErrorResponse>"
    );
    Ok(Response::builder().status(status).body(body.into()).unwrap())
}

#[tokio::test]
async fn what_the_operator_has_to_mend_is_the_pools_configuration() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let refusals = [
        || error(403, "AccessDenied"),
        || error(400, "InvalidIdentityToken"),
        || error(400, "ExpiredTokenException"),
        || error(400, "ValidationError"),
        || Ok(Response::new("<html>".into())),
        || Err(ProviderHttpError::AnswerTooLarge { limit: 65_536, status: StatusCode::OK }),
        || Err(ProviderHttpError::PrivateAddress { host: "sts.example.com".into() }),
    ];
    for refusal in refusals {
        daypass.far_sts.refuse(refusal);
        let answer = daypass.get_credentials(&entered).await;
        answer.assert_exception("InvalidIdentityPoolConfigurationException", MISCONFIGURED);
        let event = last_event(&daypass);
        assert_eq!((&event["outcome"], &event["resource"]), (&json!("refused"), &json!(ROLE_THERE)));
        assert!(event.get("access_key_id").is_none(), "{event}");
        let login = daypass.sign_in("ada").await;
        let answer = daypass.exchange(&login.proof_with("credentials", true)).await;
        answer.assert_problem(500, "identity_pool_misconfigured");
    }
    assert!(daypass.refusals().iter().all(|answer| !answer.contains("far words")));
}

/// What the log hears of it: where, which role, what was said, and what to do.
#[tokio::test]
async fn the_operator_hears_the_cure() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let id = entered["identity_id"].as_str().unwrap().to_owned().try_into().unwrap();
    let token = Secret::new(entered["token"].as_str().unwrap());
    let logins = [("cognito-identity.amazonaws.com".to_owned(), token)].into();
    let request_id = RequestId::generate(daypass.clock.now(), daypass.random());
    let by = Requester::anonymous(&request_id, Origin::default());
    let pool = daypass.pool_id();
    let cures: [(Refusal, [&str; 2]); 6] = [
        (|| error(403, "AccessDenied"), ["trust policy", pool]),
        (|| error(400, "ExpiredToken"), ["clocks", ROLE_THERE]),
        (|| error(400, "InvalidIdentityToken"), ["register the issuer http://127.0.0.1:9400 there", pool]),
        (
            || error(400, "IDPCommunicationError"),
            ["http://127.0.0.1:9400/.well-known/openid-configuration", FAR_STS],
        ),
        (|| error(400, "ValidationError"), ["`url` of [credentials]", "`duration`"]),
        (|| error(503, "SlowDown"), ["no answer", FAR_STS]),
    ];
    for (refusal, parts) in cures {
        daypass.far_sts.refuse(refusal);
        let error =
            daypass.embedded.pools.credentials_for_identity(&id, &logins, None, &by).await.unwrap_err();
        let (PoolError::CredentialsMisconfigured(cause) | PoolError::CredentialsUnavailable(cause)) = error
        else {
            panic!("{error:?}")
        };
        for part in parts.iter().chain(&["far words"]) {
            assert!(cause.contains(part), "{part}: {cause}");
        }
        assert!(!cause.contains("eyJ"), "{cause}");
    }
}

#[tokio::test]
async fn an_sts_that_does_not_answer_is_worth_another_try() {
    let daypass = start().await;
    let entered = daypass.enter("ada").await;
    let refusals = [
        || error(400, "IDPCommunicationError"),
        || error(503, "ServiceUnavailable"),
        || error(400, "Throttling"),
        || Err(ProviderHttpError::TimedOut),
        || Err(ProviderHttpError::Unreachable("far words".into())),
    ];
    for refusal in refusals {
        daypass.far_sts.refuse(refusal);
        let answer = daypass.get_credentials(&entered).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{answer:?}");
        assert_eq!(answer.json()["__type"], "ServiceUnavailableException");
        let login = daypass.sign_in("ada").await;
        let answer = daypass.exchange(&login.proof_with("credentials", true)).await;
        answer.assert_problem(503, "credentials_unavailable");
        assert_eq!(answer.header("retry-after"), "5");
        assert_eq!(daypass.exchange(&daypass.sign_in("ada").await.proof()).await.status, 200);
    }
    assert!(daypass.refusals().iter().all(|answer| !answer.contains("far words")));
}

/// Whoever loops is not to have every place of an STS that is slow.
#[tokio::test]
async fn one_identity_asks_a_few_times_at_once_and_the_others_too() {
    let daypass = start().await;
    let (ada, grace) = (daypass.enter("ada").await, daypass.enter("grace").await);
    let asking = [[&ada; 6].as_slice(), &[&grace]].concat();
    let answers = futures::future::join_all(asking.into_iter().map(|it| daypass.get_credentials(it))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(served.len(), 4 + 1);
    assert_eq!(answers[6].status, 200, "Grace is served");
    for answer in refused {
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["__type"], "TooManyRequestsException");
    }
    assert_eq!(daypass.get_credentials(&ada).await.status, 200, "one after the other there is no limit");
}
