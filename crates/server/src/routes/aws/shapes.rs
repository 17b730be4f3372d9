//! What the operations of the identity pool API take, member by member, read into what core asks for.
//! Unknown members are ignored and `null` is absent, as on AWS (cognito-identity.md 1.1).

use std::collections::BTreeMap;

use daypass_core::clock::SignedDuration;
use daypass_core::identity::{CognitoIdentityProvider, PoolRoles, PoolSettings};
use daypass_core::identity_pool::issue::{DEFAULT_TOKEN_DURATION, DeveloperTokenRequest, TokenTerms};
use daypass_core::identity_pool::{DeveloperLookup, Logins};
use daypass_core::ids::{IdentityId, IdentityPoolId};
use daypass_core::secret::Secret;
use serde::Deserialize;
use serde_json::Value;

use super::validation::{Checker, Rule};
use crate::error::{ApiError, Dialect};

const CHECK: Checker = Checker(Dialect::AwsJson);
const MAX_RESULTS: i64 = 60;

const ID: Rule =
    Rule { min: 1, max: 55, pattern: Some((IdentityId::PATTERN, |text| IdentityId::parse(text).is_ok())) };
const POOL_NAME: Rule =
    Rule { min: 1, max: 128, pattern: Some((r"[\w\s+=,.@-]+", |text| text.chars().all(is_pool_name))) };
const DEVELOPER_PROVIDER: Rule = Rule {
    min: 1,
    max: 128,
    pattern: Some((r"[\w._-]+", |text| text.chars().all(|c| is_word(c) || matches!(c, '.' | '-')))),
};
const DEVELOPER_USER: Rule = Rule { min: 1, max: 1024, pattern: None };
const PROVIDER: Rule = Rule { min: 1, max: 128, pattern: None };
const ARN: Rule = Rule { min: 20, max: 2048, pattern: None };
const NEXT_TOKEN: Rule =
    Rule { min: 1, max: 65_535, pattern: Some((r"[\S]+", |text| !text.chars().any(char::is_whitespace))) };
const TAG_KEY: Rule = Rule { min: 1, max: 128, pattern: None };
const TAG_VALUE: Rule = Rule { min: 0, max: 256, pattern: None };
const PRINCIPAL_TAG_VALUE: Rule = Rule { min: 1, max: 256, pattern: None };

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_pool_name(c: char) -> bool {
    is_word(c)
        || matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '+' | '=' | ',' | '.' | '@' | '-')
}

fn pool_id(value: Option<String>) -> Result<IdentityPoolId, ApiError> {
    let text = CHECK.text("identityPoolId", CHECK.required("identityPoolId", value)?, &ID)?;
    Ok(IdentityPoolId::parse(text).expect("the rule is the ID's own"))
}

fn optional_identity_id(value: Option<String>) -> Result<Option<IdentityId>, ApiError> {
    let text = CHECK.optional("identityId", value, &ID)?;
    Ok(text.map(|text| IdentityId::parse(text).expect("the rule is the ID's own")))
}

fn identity_id(value: Option<String>) -> Result<IdentityId, ApiError> {
    CHECK.required("identityId", optional_identity_id(value)?)
}

fn max_results(value: i64) -> Result<usize, ApiError> {
    let checked = CHECK.number("maxResults", value, 1, MAX_RESULTS)?;
    Ok(usize::try_from(checked).expect("1 to 60"))
}

fn logins(value: Option<BTreeMap<String, String>>) -> Result<Logins, ApiError> {
    let logins = value.unwrap_or_default();
    CHECK.at_most("logins", logins.len(), 10)?;
    for (provider, token) in &logins {
        CHECK.check("logins", provider, &PROVIDER)?;
        CHECK.secret("logins", token, 1, 50_000)?;
    }
    Ok(logins.into_iter().map(|(provider, token)| (provider, Secret::new(token))).collect())
}

