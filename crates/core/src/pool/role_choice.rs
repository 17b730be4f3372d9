//! Which of a pool's roles somebody gets: the default one, or what a role mapping makes of the provider's
//! token (docs/reference/cognito-identity.md, 4.9 and 4.10).

use serde_json::{Map, Value};

use super::principal_tags::text_of;
use super::{Denial, PoolError};
use crate::records::identity::{
    AmbiguousRoleResolution, MappingRule, MatchType, PoolRoles, RoleMapping, RoleMappingType,
};
use crate::token::openid_token::{AUTHENTICATED, UNAUTHENTICATED};

/// What a provider asserted about a person.
#[derive(Debug)]
pub(super) struct Asserted<'a> {
    /// The provider, as `RoleMappings` calls it.
    pub mapping_key: String,
    /// The claims of its token. The developer provider asserts none.
    pub claims: &'a Map<String, Value>,
}

/// The ARN of the role for a guest.
pub(super) fn for_guest(roles: &PoolRoles, custom: Option<&str>) -> Result<String, PoolError> {
    let role = roles.unauthenticated.as_deref().ok_or_else(|| PoolError::no_role(UNAUTHENTICATED))?;
    default(role, custom)
}

/// The ARN of the role for somebody who logged in. The first provider, in the order of their names, for which
/// there is a mapping decides.
///
/// # Errors
/// [`PoolError::NotAuthorized`] where the mapping, or the caller's wish for a role that it does not give, leaves
/// none; [`PoolError::NoUsableRole`] where the default role is wanted and not set.
pub(super) fn for_person(
    roles: &PoolRoles,
    asserted: &[Asserted<'_>],
    custom: Option<&str>,
) -> Result<String, PoolError> {
    let mapped = asserted.iter().find_map(|asserted| {
        roles.mappings.get(&asserted.mapping_key).map(|mapping| (mapping, asserted.claims))
    });
    let Some((mapping, claims)) = mapped else { return authenticated(roles, custom) };
    let chosen = match mapping.r#type {
        RoleMappingType::Token => by_token(claims, custom)?,
        RoleMappingType::Rules => by_rules(mapping, claims, custom)?,
    };
    match (chosen, mapping.ambiguous_role_resolution) {
        (Some(role), _) => Ok(role),
        (None, AmbiguousRoleResolution::AuthenticatedRole) => authenticated(roles, None),
        (None, AmbiguousRoleResolution::Deny) => Err(no_role()),
    }
}

fn authenticated(roles: &PoolRoles, custom: Option<&str>) -> Result<String, PoolError> {
    let role = roles.authenticated.as_deref().ok_or_else(|| PoolError::no_role(AUTHENTICATED))?;
    default(role, custom)
}

/// A custom role is a choice among the roles that a login allows, and without a mapping that is the one.
fn default(role: &str, custom: Option<&str>) -> Result<String, PoolError> {
    if custom.is_none_or(|custom| custom == role) { Ok(role.to_owned()) } else { Err(custom_role_refused()) }
}

/// `cognito:roles` are the roles that the token allows, `cognito:preferred_role` is the one of them that is
/// taken on unless the caller wants another.
fn by_token(claims: &Map<String, Value>, custom: Option<&str>) -> Result<Option<String>, PoolError> {
    let preferred = text_of(claims, "cognito:preferred_role");
    let Some(custom) = custom else { return Ok(preferred) };
    let allowed = claims.get("cognito:roles").and_then(Value::as_array);
    let allowed = allowed.is_some_and(|roles| roles.iter().any(|role| role == custom));
    if allowed { Ok(Some(custom.to_owned())) } else { Err(custom_role_refused()) }
}

/// The first rule that matches; if the caller wants a role, the first of those that give it.
fn by_rules(
    mapping: &RoleMapping,
    claims: &Map<String, Value>,
    custom: Option<&str>,
) -> Result<Option<String>, PoolError> {
    let rules = mapping.rules_configuration.iter().flat_map(|configuration| &configuration.rules);
    let mut wanted = rules.filter(|rule| custom.is_none_or(|custom| custom == rule.role_arn));
    match wanted.find(|rule| matches(rule, claims)) {
        Some(rule) => Ok(Some(rule.role_arn.clone())),
        None if custom.is_some() => Err(custom_role_refused()),
        None => Ok(None),
    }
}

/// A claim with several values, such as groups, contains each of them, and equals none.
fn matches(rule: &MappingRule, claims: &Map<String, Value>) -> bool {
    if let Some(Value::Array(values)) = claims.get(&rule.claim) {
        return rule.match_type == MatchType::Contains && values.iter().any(|value| value == &*rule.value);
    }
    let Some(claim) = text_of(claims, &rule.claim) else { return false };
    match rule.match_type {
        MatchType::Equals => claim == rule.value,
        MatchType::NotEqual => claim != rule.value,
        MatchType::StartsWith => claim.starts_with(&rule.value),
        MatchType::Contains => claim.contains(&rule.value),
    }
}

fn custom_role_refused() -> PoolError {
    Denial::CustomRole.into()
}

fn no_role() -> PoolError {
    Denial::NoRole.into()
}

#[cfg(test)]
mod tests;
