//! The calls that are answered: those that tests make and that Terraform makes for a role with inline policies. A member that
//! would have no effect is refused.

use std::collections::BTreeMap;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{AccountId, RoleName};
use daypass_core::iam::{Policy, TrustPolicy};
use daypass_server::installation::made_roles::{MadeRole, MadeRoles};

use super::answer::{document, element, list, role};
use super::error::IamError;

const VERSION: &str = "2010-05-08";

/// A call by its name, and what it does.
pub(super) struct Call {
    pub name: &'static str,
    pub effect: Effect,
}

pub(super) enum Effect {
    /// Says what there is.
    Tells(fn(&MadeRoles, Asked, &AccountId) -> Answer),
    /// Changes the roles. The flag says whether a role of the name is there, made or configured, in whichever case: IAM tells no
    /// two roles apart by case.
    Changes(fn(&mut MadeRoles, Asked, bool, &AccountId, Timestamp) -> Answer),
}

type Answer = Result<String, IamError>;

const CALLS: &[Call] = &[
    Call { name: "CreateRole", effect: Effect::Changes(create_role) },
    Call { name: "DeleteRole", effect: Effect::Changes(delete_role) },
    Call { name: "DeleteRolePolicy", effect: Effect::Changes(delete_role_policy) },
    Call { name: "GetRole", effect: Effect::Tells(get_role) },
    Call { name: "GetRolePolicy", effect: Effect::Tells(get_role_policy) },
    Call { name: "ListAttachedRolePolicies", effect: Effect::Tells(list_attached_role_policies) },
    Call { name: "ListInstanceProfilesForRole", effect: Effect::Tells(list_instance_profiles_for_role) },
    Call { name: "ListRolePolicies", effect: Effect::Tells(list_role_policies) },
    Call { name: "ListRoles", effect: Effect::Tells(list_roles) },
    Call { name: "PutRolePolicy", effect: Effect::Changes(put_role_policy) },
    Call { name: "UpdateAssumeRolePolicy", effect: Effect::Changes(update_assume_role_policy) },
];

/// The members of a call.
#[derive(Debug)]
pub(super) struct Asked {
    /// `RoleName`.
    pub name: Option<RoleName>,
    members: BTreeMap<String, String>,
}

/// Which call a body asks for, and with what.
pub(super) fn read(body: &[u8]) -> Result<(&'static Call, Asked), IamError> {
    let mut members = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        if members.insert(name, value).is_some() {
            return Err(IamError::Invalid("A member stands there twice.".into()));
        }
    }
    let (action, version) = (members.remove("Action").unwrap_or_default(), members.remove("Version"));
    let call = CALLS.iter().find(|call| call.name == action && version.as_deref() == Some(VERSION));
    let call = call.ok_or_else(|| IamError::UnknownCall(action.chars().take(64).collect()))?;
    // Everything fits one page, and every role has the path /.
    members.retain(|name, value| {
        !call.name.starts_with("List")
            || !matches!((&**name, &**value), ("MaxItems", _) | ("PathPrefix", "/"))
    });
    let name = members.remove("RoleName").map(RoleName::parse).transpose();
    let name = name.map_err(|error| IamError::Invalid(error.to_string()))?;
    Ok((call, Asked { name, members }))
}

impl Asked {
    fn take(&mut self, member: &str) -> Result<String, IamError> {
        self.members.remove(member).ok_or_else(|| IamError::Invalid(format!("{member} is missing.")))
    }

    fn name(&mut self) -> Result<RoleName, IamError> {
        self.name.take().ok_or_else(|| IamError::Invalid("RoleName is missing.".into()))
    }

    fn policy_name(&mut self) -> Result<String, IamError> {
        let name = self.take("PolicyName")?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if (1..=128).contains(&name.len()) && name.chars().all(allowed) {
            return Ok(name);
        }
        Err(IamError::Invalid("PolicyName has 1 to 128 of letters, digits and _+=,.@-".into()))
    }

    fn max_session(&mut self) -> Result<i64, IamError> {
        let Some(text) = self.members.remove("MaxSessionDuration") else { return Ok(3_600) };
        let seconds = text.parse().ok().filter(|seconds| (3_600..=43_200).contains(seconds));
        seconds.ok_or_else(|| IamError::Invalid("MaxSessionDuration is from 3600 to 43200.".into()))
    }

    /// Nothing may be left that would have no effect.
    fn finish(self) -> Result<(), IamError> {
        match self.members.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(IamError::Invalid(format!("{name} has no effect here; leave it out."))),
        }
    }
}

fn unknown(name: &RoleName) -> IamError {
    IamError::NoSuchEntity(format!("The role with name {name}, if it is none of the configuration's,"))
}

fn find<'a>(roles: &'a MadeRoles, name: &RoleName) -> Result<&'a MadeRole, IamError> {
    roles.get(name).ok_or_else(|| unknown(name))
}

fn find_mut<'a>(roles: &'a mut MadeRoles, name: &RoleName) -> Result<&'a mut MadeRole, IamError> {
    roles.get_mut(name).ok_or_else(|| unknown(name))
}

