//! Roles: what somebody may take on, and what they may do then. They come from the configuration, and
//! are compiled when it is read, so that a policy with a mistake stops the start and not a request.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;

use crate::ground::clock::SignedDuration;
use crate::ground::ids::{AccountId, IdentityPoolId, RoleName, base32};
use crate::iam::{Policy, PolicyError, TrustPolicy};

/// A role as the configuration states it.
#[derive(Debug, Clone)]
pub struct RoleDocument {
    /// Its name.
    pub name: RoleName,
    /// Who may take it on.
    pub trust: RoleTrust,
    /// What they may do then, an IAM policy.
    pub policy: String,
    /// The longest session, 1 to 12 hours.
    pub max_session_duration: SignedDuration,
}

/// Who may take a role on.
#[derive(Debug, Clone)]
pub enum RoleTrust {
    /// The identities of one pool to whom it gives the role, be it with GetCredentialsForIdentity or with
    /// AssumeRoleWithWebIdentity, and who have `amr` among their methods.
    Pool {
        /// The pool.
        pool_id: IdentityPoolId,
        /// [`AUTHENTICATED`](crate::token::openid_token::AUTHENTICATED) or [`UNAUTHENTICATED`](crate::token::openid_token::UNAUTHENTICATED).
        amr: &'static str,
    },
    /// The identities of whatever pools name it among their roles, who get it in the same ways and have `amr` among their
    /// methods. Who may set the roles of a pool says to whom it is given.
    NamingPools {
        /// As for `Pool`.
        amr: &'static str,
    },
    /// Whoever this IAM trust policy admits. It has to check both `aud` and `amr`. As on AWS, it decides alone about
    /// AssumeRoleWithWebIdentity, whatever the role mappings of the pool say.
    Policy(String),
}

impl RoleDocument {
    /// The trust policy of a role for the identities of one pool with `amr` among their methods:
    /// [`AUTHENTICATED`](crate::token::openid_token::AUTHENTICATED) or
    /// [`UNAUTHENTICATED`](crate::token::openid_token::UNAUTHENTICATED).
    #[must_use]
    pub fn trust_in_pool(pool_id: &IdentityPoolId, amr: &str) -> String {
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": pool_id},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": amr}
                }
            }]
        })
        .to_string()
    }
}

/// A role, its policies compiled.
#[derive(Debug)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// `arn:aws:iam::<account>:role/<name>`.
    pub arn: String,
    /// `AROA…`, the same after every start.
    pub unique_id: String,
    /// Who may take it on.
    pub trust: Trust,
    /// What they may do then.
    pub policy: Policy,
    /// The longest session.
    pub max_session_duration: SignedDuration,
}

/// Who may take on a role, compiled.
#[derive(Debug)]
pub enum Trust {
    /// Of those to whom a pool gives it, whoever this admits.
    Given(Arc<TrustPolicy>),
    /// Of those to whom a pool gives it that names it, whoever is authenticated as it says.
    GivenByNamingPools(TrustInPools),
    /// Whoever this admits: a trust policy of the operator's.
    Admitted(Arc<TrustPolicy>),
}

/// The trust policies of a role in each pool that names it.
#[derive(Debug)]
pub struct TrustInPools {
    amr: &'static str,
    compiled: Mutex<HashMap<IdentityPoolId, Arc<TrustPolicy>>>,
}

/// More are not remembered at once.
const MAX_COMPILED: usize = 1_024;

impl TrustInPools {
    fn for_those_with(amr: &'static str) -> Self {
        Self { amr, compiled: Mutex::default() }
    }

    fn of(&self, pool_id: &IdentityPoolId) -> Arc<TrustPolicy> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = compiled.get(pool_id) {
            return policy.clone();
        }
        let policy = TrustPolicy::parse(&RoleDocument::trust_in_pool(pool_id, self.amr));
        let policy = Arc::new(policy.expect("the policy checks pool and login"));
        if compiled.len() >= MAX_COMPILED {
            compiled.clear();
        }
        compiled.insert(pool_id.clone(), policy.clone());
        policy
    }
}

impl Role {
    /// Whether no trust policy of the operator's opens it, so that AssumeRoleWithWebIdentity takes it on only where
    /// the pool gives it.
    #[must_use]
    pub fn is_given_by_pool(&self) -> bool {
        !matches!(self.trust, Trust::Admitted(_))
    }

    /// Whether it is for nobody to whom only the token of a provider gives it, and not the pool.
    #[must_use]
    pub fn has_to_be_named(&self) -> bool {
        matches!(self.trust, Trust::GivenByNamingPools(_))
    }

    /// Its trust policy, if it has one that does not depend on the pool.
    #[must_use]
    pub fn trust_policy(&self) -> Option<&TrustPolicy> {
        match &self.trust {
            Trust::Given(policy) | Trust::Admitted(policy) => Some(policy),
            Trust::GivenByNamingPools(_) => None,
        }
    }

    /// Its trust policy for the identities of a pool. Where that has to name the role, somebody else has looked.
    pub(crate) fn trust_policy_for(&self, pool_id: &IdentityPoolId) -> Arc<TrustPolicy> {
        match &self.trust {
            Trust::Given(policy) | Trust::Admitted(policy) => policy.clone(),
            Trust::GivenByNamingPools(trust) => trust.of(pool_id),
        }
    }
}

/// What is wrong with the roles of an installation.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// A document has a mistake.
    #[error("role {role}: {document}: {source}")]
    Document {
        /// The role.
        role: RoleName,
        /// Which of its documents.
        document: &'static str,
        /// The mistake.
        source: PolicyError,
    },
    /// One ARN would stand for two roles.
    #[error("there are two roles with the name {0}; give each a name of its own")]
    Duplicate(RoleName),
}

