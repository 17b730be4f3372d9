//! `daypass gc`: deletes at once what is over, a little at a time, so that nobody waits who is served meanwhile.

use std::sync::Arc;

use clap::Args;
use daypass_core::audit::head_key::HeadKeys;
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::counting::counted;
use daypass_core::store::{AuditCare, Cleared, Retention, SharedStore, Store, StoreError};
use daypass_store::{Open, StoreUrl};

use super::place::Place;
use super::progress::{Progress, Unit};
use super::{print, tell};
use crate::installation::Installation;

/// So many records go at once.
const RECORDS: usize = 200;

/// Whose store to clear.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let installation = arguments.place.find()?;
    let store = installation.store(Open::Existing).await?;
    let expired = clear_expired(&*store, &SystemClock).await?;
    let is_table = matches!(installation.config().store()?, StoreUrl::Dynamo(_));
    print(&format!("expired  {}", if is_table { BY_ITSELF.to_owned() } else { deleted(expired) }))?;
    print(&format!("pools    {}", deleted(purge_pools(&*store).await?)))?;
    if !installation.config().audit_destination().is_kept() {
        return Ok(());
    }
    Ok(print(&format!("trail    {}", shorten_trail(&installation, &store).await?))?)
}

const BY_ITSELF: &str = "DynamoDB deletes it by itself (TTL)";

async fn clear_expired(store: &dyn Store, clock: &dyn Clock) -> Result<u64, StoreError> {
    let now = clock.now();
    tell("Deleting what has expired.");
    all(async || store.clear_expired(now, RECORDS).await).await
}

async fn purge_pools(store: &dyn Store) -> Result<u64, StoreError> {
    tell("Deleting what deleted pools left behind.");
    all(async || store.purge_deleted_pools(RECORDS).await).await
}

/// Takes bites until nothing is left.
async fn all(bite: impl AsyncFn() -> Result<Cleared, StoreError>) -> Result<u64, StoreError> {
    let (mut cleared, mut progress) = (Cleared::default(), Progress::new(Unit::Records, None));
    loop {
        let now = bite().await?;
        cleared += now;
        progress.advance(now.records);
        if !cleared.more {
            return Ok(cleared.records);
        }
    }
}

fn deleted(records: u64) -> String {
    format!("{} deleted", counted(records, "record", "records"))
}

/// Has the trail drop what need not be kept. Answers what that was.
async fn shorten_trail(installation: &Installation, store: &SharedStore) -> anyhow::Result<String> {
    let keep = installation.config().audit.retention();
    let care = AuditCare {
        signer: Arc::new(HeadKeys::of(&installation.master_keys().await?)),
        keep,
        clock: Arc::new(SystemClock),
        tell: Arc::new(tell),
    };
    let before = store.audit_trail_extent().await?.first.0;
    store.drop_surplus(&care).await?;
    let after = store.audit_trail_extent().await?.first.0;
    Ok(match () {
        () if after > before => format!("lines {before} to {} dropped", after - 1),
        () if keep == Retention::default() => {
            "everything is kept: [audit] says neither keep nor keep_size".into()
        }
        () => "nothing dropped: all of it is to be kept".into(),
    })
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::clock::{ManualClock, Timestamp};
    use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
    use daypass_core::ground::seal::Sealed;
    use daypass_core::records::identity::{IdentityPool, PoolRoles, PoolSettings};
    use daypass_core::store::{Identities, Once, Pools, StoredLoginGrant};
    use daypass_store::SqliteStore;

    use super::*;

    #[tokio::test]
    async fn all_that_is_over_goes_and_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("daypass.db")).unwrap();
        let epoch = Timestamp::UNIX_EPOCH;
        for (number, second) in (0..300).map(|number| (number, 10)).chain([(300, 1_000)]) {
            let expires_at = Timestamp::from_second(second).unwrap();
            let (code_hash, sealed) = (number.to_string(), Sealed(vec![7]));
            let grant = StoredLoginGrant { code_hash, sealed, expires_at };
            store.add_login_grant(&grant, epoch).await.unwrap();
        }
        let pool_id = IdentityPoolId::parse("us-east-1:01").unwrap();
        let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        for number in 0..250 {
            let id = IdentityId::parse(format!("us-east-1:{number:08}")).unwrap();
            assert!(store.add_guest(&pool_id, &id, epoch).await.unwrap());
        }
        assert!(store.delete_pool(&pool_id).await.unwrap());
        let clock = ManualClock::at_second(20);
        assert_eq!(clear_expired(&store, &clock).await.unwrap(), 300);
        assert_eq!(purge_pools(&store).await.unwrap(), 250);
        assert_eq!(clear_expired(&store, &clock).await.unwrap(), 0);
        assert_eq!(purge_pools(&store).await.unwrap(), 0);
        let living = store.redeem_login_grant("300", clock.now()).await.unwrap();
        assert!(living.is_some());
    }
}
