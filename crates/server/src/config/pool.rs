//! `[pool]`: whose identity pool logins lead to. A key of the other driver is refused, because it would mean
//! nothing where it stands.

use std::collections::BTreeSet;
use std::fmt;

use daypass_core::broker::login_tags::LoginTags;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{AccountId, IdentityPoolId, Region};
use daypass_core::login::provider::definition::seconds;
use daypass_core::records::limits::MAX_TOKEN_SECONDS;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Amazon's default quota of GetOpenIdTokenForDeveloperIdentity for an account in a Region, in requests a second
/// (AWS: quotas in Amazon Cognito).
const DEFAULT_QUOTA: u32 = 50;
/// More than Amazon grants anybody.
pub(super) const MAX_QUOTA: u32 = 100_000;

/// The longest life of a token that clients may ask for, unless the operator says otherwise, in seconds.
const DEFAULT_MAX_TOKEN_DURATION: i64 = 60 * 60;

/// The identity pool.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RawPool")]
pub struct PoolConfig {
    /// The key in `Logins` that stands for this broker.
    pub developer_provider: String,
    /// The session tags of everybody who logs in.
    pub principal_tags: LoginTags,
    /// The longest life of a token that a client may ask for.
    pub max_token_duration: SignedDuration,
    /// Whose pool it is.
    pub driver: Driver,
}

/// Whose pool it is.
#[derive(Debug, Clone)]
pub enum Driver {
    /// Our own.
    Embedded(EmbeddedConfig),
    /// Amazon Cognito's, in at least one Region, the first preferred.
    Cognito(Vec<RegionConfig>),
}

/// A pool of our own.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Its name; the pool is created under it when the server first starts.
    pub name: String,
    /// The Region that IDs and ARNs carry.
    pub region: Region,
    /// The account that ARNs carry.
    pub account_id: AccountId,
    /// How many rules the role mapping of one provider may have, 1 to 400; Cognito's quota is the default.
    pub role_mapping_rules: Option<usize>,
}

/// A pool of Amazon's in one Region.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionConfig {
    /// The Region.
    pub region: Region,
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// How many tokens a second the account may ask for there.
    #[serde(default = "default_quota")]
    pub quota: u32,
    /// Where the API answers, if it is not where the AWS SDK says.
    pub endpoint_url: Option<String>,
}

fn default_quota() -> u32 {
    DEFAULT_QUOTA
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPool {
    #[serde(default)]
    driver: DriverName,
    developer_provider: String,
    #[serde(default)]
    principal_tags: LoginTags,
    #[serde(default, deserialize_with = "seconds::deserialize")]
    max_token_duration: Option<i64>,
    name: Option<String>,
    region: Option<Regions>,
    account_id: Option<AccountId>,
    role_mapping_rules: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DriverName {
    #[default]
    Embedded,
    Cognito,
}

/// `region = "…"` of the one driver, or `[[pool.region]]` of the other.
enum Regions {
    One(Region),
    Each(Vec<RegionConfig>),
}

impl<'de> Deserialize<'de> for Regions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Regions;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a Region, or [[pool.region]] tables")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Regions, E> {
                Region::parse(text).map(Regions::One).map_err(E::custom)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, regions: A) -> Result<Regions, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(regions)).map(Regions::Each)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl TryFrom<RawPool> for PoolConfig {
    type Error = String;

    fn try_from(raw: RawPool) -> Result<Self, String> {
        let (developer_provider, principal_tags) =
            (raw.developer_provider.clone(), raw.principal_tags.clone());
        let max_token_duration = raw.max_token_duration.unwrap_or(DEFAULT_MAX_TOKEN_DURATION);
        if max_token_duration > MAX_TOKEN_SECONDS {
            return Err(
                "max_token_duration: no token of a pool lives longer than 24 hours; write 24h or less".into(),
            );
        }
        let max_token_duration = SignedDuration::from_secs(max_token_duration);
        let driver = match raw.driver {
            DriverName::Embedded => Driver::Embedded(embedded(raw)?),
            DriverName::Cognito => Driver::Cognito(cognito(raw)?),
        };
        Ok(Self { developer_provider, principal_tags, max_token_duration, driver })
    }
}

