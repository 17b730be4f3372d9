//! What makes an installation less safe than it could be. An operator may mean it, so nothing of it keeps a start from
//! going on; but every start says so in the log, with the way back. What nobody can mean is refused when the
//! configuration is read.

use std::collections::BTreeSet;
use std::path::Path;

use daypass_core::credentials::role::{Role, Roles};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::counting::counted;
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::ground::master_keys::MasterKeys;
use daypass_core::ground::seal::MasterKeyId;
use daypass_core::iam::TrustPolicy;
use daypass_core::login::provider::Provider;
use daypass_core::login::provider::definition::{Definition, IdToken, NonceMode, Pkce};
use daypass_core::login::public::UserPool;
use daypass_core::pool::{IdentityPools, resting_providers};
use daypass_core::records::identity::IdentityPool;
use daypass_core::store::StoredAccessKey;
use daypass_store::StoreUrl;

use crate::config::{ActorConfig, Config, Driver, ExportConfig, Instances, ProviderConfig, is_loopback};
use crate::origin::Proxies;
use crate::secrets;

/// How long tokens and credentials live that need no word.
const USUAL_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// What is to be said of the configuration of production. On a developer's own machine none of it is worth a word.
pub fn of_production(config: &Config, instances: Instances) -> Vec<String> {
    let mut found = secrets::exposures(config.secret_references());
    found.extend(of_store(config, instances));
    found.extend(of_addresses(config));
    found.extend(of_endpoints(config));
    found.extend(of_exports(config));
    found.extend(of_traces(config, instances));
    found.extend(of_proxies(config));
    found.extend(of_lives(config));
    found.extend(of_user_pools(config));
    found.extend(of_actors(config));
    found
}

fn of_store(config: &Config, instances: Instances) -> Vec<String> {
    let embedded = matches!(config.pool.driver, Driver::Embedded(_));
    match (config.store(), instances) {
        (Ok(StoreUrl::Sqlite(file)), _) => of_database(file).into_iter().collect(),
        (Ok(StoreUrl::Postgres(url)), _) if url.is_in_the_clear() => vec![format!(
            "[store] url: there is no TLS to {url}: whoever is on the way there can read who logs in, and change it; leave out \
             sslmode=disable if the database has it"
        )],
        (Ok(StoreUrl::Dynamo(url)), _) if url.is_in_the_clear() => vec![format!(
            "[store] url: there is no TLS to {url}: whoever is on the way there can read who logs in, and change it"
        )],
        (Ok(StoreUrl::Postgres(_) | StoreUrl::Dynamo(_)) | Err(_), _) => Vec::new(),
        (Ok(StoreUrl::Memory), Instances::Many) => of_memories(embedded),
        (Ok(StoreUrl::Memory), Instances::One) => vec![format!(
            "[store] url = \"memory:\": which proofs were spent and what was revoked is forgotten when this process \
             ends{}: write \"sqlite:FILE\"",
            if embedded { ", and so is whose identity is whose" } else { "" }
        )],
    }
}

/// Each instance of a function knows what it did itself.
fn of_memories(embedded: bool) -> Vec<String> {
    let absent = "[store] url = \"memory:\" is each instance's own, so nothing can be counted once: the sign-in page /login is \
                  absent, GET /v1/providers has no login_url, and signed fields, such as those of Telegram's widget and of \
                  Steam, are refused; send people to their provider from a page of your own, or run `daypass serve` with \
                  \"sqlite:FILE\"";
    let pool = "the embedded pool in memory is this instance's own: each instance gives everybody another identity and signs \
                with another key; this is for trying things out, and driver = \"cognito\" is for people";
    [absent].into_iter().chain(embedded.then_some(pool)).map(str::to_owned).collect()
}

fn of_database(file: &Path) -> Option<String> {
    secrets::exposure_of(file, "whose identity is whose, and all keys, sealed")
}

/// Addresses of the machine that a browser runs on belong into the configuration of development.
fn of_addresses(config: &Config) -> Vec<String> {
    if is_loopback(&config.public_url) {
        return vec![format!(
            "public_url = {:?} is an address of this machine, so logins, origins and redirect URIs need no TLS: that is \
             for development, and people need https://",
            config.public_url
        )];
    }
    let origins = config.apps.iter().flat_map(|app| app.origins.iter().map(move |origin| (&app.id, origin)));
    let local = origins.filter(|(_, origin)| is_loopback(origin));
    let warning = |(app, origin)| {
        format!(
            "[[app]] id = {app:?}: whatever runs at {origin} on a visitor's own machine may call this server as the app: \
             that is for development; take it out of `origins`"
        )
    };
    local.map(warning).collect()
}

