//! Names that count once, such as the signature of fields that could be shown again.

use daypass_core::ground::clock::Timestamp;
use rusqlite::{Connection, Result, named_params};

use super::value::Instant;

/// As many expired names as one new name takes along: the table stays small without a purge that somebody has to
/// start.
const FORGOTTEN_AT_ONCE: u32 = 16;

pub(super) fn add(connection: &Connection, name: &str, until: Timestamp, now: Timestamp) -> Result<bool> {
    connection
        .prepare_cached(
            "DELETE FROM used_once WHERE name IN
                 (SELECT name FROM used_once WHERE until <= :now ORDER BY until LIMIT :limit)",
        )?
        .execute(named_params! { ":now": Instant(now), ":limit": FORGOTTEN_AT_ONCE })?;
    let kept = connection
        .prepare_cached(
            "INSERT INTO used_once (name, until) VALUES (:name, :until)
             ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE used_once.until <= :now",
        )?
        .execute(
            named_params! { ":name": name, ":until": Instant::not_before(until), ":now": Instant(now) },
        )?;
    Ok(kept == 1)
}
