//! `[limits]`: how often somebody may ask.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;

/// The operations of the AWS API that may have a limit: all of them.
pub const LIMITED_OPERATIONS: [&str; 25] = [
    "AssumeRoleWithWebIdentity",
    "CreateIdentityPool",
    "DeleteIdentities",
    "DeleteIdentityPool",
    "DescribeIdentity",
    "DescribeIdentityPool",
    "GetCallerIdentity",
    "GetCredentialsForIdentity",
    "GetId",
    "GetIdentityPoolRoles",
    "GetOpenIdToken",
    "GetOpenIdTokenForDeveloperIdentity",
    "GetPrincipalTagAttributeMap",
    "ListIdentities",
    "ListIdentityPools",
    "ListTagsForResource",
    "LookupDeveloperIdentity",
    "MergeDeveloperIdentities",
    "SetIdentityPoolRoles",
    "SetPrincipalTagAttributeMap",
    "TagResource",
    "UnlinkDeveloperIdentity",
    "UnlinkIdentity",
    "UntagResource",
    "UpdateIdentityPool",
];

/// How often somebody may ask. Who has no rate may ask as often as they like.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// One address of the public internet, at any path.
    pub address: Option<Rate>,
    /// One registered app.
    pub app: Option<Rate>,
    /// One access key.
    pub access_key: Option<Rate>,
    /// Tokens for one developer user.
    pub person: Option<Rate>,
    /// Everybody together, for one operation of the AWS API.
    #[serde(default)]
    pub operations: BTreeMap<OperationName, Rate>,
}

/// So many times, at once, and again in this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Rate {
    /// `N/s`
    PerSecond(NonZeroU32),
    /// `N/m`
    PerMinute(NonZeroU32),
    /// `N/h`
    PerHour(NonZeroU32),
}

impl TryFrom<String> for Rate {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let cure = "must be a number and a time, such as \"20/s\", \"600/m\" or \"1000/h\"";
        let (times, time) = text.split_once('/').ok_or(cure)?;
        if !times.bytes().all(|it| it.is_ascii_digit()) {
            return Err(cure);
        }
        let times = times.parse().map_err(|_| cure)?;
        match time {
            "s" => Ok(Self::PerSecond(times)),
            "m" => Ok(Self::PerMinute(times)),
            "h" => Ok(Self::PerHour(times)),
            _ => Err(cure),
        }
    }
}

/// An operation of the AWS API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct OperationName(String);

impl OperationName {
    /// Its name in the API.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OperationName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        if LIMITED_OPERATIONS.contains(&&*name) {
            return Ok(Self(name));
        }
        Err(format!("{name:?} is no operation that is answered here: docs/compatibility.md has their names"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        let read = |text: &str| Rate::try_from(text.to_owned());
        let times = |number| NonZeroU32::new(number).unwrap();
        assert_eq!(read("20/s"), Ok(Rate::PerSecond(times(20))));
        assert_eq!(read("600/m"), Ok(Rate::PerMinute(times(600))));
        assert_eq!(read("1/h"), Ok(Rate::PerHour(times(1))));
        for wrong in
            ["", "20", "0/s", "-1/s", "+1/s", "1.5/s", "4294967296/s", "20/d", "20 /s", "20/s/s", "/s"]
        {
            assert!(read(wrong).unwrap_err().contains("\"20/s\""), "{wrong}");
        }
    }

    #[test]
    fn an_operation_is_one_that_there_is() {
        let read = |text: &str| toml::from_str::<LimitsConfig>(text);
        assert_eq!(read("operations = { GetId = \"25/s\" }").unwrap().operations.len(), 1);
        for wrong in
            ["operations = { getid = \"25/s\" }", "operations = { GetId = \"no\" }", "addres = \"1/s\""]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