/// What AWS requests and people's tokens travel to.
fn of_endpoints(config: &Config) -> Vec<String> {
    let mut endpoints = Vec::new();
    if let Driver::Cognito(regions) = &config.pool.driver {
        let urls = regions.iter().filter_map(|region| Some((region, region.endpoint_url.clone()?)));
        let key = |region| format!("[[pool.region]] region = \"{region}\": endpoint_url");
        endpoints.extend(urls.map(|(region, url)| (key(&region.region), url)));
    }
    if let Some(sts) = &config.foreign_sts {
        endpoints.push(("[credentials] url".to_owned(), sts.url.to_string()));
    }
    let in_the_clear =
        endpoints.into_iter().filter(|(_, url)| !url.starts_with("https:") && !is_loopback(url));
    let warning = |(key, url)| {
        format!(
            "{key} = {url:?}: whoever is on the way there can read people's tokens; use https:// if it has it"
        )
    };
    in_the_clear.map(warning).collect()
}

/// What stands in an address may be the receiver's secret.
fn of_exports(config: &Config) -> Vec<String> {
    let in_the_clear = config.audit.exports.iter().filter(|export| export.is_in_the_clear());
    let warning = |export: &ExportConfig| {
        format!(
            "[[audit.export]] name = {:?}: url has no TLS: whoever is on the way there can read who did what, and change it; \
             use https:// if the receiver has it",
            export.name.as_str()
        )
    };
    in_the_clear.map(warning).collect()
}

fn of_traces(config: &Config, instances: Instances) -> Vec<String> {
    let Some(traces) = &config.traces else { return Vec::new() };
    let in_the_clear = "[traces]: url has no TLS: whoever is on the way there can read when people sign in, and the headers that \
                        let us in; write https:// if the collector has it";
    let frozen =
        "[traces]: instances of a function are frozen between two requests, and send none; leave it out";
    let found = [(traces.is_in_the_clear(), in_the_clear), (instances == Instances::Many, frozen)];
    found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, warning)| warning.to_owned()).collect()
}

fn of_proxies(config: &Config) -> Vec<String> {
    let wide = config.network.trusted_proxies.iter().filter(|proxy| proxy.is_wide());
    let warning = |proxy| {
        format!(
            "[network] trusted_proxies: {proxy} is a large part of the Internet, and whoever calls from there is \
             believed about where they call from, by aws:SourceIp too; name the networks that your proxies are in"
        )
    };
    wide.map(warning).collect()
}

fn of_lives(config: &Config) -> Vec<String> {
    let (mut found, tokens) = (Vec::new(), config.pool.max_token_duration);
    if tokens > USUAL_LIFE {
        let revocable = matches!(config.pool.driver, Driver::Embedded(_));
        let how = if revocable { "or is revoked" } else { "and Amazon Cognito takes none back" };
        found.push(format!(
            "[pool] max_token_duration = \"{tokens:#}\": whoever gets hold of a token is its person until it expires, \
             {how}; leave it out unless there are clients that cannot log in again"
        ));
    }
    if let Some(sts) = &config.foreign_sts
        && sts.duration > USUAL_LIFE
    {
        found.push(format!(
            "[credentials] duration = \"{:#}\": credentials of another STS work until they expire, whatever is revoked \
             here; leave it out unless somebody's work takes longer than an hour",
            sts.duration
        ));
    }
    found
}

fn of_user_pools(config: &Config) -> Vec<String> {
    let warning = |pool: &UserPool| {
        format!(
            "[[user_pool]] {:?}: whom {} vouches for is believed to be of Amazon's user pool: that is for an emulator; \
             take it out",
            pool.name, pool.issuer
        )
    };
    config.user_pools.iter().map(warning).collect()
}

/// Services and people may come from one issuer, and mostly do not.
fn of_actors(config: &Config) -> Vec<String> {
    let is_for_people = |id: &str| config.providers.iter().any(|it| it.id == id && !it.only_actors);
    let open = config.actors.iter().filter(|actor| is_for_people(actor.provider()));
    let warning = |actor: &ActorConfig| {
        format!(
            "[[actor]] id = \"{}\": everybody whom [[provider]] {:?} vouches for may sign in as well, other services too: write \
             only_actors = true there, if it is for services",
            actor.id(),
            actor.provider()
        )
    };
    open.map(warning).collect()
}