fn create_role(
    roles: &mut MadeRoles,
    mut asked: Asked,
    exists: bool,
    account: &AccountId,
    now: Timestamp,
) -> Answer {
    let (name, trust) = (asked.name()?, asked.take("AssumeRolePolicyDocument")?);
    TrustPolicy::parse(&trust)?;
    let (max_session_seconds, description) = (asked.max_session()?, asked.members.remove("Description"));
    if asked.members.remove("Path").is_some_and(|path| path != "/") {
        return Err(IamError::Invalid("Path: roles have no other path than / here.".into()));
    }
    asked.finish()?;
    if exists || roles.keys().any(|other| other.as_str().eq_ignore_ascii_case(name.as_str())) {
        return Err(IamError::AlreadyExists(format!("Role with name {name}")));
    }
    let made =
        MadeRole { description, max_session_seconds, created_at: now, trust, policies: BTreeMap::new() };
    let answer = format!("<Role>{}</Role>", role(account, &name, &made));
    roles.insert(name, made);
    Ok(answer)
}

fn update_assume_role_policy(
    roles: &mut MadeRoles,
    mut asked: Asked,
    _: bool,
    _: &AccountId,
    _: Timestamp,
) -> Answer {
    let (name, trust) = (asked.name()?, asked.take("PolicyDocument")?);
    asked.finish()?;
    TrustPolicy::parse(&trust)?;
    find_mut(roles, &name)?.trust = trust;
    Ok(String::new())
}

fn delete_role(roles: &mut MadeRoles, mut asked: Asked, _: bool, _: &AccountId, _: Timestamp) -> Answer {
    let name = asked.name()?;
    asked.finish()?;
    if !find(roles, &name)?.policies.is_empty() {
        return Err(IamError::StillHasPolicies);
    }
    roles.remove(&name);
    Ok(String::new())
}

/// The policies of a role count together, and so does their length.
fn put_role_policy(roles: &mut MadeRoles, mut asked: Asked, _: bool, _: &AccountId, _: Timestamp) -> Answer {
    let (name, policy_name, text) = (asked.name()?, asked.policy_name()?, asked.take("PolicyDocument")?);
    asked.finish()?;
    Policy::parse(&text)?;
    let made = find_mut(roles, &name)?;
    made.policies.insert(policy_name, text);
    Policy::parse(&made.policy())?;
    Ok(String::new())
}

fn delete_role_policy(
    roles: &mut MadeRoles,
    mut asked: Asked,
    _: bool,
    _: &AccountId,
    _: Timestamp,
) -> Answer {
    let (name, policy_name) = (asked.name()?, asked.policy_name()?);
    asked.finish()?;
    let removed = find_mut(roles, &name)?.policies.remove(&policy_name);
    removed.map(|_| String::new()).ok_or_else(|| no_policy(&policy_name))
}

fn no_policy(name: &str) -> IamError {
    IamError::NoSuchEntity(format!("The role policy with name {name}"))
}

fn get_role(roles: &MadeRoles, mut asked: Asked, account: &AccountId) -> Answer {
    let name = asked.name()?;
    asked.finish()?;
    Ok(format!("<Role>{}</Role>", role(account, &name, find(roles, &name)?)))
}

fn get_role_policy(roles: &MadeRoles, mut asked: Asked, _: &AccountId) -> Answer {
    let (name, policy_name) = (asked.name()?, asked.policy_name()?);
    asked.finish()?;
    let text = find(roles, &name)?.policies.get(&policy_name).ok_or_else(|| no_policy(&policy_name))?;
    let names = [element("RoleName", name.as_str()), element("PolicyName", &policy_name)];
    Ok([names.concat(), document("PolicyDocument", text)].concat())
}

fn list_roles(roles: &MadeRoles, asked: Asked, account: &AccountId) -> Answer {
    asked.finish()?;
    Ok(list("Roles", roles.iter().map(|(name, made)| role(account, name, made))))
}

fn list_role_policies(roles: &MadeRoles, mut asked: Asked, _: &AccountId) -> Answer {
    let name = asked.name()?;
    asked.finish()?;
    Ok(list("PolicyNames", find(roles, &name)?.policies.keys().cloned()))
}

/// There are no managed policies.
fn list_attached_role_policies(roles: &MadeRoles, asked: Asked, _: &AccountId) -> Answer {
    none_of("AttachedPolicies", roles, asked)
}

/// Nor are there machines.
fn list_instance_profiles_for_role(roles: &MadeRoles, asked: Asked, _: &AccountId) -> Answer {
    none_of("InstanceProfiles", roles, asked)
}

fn none_of(what: &str, roles: &MadeRoles, mut asked: Asked) -> Answer {
    let name = asked.name()?;
    asked.finish()?;
    find(roles, &name)?;
    Ok(list(what, []))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_of_the_path_that_roles_have() {
        let finished = |query: &str| read(query.as_bytes()).and_then(|(_, asked)| asked.finish());
        let list = "Action=ListRoles&Version=2010-05-08";
        for good in ["", "&PathPrefix=/", "&MaxItems=5"] {
            assert!(finished(&format!("{list}{good}")).is_ok(), "{good}");
        }
        for bad in ["&PathPrefix=/teams/", "&Marker=x", "&PathPrefix=/&PathPrefix=/"] {
            assert!(matches!(finished(&format!("{list}{bad}")), Err(IamError::Invalid(_))), "{bad}");
        }
    }
}
