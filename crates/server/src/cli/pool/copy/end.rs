//! One end of a copy: an account and Region of Amazon Cognito, or a running Daypass. Both are the same API,
//! reached through AWS's own SDK.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentity::types::IdentityPoolShortDescription;
use daypass_core::ground::counting::counted;
use daypass_core::ground::ids::IdentityPoolId;

use super::configuration::{COPIED_FROM, Configuration, TagMap};
use crate::cli::tell;
use crate::config::development::PROFILE;
use crate::printable::printable;

/// The management API answers few calls a second. With the SDK's backoff the last attempt comes some seconds
/// after the first.
const ATTEMPTS: u32 = 5;

/// The largest page of ListIdentityPools.
const PAGE: i32 = 60;

/// A Region, and perhaps a pool in it, as they are typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub region: String,
    pub pool: Option<String>,
}

impl Place {
    /// `REGION`, `REGION:GUID`, which is a pool ID as it stands, or `REGION:POOL` with a whole pool ID.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (region, pool) = match text.split_once(':') {
            None => (text, None),
            Some((region, pool)) if pool.contains(':') => (region, Some(pool.to_owned())),
            Some((region, _)) => (region, Some(text.to_owned())),
        };
        daypass_core::ground::ids::Region::parse(region)
            .map_err(|error| format!("{error}, as us-east-1 does; what follows a colon is a pool"))?;
        if let Some(pool) = &pool {
            IdentityPoolId::parse(pool.as_str()).map_err(|error| error.to_string())?;
        }
        Ok(Self { region: region.to_owned(), pool })
    }
}

/// How an end is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    pub endpoint: Option<String>,
    pub profile: Option<String>,
    pub dir: Option<PathBuf>,
}

/// An end.
pub struct End {
    pub region: String,
    pub client: Client,
    pub sts: aws_sdk_sts::Client,
    way: Way,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.region)?;
        let Way { endpoint, profile, dir } = &self.way;
        endpoint.iter().try_for_each(|url| write!(f, " at {url}"))?;
        dir.iter().try_for_each(|dir| write!(f, " of {}", dir.display()))?;
        profile.iter().try_for_each(|name| write!(f, ", profile {name}"))
    }
}

/// A pool, and what it is set to.
#[derive(Debug, Clone)]
pub struct Pool {
    pub id: String,
    pub configuration: Configuration,
    /// The tags of the target that say whose copy it is.
    pub copied_from: Option<String>,
}

