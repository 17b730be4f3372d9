//! What a configuration leads to: secrets, the keys of those whose ID tokens are believed, and the pool that the store keeps.
//! Everything is asked at the same time, and nothing is kept or made.

use std::sync::Arc;

use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::random::SystemRandom;
use daypass_core::login::jwks::{Algorithm, JwksCache, JwksError, KeySource, Rules, Wanted};
use daypass_store::{Open, StoreUrl};
use futures::future::join_all;

use crate::cognito::{self, OurCredentials};
use crate::config::{Config, Driver, EmbeddedConfig, ProviderConfig};
use crate::installation::{Beside, find_kept};
use crate::provider_http::{Limits, Reach, ReqwestHttp, loopback};
use crate::secrets::{self, AwsSecrets, SecretStore, Secrets};

/// Fetches all of it. Says what answered, and gives back what did not, in words for the operator.
pub(super) async fn resolve(
    config: &Config,
    of_production: bool,
    mut say: impl FnMut(String) -> std::io::Result<()>,
) -> anyhow::Result<Vec<String>> {
    let clock = Arc::new(SystemClock);
    let private = config.network.allow_private.iter().cloned();
    let here = (!of_production).then(loopback).into_iter().flatten();
    let http = ReqwestHttp::called(
        config.network.user_agent.clone(),
        Limits::default(),
        Reach::with(private.chain(here)),
        clock.clone(),
        Arc::new(SystemRandom),
    )?;
    let keys = JwksCache::new(Arc::new(http), clock.clone());
    let (store, issuers) = (AwsSecrets::new(clock), issuers(config));
    let fetched = join_all(issuers.iter().map(|issuer| of_keys(&keys, issuer)));
    let (of_credentials, of_pool) = (Box::pin(of_credentials(config)), Box::pin(of_pool(config, &store)));
    let (mut failures, fetched, credentials, pool) =
        tokio::join!(of_secrets(config, &store), fetched, of_credentials, of_pool);
    let references = config.secret_references().count();
    if failures.is_empty() && references > 0 {
        say(format!("secrets: all {references} can be had"))?;
    }
    for outcome in fetched.into_iter().chain(credentials).chain(pool) {
        match outcome {
            Ok(answered) => say(answered)?,
            Err(failure) => failures.push(failure),
        }
    }
    Ok(failures)
}

