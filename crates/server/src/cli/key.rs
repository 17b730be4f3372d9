//! `daypass key`: developer access keys, and the keys that sign tokens (`signing_key.rs`). They work on the database beside a running server, which looks every
//! key up again for each request.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, ensure};
use clap::{Args, Subcommand, ValueEnum};
use daypass_core::credentials::access_key::{ALLOW_ALL, AccessKeyError, AccessKeys};
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::ids::{AccessKeyId, IdentityPoolId, UserName};
use daypass_core::ground::random::SystemRandom;
use daypass_core::ground::secret::Secret;
use daypass_core::store::{SharedStore, StoredAccessKey};
use daypass_store::Open;
use serde_json::json;

use super::place::Place;
use super::signing_key::{self, RotateSigning};
use super::{print, tell};
use crate::installation::{Beside, ConfiguredPool, Installation};

/// What can be done with access keys.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Make an access key for a new developer, and print its secret once
    ///
    /// Stdout gets a block for an AWS credentials file, such as ~/.aws/credentials.
    Create(Create),
    /// List all access keys
    List(Place),
    /// Print the policy of a developer
    Policy(OfName),
    /// Add a second key with the same policy, to take over from the first
    Rotate(OfName),
    /// Stop accepting a key, from the next request on
    Disable(OfId),
    /// Accept a disabled key again
    Enable(OfId),
    /// Delete a disabled key, and with the last of its name the name
    Delete(OfId),
    /// Publish keys that sign tokens from some hours on, in the place of those that do now
    ///
    /// Stdout gets the IDs of the new keys (`kid`), one a line. Tokens of the old ones count until they expire.
    RotateSigning(RotateSigning),
    /// List the keys that sign tokens: which does, and which is still believed
    ListSigning(Place),
}

/// Who gets a key, and for what.
#[derive(Debug, Args)]
pub struct Create {
    /// The developer: letters, digits and _+=,.@- (at most 64)
    #[arg(value_parser = |text: &str| UserName::parse(text))]
    name: UserName,
    #[command(flatten)]
    policy: PolicySource,
    /// The pool for `--preset tokens`; the one that logins lead to unless given
    #[arg(long, value_name = "ID", conflicts_with = "policy", value_parser = |text: &str| IdentityPoolId::parse(text))]
    pool: Option<IdentityPoolId>,
    #[command(flatten)]
    place: Place,
}

/// Where the policy comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PolicySource {
    /// A file with an IAM policy: what the key may do
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A policy made for you
    #[arg(long)]
    preset: Option<Preset>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// Vouch for people in one pool: get their tokens, look them up, merge and unlink them
    Tokens,
    /// Everything, everywhere
    Admin,
}

/// What is done to all keys of a developer.
#[derive(Debug, Args)]
pub struct OfName {
    /// The developer
    #[arg(value_parser = |text: &str| UserName::parse(text))]
    name: UserName,
    #[command(flatten)]
    place: Place,
}

/// What is done to one key.
#[derive(Debug, Args)]
pub struct OfId {
    /// The access key ID, AKIA…
    #[arg(value_parser = |text: &str| AccessKeyId::parse(text))]
    id: AccessKeyId,
    #[command(flatten)]
    place: Place,
}

pub async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Create(arguments) => create(arguments).await,
        Task::List(place) => list(&place).await,
        Task::Policy(OfName { name, place }) => show_policy(&name, &place).await,
        Task::Rotate(OfName { name, place }) => rotate(&name, &place).await,
        Task::Disable(OfId { id, place }) => set_enabled(&id, false, &place).await,
        Task::Enable(OfId { id, place }) => set_enabled(&id, true, &place).await,
        Task::Delete(OfId { id, place }) => delete(&id, &place).await,
        Task::RotateSigning(arguments) => signing_key::rotate(arguments).await,
        Task::ListSigning(place) => signing_key::list(&place).await,
    }
}

