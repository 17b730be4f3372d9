//! What S3 has and this endpoint has not, answered as S3 does where it is switched off: nobody else owns anything, and
//! access control lists do nothing (S3 User Guide, "Bucket owner enforced").

use axum::http::StatusCode;
use s3s::dto::{
    AccessControlPolicy, Grant, Grantee, ObjectOwnership, Owner, OwnershipControls, OwnershipControlsRule,
    Permission, Type,
};
use s3s::{S3Error, S3Result, s3_error};

use crate::s3::codes::with_code;
use crate::s3::disk::Disk;

/// Whom everything belongs to. S3 names accounts by 64 hexadecimal digits.
const OWNER_ID: &str = "6461797061737300000000000000000000000000000000000000000000000000";

/// Who owns buckets and objects.
pub(super) fn owner() -> Owner {
    Owner { id: Some(OWNER_ID.into()), display_name: Some("daypass".into()) }
}

/// The owner may do everything, and nobody else is named.
pub(super) fn grants() -> Vec<Grant> {
    let owner = owner();
    let grantee = Grantee {
        id: owner.id,
        display_name: owner.display_name,
        email_address: None,
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    vec![Grant {
        grantee: Some(grantee),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    }]
}

fn is_as_it_is(named: &[Grant]) -> bool {
    let [Grant { grantee: Some(grantee), permission: Some(permission) }] = named else { return false };
    grantee.id.as_deref() == Some(OWNER_ID) && permission.as_str() == Permission::FULL_CONTROL
}

/// That lists do nothing.
pub(super) fn ownership() -> OwnershipControls {
    let enforced = ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED);
    OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership: enforced }] }
}

/// A list that says what is so anyway, by a name or grant by grant.
///
/// # Errors
/// If it says anything else.
pub(super) fn check_acl(acl: Option<&str>, policy: Option<&AccessControlPolicy>) -> S3Result<()> {
    match (acl, policy.and_then(|policy| policy.grants.as_ref())) {
        (Some("private" | "bucket-owner-full-control"), None) => Ok(()),
        (None, Some(named)) if is_as_it_is(named) => Ok(()),
        _ => Err(s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs.")),
    }
}

/// That a bucket has no setting of a kind, or is none.
pub(super) fn unset(disk: &Disk, bucket: &str, code: &'static str) -> S3Error {
    if let Err(error) = disk.bucket(bucket) {
        return error.into();
    }
    with_code(code, StatusCode::NOT_FOUND, "The bucket has no such configuration.")
}