/// The grammar has looked whether every key is there, and none of the other driver's.
fn embedded(raw: RawPool) -> Result<EmbeddedConfig, String> {
    match (raw.name, raw.region, raw.account_id) {
        (Some(name), Some(Regions::One(region)), Some(account_id)) => {
            Ok(EmbeddedConfig { name, region, account_id, role_mapping_rules: raw.role_mapping_rules })
        }
        _ => {
            Err("[[pool.region]] goes with driver = \"cognito\": write that, or region = \"…\" in [pool]"
                .into())
        }
    }
}

fn cognito(raw: RawPool) -> Result<Vec<RegionConfig>, String> {
    match raw.region {
        Some(Regions::Each(regions)) if !regions.is_empty() => check_regions(regions),
        Some(Regions::One(region)) => Err(format!(
            "with driver = \"cognito\" a Region names its pool: write [[pool.region]], and below it \
             region = \"{region}\" and pool_id = \"{region}:…\""
        )),
        Some(Regions::Each(_)) | None => {
            let text =
                "driver = \"cognito\" needs a pool: write [[pool.region]], and below it region and pool_id";
            Err(text.into())
        }
    }
}

fn check_regions(regions: Vec<RegionConfig>) -> Result<Vec<RegionConfig>, String> {
    let mut seen = BTreeSet::new();
    let twice = regions.iter().find(|region| !seen.insert(&region.region));
    match twice {
        Some(twice) => {
            Err(format!("region: {:?} stands there twice; each Region has one pool", twice.region.as_str()))
        }
        None => Ok(regions),
    }
}