async fn create(arguments: Create) -> anyhow::Result<()> {
    let Create { name, policy, pool, place } = arguments;
    let opened = Opened::of(&place, Open::OrMake).await?;
    let keys = opened.keys_to_make().await?;
    let text = match (&policy.policy, policy.preset) {
        (Some(file), _) => {
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
        }
        (None, Some(Preset::Tokens)) => tokens_policy(&opened, pool).await?,
        (None, _) => {
            ensure!(pool.is_none(), "--preset admin is not confined to a pool: leave --pool out");
            ALLOW_ALL.to_owned()
        }
    };
    let (key, secret) = keys.create(&name, &text).await.map_err(|error| match error {
        AccessKeyError::Policy(error) => {
            anyhow!("{}: {error}", policy.policy.as_deref().unwrap_or(Path::new("the preset")).display())
        }
        error => explain(error, &name.to_string()),
    })?;
    tell(&format!("Made the access key {} for {name}. Its secret is shown this once:", key.id));
    show_once(&keys, &key, &secret).await
}

/// What a backend needs that vouches for people in one pool.
async fn tokens_policy(opened: &Opened, pool: Option<IdentityPoolId>) -> anyhow::Result<String> {
    let pool_id = if let Some(id) = pool {
        let known = opened.store.lookup_pool(&id).await?;
        known.with_context(|| format!("there is no pool {id}; ListIdentityPools shows those there are"))?.id
    } else {
        let ConfiguredPool { pool, news } = opened.installation.pool(&opened.store, Beside::Refused).await?;
        if let Some(news) = news {
            tell(&format!("Note: {news}."));
        }
        pool.id
    };
    let statement = json!({
        "Effect": "Allow",
        "Action": [
            "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
            "cognito-identity:LookupDeveloperIdentity",
            "cognito-identity:MergeDeveloperIdentities",
            "cognito-identity:UnlinkDeveloperIdentity",
        ],
        "Resource": opened.installation.pool_arn(&pool_id)?,
    });
    Ok(format!("{:#}", json!({"Version": "2012-10-17", "Statement": [statement]})))
}

async fn list(place: &Place) -> anyhow::Result<()> {
    let keys = keys(place).await?;
    print(&format!("{:<20}  {:<8}  {:<20}  NAME", "ID", "STATE", "CREATED"))?;
    for StoredAccessKey { id, name, created_at, enabled, .. } in keys.list().await? {
        let state = if enabled { "enabled" } else { "disabled" };
        print(&format!("{id}  {state:<8}  {created_at:.0}  {name}"))?;
    }
    Ok(())
}

async fn show_policy(name: &UserName, place: &Place) -> anyhow::Result<()> {
    let keys = keys(place).await?;
    let key = keys.list().await?.into_iter().find(|key| key.name == *name);
    let key = key.ok_or_else(|| explain(AccessKeyError::Unknown, &format!("of {name}")))?;
    Ok(print(key.policy.trim_end())?)
}

async fn rotate(name: &UserName, place: &Place) -> anyhow::Result<()> {
    let keys = Opened::of(place, Open::Existing).await?.keys_to_make().await?;
    let rotated = keys.rotate(name).await;
    let (key, secret) = rotated.map_err(|error| explain(error, &format!("of {name}")))?;
    tell(&format!(
        "Added the access key {} for {name}. Its secret is shown this once.\n\
         Put this block in the place of the old one:",
        key.id
    ));
    show_once(&keys, &key, &secret).await?;
    let others = keys.list().await?.into_iter().filter(|other| other.name == *name && other.enabled);
    for other in others.filter(|other| other.id != key.id) {
        tell(&format!("When nothing uses the old key any more: daypass key disable {}", other.id));
    }
    Ok(())
}

async fn set_enabled(id: &AccessKeyId, enabled: bool, place: &Place) -> anyhow::Result<()> {
    let keys = keys(place).await?;
    let changed = keys.set_enabled(id, enabled).await;
    let key = changed.map_err(|error| explain(error, id.as_str()))?;
    let now = if enabled { "enabled" } else { "disabled" };
    Ok(print(&format!("The access key {id} of {} is {now}.", key.name))?)
}

async fn delete(id: &AccessKeyId, place: &Place) -> anyhow::Result<()> {
    let keys = keys(place).await?;
    let key = keys.delete(id).await.map_err(|error| explain(error, id.as_str()))?;
    Ok(print(&format!("The access key {id} of {} is deleted.", key.name))?)
}

