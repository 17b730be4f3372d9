//! The roles that development has from the start. Whatever pool names one of them gives it, so that one which was made
//! through the API needs no more than SetIdentityPoolRoles.

use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityPoolId, RoleName};
use serde_json::{Value, json};

use crate::config::development::{BUCKET, ROLES};

/// What guests may read.
const PUBLIC_FOLDER: &str = "public";

/// Their names.
pub(super) fn names() -> [RoleName; 2] {
    ROLES.map(|name| RoleName::parse(name).expect("it matches the pattern"))
}

/// The role of everybody who logged in, which the pool has from the start, and that of guests, which it has
/// not: guests are let in by whoever holds the developer key, and by nobody's forgetfulness.
pub(super) fn roles(_: &IdentityPoolId) -> Vec<RoleDocument> {
    let policies = [own_folder_policy(), public_folder_policy()];
    let role = |((name, amr), policy): ((RoleName, &'static str), Value)| RoleDocument {
        trust: RoleTrust::NamingPools { amr },
        name,
        policy: policy.to_string(),
        max_session_duration: SignedDuration::from_hours(1),
    };
    names().into_iter().zip(ROLES).zip(policies).map(role).collect()
}

/// Each person lists, reads and writes in the folder named after their identity, and nowhere else.
fn own_folder_policy() -> Value {
    let folder = "${cognito-identity.amazonaws.com:sub}";
    let read_and_write = json!([
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:GetObjectAttributes",
        "s3:GetObjectTagging",
        "s3:PutObjectTagging",
        "s3:DeleteObjectTagging"
    ]);
    json!({"Version": "2012-10-17", "Statement": [list(folder), within(folder, &read_and_write)]})
}

/// A guest lists and reads the public folder, and writes nowhere.
fn public_folder_policy() -> Value {
    let read = json!("s3:GetObject");
    json!({"Version": "2012-10-17", "Statement": [list(PUBLIC_FOLDER), within(PUBLIC_FOLDER, &read)]})
}

fn list(folder: &str) -> Value {
    json!({
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": format!("arn:aws:s3:::{BUCKET}"),
        "Condition": {"StringLike": {"s3:prefix": [format!("{folder}/"), format!("{folder}/*")]}}
    })
}

fn within(folder: &str, actions: &Value) -> Value {
    json!({
        "Effect": "Allow",
        "Action": actions,
        "Resource": format!("arn:aws:s3:::{BUCKET}/{folder}/*")
    })
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::clock::Timestamp;
    use daypass_core::iam::{self, Arrival, Context, Decision, Key, Origin, Policy};

    use daypass_core::token::openid_token::UNAUTHENTICATED;

    use super::*;

    const OBJECT: &str = "arn:aws:s3:::daypass-demo/public/hello.txt";

    fn guest_may(action: &str, resource: &str, prefix: Option<&str>) -> bool {
        let role = &roles(&IdentityPoolId::parse("us-east-1:aa").unwrap())[1];
        assert_eq!(role.name.as_str(), UNAUTHENTICATED);
        let policy = Policy::parse(&role.policy).unwrap();
        let time = Timestamp::from_second(1_700_000_000).unwrap();
        let context = Context::new(&Arrival { time, origin: Origin::default() });
        let context = prefix.into_iter().fold(context, |context, prefix| context.with(Key::S3Prefix, prefix));
        let request = iam::Request { action, resource, context: &context };
        iam::evaluate(std::slice::from_ref(&policy), None, &request) == Decision::Allowed
    }

    #[test]
    fn a_guest_reads_the_public_folder_and_writes_nowhere() {
        assert!(guest_may("s3:GetObject", OBJECT, None));
        assert!(!guest_may("s3:GetObject", "arn:aws:s3:::daypass-demo/us-east-1:aa/diary.txt", None));
        assert!(!guest_may("s3:GetObject", "arn:aws:s3:::daypass-demo/publicity.txt", None));
        for action in ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] {
            assert!(!guest_may(action, OBJECT, None), "{action}");
        }
    }

    #[test]
    fn a_guest_lists_the_public_folder_alone() {
        let bucket = "arn:aws:s3:::daypass-demo";
        assert!(guest_may("s3:ListBucket", bucket, Some("public/")));
        for prefix in [None, Some(""), Some("public"), Some("publicity/"), Some("us-east-1:aa/")] {
            assert!(!guest_may("s3:ListBucket", bucket, prefix), "{prefix:?}");
        }
    }

    #[test]
    fn every_role_trusts_pools_that_name_it_and_one_kind_of_login() {
        let roles = roles(&IdentityPoolId::parse("us-east-1:aa").unwrap());
        let names: Vec<_> = roles.iter().map(|role| role.name.to_string()).collect();
        assert_eq!(names, ROLES);
        let kind = |role: &RoleDocument| match role.trust {
            RoleTrust::NamingPools { amr } => amr,
            RoleTrust::Pool { .. } | RoleTrust::Policy(_) => panic!("{role:?}"),
        };
        assert_eq!(roles.iter().map(kind).collect::<Vec<_>>(), ROLES);
    }
}
