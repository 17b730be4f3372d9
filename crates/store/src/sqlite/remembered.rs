//! What every signed request asks again, and what hardly ever changes: pools and access keys. They are remembered until
//! anything is committed, by whomever; whoever asks looks for that first, which takes a look into the shared memory of
//! the WAL and no page (sqlite.org/pragma.html, "PRAGMA data_version").

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daypass_core::ground::ids::{AccessKeyId, IdentityPoolId};
use daypass_core::records::identity::IdentityPool;
use daypass_core::store::{StoreError, StoredAccessKey};
use rusqlite::Connection;

use super::readers::Readers;

/// More are not remembered at once.
const MAX: usize = 1_024;

/// What is remembered.
#[derive(Default)]
pub(super) struct Remembered(Mutex<State>);

#[derive(Default)]
struct State {
    pools: HashMap<IdentityPoolId, IdentityPool>,
    access_keys: HashMap<AccessKeyId, StoredAccessKey>,
    /// Grows when all is forgotten: what was read before is not remembered afterwards.
    forgotten: u64,
    /// Tells by `PRAGMA data_version` whether anybody else has committed something.
    witness: Option<Witness>,
}

struct Witness {
    connection: Connection,
    version: i64,
}

impl Remembered {
    /// A pool, remembered or read.
    pub(super) fn pool(
        &self,
        readers: &Readers,
        id: &IdentityPoolId,
        read: impl FnOnce() -> Result<Option<IdentityPool>, StoreError>,
    ) -> Result<Option<IdentityPool>, StoreError> {
        self.find(readers, id, |state| &mut state.pools, read)
    }

    /// An access key, remembered or read.
    pub(super) fn access_key(
        &self,
        readers: &Readers,
        id: &AccessKeyId,
        read: impl FnOnce() -> Result<Option<StoredAccessKey>, StoreError>,
    ) -> Result<Option<StoredAccessKey>, StoreError> {
        self.find(readers, id, |state| &mut state.access_keys, read)
    }

    fn find<I: Hash + Eq + Clone, T: Clone>(
        &self,
        readers: &Readers,
        id: &I,
        of: impl Fn(&mut State) -> &mut HashMap<I, T>,
        read: impl FnOnce() -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let before = {
            let mut state = self.state();
            state.look(readers)?;
            if let Some(found) = of(&mut state).get(id) {
                return Ok(Some(found.clone()));
            }
            state.forgotten
        };
        let found = read()?;
        let mut state = self.state();
        if let Some(found) = &found
            && state.forgotten == before
        {
            let remembered = of(&mut state);
            if remembered.len() >= MAX {
                remembered.clear();
            }
            remembered.insert(id.clone(), found.clone());
        }
        Ok(found)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self) {
        self.pools.clear();
        self.access_keys.clear();
        self.forgotten += 1;
    }

    /// Forgets everything if somebody has committed something since the last look.
    fn look(&mut self, readers: &Readers) -> Result<(), StoreError> {
        // Until it is known what is there, nothing that is remembered counts.
        let witness = self.witness.take();
        let before = witness.as_ref().map(|witness| witness.version);
        let connection = match witness {
            Some(witness) => witness.connection,
            None => readers.open_another()?,
        };
        let version = readers.ask(&connection, |connection| {
            connection.prepare_cached("PRAGMA data_version")?.query_one([], |row| row.get(0))
        })?;
        if before != Some(version) {
            self.forget();
        }
        self.witness = Some(Witness { connection, version });
        Ok(())
    }
}
