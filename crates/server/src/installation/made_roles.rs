//! Roles of development that were made while it ran, by IAM's API: a file in its directory, read with the configuration.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::ground::ids::RoleName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::private_file::write_private;

/// The file.
pub const FILE: &str = "roles.json";

/// A role, as its maker described it. Its documents were sound when they came.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MadeRole {
    /// For people.
    pub description: Option<String>,
    /// The longest session.
    pub max_session_seconds: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who may take it on: an IAM trust policy.
    pub trust: String,
    /// What its holders may do: IAM policies by their names.
    pub policies: BTreeMap<String, String>,
}

/// All of them.
pub type MadeRoles = BTreeMap<RoleName, MadeRole>;

impl MadeRole {
    /// What its policies say together: whatever one of them denies, and else what one of them allows.
    #[must_use]
    pub fn policy(&self) -> String {
        let documents = self.policies.values().filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let statements: Vec<Value> = documents.flat_map(statements_of).collect();
        let nothing = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
        let statements = if statements.is_empty() { vec![nothing] } else { statements };
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    }

    fn document(&self, name: &RoleName) -> RoleDocument {
        RoleDocument {
            name: name.clone(),
            trust: RoleTrust::Policy(self.trust.clone()),
            policy: self.policy(),
            max_session_duration: SignedDuration::from_secs(self.max_session_seconds),
        }
    }
}

fn statements_of(mut document: Value) -> Vec<Value> {
    match document["Statement"].take() {
        Value::Array(statements) => statements,
        one => vec![one],
    }
}

/// Those of a directory; none where nobody made one.
///
/// # Errors
/// If the file cannot be read, or is none of ours.
pub fn read(dir: &Path) -> std::io::Result<MadeRoles> {
    match std::fs::read_to_string(dir.join(FILE)) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(MadeRoles::new()),
        Err(error) => Err(error),
    }
}

/// Keeps them, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write(dir: &Path, roles: &MadeRoles) -> anyhow::Result<()> {
    write_private(dir, FILE, &serde_json::to_string_pretty(roles)?).map(drop)
}

/// The same, as roles are described.
pub(super) fn documents(dir: &Path) -> std::io::Result<Vec<RoleDocument>> {
    Ok(read(dir)?.iter().map(|(name, role)| role.document(name)).collect())
}

#[cfg(test)]
mod tests {
    use daypass_core::iam::{Context, Decision, Policy, Request, evaluate};

    use super::*;

    fn role(policies: &[&str]) -> MadeRole {
        let named =
            policies.iter().enumerate().map(|(index, text)| (format!("p{index}"), (*text).to_owned()));
        MadeRole {
            description: None,
            max_session_seconds: 3600,
            created_at: Timestamp::from_second(0).unwrap(),
            trust: String::new(),
            policies: named.collect(),
        }
    }

    fn may(role: &MadeRole, action: &str) -> bool {
        let policy = Policy::parse(&role.policy()).unwrap();
        let context = Context::new(&daypass_core::iam::Arrival {
            time: Timestamp::from_second(0).unwrap(),
            origin: daypass_core::iam::Origin::default(),
        });
        let request = Request { action, resource: "arn:aws:s3:::b/k", context: &context };
        evaluate(&[policy], None, &request) == Decision::Allowed
    }

    #[test]
    fn policies_count_together_and_none_allows_nothing() {
        let read = r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
        let write = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}]}"#;
        let never = r#"{"Statement": [{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}]}"#;
        let (both, denied) = (role(&[read, write]), role(&[read, write, never]));
        assert!(may(&both, "s3:GetObject") && may(&both, "s3:PutObject"));
        assert!(may(&denied, "s3:GetObject") && !may(&denied, "s3:PutObject"));
        assert!(!may(&role(&[]), "s3:GetObject"));
    }
}
