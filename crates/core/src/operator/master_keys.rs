//! Rotation of the master key: what is kept sealed is sealed anew under the one that seals now, while servers run.
//!
//! There is no position to remember and no lock. A value is replaced if it is still what was read; who is stopped and begins
//! anew finds less to do, and two at once do each other's work.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::audit::{AuditAction, AuditDraft, AuditTrail, Requester};
use crate::broker::sessions;
use crate::credentials::access_key;
use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{CannotOpen, MasterKeyId, Sealed, Sealer, WrongMasterKey};
use crate::login::provider::LoginSealer;
use crate::store::{
    AnnouncedMasterKey, Page, Resealing, SealedItem, SealedValue, Seals, SharedStore, StoreError,
};
use crate::token::signing_key;

/// So many values are read, and sealed anew, at once.
const BITE: usize = 100;
/// So often everything is gone through: whatever is sealed meanwhile is sealed under the key of now already.
const ROUNDS: usize = 4;
/// What is handed out but for refresh tokens ends after so long: credentials, the longest of it, live for half a day
/// (API documentation of AssumeRoleWithWebIdentity, DurationSeconds).
const HANDED_OUT_FOR: SignedDuration = SignedDuration::from_hours(12);

/// How many values are kept under each master key; under none, those that name none.
pub type Kept = BTreeMap<Option<MasterKeyId>, u64>;

/// Counts what a store keeps sealed.
///
/// # Errors
/// The store's.
pub async fn count(store: &(impl Seals + ?Sized)) -> Result<Kept, StoreError> {
    let (mut kept, mut after) = (Kept::new(), None);
    loop {
        let values = store.list_sealed(Page { after, limit: BITE }).await?;
        for value in &values {
            *kept.entry(value.sealed.master_key()).or_default() += 1;
        }
        let Some(last) = values.into_iter().next_back() else { return Ok(kept) };
        after = Some(last.item);
    }
}

/// Why nothing was sealed anew, or not everything that could be.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Servers seal under another key, and may not have this one. Nothing happened.
    #[error(transparent)]
    NotAnnounced(#[from] NotAnnounced),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A master key that no server seals under yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no server seals under the master key {key} yet{}: have them read the configuration again, by SIGHUP or a restart, and do this afterwards",
    .sealing.map(|id| format!(", but under {id}")).unwrap_or_default()
)]
pub struct NotAnnounced {
    /// The key that is current here.
    pub key: MasterKeyId,
    /// The one that servers announced last.
    pub sealing: Option<MasterKeyId>,
}

/// The current one of these keys, if servers seal under it: what is sealed under another one, they may not be able to open.
///
/// # Errors
/// [`RotationError`].
pub async fn announced(
    store: &(impl Seals + ?Sized),
    master_keys: &MasterKeys,
) -> Result<AnnouncedMasterKey, RotationError> {
    let last = store.list_master_keys().await?.into_iter().next();
    let not = NotAnnounced { key: master_keys.current(), sealing: last.map(|last| last.id) };
    Ok(last.filter(|last| last.id == master_keys.current()).ok_or(not)?)
}

/// What came of sealing everything anew.
#[derive(Debug, PartialEq, Eq)]
pub struct Rotated {
    /// How many values were sealed anew.
    pub resealed: u64,
    /// How many values are still sealed under another key.
    pub left: u64,
    /// One of them, if it does not open.
    pub closed: Option<Closed>,
    /// Until when there may be something that was handed out under another key.
    pub handed_out_until: Timestamp,
}

/// A value that does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} does not open: {wrong}", described(.item))]
pub struct Closed {
    item: SealedItem,
    wrong: WrongMasterKey,
}

fn described(item: &SealedItem) -> String {
    match item {
        SealedItem::SigningKey(id) => format!("signing key {id}"),
        SealedItem::AccessKey(id) => format!("access key {id}"),
        SealedItem::SignInSession(id) => format!("the login of session {id}"),
    }
}

