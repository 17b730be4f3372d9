//! The operations of Amazon's that are called.

use std::fmt;

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    GetOpenIdTokenForDeveloperIdentity,
    GetCredentialsForIdentity,
    GetOpenIdToken,
    LookupDeveloperIdentity,
    DescribeIdentity,
    MergeDeveloperIdentities,
}

impl Operation {
    pub(super) const ALL: [Self; 6] = [
        Self::GetOpenIdTokenForDeveloperIdentity,
        Self::GetCredentialsForIdentity,
        Self::GetOpenIdToken,
        Self::LookupDeveloperIdentity,
        Self::DescribeIdentity,
        Self::MergeDeveloperIdentities,
    ];

    /// Its name, which is that of the IAM action, too.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GetOpenIdTokenForDeveloperIdentity => "GetOpenIdTokenForDeveloperIdentity",
            Self::GetCredentialsForIdentity => "GetCredentialsForIdentity",
            Self::GetOpenIdToken => "GetOpenIdToken",
            Self::LookupDeveloperIdentity => "LookupDeveloperIdentity",
            Self::DescribeIdentity => "DescribeIdentity",
            Self::MergeDeveloperIdentities => "MergeDeveloperIdentities",
        }
    }

    /// Whether asking twice does what asking once does (docs/reference/cognito-identity.md, 3.6). A developer
    /// user gets the same identity again, also a guest's that they got a moment ago. A merge is not made
    /// twice: whose login was taken away again in between would lose it a second time.
    pub(super) fn is_repeatable(self) -> bool {
        match self {
            Self::GetOpenIdTokenForDeveloperIdentity
            | Self::GetCredentialsForIdentity
            | Self::GetOpenIdToken
            | Self::LookupDeveloperIdentity
            | Self::DescribeIdentity => true,
            Self::MergeDeveloperIdentities => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