/// An installation and its store.
struct Opened {
    installation: Installation,
    store: SharedStore,
}

impl Opened {
    /// Before `serve` is started for the first time, its store is made.
    async fn of(place: &Place, open: Open) -> anyhow::Result<Self> {
        let installation = place.find()?;
        Ok(Self { store: installation.store(open).await?, installation })
    }

    /// The access keys, of which one is to be made: under another master key than the store's own, nobody could use it.
    /// The signing keys tell which that is; in a new store they are made, so that the first server is held to it, too.
    async fn keys_to_make(&self) -> anyhow::Result<AccessKeys> {
        self.installation.region()?;
        self.installation.key_ring(&self.store).await?;
        self.keys().await
    }

    async fn keys(&self) -> anyhow::Result<AccessKeys> {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let (trail, master_keys) =
            (self.installation.trail(&self.store)?, self.installation.master_keys().await?);
        Ok(AccessKeys::new(self.store.clone(), &master_keys, trail, clock, random))
    }
}

async fn keys(place: &Place) -> anyhow::Result<AccessKeys> {
    Opened::of(place, Open::Existing).await?.keys().await
}

/// Shows a secret that nobody can show again. A key whose secret nobody has seen would stay enabled, so it is taken back.
async fn show_once(keys: &AccessKeys, key: &StoredAccessKey, secret: &Secret) -> anyhow::Result<()> {
    let Err(unshown) = print_block(key, secret) else { return Ok(()) };
    let id = &key.id;
    let taken_back = match keys.set_enabled(id, false).await {
        Ok(_) => keys.delete(id).await,
        Err(error) => Err(error),
    };
    // Told here: of a reader that went away nobody is told at the end.
    tell(&match taken_back {
        Ok(_) => format!("The access key {id} was taken back, because its secret could not be shown."),
        Err(error) => format!(
            "The secret of the access key {id} could not be shown, and the key not be taken back ({error}): `daypass key disable {id}`"
        ),
    });
    Err(unshown)
}

/// As AWS's tools read it. The name of a developer has no character that would end the heading.
fn print_block(key: &StoredAccessKey, secret: &Secret) -> anyhow::Result<()> {
    Ok(print(&format!(
        "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}",
        key.name,
        key.id,
        secret.expose()
    ))?)
}

/// What went wrong with `whose` key, and what to do about it.
fn explain(error: AccessKeyError, whose: &str) -> anyhow::Error {
    match error {
        AccessKeyError::NameTaken => anyhow!(
            "{whose} has an access key already: `daypass key rotate {whose}` adds one, or choose another name"
        ),
        AccessKeyError::Unknown => {
            anyhow!("there is no access key {whose}: `daypass key list` shows those there are")
        }
        AccessKeyError::TooMany => anyhow!(
            "two access keys of that name are enabled, and no more may be: disable one that nothing uses any \
             more; `daypass key list` shows them"
        ),
        AccessKeyError::StillEnabled => {
            anyhow!("{whose} is enabled and may be in use: `daypass key disable {whose}` comes first")
        }
        error @ (AccessKeyError::Policy(_) | AccessKeyError::Store(_)) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};

    use super::*;
    use crate::installation::home::Home;

    #[tokio::test]
    async fn no_key_is_made_under_another_master_key() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("state");
        drop(Home::open(&dir, &SystemRandom).unwrap());
        let place = Place::of_up(&dir);
        std::fs::write(dir.join("daypass.db"), "").unwrap();
        // Of a new store the first key decides.
        assert!(Opened::of(&place, Open::Existing).await.unwrap().keys_to_make().await.is_ok());
        std::fs::write(dir.join("master-key"), BASE64_STANDARD.encode([7; 32])).unwrap();
        let refused = Opened::of(&place, Open::Existing).await.unwrap().keys_to_make().await;
        let refused = format!("{:#}", refused.err().unwrap());
        for part in ["the master key is not the one", "state/master-key"] {
            assert!(refused.contains(part), "{refused}");
        }
    }
}