async fn of_secrets(config: &Config, store: &dyn SecretStore) -> Vec<String> {
    match Secrets::fetch(config.placed_secrets(), store, secrets::AT_START).await {
        Ok(secrets) => {
            let checked = config.check_secrets(&secrets);
            checked.err().iter().flat_map(|error| error.iter().map(ToString::to_string)).collect()
        }
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

/// What Amazon is asked with, where the pool is there.
async fn of_credentials(config: &Config) -> Option<Result<String, String>> {
    let Driver::Cognito(regions) = &config.pool.driver else { return None };
    let aws = cognito::config_of_environment(&regions[0].region).await;
    let found = OurCredentials::of(&aws, Arc::new(SystemClock)).find().await;
    let named = "[[pool.region]]";
    Some(match found {
        Ok(()) => Ok(format!("{named}: there are AWS credentials to ask Amazon Cognito with")),
        Err(error) => Err(format!("{named}: {error}")),
    })
}

/// The pool that logins lead to, as the store has it, if it is kept in one.
async fn of_pool(config: &Config, secret_store: &dyn SecretStore) -> Option<Result<String, String>> {
    let Driver::Embedded(named) = &config.pool.driver else { return None };
    // That a password cannot be had is told with the secrets.
    let secrets =
        Secrets::fetch(config.placed_store_password(), secret_store, secrets::AT_START).await.ok()?;
    let url = config.opening_url(&secrets).ok().filter(|url| *url != StoreUrl::Memory)?;
    Some(kept_pool(config, named, &url).await.map_err(|error| format!("{error:#}")))
}

async fn kept_pool(config: &Config, named: &EmbeddedConfig, url: &StoreUrl) -> anyhow::Result<String> {
    let due = daypass_store::steps_due(url).await?.len();
    if due > 0 && config.migrates_store() {
        config.check_first_pool()?;
        return Ok(format!(
            "[store]: {url} is not there yet, or of an older version, and a start makes it what it has to be: what [pool] says was \
             not held against it"
        ));
    }
    let kept = match url {
        // To open it would write into the trail beside it, or make one where it was lost.
        StoreUrl::Sqlite(file) if due == 0 => daypass_store::configured_pools(file)?,
        _ => daypass_store::open(url, Open::AsItIs, &mut |_, _| {}).await?.configured_pools().await?,
    };
    Ok(match find_kept(config, named, &kept, Beside::Refused)? {
        Some(pool) => format!("[pool]: {:?} is {}, as {url} has it", named.name, pool.id),
        None => format!("[pool]: {url} has none called {:?} yet, and a start makes it", named.name),
    })
}

/// Somebody whose ID tokens are believed, and where their keys are.
struct Issuer {
    named: String,
    keys: KeySource,
}

fn issuers(config: &Config) -> Vec<Issuer> {
    let of_provider = |provider: &ProviderConfig| {
        let keys = provider.definition().ok()?.id_token?.key_source().ok()??;
        Some(Issuer { named: format!("[[provider]] id = {:?}", provider.id), keys })
    };
    let providers = config.providers.iter().filter_map(of_provider);
    let oidc = config.oidc_providers.iter().map(|provider| Issuer {
        named: format!("[[oidc_provider]] arn = {:?}", provider.arn),
        keys: provider.key_source(),
    });
    let pools = config.user_pools.iter().map(|pool| Issuer {
        named: format!("[[user_pool]] name = {:?}", pool.name),
        keys: pool.key_source(),
    });
    providers.chain(oidc).chain(pools).collect()
}

/// A key that nobody has: that it is unknown says that the keys are there.
const NOBODYS: Wanted<'_> =
    Wanted { key_id: Some("asked for by daypass check"), algorithm: Algorithm::Rs256, rules: Rules::Aws };

async fn of_keys(cache: &JwksCache, issuer: &Issuer) -> Result<String, String> {
    let (named, place) = (&issuer.named, place(&issuer.keys));
    match cache.find(&issuer.keys, &NOBODYS).await {
        Ok(_) | Err(JwksError::UnknownKey) => Ok(format!("{named}: the keys of {place} answer")),
        Err(JwksError::Unavailable(reason)) => {
            Err(format!("{named}: the keys of {place} do not answer: {reason}"))
        }
        Err(JwksError::NotAsDefined(reason)) => Err(format!("{named}: {reason}")),
    }
}

fn place(keys: &KeySource) -> &str {
    match keys {
        KeySource::JwkSet(url) => url,
        KeySource::Discovery { issuer } => issuer,
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::ConfigFile;

    /// A server with one JWK set, and nothing else.
    async fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/keys", get(async || r#"{"keys": []}"#));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn what_does_not_answer_is_told_and_what_does_as_well() {
        let server = server().await;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("more.toml");
        let oidc = |path: &str, keys: &str| {
            let name = server.strip_prefix("http://").unwrap();
            format!(
                "[[oidc_provider]]\narn = \"arn:aws:iam::000000000000:oidc-provider/{name}/{path}\"\n\
                 issuer = \"{server}/{path}\"\naudiences = [\"ours\"]\n{keys}"
            )
        };
        let provider =
            "[[provider]]\nid = \"discord\"\nclient_id = \"ours\"\nclient_secret = { file = \"gone\" }\n";
        let keys = format!("jwks_uri = \"{server}/keys\"\n");
        std::fs::write(&file, format!("{provider}{}{}", oidc("there", &keys), oidc("gone", ""))).unwrap();
        let mut answered = Vec::new();
        let say = |line| {
            answered.push(line);
            Ok(())
        };
        let failures =
            resolve(&ConfigFile::read(&file).and_then(|file| file.of_either()).unwrap(), false, say)
                .await
                .unwrap();
        assert_eq!(answered.len(), 1, "{answered:?}");
        assert!(
            answered[0].ends_with(&format!("/there\": the keys of {server}/keys answer")),
            "{answered:?}"
        );
        assert_eq!(failures.len(), 2, "{failures:?}");
        assert!(
            failures[0]
                .contains("more.toml, line 4: [[provider]] id = \"discord\": client_secret: cannot read"),
            "{failures:?}"
        );
        assert!(
            failures[1].contains("/gone\": the discovery document at") && failures[1].contains("404"),
            "{failures:?}"
        );
    }
}