impl End {
    pub async fn connect(region: &str, way: &Way) -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        let loader = match &way.dir {
            Some(dir) => loader.profile_files(files_of(dir)).profile_name(PROFILE),
            None => loader,
        };
        let loader = way.profile.iter().fold(loader, ConfigLoader::profile_name);
        let loader = way.endpoint.iter().fold(loader, ConfigLoader::endpoint_url);
        let config = loader.load().await;
        Self {
            region: region.to_owned(),
            client: Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            way: way.clone(),
        }
    }

    /// The pool that is named, or the only one there is.
    pub async fn choose(&self, named: Option<&str>) -> anyhow::Result<String> {
        if let Some(id) = named {
            return Ok(id.to_owned());
        }
        match &self.list().await?[..] {
            [] => bail!("there is no pool in {self}"),
            [only] => Ok(id_of(only)),
            several => bail!("there are several pools in {self}: name one.\n{}", listed(several)),
        }
    }

    /// All that a pool is set to; `settings_only` leaves out what more calls would be needed for.
    pub async fn read(&self, id: &str, settings_only: bool) -> anyhow::Result<Pool> {
        let described = self.client.describe_identity_pool().identity_pool_id(id).send().await;
        let described = described.map_err(|error| self.failed("DescribeIdentityPool", error))?;
        let tags = described.identity_pool_tags.as_ref();
        let copied_from = tags.and_then(|tags| tags.get(COPIED_FROM)).cloned();
        let mut configuration = Configuration::new(described);
        if !settings_only {
            self.read_roles(id, &mut configuration).await?;
            configuration.tag_maps = self.read_tag_maps(id, &configuration).await?;
        }
        Ok(Pool { id: id.to_owned(), configuration, copied_from })
    }

    async fn read_roles(&self, id: &str, configuration: &mut Configuration) -> anyhow::Result<()> {
        let roles = self.client.get_identity_pool_roles().identity_pool_id(id).send().await;
        let roles = roles.map_err(|error| self.failed("GetIdentityPoolRoles", error))?;
        configuration.roles = roles.roles.unwrap_or_default();
        configuration.role_mappings = roles.role_mappings.unwrap_or_default();
        Ok(())
    }

    async fn read_tag_maps(
        &self,
        id: &str,
        configuration: &Configuration,
    ) -> anyhow::Result<BTreeMap<String, TagMap>> {
        let mut maps = BTreeMap::new();
        for provider in configuration.providers() {
            let map = self.read_tag_map(id, &provider).await?;
            if map != TagMap::default() {
                maps.insert(provider, map);
            }
        }
        Ok(maps)
    }

    /// A provider that goes by another name has no map under this one, whatever the API says of it.
    async fn read_tag_map(&self, id: &str, provider: &str) -> anyhow::Result<TagMap> {
        let request = self.client.get_principal_tag_attribute_map().identity_pool_id(id);
        match request.identity_provider_name(provider).send().await {
            Ok(map) => Ok(TagMap {
                use_defaults: map.use_defaults.unwrap_or_default(),
                tags: map.principal_tags.unwrap_or_default().into_iter().collect(),
            }),
            Err(error)
                if matches!(
                    error.code(),
                    Some("ResourceNotFoundException" | "InvalidParameterException")
                ) =>
            {
                Ok(TagMap::default())
            }
            Err(error) => Err(self.failed("GetPrincipalTagAttributeMap", error)),
        }
    }

    /// The pool that an earlier run made as a copy of `source`.
    pub async fn find_copy(&self, source: &str, settings_only: bool) -> anyhow::Result<Option<Pool>> {
        let mut copies = Vec::new();
        let pools = self.list().await?;
        let number = counted(pools.len() as u64, "pool", "pools");
        tell(&format!("looking for an earlier copy among the {number} in {self}"));
        for pool in pools {
            let found = self.read(&id_of(&pool), true).await?;
            if found.copied_from.as_deref() == Some(source) {
                copies.push(pool);
            }
        }
        match &copies[..] {
            [] => Ok(None),
            [only] => Ok(Some(self.read(&id_of(only), settings_only).await?)),
            several => bail!(
                "{self} has several copies of {source}: delete all but one, or name one with --to \
                 REGION:POOL.\n{}",
                listed(several)
            ),
        }
    }

    async fn list(&self) -> anyhow::Result<Vec<IdentityPoolShortDescription>> {
        let mut pools = Vec::new();
        let mut next_token = None;
        loop {
            let request = self.client.list_identity_pools().max_results(PAGE).set_next_token(next_token);
            let page = request.send().await.map_err(|error| self.failed("ListIdentityPools", error))?;
            pools.extend(page.identity_pools.unwrap_or_default());
            next_token = page.next_token.filter(|token| !token.is_empty());
            if next_token.is_none() {
                return Ok(pools);
            }
        }
    }

    /// What went wrong with a call, in the words of whoever refused it or could not be reached.
    pub fn failed<E, R>(&self, operation: &str, error: SdkError<E, R>) -> anyhow::Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let said = error.code().map(|code| match error.message() {
            Some(message) => format!("{code}: {}", printable(message)),
            None => code.to_owned(),
        });
        match said {
            Some(said) => anyhow!("{operation} in {self} failed: {said}"),
            None => anyhow::Error::from(error).context(format!(
                "{operation} in {self} failed; check the Region, the endpoint and the profile of this end"
            )),
        }
    }

    /// Partition and account of whoever calls, as ARNs carry them.
    pub async fn partition_and_account(&self) -> anyhow::Result<(String, String)> {
        let caller = self.sts.get_caller_identity().send().await;
        let caller = caller.map_err(|error| self.failed("GetCallerIdentity", error))?;
        let partition = caller.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
        Ok((partition, caller.account.context("GetCallerIdentity names no account")?))
    }
}

fn id_of(pool: &IdentityPoolShortDescription) -> String {
    pool.identity_pool_id().unwrap_or_default().to_owned()
}

fn listed(pools: &[IdentityPoolShortDescription]) -> String {
    let line = |pool: &IdentityPoolShortDescription| {
        format!("  {}  {}", id_of(pool), printable(pool.identity_pool_name().unwrap_or_default()))
    };
    pools.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The profile that `up` wrote into its directory.
fn files_of(dir: &Path) -> EnvConfigFiles {
    EnvConfigFiles::builder()
        .with_file(EnvConfigFileKind::Config, dir.join("aws-config"))
        .with_file(EnvConfigFileKind::Credentials, dir.join("aws-credentials"))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "eu-west-1:2f1f392d-0000-4000-8000-000000000000";

    #[test]
    fn a_place_is_a_region_and_perhaps_a_pool() {
        let place = |region: &str, pool: Option<&str>| {
            Ok(Place { region: region.into(), pool: pool.map(str::to_owned) })
        };
        assert_eq!(Place::parse("us-east-1"), place("us-east-1", None));
        assert_eq!(Place::parse(ID), place("eu-west-1", Some(ID)));
        assert_eq!(Place::parse(&format!("us-east-1:{ID}")), place("us-east-1", Some(ID)));
        for wrong in ["", "US", "us-east-1:", "us-east-1:xyz", ":0a", "us-east-1:eu:"] {
            assert!(Place::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
