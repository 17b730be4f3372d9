//! Takes over the audit events that databases had before version 16. Whoever is killed meanwhile, or comes second, goes on
//! behind the last event that the trail has: each says which it was here. None is deleted that the trail has not got.

use std::path::Path;

use daypass_core::ground::ids::RequestId;
use rusqlite::{Connection, Result, TransactionBehavior, named_params};

use super::open::{self, OpenError};
use super::unproved_refusals::event;
use super::value::integer;
use crate::trail::{Appender, MAX_GROUP, taken_over, taken_over_last};

/// Events that are taken over together, if they are no longer than what is written at once.
const AT_ONCE: usize = 1_000;

/// Takes over whatever there is. `progress` hears how many events are, and of how many.
pub(super) fn take_over(
    path: &Path,
    connection: &mut Connection,
    trail: &mut Appender,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), OpenError> {
    let failed = |source| open::sqlite_error(path, source);
    let mut done = 0;
    while is_there(connection).map_err(failed)? {
        // Whoever else does it has to wait for the lock, and sees what is done.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if is_there(&transaction).map_err(failed)? {
            let last = taken_over_last(trail)?;
            let until = match &last.event {
                Some((from, request_id)) if is_about(&transaction, *from, request_id).map_err(failed)? => {
                    *from
                }
                Some(_) => return Err(other_trail(path, trail)),
                None => 0,
            };
            let lines = lines_behind(&transaction, until).map_err(failed)?;
            // What was taken over stands before whatever came since.
            if last.has_gone_on && !lines.is_empty() {
                return Err(other_trail(path, trail));
            }
            if lines.is_empty() {
                transaction.execute_batch("DROP TABLE audit_event_before_files").map_err(failed)?;
            } else {
                if done == 0 {
                    done = until.unsigned_abs();
                }
                done += lines.len() as u64;
                trail.append_in_files(lines)?;
                progress(done, count(&transaction).map_err(failed)?);
            }
        }
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

fn other_trail(path: &Path, trail: &Appender) -> OpenError {
    OpenError::OtherTrail { path: path.to_owned(), trail: trail.path().to_owned() }
}

fn is_there(connection: &Connection) -> Result<bool> {
    let sql = "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'audit_event_before_files'";
    connection.query_one(sql, [], |row| row.get(0))
}

/// The number of the last event is about how many there are: none was ever deleted.
fn count(connection: &Connection) -> Result<u64> {
    let sql = "SELECT coalesce(max(id), 0) FROM audit_event_before_files";
    connection.query_one(sql, [], |row| row.get(0)).map(i64::unsigned_abs)
}

fn is_about(connection: &Connection, id: i64, request_id: &RequestId) -> Result<bool> {
    let sql = "SELECT count(*) > 0 FROM audit_event_before_files WHERE id = :id AND request_id = :request_id";
    connection
        .query_one(sql, named_params! { ":id": id, ":request_id": request_id.as_str() }, |row| row.get(0))
}

fn lines_behind(connection: &Connection, until: i64) -> Result<Vec<Vec<u8>>> {
    let mut select = connection.prepare_cached(
        "SELECT * FROM audit_event_before_files WHERE id > :until ORDER BY id LIMIT :limit",
    )?;
    let mut rows = select.query(named_params! { ":until": until, ":limit": integer(AT_ONCE) })?;
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while bytes < MAX_GROUP
        && let Some(row) = rows.next()?
    {
        let line = taken_over(&event(row)?, row.get("id")?);
        bytes += line.len();
        lines.push(line);
    }
    Ok(lines)
}
