//! Condition keys that IAM knows and no request here has a value for: those of services that Daypass is not, those of other
//! providers of identities, and of the services that it is, whatever its gates do not fill in.
//!
//! Sources: the Service Authorization Reference (Amazon S3, AWS STS, Amazon Cognito Identity, AWS IAM), the IAM User Guide, "AWS
//! global condition context keys", and AWS's managed policies, which use some that stand in neither. The lists are needed for one thing: to tell these keys from slips of the pen.

/// `aws:`, for all services.
const GLOBAL: &[&str] = &[
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:ChatbotSourceArn",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:IsMcpServiceAction",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgMasterAccountId",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:username",
    "aws:ViaAWSService",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:VpcSourceIp",
];

/// The rest of the services that Daypass answers for.
const SERVED: &[&str] = &[
    "iam:AssociatedResourceArn",
    "iam:AWSServiceName",
    "iam:DelegationDuration",
    "iam:DelegationRequestOwner",
    "iam:FIDO-certification",
    "iam:FIDO-FIPS-140-2-certification",
    "iam:FIDO-FIPS-140-3-certification",
    "iam:NotificationChannel",
    "iam:OrganizationsPolicyId",
    "iam:PassedToService",
    "iam:PermissionsBoundary",
    "iam:PolicyARN",
    "iam:RegisterSecurityKey",
    "iam:RoleTemplateARN",
    "iam:ServiceSpecificCredentialAgeDays",
    "iam:ServiceSpecificCredentialServiceName",
    "iam:TemplateArn",
    "s3:AccessGrantsInstanceArn",
    "s3:AccessGrantScope",
    "s3:AccessGrantsLocationScope",
    "s3:AccessPointNetworkOrigin",
    "s3:authType",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:destinationRegion",
    "s3:ExistingJobOperation",
    "s3:ExistingJobPriority",
    "s3:if-match",
    "s3:if-none-match",
    "s3:InventoryAccessibleOptionalFields",
    "s3:isReplicationPauseRequest",
    "s3:JobSuspendedCause",
    "s3:locationconstraint",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:ObjectCreationOperation",
    "s3:RequestJobOperation",
    "s3:RequestJobPriority",
    "s3:RequestObjectTagKeys",
    "s3:ResourceAccount",
    "s3:signatureAge",
    "s3:signatureversion",
    "s3:TlsVersion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-bucket-namespace",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-ownership",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
    "sts:AWSServiceName",
    "sts:DurationSeconds",
    "sts:ExternalId",
    "sts:IdentityTokenAudience",
    "sts:RequestContextProviders",
    "sts:SigningAlgorithm",
    "sts:SourceIdentity",
    "sts:TaskPolicyArn",
    "sts:TransitiveTagKeys",
];

/// Of both, those that end in the name of a tag or the like.
const WITH_NAMES: &[&str] = &[
    "aws:RequestTag/",
    "aws:ResourceTag/",
    "iam:ResourceTag/",
    "s3:AccessPointTag/",
    "s3:BucketTag/",
    "s3:ExistingObjectTag/",
    "s3:RequestObjectTag/",
    "sts:RequestContext/",
];

/// Whose keys are listed: a name behind one of these that is in no list is a slip of the pen.
const LISTED: &[&str] = &["aws", "cognito-identity", "cognito-identity.amazonaws.com", "iam", "s3", "sts"];

/// Whether IAM knows a key that is none of those with a value here.
pub(super) fn is_known_to_iam(key: &str) -> bool {
    let Some((prefix, name)) = key.split_once(':') else { return false };
    if LISTED.iter().any(|listed| listed.eq_ignore_ascii_case(prefix)) {
        let named =
            |known: &&str| key.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
        return GLOBAL.iter().chain(SERVED).any(|known| known.eq_ignore_ascii_case(key))
            || WITH_NAMES.iter().any(|known| named(known) && key.len() > known.len());
    }
    let of_prefix = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    let of_name = |c: char| !c.is_control() && !matches!(c, '$' | '{' | '}' | ' ');
    !prefix.is_empty() && prefix.bytes().all(of_prefix) && !name.is_empty() && name.chars().all(of_name)
}

#[cfg(test)]
mod tests {
    use super::is_known_to_iam;

    #[test]
    fn keys_of_others_are_told_from_slips_of_the_pen() {
        for key in [
            "dynamodb:LeadingKeys",
            "accounts.google.com:aud",
            "oidc.eks.eu-west-1.amazonaws.com/id/4C1:sub",
            "cognito-identity-unauth:IdentityPoolArn",
            "AWS:requestedregion",
            "aws:ResourceTag/team",
            "s3:x-amz-acl",
            "s3:ExistingObjectTag/a b",
        ] {
            assert!(is_known_to_iam(key), "{key}");
        }
        for key in [
            "",
            ":",
            "a:",
            ":a",
            "LeadingKeys",
            "aws:SourceIpp",
            "s3:prefx",
            "sts:RoleSessionNam",
            "aws:ResourceTag/",
            "cognito-identity.amazonaws.com:subject",
            "iam:Nothing",
            "dynamo db:a",
            "dynamodb:a b",
            "${a:b",
            "a:${b}",
            "s3:é",
        ] {
            assert!(!is_known_to_iam(key), "{key}");
        }
    }
}