/// Seals everything anew.
pub struct Rotation {
    store: SharedStore,
    trail: Arc<AuditTrail>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    current: MasterKeyId,
    since: Timestamp,
    signing_keys: Sealer,
    access_keys: Sealer,
    logins: LoginSealer,
}

/// What has come of it so far.
#[derive(Default)]
struct Progress {
    is_recorded: bool,
    resealed: u64,
    closed: Option<Closed>,
}

impl Rotation {
    /// That to the current one of these keys.
    ///
    /// # Errors
    /// [`RotationError`].
    pub async fn to(
        master_keys: &MasterKeys,
        store: SharedStore,
        trail: Arc<AuditTrail>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, RotationError> {
        let AnnouncedMasterKey { id: current, since } = announced(&*store, master_keys).await?;
        Ok(Self {
            signing_keys: signing_key::sealer(master_keys),
            access_keys: access_key::sealer(master_keys),
            logins: LoginSealer::new(master_keys),
            store,
            trail,
            clock,
            random,
            current,
            since,
        })
    }

    /// Does it, and tells of each bite how many values it looked at. The trail has that it began.
    ///
    /// # Errors
    /// The store's. What was sealed anew until then stays so.
    pub async fn run(&self, by: &Requester, mut looked: impl FnMut(u64)) -> Result<Rotated, StoreError> {
        let mut progress = Progress::default();
        for _ in 0..ROUNDS {
            if !self.go_through(by, &mut progress, &mut looked).await? {
                break;
            }
        }
        let Progress { resealed, closed, .. } = progress;
        let kept = count(&*self.store).await?;
        let others = kept.into_iter().filter(|(id, _)| *id != Some(self.current));
        let left = others.map(|(_, count)| count).sum();
        let sessions = self.store.last_end_of_sessions(self.since, self.clock.now()).await?;
        let others = self.since + HANDED_OUT_FOR;
        let handed_out_until = sessions.map_or(others, |sessions| sessions.max(others));
        Ok(Rotated { resealed, left, closed, handed_out_until })
    }

    /// Once through everything. Answers whether there was something to do.
    async fn go_through(
        &self,
        by: &Requester,
        progress: &mut Progress,
        looked: &mut impl FnMut(u64),
    ) -> Result<bool, StoreError> {
        let (mut found, mut after) = (false, None);
        loop {
            let values = self.store.list_sealed(Page { after, limit: BITE }).await?;
            let Some(last) = values.last() else { return Ok(found) };
            after = Some(last.item.clone());
            let count = values.len();
            let changes = self.changes(values, &mut progress.closed);
            if !changes.is_empty() {
                found = true;
                if !std::mem::replace(&mut progress.is_recorded, true) {
                    self.record(by).await?;
                }
                progress.resealed += as_u64(self.store.reseal(&changes).await?);
            }
            looked(as_u64(count));
        }
    }

    fn changes(&self, values: Vec<SealedValue>, closed: &mut Option<Closed>) -> Vec<Resealing> {
        let mut changes = Vec::new();
        for from in values {
            match self.anew(&from) {
                Ok(Some(to)) => changes.push(Resealing { from, to }),
                Ok(None) => {}
                Err(CannotOpen) => {
                    *closed = Some(Closed { wrong: WrongMasterKey::from(&from.sealed), item: from.item });
                }
            }
        }
        changes
    }

    fn anew(&self, SealedValue { item, sealed }: &SealedValue) -> Result<Option<Sealed>, CannotOpen> {
        let random = &*self.random;
        match item {
            SealedItem::SigningKey(id) => self.signing_keys.reseal(id.as_bytes(), sealed, random),
            SealedItem::AccessKey(id) => self.access_keys.reseal(id.as_str().as_bytes(), sealed, random),
            SealedItem::SignInSession(id) => self.logins.reseal(&sessions::context(id), sealed, random),
        }
    }

    async fn record(&self, by: &Requester) -> Result<(), StoreError> {
        let mut draft = AuditDraft::by(AuditAction::RotateMasterKey, by);
        draft.resource = Some(format!("master key {}", self.current));
        self.trail.allowed(draft).await
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
