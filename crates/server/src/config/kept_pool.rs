//! `[pool]`, held against the pools that the store keeps. A line that says something else than it did would make strangers
//! of everybody: a pool under another name is an empty one, and tokens of another Region contradict the identities of
//! the pool. So it is refused with both values. Of a pool that is to be made, its values have their AWS forms.

use std::collections::BTreeMap;

use daypass_core::ground::ids::AccountId;
use daypass_core::records::identity::IdentityPool;
use daypass_store::StoreUrl;

use super::mistakes::{ConfigError, Mistake};
use super::{Config, Driver, EmbeddedConfig};

/// The role that a pool gives from the start to whoever signed in.
#[must_use]
pub fn first_role(account_id: &str) -> String {
    format!("arn:aws:iam::{account_id}:role/authenticated")
}

impl Config {
    /// Whether a pool that is kept under its name is the one that `[pool]` describes.
    ///
    /// # Errors
    /// [`ConfigError`], with each key that says something else than the store.
    pub fn check_kept_pool(&self, pool: &EmbeddedConfig, kept: &IdentityPool) -> Result<(), ConfigError> {
        let provider = &*self.pool.developer_provider;
        let kept_provider = kept.settings.developer_provider_name.as_deref().unwrap_or_default();
        let account = pool.account_id.as_str();
        let account_of_role =
            if self.foreign_sts.is_none() && !self.is_of_up { account_of_first_role(kept) } else { None };
        let values = [
            ("region", pool.region.as_str(), kept.id.region()),
            ("developer_provider", provider, kept_provider),
            ("account_id", account, account_of_role.unwrap_or(account)),
        ];
        let differing = values.into_iter().filter(|(_, ours, theirs)| ours != theirs);
        let mistake = |(key, ours, theirs)| self.mistake_at(key, &changed(key, ours, theirs, pool, kept));
        ConfigError::unless_empty(differing.map(mistake).collect())
    }

    /// Whether a pool may be made under this name, where other names lead to pools already.
    ///
    /// # Errors
    /// [`ConfigError`], with the names that lead to a pool.
    pub fn check_second_pool(
        &self,
        pool: &EmbeddedConfig,
        others: &BTreeMap<String, IdentityPool>,
    ) -> Result<(), ConfigError> {
        let Some((first, _)) = others.first_key_value().filter(|_| !self.is_of_up) else { return Ok(()) };
        let known: Vec<String> =
            others.iter().map(|(name, pool)| format!("{name:?} ({})", pool.id)).collect();
        let cure = format!(
            "the store has no pool {:?}, but {}, where everybody who signed in until now is: write name = {first:?} again, \
             or have `daypass pool create` make a second pool, with nobody in it",
            pool.name,
            known.join(", ")
        );
        ConfigError::unless_empty(vec![self.mistake_at("name", &cure)])
    }

    fn mistake_at(&self, key: &str, cure: &str) -> Mistake {
        self.written.mistake(&["pool".to_owned(), key.to_owned()], cure)
    }

    /// Whether the pool can be made, where there is no store yet that might have it. It is asked before that is made.
    ///
    /// # Errors
    /// [`ConfigError`], with every key of a form that no new pool has.
    pub fn check_first_pool(&self) -> Result<(), ConfigError> {
        let is_absent = match self.store.as_ref().map(|store| &store.url) {
            Some(StoreUrl::Sqlite(file)) => matches!(file.try_exists(), Ok(false)),
            // What a database has is looked at before a pool is made in it.
            Some(StoreUrl::Postgres(_) | StoreUrl::Dynamo(_)) => false,
            Some(StoreUrl::Memory) | None => true,
        };
        match &self.pool.driver {
            Driver::Embedded(pool) if is_absent => self.check_new_pool(pool),
            Driver::Embedded(_) | Driver::Cognito(_) => Ok(()),
        }
    }

    /// Whether the values of a pool that is to be made have the forms that AWS gives them, which its API holds every
    /// client to (docs/reference/cognito-identity.md, 2).
    ///
    /// # Errors
    /// [`ConfigError`], with every key that has another form.
    pub fn check_new_pool(&self, pool: &EmbeddedConfig) -> Result<(), ConfigError> {
        let values = [
            (
                "name",
                &*pool.name,
                is_name as fn(&str) -> bool,
                "1 to 128 letters, digits, spaces and _+=,.@-",
            ),
            (
                "developer_provider",
                &*self.pool.developer_provider,
                is_provider,
                "1 to 128 letters, digits and _.-",
            ),
            ("region", pool.region.as_str(), is_region, "a name such as us-east-1"),
        ];
        let wrong = values.into_iter().filter(|(_, value, has_form, _)| !has_form(value));
        let mistake = |(key, value, _, form)| {
            self.mistake_at(key, &format!("{value:?}: on AWS this is {form}; write one of that form"))
        };
        ConfigError::unless_empty(wrong.map(mistake).collect())
    }
}

fn changed(key: &str, ours: &str, theirs: &str, pool: &EmbeddedConfig, kept: &IdentityPool) -> String {
    let what = match key {
        "account_id" => "gives people a role of the account",
        _ => "was made with",
    };
    format!(
        "{ours:?}, but the pool {:?} ({}), where everybody who signed in until now is, {what} {theirs:?}: write \
         {key} = {theirs:?} again, or give a pool that is to be another one its own [store]",
        pool.name, kept.id
    )
}

/// The account of the role that the pool was made with, as long as it is that role.
fn account_of_first_role(kept: &IdentityPool) -> Option<&str> {
    let arn = kept.roles.authenticated.as_deref()?;
    let account = arn.split(':').nth(4)?;
    (AccountId::parse(account).is_ok() && first_role(account) == arn).then_some(account)
}

