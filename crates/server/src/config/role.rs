//! `[[role]]`: the roles that the embedded pool may give, by the files of their policies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityPoolId, RoleName};
use daypass_core::iam::{Policy, PolicyError, TrustPolicy};
use daypass_core::token::openid_token::AUTHENTICATED;
use serde::Deserialize;

use super::mistakes::{ConfigError, Mistake};
use super::reading::{At, Reading};

/// A role, by the files of its policies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleConfig {
    /// Its name, the last part of its ARN.
    pub name: RoleName,
    /// What its holders may do: an IAM policy.
    pub policy: PathBuf,
    /// Who may take it on: an IAM trust policy. Without one, whoever logged in at a pool and gets the role from it: as its
    /// default role, or by a role mapping.
    pub trust: Option<PathBuf>,
    /// Which pools may give it, if there is no trust policy to say so.
    pub pools: Option<Givers>,
}

/// Which pools may give a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Givers {
    /// The pool of the configuration.
    Configured,
    /// Whatever pool names it by SetIdentityPoolRoles.
    Naming,
}

/// Reads the roles, whose files start from `base`, and looks into their policies.
pub(super) fn read(reading: &mut Reading<'_>, base: &Path) -> Vec<RoleConfig> {
    let mut roles = reading.each::<RoleConfig>("role");
    let (mut names, mut mistakes) = (BTreeSet::new(), Vec::new());
    for At { place, value: role } in &mut roles {
        role.start_from(base);
        if !names.insert(role.name.clone()) {
            mistakes.push(place.below("name", "stands there twice; give each role a name of its own"));
        }
        for (key, mistake) in role.mistakes() {
            mistakes.push(place.below(key, &mistake));
        }
    }
    reading.note(mistakes);
    roles.into_iter().map(|role| role.value).collect()
}

impl RoleConfig {
    /// The role, its policies read. One without a trust policy is the configured pool's to give.
    ///
    /// # Errors
    /// [`ConfigError`], if a file cannot be read any more.
    pub(super) fn load(&self, pool_id: &IdentityPoolId) -> Result<RoleDocument, ConfigError> {
        let trust = match &self.trust {
            Some(file) => RoleTrust::Policy(read_file(file)?),
            None => self.given(pool_id),
        };
        Ok(RoleDocument {
            name: self.name.clone(),
            policy: read_file(&self.policy)?,
            max_session_duration: SignedDuration::from_hours(1),
            trust,
        })
    }

    fn given(&self, pool_id: &IdentityPoolId) -> RoleTrust {
        match self.pools {
            Some(Givers::Naming) => RoleTrust::NamingPools { amr: AUTHENTICATED },
            Some(Givers::Configured) | None => {
                RoleTrust::Pool { pool_id: pool_id.clone(), amr: AUTHENTICATED }
            }
        }
    }

    /// Whether it says nothing of who may take it on.
    pub(crate) fn leaves_trust_open(&self) -> bool {
        self.trust.is_none() && self.pools.is_none()
    }

    fn start_from(&mut self, base: &Path) {
        self.policy = base.join(&self.policy);
        self.trust = self.trust.take().map(|trust| base.join(trust));
    }

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let policy = mistake_of(&self.policy, |text| Policy::parse(text).map(drop));
        let trust = self.trust.as_deref();
        let trust = trust.and_then(|file| mistake_of(file, |text| TrustPolicy::parse(text).map(drop)));
        let both = self.trust.is_some() && self.pools.is_some();
        let both = both
            .then(|| "goes without `trust`, which says by `aud` which pools may give the role".to_owned());
        [("policy", policy), ("trust", trust), ("pools", both)]
            .into_iter()
            .filter_map(|(key, mistake)| Some((key, mistake?)))
            .collect()
    }
}

fn mistake_of(file: &Path, parse: impl Fn(&str) -> Result<(), PolicyError>) -> Option<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => parse(&text).err().map(|error| format!("{}: {error}", file.display())),
        Err(error) => Some(format!("cannot read {}: {error}", file.display())),
    }
}

fn read_file(file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|error| Mistake::unreadable(file, &error).into())
}
