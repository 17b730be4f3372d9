//! Role mappings: which role somebody's credentials have, by what their provider says about them
//! (docs/reference/cognito-identity.md, 4.9 and 4.10).

use daypass_core::login::public::testing::GOOGLE;
use serde_json::{Value, json};

use super::daypass;
use crate::harness::{
    AUTHENTICATED_ROLE, Answer, Daypass, GUEST_ROLE, OIDC, OIDC_ARN, USER_POOL, USER_POOL_CLIENT,
};

const HOURLY: &str = "arn:aws:iam::000000000000:role/hourly";
const ENGINEERS: &str = "arn:aws:iam::000000000000:role/engineers";
const NO_ROLE: &str = "The role mapping of this identity pool gives this login no role.";
const NOT_THIS_ROLE: &str = "The custom role is not among the roles of this login.";

fn by_rules(rules: &[(&str, &str, &str, &str)], otherwise: &str) -> Value {
    let rule = |&(claim, how, value, role): &(&str, &str, &str, &str)| json!({"Claim": claim, "MatchType": how, "Value": value, "RoleARN": role});
    json!({"Type": "Rules", "AmbiguousRoleResolution": otherwise,
        "RulesConfiguration": {"Rules": rules.iter().map(rule).collect::<Vec<_>>()}})
}

/// Somebody of a provider asks for credentials with these claims in the token.
async fn ask(daypass: &Daypass, provider: &str, claims: Value, custom: Option<&str>) -> Answer {
    let logins = json!({provider: daypass.id_token_with(provider, "ada", claims)});
    let id = daypass.get_id(&logins).await;
    let input = json!({"IdentityId": id, "Logins": logins, "CustomRoleArn": custom});
    daypass.public("GetCredentialsForIdentity", input).await
}

/// The role that the credentials of an answer have, according to STS.
async fn role(daypass: &Daypass, answer: &Answer) -> String {
    let arn = daypass.caller_arn(&answer.credentials()).await;
    let session = arn.strip_prefix("arn:aws:sts::000000000000:assumed-role/").unwrap();
    session.strip_suffix("/CognitoIdentityCredentials").unwrap().to_owned()
}

#[tokio::test]
async fn a_rule_of_each_kind_gives_its_role_to_those_it_matches_and_to_no_others() {
    let daypass = daypass().await;
    let cases = [
        ("Equals", json!("staff"), true),
        ("Equals", json!("staff2"), false),
        ("Equals", json!("Staff"), false),
        ("Equals", json!(["staff"]), false),
        ("NotEqual", json!("guest"), true),
        ("NotEqual", json!("staff"), false),
        ("NotEqual", Value::Null, false),
        ("StartsWith", json!("staff of the year"), true),
        ("StartsWith", json!("our staff"), false),
        ("Contains", json!("our staff of the year"), true),
        ("Contains", json!(["people", "staff"]), true),
        ("Contains", json!(["staff2"]), false),
        ("Contains", json!("stuff"), false),
    ];
    for (how, claim, matched) in cases {
        let mapping = by_rules(&[("group", how, "staff", HOURLY)], "AuthenticatedRole");
        daypass.set_roles(json!({OIDC_ARN: mapping})).await;
        let answer = ask(&daypass, OIDC, json!({"group": claim}), None).await;
        let expected = if matched { "hourly" } else { "authenticated" };
        assert_eq!(role(&daypass, &answer).await, expected, "{how} {claim}");
    }
}

#[tokio::test]
async fn nothing_in_a_rule_is_a_wildcard() {
    let daypass = daypass().await;
    for how in ["Equals", "StartsWith", "Contains"] {
        let mapping = by_rules(&[("group", how, "st*", HOURLY), ("group", how, "st?ff", HOURLY)], "Deny");
        daypass.set_roles(json!({OIDC_ARN: mapping})).await;
        let answer = ask(&daypass, OIDC, json!({"group": "staff"}), None).await;
        answer.assert_exception("NotAuthorizedException", NO_ROLE);
    }
}

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let daypass = daypass().await;
    let rules = [
        ("group", "Equals", "nobody", GUEST_ROLE),
        ("group", "StartsWith", "st", ENGINEERS),
        ("group", "Equals", "staff", HOURLY),
    ];
    daypass.set_roles(json!({OIDC_ARN: by_rules(&rules, "Deny")})).await;
    let staff = json!({"group": "staff"});
    assert_eq!(role(&daypass, &ask(&daypass, OIDC, staff.clone(), None).await).await, "engineers");
    // A custom role chooses among the rules that match.
    for (custom, expected) in [(HOURLY, "hourly"), (ENGINEERS, "engineers")] {
        let answer = ask(&daypass, OIDC, staff.clone(), Some(custom)).await;
        assert_eq!(role(&daypass, &answer).await, expected);
    }
    for custom in [GUEST_ROLE, AUTHENTICATED_ROLE] {
        let answer = ask(&daypass, OIDC, staff.clone(), Some(custom)).await;
        answer.assert_exception("NotAuthorizedException", NOT_THIS_ROLE);
    }
}