fn tags(member: &str, tags: &BTreeMap<String, String>, value_rule: &Rule) -> Result<(), ApiError> {
    CHECK.at_most(member, tags.len(), 50)?;
    for (key, value) in tags {
        CHECK.check(member, key, &TAG_KEY)?;
        CHECK.check(member, value, value_rule)?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateIdentityPool {
    identity_pool_name: Option<String>,
    allow_unauthenticated_identities: Option<bool>,
    allow_classic_flow: Option<bool>,
    supported_login_providers: Option<BTreeMap<String, String>>,
    developer_provider_name: Option<String>,
    #[serde(rename = "OpenIdConnectProviderARNs")]
    open_id_connect_provider_arns: Option<Vec<String>>,
    cognito_identity_providers: Option<Vec<UserPoolClient>>,
    #[serde(rename = "SamlProviderARNs")]
    saml_provider_arns: Option<Vec<String>>,
    identity_pool_tags: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserPoolClient {
    provider_name: Option<String>,
    client_id: Option<String>,
    server_side_token_check: Option<bool>,
}

impl CreateIdentityPool {
    pub fn read(self) -> Result<PoolSettings, ApiError> {
        let name = CHECK.required("identityPoolName", self.identity_pool_name)?;
        let allow_guests =
            CHECK.required("allowUnauthenticatedIdentities", self.allow_unauthenticated_identities)?;
        let supported_login_providers = self.supported_login_providers.unwrap_or_default();
        CHECK.at_most("supportedLoginProviders", supported_login_providers.len(), 10)?;
        for (provider, app) in &supported_login_providers {
            CHECK.check("supportedLoginProviders", provider, &PROVIDER)?;
            CHECK.check("supportedLoginProviders", app, &PROVIDER)?;
        }
        let pool_tags = self.identity_pool_tags.unwrap_or_default();
        tags("identityPoolTags", &pool_tags, &TAG_VALUE)?;
        Ok(PoolSettings {
            name: CHECK.text("identityPoolName", name, &POOL_NAME)?,
            allow_unauthenticated_identities: allow_guests,
            allow_classic_flow: self.allow_classic_flow,
            developer_provider_name: CHECK.optional(
                "developerProviderName",
                self.developer_provider_name,
                &DEVELOPER_PROVIDER,
            )?,
            supported_login_providers,
            open_id_connect_provider_arns: arns(
                "openIdConnectProviderARNs",
                self.open_id_connect_provider_arns,
            )?,
            cognito_identity_providers: self
                .cognito_identity_providers
                .into_iter()
                .flatten()
                .map(Into::into)
                .collect(),
            saml_provider_arns: arns("samlProviderARNs", self.saml_provider_arns)?,
            tags: pool_tags,
        })
    }
}

impl From<UserPoolClient> for CognitoIdentityProvider {
    fn from(client: UserPoolClient) -> Self {
        Self {
            provider_name: client.provider_name,
            client_id: client.client_id,
            server_side_token_check: client.server_side_token_check,
        }
    }
}

fn arns(member: &str, arns: Option<Vec<String>>) -> Result<Vec<String>, ApiError> {
    let arns = arns.unwrap_or_default();
    arns.iter().try_for_each(|arn| CHECK.check(member, arn, &ARN))?;
    Ok(arns)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PoolOnly {
    identity_pool_id: Option<String>,
}

impl PoolOnly {
    pub fn read(self) -> Result<IdentityPoolId, ApiError> {
        pool_id(self.identity_pool_id)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListIdentityPools {
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl ListIdentityPools {
    pub fn read(self) -> Result<(usize, Option<String>), ApiError> {
        let limit = max_results(CHECK.required("maxResults", self.max_results)?)?;
        Ok((limit, CHECK.optional("nextToken", self.next_token, &NEXT_TOKEN)?))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetIdentityPoolRoles {
    identity_pool_id: Option<String>,
    roles: Option<BTreeMap<String, String>>,
    role_mappings: Option<BTreeMap<String, Value>>,
}

impl SetIdentityPoolRoles {
    pub fn read(self) -> Result<(IdentityPoolId, PoolRoles), ApiError> {
        let id = pool_id(self.identity_pool_id)?;
        let mut roles = CHECK.required("roles", self.roles)?;
        roles.values().try_for_each(|arn| CHECK.check("roles", arn, &ARN))?;
        let mappings = self.role_mappings.unwrap_or_default();
        CHECK.at_most("roleMappings", mappings.len(), 10)?;
        for (provider, mapping) in &mappings {
            CHECK.check("roleMappings", provider, &PROVIDER)?;
            check_mapping(mapping)?;
        }
        let (authenticated, unauthenticated) =
            (roles.remove("authenticated"), roles.remove("unauthenticated"));
        if let Some(unknown) = roles.keys().next() {
            let pattern = "Member must satisfy regular expression pattern: (un)?authenticated";
            return Err(CHECK.violated(&format!("'{unknown}'"), "roles", pattern));
        }
        Ok((id, PoolRoles { authenticated, unauthenticated, mappings }))
    }
}

fn check_mapping(mapping: &Value) -> Result<(), ApiError> {
    if let Some("Token" | "Rules") = mapping.get("Type").and_then(Value::as_str) {
        return Ok(());
    }
    Err(CHECK.violated(
        "null",
        "roleMappings.member.type",
        "Member must satisfy enum value set: [Token, Rules]",
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetId {
    identity_pool_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
}

impl GetId {
    pub fn read(self) -> Result<(IdentityPoolId, Logins), ApiError> {
        Ok((pool_id(self.identity_pool_id)?, logins(self.logins)?))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetForIdentity {
    identity_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
    custom_role_arn: Option<String>,
}

impl GetForIdentity {
    pub fn read(self) -> Result<(IdentityId, Logins, Option<String>), ApiError> {
        let custom_role_arn = CHECK.optional("customRoleArn", self.custom_role_arn, &ARN)?;
        Ok((identity_id(self.identity_id)?, logins(self.logins)?, custom_role_arn))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOpenIdTokenForDeveloperIdentity {
    identity_pool_id: Option<String>,
    identity_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
    principal_tags: Option<BTreeMap<String, String>>,
    token_duration: Option<i64>,
}

impl GetOpenIdTokenForDeveloperIdentity {
    pub fn read(self) -> Result<DeveloperTokenRequest, ApiError> {
        let principal_tags = self.principal_tags.unwrap_or_default();
        tags("principalTags", &principal_tags, &PRINCIPAL_TAG_VALUE)?;
        let duration = match self.token_duration {
            Some(seconds) => SignedDuration::from_secs(CHECK.number("tokenDuration", seconds, 1, 86_400)?),
            None => DEFAULT_TOKEN_DURATION,
        };
        Ok(DeveloperTokenRequest {
            pool_id: pool_id(self.identity_pool_id)?,
            identity_id: optional_identity_id(self.identity_id)?,
            logins: logins(Some(CHECK.required("logins", self.logins)?))?,
            terms: TokenTerms { duration, principal_tags },
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdentityOnly {
    identity_id: Option<String>,
}

impl IdentityOnly {
    pub fn read(self) -> Result<IdentityId, ApiError> {
        identity_id(self.identity_id)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupDeveloperIdentity {
    identity_pool_id: Option<String>,
    identity_id: Option<String>,
    developer_user_identifier: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl LookupDeveloperIdentity {
    pub fn read(self) -> Result<DeveloperLookup, ApiError> {
        let user =
            CHECK.optional("developerUserIdentifier", self.developer_user_identifier, &DEVELOPER_USER)?;
        Ok(DeveloperLookup {
            pool_id: pool_id(self.identity_pool_id)?,
            identity_id: optional_identity_id(self.identity_id)?,
            developer_user_identifier: user,
            max_results: max_results(self.max_results.unwrap_or(MAX_RESULTS))?,
            next_token: CHECK.optional("nextToken", self.next_token, &NEXT_TOKEN)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListIdentities {
    identity_pool_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    hide_disabled: Option<bool>,
}

/// The members of ListIdentities, read.
pub struct IdentityListing {
    pub pool_id: IdentityPoolId,
    pub hide_disabled: bool,
    pub limit: usize,
    pub next_token: Option<String>,
}

impl ListIdentities {
    pub fn read(self) -> Result<IdentityListing, ApiError> {
        Ok(IdentityListing {
            pool_id: pool_id(self.identity_pool_id)?,
            hide_disabled: self.hide_disabled.unwrap_or_default(),
            limit: max_results(CHECK.required("maxResults", self.max_results)?)?,
            next_token: CHECK.optional("nextToken", self.next_token, &NEXT_TOKEN)?,
        })
    }
}
