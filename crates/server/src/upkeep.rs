//! What a store wants done while a server runs: what deleted pools left behind goes, a little at a time, so that whoever logs in
//! meanwhile does not wait for it; and a trail in a database is put in order and signed.

use std::error::Error;
use std::sync::{Arc, Weak};
use std::time::Duration;

use daypass_core::ground::clock::Clock;
use daypass_core::store::{Cleared, Store};

use crate::error::chain;
use crate::metrics::Metrics;

/// So many records go at once: a few milliseconds of the store's time.
const RECORDS: usize = 200;

/// Between two times, as long as there are more.
const PAUSE: Duration = Duration::from_millis(50);

/// Between looking whether there are any.
const EVERY: Duration = Duration::from_mins(1);

/// Between two times that a store is kept up.
const KEEPING_UP: Duration = Duration::from_secs(1);

/// Purges until nobody else has the store.
pub async fn keep_purging(store: Weak<dyn Store>) {
    while let Some(store) = store.upgrade() {
        let purged = store.purge_deleted_pools(RECORDS).await;
        drop(store);
        let purged = purged.unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn Error,
                "what deleted pools left behind stays for now; it is tried again in a minute"
            );
            Cleared::default()
        });
        pause(if purged.more { PAUSE } else { EVERY }).await;
    }
}

/// Has a store kept up that does not by itself, until nobody else has it.
pub async fn keep_up(store: Weak<dyn Store>, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) {
    let mut told: Option<String> = None;
    while let Some(store) = store.upgrade() {
        let kept_up = store.keep_up().await;
        drop(store);
        metrics.gathered(kept_up.is_ok().then(|| clock.now()));
        // Whoever wants something of the store hears of it, too: once is enough.
        let trouble = kept_up.err().map(|error| chain(&error));
        if let Some(trouble) = trouble.as_ref().filter(|trouble| told.as_ref() != Some(trouble)) {
            tracing::warn!("the audit trail in the store gets no order and no signature for now: {trouble}");
        }
        told = trouble;
        pause(KEEPING_UP).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pause is for the others who want the store, and not for an instant"
)]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::clock::Timestamp;
    use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
    use daypass_core::records::identity::{IdentityPool, PoolRoles, PoolSettings};
    use daypass_core::store::{Identities, Pools, SharedStore};
    use daypass_store::SqliteStore;
    use futures::future::join_all;
    use rusqlite::Connection;

    use super::*;

    /// More than go at once.
    const GUESTS: i64 = 401;

    /// Pools and identities, be they seen or not.
    fn rows(connection: &Connection) -> i64 {
        let rows = "SELECT (SELECT count(*) FROM identity_pool) + (SELECT count(*) FROM identity)";
        connection.query_one(rows, [], |row| row.get(0)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_deleted_pool_is_purged_to_its_last_row_and_the_store_is_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daypass.db");
        let store = Arc::new(SqliteStore::open(&path).unwrap());
        let pool_id = IdentityPoolId::parse("us-east-1:01").unwrap();
        let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        let ids: Vec<_> =
            (0..GUESTS).map(|number| IdentityId::parse(format!("us-east-1:{number:08}")).unwrap()).collect();
        join_all(ids.iter().map(|id| store.add_guest(&pool_id, id, Timestamp::UNIX_EPOCH))).await;
        let connection = Connection::open(&path).unwrap();
        assert!(store.delete_pool(&pool_id).await.unwrap());
        assert_eq!(rows(&connection), GUESTS + 1);

        let shared: SharedStore = store.clone();
        let purging = tokio::spawn(keep_purging(Arc::downgrade(&shared)));
        // The paused clock passes the minute until it looks again, and nobody waits.
        for _ in 0..100_000 {
            if rows(&connection) == 0 {
                break;
            }
            tokio::time::advance(PAUSE).await;
        }
        assert_eq!(rows(&connection), 0);
        drop((store, shared));
        purging.await.unwrap();
    }
}
