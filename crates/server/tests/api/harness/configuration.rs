//! The configuration of an installation under test, and its roles.

use std::fmt::Write;

use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityPoolId, RoleName};
use daypass_development::sandbox;
use daypass_server::config::Config;
use serde_json::json;

use super::provider::{PROFILE, TOKEN};
use super::public::{CLIENT, oidc_arn};
use super::{APP_REDIRECT_URI, DEVELOPER_PROVIDER, IDP, REDIRECT_URI, SERVER, allow};

/// The configuration of a pool, whose own keys are given.
pub fn config(pool: &str, secret: &std::path::Path, oidc_hosts: &[&str], more: &str) -> Config {
    let secret = secret.to_str().unwrap();
    let mut text = format!(
        "public_url = {SERVER:?}\n\
         [pool]\ndeveloper_provider = {DEVELOPER_PROVIDER:?}\n{pool}\n\
         [[app]]\nid = \"playground\"\norigins = [{SERVER:?}]\nredirect_uris = [{REDIRECT_URI:?}]\n\
         [[app]]\nid = \"shop\"\norigins = [\"https://shop.example\"]\n\
         redirect_uris = [{APP_REDIRECT_URI:?}, \"https://shop.example/?page=in\"]\n\
         [[app]]\nid = \"twin\"\norigins = [\"https://twin.example\"]\nredirect_uris = [{APP_REDIRECT_URI:?}]\n"
    );
    for (id, accept_unbound_access_tokens) in [("snapchat", false), ("snapchat-token", true)] {
        write!(
            text,
            "[[provider]]\nid = {id:?}\ncatalogue = \"snapchat\"\nclient_id = {:?}\n\
             client_secret = {{ file = {secret:?} }}\n\
             accept_unbound_access_tokens = {accept_unbound_access_tokens}\n\
             authorize.url = \"{IDP}/accounts/oauth2/auth\"\n\
             exchange.url = \"{IDP}{TOKEN}\"\nprofile.url = \"{IDP}{PROFILE}\"\n",
            sandbox::DAYPASS_DEMO_CLIENT_ID
        )
        .unwrap();
    }
    for host in oidc_hosts {
        let (arn, issuer) = (oidc_arn(host), format!("https://{host}"));
        writeln!(text, "[[oidc_provider]]\narn = {arn:?}\nissuer = {issuer:?}\naudiences = [{CLIENT:?}]")
            .unwrap();
    }
    Config::parse(&(text + more)).unwrap()
}

/// The role of people who logged in may list pools, so that it shows whether a session can do anything at
/// all; `hourly` is the same with the shortest maximum. `engineers` may do it if their session says that they
/// are in engineering. `untagged` takes no tags, and `generous` lets guests do everything. All trust this one
/// pool only; `authenticated`, its default role, and `staff` are its own to give.
pub fn roles(pool_id: &IdentityPoolId) -> Vec<RoleDocument> {
    let role = |name: &str, amr: &str, hours: i64| RoleDocument {
        name: RoleName::parse(name).unwrap(),
        trust: RoleTrust::Policy(RoleDocument::trust_in_pool(pool_id, amr)),
        policy: allow("cognito-identity:ListIdentityPools"),
        max_session_duration: SignedDuration::from_hours(hours),
    };
    let mut engineers = role("engineers", "authenticated", 1);
    engineers.policy = allow_tagged("cognito-identity:ListIdentityPools", "department", "engineering");
    let mut untagged = role("untagged", "authenticated", 1);
    let trust = RoleDocument::trust_in_pool(pool_id, "authenticated");
    untagged.trust = RoleTrust::Policy(trust.replace(r#","sts:TagSession""#, ""));
    let given_by_pool = |name: &str| RoleDocument {
        trust: RoleTrust::Pool { pool_id: pool_id.clone(), amr: "authenticated" },
        ..role(name, "authenticated", 12)
    };
    let mut generous = role("generous", "unauthenticated", 1);
    generous.policy = allow("*");
    vec![
        given_by_pool("authenticated"),
        given_by_pool("staff"),
        role("hourly", "authenticated", 1),
        role("unauthenticated", "unauthenticated", 12),
        engineers,
        untagged,
        generous,
    ]
}

/// A policy that allows one action to sessions with a certain tag.
fn allow_tagged(action: &str, key: &str, value: &str) -> String {
    let condition = json!({"StringEquals": {format!("aws:PrincipalTag/{key}"): value}});
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}