#[tokio::test]
async fn who_matches_no_rule_gets_the_default_role_or_none_as_the_mapping_says() {
    let daypass = daypass().await;
    let rules = [("group", "Equals", "staff", HOURLY)];
    daypass.set_roles(json!({OIDC_ARN: by_rules(&rules, "AuthenticatedRole")})).await;
    let answer = ask(&daypass, OIDC, json!({}), None).await;
    assert_eq!(role(&daypass, &answer).await, "authenticated");
    daypass.set_roles(json!({OIDC_ARN: by_rules(&rules, "Deny")})).await;
    let answer = ask(&daypass, OIDC, json!({}), None).await;
    answer.assert_exception("NotAuthorizedException", NO_ROLE);
}

#[tokio::test]
async fn a_mapping_is_for_its_provider_alone() {
    let daypass = daypass().await;
    let rules = [("group", "Equals", "staff", HOURLY)];
    let user_pool = format!("{USER_POOL}:{USER_POOL_CLIENT}");
    daypass.set_roles(json!({user_pool: by_rules(&rules, "Deny")})).await;
    let staff = json!({"group": "staff"});
    let answer = ask(&daypass, USER_POOL, staff.clone(), None).await;
    assert_eq!(role(&daypass, &answer).await, "hourly");
    for provider in [OIDC, GOOGLE] {
        let answer = ask(&daypass, provider, staff.clone(), None).await;
        assert_eq!(role(&daypass, &answer).await, "authenticated", "{provider}");
    }
}

#[tokio::test]
async fn a_token_names_the_roles_itself_where_the_mapping_says_so() {
    let daypass = daypass().await;
    let user_pool = format!("{USER_POOL}:{USER_POOL_CLIENT}");
    for (otherwise, refused) in [("AuthenticatedRole", false), ("Deny", true)] {
        let mapping = json!({"Type": "Token", "AmbiguousRoleResolution": otherwise});
        daypass.set_roles(json!({&user_pool: mapping})).await;
        let roles = json!({"cognito:roles": [HOURLY, ENGINEERS], "cognito:preferred_role": ENGINEERS});
        let answer = ask(&daypass, USER_POOL, roles.clone(), None).await;
        assert_eq!(role(&daypass, &answer).await, "engineers");
        let answer = ask(&daypass, USER_POOL, roles.clone(), Some(HOURLY)).await;
        assert_eq!(role(&daypass, &answer).await, "hourly");
        let answer = ask(&daypass, USER_POOL, roles, Some(AUTHENTICATED_ROLE)).await;
        answer.assert_exception("NotAuthorizedException", NOT_THIS_ROLE);

        let ambiguous = json!({"cognito:roles": [HOURLY, ENGINEERS]});
        let answer = ask(&daypass, USER_POOL, ambiguous, None).await;
        if refused {
            answer.assert_exception("NotAuthorizedException", NO_ROLE);
        } else {
            assert_eq!(role(&daypass, &answer).await, "authenticated");
        }
    }
}

#[tokio::test]
async fn a_custom_role_without_a_mapping_is_the_default_one_or_refused() {
    let daypass = daypass().await;
    let answer = ask(&daypass, OIDC, json!({}), Some(AUTHENTICATED_ROLE)).await;
    assert_eq!(role(&daypass, &answer).await, "authenticated");
    let answer = ask(&daypass, OIDC, json!({}), Some(HOURLY)).await;
    answer.assert_exception("NotAuthorizedException", NOT_THIS_ROLE);
}

#[tokio::test]
async fn a_mapped_role_has_to_trust_the_pool_like_any_other() {
    let daypass = daypass().await;
    let message = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";
    for role in [GUEST_ROLE, "arn:aws:iam::000000000000:role/none", "arn:aws:iam::111111111111:role/hourly"] {
        daypass.set_roles(json!({OIDC_ARN: by_rules(&[("sub", "Equals", "ada", role)], "Deny")})).await;
        let answer = ask(&daypass, OIDC, json!({}), None).await;
        answer.assert_exception("InvalidIdentityPoolConfigurationException", message);
    }
}

#[tokio::test]
async fn a_refused_role_links_nothing() {
    let daypass = daypass().await;
    daypass.set_roles(json!({OIDC_ARN: by_rules(&[("group", "Equals", "staff", HOURLY)], "Deny")})).await;
    let guest: Value = daypass.guest(daypass.pool_id()).await.into();
    let input = json!({"IdentityId": guest, "Logins": daypass.logins(&[(OIDC, "ada")])});
    let answer = daypass.public("GetCredentialsForIdentity", input).await;
    answer.assert_exception("NotAuthorizedException", NO_ROLE);
    assert_eq!(daypass.describe(&guest).await.get("Logins"), None);
}
