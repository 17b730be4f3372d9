//! `daypass master-key`: the roots of all sealing. The commands work on the database beside running servers, which have to
//! seal under the new key already.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::bail;
use clap::{Args, Subcommand};
use daypass_core::ground::clock::{Clock, SystemClock, Timestamp};
use daypass_core::ground::random::SystemRandom;
use daypass_core::ground::seal::MasterKeyId;
use daypass_core::operator::master_keys::{Kept, Rotated, Rotation, count};
use daypass_core::store::AnnouncedMasterKey;
use daypass_store::Open;

use super::place::Place;
use super::progress::{Progress, Unit};
use super::{operator, print, tell};
use crate::installation::Installation;
use crate::installation::home::Home;
use crate::secrets::{AwsSecrets, KmsKey};

/// What can be done with master keys.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// List the master keys: which seals, since when, and how much is kept sealed under each
    List(Place),
    /// Seal everything that is kept anew, under the master key that seals now
    ///
    /// Servers go on meanwhile; they have to have read the configuration with the new
    /// key before. It may be stopped and begun again. Says when the old key may be
    /// taken away. In the directory of `daypass up`, it makes the new key itself.
    Rotate(Place),
    /// Have AWS KMS make a master key, and print it wrapped
    ///
    /// Nobody has seen it then, and KMS alone unwraps it, each time that it is read. Write
    /// what is printed into a file, and { file = "…", kms = "ARN" } into the configuration.
    Create(Create),
}

/// Where a master key is made.
#[derive(Debug, Args)]
pub struct Create {
    /// The ARN of the KMS key that it is wrapped under, or of an alias of it
    #[arg(long, value_name = "ARN", value_parser = kms_key)]
    kms: KmsKey,
}

fn kms_key(arn: &str) -> Result<KmsKey, &'static str> {
    KmsKey::parse(arn).ok_or("write arn:aws:kms:REGION:ACCOUNT:key/… or …:alias/…")
}

pub async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::List(place) => list(&place).await,
        Task::Rotate(place) => rotate(&place).await,
        Task::Create(Create { kms }) => create(&kms).await,
    }
}

async fn create(kms: &KmsKey) -> anyhow::Result<()> {
    let made = AwsSecrets::new(Arc::new(SystemClock)).make_master_key(kms).await;
    Ok(print(&made.map_err(anyhow::Error::msg)?)?)
}

async fn list(place: &Place) -> anyhow::Result<()> {
    let installation = place.find()?;
    let store = installation.store(Open::Existing).await?;
    let ((_, placed), announced) =
        (installation.placed_master_keys().await?, store.list_master_keys().await?);
    let kept = count(&*store).await?;
    print(&format!("{:<8}  {:<7}  {:<20}  {:>9}  PLACE", "ID", "STATE", "SEALED FROM", "VALUES"))?;
    for row in rows(&placed, &announced, &kept) {
        print(&row)?;
    }
    Ok(())
}

/// A line for each key that is configured, that something is sealed under, or that was announced.
fn rows(placed: &[(MasterKeyId, String)], announced: &[AnnouncedMasterKey], kept: &Kept) -> Vec<String> {
    let configured = placed.iter().map(|(id, place)| (Some(*id), place.as_str()));
    let known: BTreeSet<_> = placed.iter().map(|(id, _)| Some(*id)).collect();
    let others: BTreeSet<_> = kept.keys().copied().chain(announced.iter().map(|key| Some(key.id))).collect();
    let others = others.difference(&known).map(|id| (*id, "–"));
    let row = |(id, place): (Option<MasterKeyId>, &str)| {
        let name = id.map_or_else(|| "–".to_owned(), |id| id.to_string());
        let since = announced.iter().find(|key| Some(key.id) == id);
        let since = since.map_or_else(|| "–".to_owned(), |key| format!("{:.0}", key.since));
        let state = match id {
            None => "unnamed",
            id if !known.contains(&id) => "absent",
            id if announced.first().is_some_and(|last| Some(last.id) == id) => "seals",
            Some(_) => "opens",
        };
        let values = kept.get(&id).copied().unwrap_or_default();
        format!("{name:<8}  {state:<7}  {since:<20}  {values:>9}  {place}")
    };
    configured.chain(others).map(row).collect()
}

async fn rotate(place: &Place) -> anyhow::Result<()> {
    let installation = with_the_next_key(place).await?;
    let store = installation.store(Open::Existing).await?;
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let (master_keys, placed) = installation.placed_master_keys().await?;
    let current = master_keys.current();
    let closed = installation.home().map(Home::close_to_up).transpose()?.flatten();
    if closed.is_some() {
        // No server is there to have another key, nor to announce this one.
        store.announce_master_key(current, clock.now()).await?;
    }
    let trail = installation.trail(&store)?;
    let rotation = Rotation::to(&master_keys, store, trail, clock, random).await?;
    let mut progress = Progress::new(Unit::Values, None);
    let rotated = rotation.run(&operator(), |values| progress.advance(values)).await?;
    drop(progress);
    let others: Vec<_> = placed.iter().filter(|(id, _)| *id != current).collect();
    print(&format!("Values that were sealed anew under the master key {current}: {}.", rotated.resealed))?;
    if rotated.left > 0 {
        bail!(what_is_left(&rotated));
    }
    for (id, place) in others {
        print(&farewell(*id, place, rotated.handed_out_until, SystemClock.now()))?;
    }
    Ok(())
}

/// The installation with the master key that everything is to be sealed under: in a directory of `up` a new one, unless one
/// is there already.
async fn with_the_next_key(place: &Place) -> anyhow::Result<Installation> {
    let installation = place.find()?;
    let Some(home) = installation.home() else { return Ok(installation) };
    let kept = count(&*installation.store(Open::Existing).await?).await?;
    let is_settled = |current| kept.keys().all(|id| *id == Some(current));
    let Some(before) = home.change_master_key(&SystemRandom, is_settled)? else { return Ok(installation) };
    tell(&format!("Made a master key. The one before is kept as {}.", before.display()));
    place.find()
}

fn what_is_left(rotated: &Rotated) -> String {
    let reason = rotated.closed.as_ref().map_or_else(
        || "something seals under another key: look whether a server runs by another configuration, and run this again".into(),
        ToString::to_string,
    );
    format!("values left under another master key, which may not be taken away: {}. {reason}", rotated.left)
}

/// When an old key may go, of which nothing that is kept has need.
fn farewell(id: MasterKeyId, place: &str, handed_out_until: Timestamp, now: Timestamp) -> String {
    if handed_out_until <= now {
        return format!("Nothing needs {id} any more: {place} may be taken away.");
    }
    format!(
        "Nothing that is kept needs {id} any more.\n\
         What was handed out under it ends until {handed_out_until:.0}: {place} may be taken away then.\n\
         Whoever does so before has people sign in again."
    )
}
