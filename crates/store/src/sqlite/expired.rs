//! What is over. Each new record takes some of its kind along; this is for whoever wants all of it gone.

use daypass_core::ground::clock::Timestamp;
use daypass_core::store::Cleared;
use rusqlite::{Connection, Result};

use super::value::{Instant, integer};

const DELETIONS: [&str; 4] = [
    "DELETE FROM used_once WHERE name IN
         (SELECT name FROM used_once WHERE until <= ?1 ORDER BY until LIMIT ?2)",
    "DELETE FROM login_grant WHERE code_hash IN
         (SELECT code_hash FROM login_grant WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    "DELETE FROM device_authorization WHERE id IN
         (SELECT id FROM device_authorization WHERE forgotten_at <= ?1 ORDER BY forgotten_at LIMIT ?2)",
    "DELETE FROM sign_in_session WHERE id IN
         (SELECT id FROM sign_in_session WHERE forgotten_at <= ?1 ORDER BY forgotten_at LIMIT ?2)",
];

/// Deletes up to so many records that are over.
pub(super) fn clear(connection: &Connection, now: Timestamp, limit: usize) -> Result<Cleared> {
    let mut left = limit;
    for deletion in DELETIONS {
        left -= connection.prepare_cached(deletion)?.execute((Instant(now), integer(left)))?;
    }
    Ok(Cleared { records: (limit - left) as u64, more: left == 0 })
}