/// A pool whose tokens were to be signed in some way, and that is not there: its ID may be misspelt.
pub fn of_tokens_of(pool_id: &IdentityPoolId) -> String {
    format!(
        "[tokens] pools: there is no pool {pool_id}, so nothing is signed as it says: ListIdentityPools has the IDs"
    )
}

/// Keys that sign and are not in the HSM of the configuration: whoever has the store and the master key has them.
pub fn of_signing_keys(config: &Config, held_in_the_store: &[String]) -> Option<String> {
    config.tokens.pkcs11.as_ref().filter(|_| !held_in_the_store.is_empty())?;
    Some(format!(
        "[tokens.pkcs11]: tokens are still signed with {}, which this server made before and keeps in its store: `daypass key \
         rotate-signing` has the HSM make the next ones",
        held_in_the_store.join(" and ")
    ))
}

/// What an operator switched on or off for one provider.
pub fn of_provider(config: &ProviderConfig, provider: &Provider) -> Vec<String> {
    let id = &provider.id;
    let unbound = provider.takes_unbound_tokens().then(|| {
        format!(
            "access tokens of {id} are taken whichever app they were issued to: whoever runs another app there can sign in \
             here as any of its people. Take accept_unbound_access_tokens out of its [[provider]] unless that is meant"
        )
    });
    let weaker = weaker(config, &provider.definition).into_iter().map(|(key, what)| {
        format!("[[provider]] id = {id:?}: {key} is weaker than in the catalogue: {what}; take it out unless that is meant")
    });
    unbound.into_iter().chain(weaker).collect()
}

/// Keys that an operator laid over a block of the catalogue, and that ask for less than it does.
fn weaker(config: &ProviderConfig, ours: &Definition) -> Vec<(&'static str, &'static str)> {
    let name = config.block();
    let Some(theirs) = Definition::of_catalogue(name) else { return Vec::new() };
    let both = theirs.id_token.as_ref().zip(ours.id_token.as_ref());
    let nonce = |it: &IdToken| it.nonce != NonceMode::None;
    let age = |it: &IdToken| it.max_age.unwrap_or(i64::MAX);
    let signed = theirs.signed_fields.as_ref().zip(ours.signed_fields.as_ref());
    let found = [
        (
            theirs.pkce == Pkce::Required && ours.pkce == Pkce::Never,
            ("pkce", "whoever gets hold of a code can show it"),
        ),
        (
            both.is_some_and(|(theirs, ours)| nonce(theirs) && !nonce(ours)),
            ("id_token.nonce", "an ID token counts whichever login it was issued for"),
        ),
        (
            both.is_some_and(|(theirs, ours)| age(theirs) < age(ours)),
            ("id_token.max_age", "an ID token counts for longer"),
        ),
        (
            signed.is_some_and(|(theirs, ours)| theirs.max_age_seconds < ours.max_age_seconds),
            ("signed_fields.max_age_seconds", "signed fields count for longer"),
        ),
    ];
    found.into_iter().filter_map(|(is_weaker, key)| is_weaker.then_some(key)).collect()
}

/// What is to be said of the embedded pool as it is now, and of the roles that lead out of it.
pub fn of_pool(pools: &IdentityPools, pool: &IdentityPool) -> Vec<String> {
    let guests = pool.settings.allow_unauthenticated_identities.then(|| {
        format!(
            "the pool {} lets guests in: whoever knows its ID makes identities without end, and has what its role for \
             unauthenticated identities allows. UpdateIdentityPool turns it off",
            pool.id
        )
    });
    guests.into_iter().chain(of_roles(pools, pool)).chain(of_providers(pools, pool)).collect()
}

/// Providers of a pool at which nobody can log in yet, and what the pool keeps for providers that it does not have any more.
pub fn of_providers(pools: &IdentityPools, pool: &IdentityPool) -> Vec<String> {
    let unknown = pool.settings.open_id_connect_provider_arns.iter();
    let unknown = unknown.filter(|arn| !pools.public_logins.knows_oidc_provider(arn)).map(|arn| {
        format!(
            "the pool {} names the OpenID Connect provider {arn:?}, and nobody can log in there: the configuration has no \
             [[oidc_provider]] with arn = {arn:?}",
            pool.id
        )
    });
    let resting = resting_providers(pool).into_iter().map(|key| {
        format!(
            "the pool {} keeps a role mapping or principal tags for {key:?}, which is none of its providers: they rest \
             until UpdateIdentityPool names it again",
            pool.id
        )
    });
    unknown.chain(resting).collect()
}

