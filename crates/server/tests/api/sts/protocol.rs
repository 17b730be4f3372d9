//! The Query protocol: where members may stand, and that each stands there once.

use http::Request;
use serde_json::json;

use super::Assume;
use crate::harness::{AUTHENTICATED_ROLE, Answer, DEVELOPER_PROVIDER, Daypass, HOST, sts_request};

const FORM: &str = "application/x-www-form-urlencoded";

async fn get(daypass: &Daypass, query: &str) -> Answer {
    daypass.send(Request::get(format!("/?{query}")).header("host", HOST).body(String::new()).unwrap()).await
}

async fn post(daypass: &Daypass, query: &str, body: &str) -> Answer {
    let request = Request::post(format!("/?{query}")).header("host", HOST).header("content-type", FORM);
    daypass.send(request.body(body.to_owned()).unwrap()).await
}

fn members(token: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15")])
        .extend_pairs([("RoleArn", AUTHENTICATED_ROLE), ("RoleSessionName", "sess")])
        .append_pair("WebIdentityToken", token)
        .finish()
}

#[tokio::test]
async fn credentials_and_tokens_are_in_no_cache() {
    let daypass = Daypass::start().await;
    let entered = daypass.enter("ada").await;
    let token = entered["token"].as_str().unwrap();
    let assume = members(token);
    let logins = json!({"cognito-identity.amazonaws.com": token});
    let input = json!({"IdentityId": entered["identity_id"], "Logins": logins});
    let developer = json!({"IdentityPoolId": daypass.pool_id(), "Logins": {DEVELOPER_PROVIDER: "grace"}});
    let answers = [
        get(&daypass, &assume).await,
        post(&daypass, "", &assume).await,
        daypass.public("GetCredentialsForIdentity", input).await,
        daypass.signed("GetOpenIdTokenForDeveloperIdentity", developer).await,
        daypass.exchange(&daypass.sign_in("ada").await.proof_with("credentials", true)).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_from_a_file_may_end_in_a_line_end_and_has_none_within() {
    let daypass = Daypass::start().await;
    let token = Assume::ada(&daypass).await.token;
    for end in ["\n", "\r\n", "\n\n"] {
        let answer = post(&daypass, "", &members(&format!("{token}{end}"))).await;
        assert_eq!(answer.status, 200, "{end:?}: {answer:?}");
    }
    let (head, signature) = token.rsplit_once('.').unwrap();
    for broken in [
        format!("{head}.\n{signature}"),
        format!("{head}\n.{signature}"),
        "\n\n\n\n".to_owned(),
        format!("{token} \n"),
    ] {
        post(&daypass, "", &members(&broken)).await.assert_sts_error(400, "InvalidIdentityToken");
    }
}

#[tokio::test]
async fn a_get_is_answered_as_a_post_is() {
    let daypass = Daypass::start().await;
    let members = members(&Assume::ada(&daypass).await.token);
    let answers = [
        get(&daypass, &members).await,
        post(&daypass, "", &members).await,
        post(&daypass, &members, "").await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.element("Arn").ends_with(":assumed-role/authenticated/sess"), "{answer:?}");
        assert_eq!(answer.header("content-type"), "text/xml");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    get(&daypass, "Action=GetCallerIdentity&Version=2011-06-15")
        .await
        .assert_sts_error(403, "MissingAuthenticationToken");
}

#[tokio::test]
async fn a_get_without_an_action_is_the_playground() {
    let daypass = Daypass::start().await;
    for query in ["", "Version=2011-06-15", "action=GetCallerIdentity", "NoAction=1"] {
        let answer = get(&daypass, query).await;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{query}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{query}");
    }
}

#[tokio::test]
async fn a_get_is_never_one_of_the_identity_pool() {
    let daypass = Daypass::start().await;
    let request = Request::get("/?Action=GetId&Version=2014-06-30").header("host", HOST);
    let request = request.header("x-amz-target", "AWSCognitoIdentityService.GetId");
    let answer = daypass.send(request.body("{}".to_owned()).unwrap()).await;
    answer.assert_sts_error(400, "InvalidAction");
}

#[tokio::test]
async fn members_in_two_places_are_refused() {
    let daypass = Daypass::start().await;
    let members = members(&Assume::ada(&daypass).await.token);
    let answer = post(&daypass, "DurationSeconds=900", &members).await;
    answer.assert_sts_error(400, "InvalidParameterCombination");
    let message = "Parameters stand in the query or in the body of a request, not in both.";
    assert_eq!(answer.element("Message"), message);
}

#[tokio::test]
async fn a_member_that_is_given_twice_is_refused() {
    let daypass = Daypass::start().await;
    let members = members(&Assume::ada(&daypass).await.token);
    for second in ["Action=GetCallerIdentity", "RoleArn=x", "Version=2011-06-15", "Unknown=1&Unknown=1"] {
        for answer in [
            get(&daypass, &format!("{members}&{second}")).await,
            post(&daypass, "", &format!("{members}&{second}")).await,
        ] {
            answer.assert_sts_error(400, "InvalidQueryParameter");
            assert_eq!(answer.element("Message"), "A parameter is given twice.");
        }
    }
}

#[tokio::test]
async fn other_actions_and_versions_do_not_exist() {
    let daypass = Daypass::start().await;
    let absent = [
        ("Action=DecodeAuthorizationMessage&Version=2011-06-15", "DecodeAuthorizationMessage", "2011-06-15"),
        ("Action=AssumeRole&Version=2011-06-15", "AssumeRole", "2011-06-15"),
        ("Action=GetSessionToken&Version=2011-06-15", "GetSessionToken", "2011-06-15"),
        ("Action=GetCallerIdentity&Version=2011-06-16", "GetCallerIdentity", "2011-06-16"),
        ("Action=GetCallerIdentity", "GetCallerIdentity", "NO_VERSION_SPECIFIED"),
        ("Action=%3Cb%3E&Version=2011-06-15", "&lt;b&gt;", "2011-06-15"),
    ];
    for (query, action, version) in absent {
        let answer = get(&daypass, query).await;
        answer.assert_sts_error(400, "InvalidAction");
        let message = format!("Could not find operation {action} for version {version}");
        assert_eq!(answer.element("Message"), message);
    }
    let long = "x".repeat(1000);
    let answer = daypass.send(sts_request(&[("Action", &long)])).await;
    answer.assert_sts_error(400, "InvalidAction");
    assert!(answer.body.len() < 600, "{answer:?}");
}