impl RegionConfig {
    /// Whether its parts can be true together.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.pool_id.region() == self.region.as_str() {
            return Ok(());
        }
        Err(format!("pool_id = \"{}\" is a pool of another Region", self.pool_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const EMBEDDED: &str = r#"
        name = "my-app"
        developer_provider = "login.example.com"
        region = "us-east-1"
        account_id = "000000000000"
    "#;

    const COGNITO: &str = r#"
        driver = "cognito"
        developer_provider = "login.example.com"
        [[region]]
        region = "us-east-1"
        pool_id = "us-east-1:0a"
        [[region]]
        region = "eu-west-1"
        pool_id = "eu-west-1:0b"
        quota = 200
        endpoint_url = "http://127.0.0.1:5000"
    "#;

    fn complaint(good: &str, from: &str, to: &str) -> String {
        assert!(good.contains(from), "{from}");
        refused(&good.replace(from, to))
    }

    /// What is told of a configuration with this in its `[pool]`.
    fn refused(pool: &str) -> String {
        let text = format!(
            "public_url = \"https://a.example\"\n[pool]\n{}",
            pool.replace("[[region]]", "[[pool.region]]")
        );
        Config::parse(&text).unwrap_err().to_string()
    }

    #[test]
    fn the_embedded_pool_is_the_default() {
        for text in [EMBEDDED.to_owned(), format!("driver = \"embedded\"\n{EMBEDDED}")] {
            let pool: PoolConfig = toml::from_str(&text).unwrap();
            let Driver::Embedded(embedded) = pool.driver else { panic!("{text}") };
            assert_eq!((embedded.name.as_str(), embedded.region.as_str()), ("my-app", "us-east-1"));
        }
    }

    #[test]
    fn the_life_of_tokens_has_a_limit_with_either_driver() {
        for good in [EMBEDDED, COGNITO] {
            let read = |text: &str| toml::from_str::<PoolConfig>(&format!("{text}\n{good}"));
            assert_eq!(read("").unwrap().max_token_duration, SignedDuration::from_hours(1));
            for (text, seconds) in [("90s", 90), ("15m", 900), ("24h", 86_400)] {
                let pool = read(&format!("max_token_duration = {text:?}")).unwrap();
                assert_eq!(pool.max_token_duration.as_secs(), seconds);
            }
            for (text, cure) in [
                ("25h", "write 24h or less"),
                ("86401s", "write 24h or less"),
                ("9223372036854775807h", "write 24h or less"),
                ("0s", "write `90s`"),
                ("-1h", "write `90s`"),
                ("1é", "write `90s`"),
            ] {
                let error = read(&format!("max_token_duration = {text:?}")).unwrap_err().to_string();
                assert!(error.contains(cure), "{text}: {error}");
            }
        }
    }

    #[test]
    fn amazons_pools_stand_in_their_order() {
        let pool: PoolConfig = toml::from_str(COGNITO).unwrap();
        let Driver::Cognito(regions) = pool.driver else { panic!("{COGNITO}") };
        let read: Vec<_> = regions.iter().map(|it| (it.region.as_str(), it.quota)).collect();
        assert_eq!(read, [("us-east-1", 50), ("eu-west-1", 200)]);
        assert_eq!(regions[0].endpoint_url, None);
    }

    #[test]
    fn what_goes_with_the_other_driver_is_refused_with_the_cure() {
        for (good, from, to, cure) in [
            (COGNITO, "driver", "name = \"my-app\"\ndriver", "[pool] name: goes with driver = \"embedded\""),
            (COGNITO, "driver", "account_id = \"000000000000\"\ndriver", "leave it out"),
            (COGNITO, "driver", "role_mapping_rules = 3\ndriver", "[pool] role_mapping_rules: goes with"),
            (
                COGNITO,
                "driver = \"cognito\"",
                "name = \"a\"\naccount_id = \"000000000000\"",
                "[[pool.region]] goes with driver = \"cognito\"",
            ),
            (EMBEDDED, "region = \"us-east-1\"", "driver = \"cognito\"", "account_id: goes with"),
            (EMBEDDED, "name = \"my-app\"", "", "[pool] name: missing"),
            (EMBEDDED, "account_id = \"000000000000\"", "", "[pool] account_id: missing"),
            (EMBEDDED, "region = \"us-east-1\"", "", "[pool] region: missing"),
            (
                EMBEDDED,
                "name",
                "driver = \"amazon\"\nname",
                "[pool] driver: must be \"embedded\" or \"cognito\"",
            ),
        ] {
            let complaint = complaint(good, from, to);
            assert!(complaint.contains(cure), "{complaint}");
        }
        let bare = "driver = \"cognito\"\ndeveloper_provider = \"a\"\n";
        let complaint = |text: &str| refused(&format!("{bare}{text}"));
        assert!(complaint("").contains("[pool] region: missing"));
        assert!(complaint("region = []").contains("needs a pool"));
        assert!(complaint("region = \"us-east-1\"").contains("pool_id = \"us-east-1:…\""));
        assert!(complaint("region = 7").contains("[[pool.region]] tables"));
    }

    #[test]
    fn session_tags_go_with_either_driver_and_are_checked() {
        for (good, place) in [(EMBEDDED, "name"), (COGNITO, "driver")] {
            let with =
                |tag: &str| good.replacen(place, &format!("principal_tags.from = {tag:?}\n{place}"), 1);
            let pool: PoolConfig = toml::from_str(&with("{provider}")).unwrap();
            assert_ne!(pool.principal_tags, LoginTags::default());
            let refused = toml::from_str::<PoolConfig>(&with("*")).unwrap_err().to_string();
            assert!(refused.contains("may hold only letters"), "{refused}");
            let reserved = good.replacen(place, &format!("principal_tags.\"aws:from\" = \"x\"\n{place}"), 1);
            let refused = toml::from_str::<PoolConfig>(&reserved).unwrap_err().to_string();
            assert!(refused.contains("begins with aws:, which is reserved"), "{refused}");
        }
    }

    #[test]
    fn a_region_that_cannot_be_is_refused_with_its_place() {
        for (from, to, cure) in [
            (
                "us-east-1:0a",
                "us-east-2:0a",
                "[[pool.region]] region = \"us-east-1\": pool_id = \"us-east-2:0a\" is a pool of another",
            ),
            ("us-east-1:0a", "0a", "pool_id"),
            (
                "\"eu-west-1\"\n        pool_id = \"eu-west-1:0b\"",
                "\"us-east-1\"\npool_id = \"us-east-1:0b\"",
                "twice",
            ),
            ("quota = 200", "quota = 0", "must be 1 to 100000"),
            ("quota = 200", "quotas = 2", "quotas: unknown key; did you mean `quota`?"),
            ("http://", "ftp://", "endpoint_url: must start with"),
        ] {
            let complaint = complaint(COGNITO, from, to);
            assert!(complaint.contains(cure), "{complaint}");
        }
    }
}
