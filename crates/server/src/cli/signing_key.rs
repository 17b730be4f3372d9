//! `daypass key rotate-signing` and `list-signing`: the keys that sign tokens. They work on the database beside running
//! servers, each of which reads the keys again within a minute.

use anyhow::ensure;
use clap::{Args, ValueEnum};
use daypass_core::audit::{AuditAction, AuditDraft, AuditTrail};
use daypass_core::ground::clock::{Clock, SignedDuration, SystemClock};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::SystemRandom;
use daypass_core::login::provider::definition::seconds;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::store::StoreError;
use daypass_core::token::key_ring::{MAX_PUBLISHED_FOR, MIN_PUBLISHED_FOR};
use daypass_core::token::key_set::{KeySet, KeyState};
use daypass_core::token::signer::Held;
use daypass_store::Open;

use super::place::Place;
use super::{print, tell};

/// Which keys are to have a successor, and when.
#[derive(Debug, Args)]
pub struct RotateSigning {
    /// How long to publish a new key before it signs: 15m to 30d, 24h unless the configuration says otherwise
    ///
    /// Verifiers keep the keys that they know: API Gateway for up to two hours, most others for minutes.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    publish: Option<SignedDuration>,
    /// The algorithm of the key: RS512, which signs every ID token, or ES256; unless given, each that the configuration names
    #[arg(long, value_enum)]
    algorithm: Option<Named>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Named {
    #[value(name = "RS512")]
    Rs512,
    #[value(name = "ES256")]
    Es256,
}

impl From<Named> for Algorithm {
    fn from(named: Named) -> Self {
        match named {
            Named::Rs512 => Self::Rs512,
            Named::Es256 => Self::Es256,
        }
    }
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let seconds = seconds::parse(text).ok_or("write 30m, 24h or 7d")?;
    let duration = SignedDuration::from_secs(seconds);
    if duration > MAX_PUBLISHED_FOR {
        return Err("30d at most: a key that is published cannot be taken back".into());
    }
    if duration < MIN_PUBLISHED_FOR {
        return Err(
            "15m at least: verifiers and other nodes keep the keys that they know for some minutes".into()
        );
    }
    Ok(duration)
}

pub async fn rotate(arguments: RotateSigning) -> anyhow::Result<()> {
    let RotateSigning { publish, algorithm, place } = arguments;
    let installation = place.find()?;
    let store = installation.store(Open::Existing).await?;
    let (ring, publish_usually) = installation.key_ring(&store).await?;
    let algorithms = match algorithm {
        Some(named) => vec![named.into()],
        None => installation.config().tokens.algorithms().all(),
    };
    let (publish, trail) = (publish.unwrap_or(publish_usually), installation.trail(&store)?);
    let mut not_made = Vec::new();
    for algorithm in algorithms {
        ensure!(
            ring.keys().of(algorithm).next().is_some(),
            "no key here signs with {algorithm}: write algorithm = \"{algorithm}\" into [tokens], and start the server with it first"
        );
        let rotated = ring.rotate(algorithm, publish, async |key_id| record(&trail, key_id).await).await?;
        let (key_id, when) = (&rotated.key_id, format!("{:.0}", rotated.signs_from));
        if !rotated.by_us {
            not_made
                .push(format!("the {algorithm} key {key_id} is published already and signs from {when} on"));
            continue;
        }
        tell(&format!(
            "Published the {algorithm} key {key_id}. It signs from {when} on; nothing is to be restarted."
        ));
        print(key_id)?;
    }
    ensure!(not_made.is_empty(), "{}: there is one successor at a time", not_made.join(", and "));
    Ok(())
}

async fn record(trail: &AuditTrail, key_id: &str) -> Result<(), StoreError> {
    let request_id = RequestId::generate(SystemClock.now(), &SystemRandom);
    let mut draft = AuditDraft::new(AuditAction::RotateSigningKey, &request_id);
    draft.resource = Some(format!("signing key {key_id}"));
    trail.allowed(draft).await
}

pub async fn list(place: &Place) -> anyhow::Result<()> {
    let installation = place.find()?;
    let store = installation.store(Open::Existing).await?;
    let stored = store.list_signing_keys().await?;
    let holder = installation.key_holder().await?;
    let keys = KeySet::open(&stored, &installation.master_keys().await?, &*holder);
    let keys = keys.map_err(|error| installation.of_master_keys(error))?;
    print(&format!("{:<24}  {:<9}  {:<9}  {:<5}  SIGNS FROM", "ID", "ALGORITHM", "STATE", "HELD"))?;
    for (key, state) in keys.states(SystemClock.now()) {
        let (id, algorithm, from) = (key.key_id(), key.algorithm().name(), key.signs_from());
        let held = match key.held() {
            Held::Store => "store",
            Held::Hsm => "HSM",
        };
        print(&format!("{id:<24}  {algorithm:<9}  {:<9}  {held:<5}  {from:.0}", name(state)))?;
    }
    Ok(())
}

fn name(state: KeyState) -> &'static str {
    match state {
        KeyState::Published => "published",
        KeyState::InUse => "in use",
        KeyState::Retired => "retired",
        KeyState::Over => "over",
    }
}