/// `[\w\s+=,.@-]+`
fn is_name(text: &str) -> bool {
    is_made_of(text, |c| c.is_ascii_whitespace() || "+=,.@-".contains(c))
}

/// `[\w._-]+`
fn is_provider(text: &str) -> bool {
    is_made_of(text, |c| ".-".contains(c))
}

fn is_made_of(text: &str, is_other: fn(char) -> bool) -> bool {
    let is_one = |c: char| c.is_ascii_alphanumeric() || c == '_' || is_other(c);
    (1..=128).contains(&text.len()) && text.chars().all(is_one)
}

/// Words of letters and a number at the end, at least three parts in all: `us-east-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let is_word = |word: &&str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2
        && words.iter().all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::ids::IdentityPoolId;
    use daypass_core::records::identity::{PoolRoles, PoolSettings};

    use super::*;

    const GOOD: &str = r#"
        public_url = "https://login.example.com"
        [pool]
        name = "my-app"
        developer_provider = "login.example.com"
        region = "eu-west-1"
        account_id = "123456789012"
    "#;

    /// What `[pool]` says once `from` is `to`, and the pool that it was made with.
    fn changed(from: &str, to: &str) -> (Config, EmbeddedConfig, IdentityPool) {
        assert!(GOOD.contains(from), "{from}");
        let config = Config::parse(&GOOD.replace(from, to)).unwrap();
        let Driver::Embedded(pool) = config.pool.driver.clone() else { panic!("{from}") };
        let settings = PoolSettings {
            name: "renamed since".into(),
            developer_provider_name: Some("login.example.com".into()),
            ..PoolSettings::default()
        };
        let roles = PoolRoles { authenticated: Some(first_role("123456789012")), ..PoolRoles::default() };
        (config, pool, IdentityPool::new(IdentityPoolId::parse("eu-west-1:0a").unwrap(), settings, roles))
    }

    #[test]
    fn a_pool_is_the_one_that_was_made_or_the_start_is_refused_with_both_values() {
        let (config, pool, kept) = changed("my-app", "my-app");
        config.check_kept_pool(&pool, &kept).unwrap();
        for (from, to, key) in [
            ("eu-west-1", "us-west-2", "region"),
            ("\"login.example.com\"\n        region", "\"login.example.org\"\nregion", "developer_provider"),
            ("123456789012", "210987654321", "account_id"),
        ] {
            let (config, pool, kept) = changed(from, to);
            let refused = config.check_kept_pool(&pool, &kept).unwrap_err().to_string();
            for part in [from, to] {
                let value = part.split('"').find(|part| !part.is_empty()).unwrap();
                assert!(refused.contains(&format!("{value:?}")), "{refused}");
            }
            assert!(refused.contains(&format!("[pool] {key}: ")), "{refused}");
            assert!(refused.contains(&format!("write {key} = ")), "{refused}");
        }
        let (config, pool, kept) =
            changed("eu-west-1\"\n        account_id = \"1", "us-west-2\"\naccount_id = \"9");
        assert_eq!(config.check_kept_pool(&pool, &kept).unwrap_err().count(), 2);
    }

    #[test]
    fn roles_that_somebody_gave_the_pool_say_nothing_of_its_account() {
        for role in [None, Some("arn:aws:iam::000000000000:role/people"), Some("arn:minio:iam:::role/x")] {
            let (config, pool, mut kept) = changed("my-app", "my-app");
            kept.roles.authenticated = role.map(str::to_owned);
            config.check_kept_pool(&pool, &kept).unwrap();
        }
        let sts = "210987654321\"\n[credentials]\nsource = \"sts\"\nurl = \"https://s3.example.com\"\n#";
        let (config, pool, kept) = changed("123456789012", sts);
        config.check_kept_pool(&pool, &kept).unwrap();
    }

    #[test]
    fn another_name_is_refused_with_those_that_lead_to_a_pool() {
        let (config, pool, kept) = changed("my-app", "my-ap");
        config.check_second_pool(&pool, &BTreeMap::new()).unwrap();
        let others = BTreeMap::from([("my-app".to_owned(), kept)]);
        let refused = config.check_second_pool(&pool, &others).unwrap_err().to_string();
        for part in [
            "[pool] name: ",
            "\"my-ap\"",
            "\"my-app\" (eu-west-1:0a)",
            "write name = \"my-app\"",
            "daypass pool create",
        ] {
            assert!(refused.contains(part), "{refused}");
        }
    }

    #[test]
    fn a_new_pool_has_the_forms_of_aws() {
        for (from, good) in [
            ("eu-west-1", "us-gov-west-1"),
            ("eu-west-1", "eusc-de-east-1"),
            ("my-app", "My app, v1.0+x=y@z_"),
            ("login.example.com\"\n        region", "my_app-1\"\nregion"),
        ] {
            let (config, pool, _) = changed(from, good);
            config.check_new_pool(&pool).unwrap();
        }
        let long = "a".repeat(129);
        for (from, wrong, key) in [
            ("eu-west-1", "eu-west", "region"),
            ("eu-west-1", "eu-west-1a", "region"),
            ("eu-west-1", "euwest-1", "region"),
            ("eu-west-1", "local", "region"),
            ("my-app", "my/app", "name"),
            ("my-app", "", "name"),
            ("my-app", &long, "name"),
            ("login.example.com\"\n        region", "https://a\"\nregion", "developer_provider"),
            ("login.example.com\"\n        region", "\"\nregion", "developer_provider"),
        ] {
            let (config, pool, _) = changed(from, wrong);
            let refused = config.check_new_pool(&pool).unwrap_err().to_string();
            assert!(refused.contains(&format!("[pool] {key}: ")), "{wrong}: {refused}");
        }
    }
}