/// All roles of an installation.
#[derive(Debug)]
pub struct Roles {
    account_id: AccountId,
    by_name: BTreeMap<RoleName, Role>,
}

impl Roles {
    /// Compiles the roles of the configuration.
    ///
    /// # Errors
    /// [`RoleError`] for the first mistake.
    pub fn compile(account_id: AccountId, documents: Vec<RoleDocument>) -> Result<Self, RoleError> {
        let mut by_name = BTreeMap::new();
        for document in documents {
            let role = compile(&account_id, document)?;
            if let Some(twin) = by_name.insert(role.name.clone(), role) {
                return Err(RoleError::Duplicate(twin.name));
            }
        }
        Ok(Self { account_id, by_name })
    }

    /// The account that the roles belong to.
    #[must_use]
    pub fn account_id(&self) -> &AccountId {
        &self.account_id
    }

    /// The role with this name.
    #[must_use]
    pub fn find(&self, name: &RoleName) -> Option<&Role> {
        self.by_name.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.by_name.values()
    }

    /// The role with this ARN.
    #[must_use]
    pub fn find_by_arn(&self, arn: &str) -> Option<&Role> {
        self.by_name.values().find(|role| role.arn == arn)
    }
}

fn compile(account_id: &AccountId, document: RoleDocument) -> Result<Role, RoleError> {
    let arn = format!("arn:aws:iam::{account_id}:role/{}", document.name);
    let wrong = |which| {
        let role = document.name.clone();
        move |source| RoleError::Document { role, document: which, source }
    };
    let parse = |text: &str| TrustPolicy::parse(text).map_err(wrong("trust policy"));
    let trust = match &document.trust {
        RoleTrust::Pool { pool_id, amr } => {
            Trust::Given(Arc::new(parse(&RoleDocument::trust_in_pool(pool_id, amr))?))
        }
        RoleTrust::NamingPools { amr } => Trust::GivenByNamingPools(TrustInPools::for_those_with(amr)),
        RoleTrust::Policy(policy) => Trust::Admitted(Arc::new(parse(policy)?)),
    };
    Ok(Role {
        unique_id: unique_id("AROA", &arn),
        trust,
        policy: Policy::parse(&document.policy).map_err(wrong("policy"))?,
        name: document.name,
        arn,
        max_session_duration: document.max_session_duration,
    })
}

/// An IAM unique ID that follows from the ARN: AWS draws them at random, but nothing here keeps them. The
/// prefix says of what: `AROA` of a role, `AIDA` of a user.
#[must_use]
pub fn unique_id(prefix: &str, arn: &str) -> String {
    let digest = digest::digest(&digest::SHA256, arn.as_bytes());
    let bytes = digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes");
    format!("{prefix}{}", base32(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(trust_policy: &str) -> RoleDocument {
        RoleDocument {
            name: RoleName::parse("authenticated").unwrap(),
            trust: RoleTrust::Policy(trust_policy.into()),
            policy: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#
                .into(),
            max_session_duration: SignedDuration::from_hours(1),
        }
    }

    fn compile(trust_policy: &str) -> Result<Roles, RoleError> {
        Roles::compile(AccountId::parse("000000000000").unwrap(), vec![document(trust_policy)])
    }

    #[test]
    fn a_role_is_found_by_its_arn_alone() {
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let roles = compile(&RoleDocument::trust_in_pool(&pool_id, "authenticated")).unwrap();
        let role = roles.find_by_arn("arn:aws:iam::000000000000:role/authenticated").unwrap();
        assert_eq!((role.unique_id.len(), &role.unique_id[..4]), (20, "AROA"));
        assert!(roles.find_by_arn("arn:aws:iam::111111111111:role/authenticated").is_none());
        assert!(roles.find_by_arn("authenticated").is_none());
    }

    /// However often it is asked, and whichever pool came before.
    #[test]
    fn a_role_that_pools_name_trusts_each_for_itself() {
        let trust = TrustInPools::for_those_with("authenticated");
        let pools = ["us-east-1:aa", "us-east-1:bb"].map(|id| IdentityPoolId::parse(id).unwrap());
        let compiled: Vec<String> =
            pools.iter().chain(&pools).map(|id| format!("{:?}", trust.of(id))).collect();
        for (policy, pool) in compiled.iter().zip(pools.iter().chain(&pools)) {
            let expected = TrustPolicy::parse(&RoleDocument::trust_in_pool(pool, "authenticated")).unwrap();
            assert_eq!(*policy, format!("{expected:?}"), "{pool}");
        }
        assert_ne!(compiled[0], compiled[1]);
    }

    #[test]
    fn two_roles_cannot_share_a_name() {
        let trust =
            RoleDocument::trust_in_pool(&IdentityPoolId::parse("us-east-1:aa").unwrap(), "authenticated");
        let account_id = AccountId::parse("000000000000").unwrap();
        let twins = Roles::compile(account_id, vec![document(&trust), document(&trust)]);
        assert!(matches!(twins, Err(RoleError::Duplicate(name)) if name.as_str() == "authenticated"));
    }

    #[test]
    fn a_trust_policy_that_checks_no_audience_stops_the_start() {
        let careless = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}"#;
        let error = compile(careless).unwrap_err().to_string();
        assert!(error.starts_with("role authenticated: trust policy: "), "{error}");
        assert!(error.contains("aud"), "{error}");
    }
}