/// What is to be said of the roles that a pool gives.
pub fn of_roles(pools: &IdentityPools, pool: &IdentityPool) -> Vec<String> {
    of_missing_roles(pools, pool).into_iter().chain(of_mappings(pools, pool)).collect()
}

/// Whoever is given a role that is not there gets a token and no credentials, which may be meant: a token is all that
/// AssumeRoleWithWebIdentity needs for another role.
fn of_missing_roles(pools: &IdentityPools, pool: &IdentityPool) -> Vec<String> {
    let warning = |arn| {
        format!(
            "the pool {} gives people the role {arn}, which is not there, so they get tokens and no credentials: write a \
             [[role]] of its name, or give the pool another role by SetIdentityPoolRoles",
            pool.id
        )
    };
    pools.roles_that_are_missing(pool).into_iter().map(warning).collect()
}

/// A role mapping gives a role to some; a trust policy of its own that opens it to whoever logs in makes nothing of
/// that. The trust policy decides, as on AWS, and the operator hears of it.
fn of_mappings(pools: &IdentityPools, pool: &IdentityPool) -> Vec<String> {
    let warning = |role: &Role| {
        format!(
            "the role mappings of the pool {} give the role {} to some, and its trust policy opens it to everybody who \
             logs in there, by AssumeRoleWithWebIdentity: take `trust` out of its [[role]], or narrow that policy",
            pool.id, role.name
        )
    };
    pools.mapped_roles_open_to_everybody(pool).into_iter().map(warning).collect()
}

/// Where nobody tells who stands behind the proxy in front, a policy that asks where callers are opens nothing, and what
/// it denies is denied to all. The operator hears of each role.
pub fn of_hidden_callers(roles: &Roles, proxies: &Proxies) -> Vec<String> {
    let asks = |role: &&Role| {
        role.policy.asks_for_origin() || role.trust_policy().is_some_and(TrustPolicy::asks_for_origin)
    };
    let roles = roles.iter().filter(asks).filter(|_| proxies.hide_callers());
    let warning = |role: &Role| {
        format!(
            "the role {} asks for aws:SourceIp or aws:SecureTransport, and whoever ends TLS in front of Daypass hides \
             both: name that proxy in `trusted_proxies` of [network]",
            role.name
        )
    };
    roles.map(warning).collect()
}

/// What a policy allows under a condition that is never known here, it allows at AWS alone. The operator hears of each role.
pub fn of_unfilled_keys(roles: &Roles) -> Vec<String> {
    let keys = |role: &Role| -> BTreeSet<String> {
        let asked = role.policy.unfilled_keys().into_iter();
        let asked = asked.chain(role.trust_policy().into_iter().flat_map(TrustPolicy::unfilled_keys));
        asked.map(str::to_owned).collect()
    };
    let asking = roles.iter().map(|role| (role, keys(role))).filter(|(_, keys)| !keys.is_empty());
    let warning = |(role, keys): (&Role, BTreeSet<String>)| {
        format!(
            "the role {} asks for {}, for which no request here has a value that is known: what its policies allow under such a \
             condition, they do not allow here",
            role.name,
            keys.into_iter().collect::<Vec<_>>().join(", ")
        )
    };
    asking.map(warning).collect()
}

/// The access keys whose secrets nothing here opens: a master key was taken away too early.
pub fn of_closed_access_keys(keys: &[StoredAccessKey], master_keys: &MasterKeys) -> Vec<String> {
    let wanted = |key: &StoredAccessKey| {
        let wanted = key.sealed_secret.master_key();
        wanted.filter(|wanted| master_keys.ids().all(|id| id != *wanted))
    };
    let warning = |(key, wanted): (&StoredAccessKey, MasterKeyId)| {
        format!(
            "whoever signs with the access key {} of {} is answered with 503, because its secret is sealed under the master key {wanted}, which is not \
             configured: bring that one back into other_master_keys, and run `daypass master-key rotate`",
            key.id, key.name
        )
    };
    keys.iter().filter_map(|key| Some((key, wanted(key)?))).map(warning).collect()
}

/// What is kept under a master key that is gone.
pub fn of_closed_values(wanted: MasterKeyId, count: u64) -> String {
    format!(
        "the master key {wanted}, which is not configured, seals {}: whoever needs one, to go on with a session, say, is \
         answered with 503 until that key is back in other_master_keys and `daypass master-key rotate` was run; \
         `daypass master-key list` counts them",
        counted(count, "value", "values")
    )
}

/// Writes warnings into the log.
pub fn log(warnings: impl IntoIterator<Item = String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}

#[cfg(test)]
mod tests;
