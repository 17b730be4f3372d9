//! How far exporters of the audit trail have come.

use async_trait::async_trait;
use daypass_core::store::{AuditExports, EventPosition, ExportPosition, StoreError};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::SqliteStore;
use super::value::Instant;

#[async_trait]
impl AuditExports for SqliteStore {
    async fn find_export_position(&self, exporter: &str) -> Result<Option<ExportPosition>, StoreError> {
        self.readers.read(|connection| find(connection, exporter))
    }

    async fn move_export_position(
        &self,
        exporter: &str,
        from: Option<&ExportPosition>,
        to: &ExportPosition,
    ) -> Result<bool, StoreError> {
        let (exporter, from, to) = (exporter.to_owned(), from.cloned(), to.clone());
        self.writer.write(move |connection| go_on(connection, &exporter, from.as_ref(), &to)).await
    }
}

fn find(connection: &Connection, exporter: &str) -> Result<Option<ExportPosition>> {
    let sql = "SELECT trail, line, moved_at, refused, dropped FROM audit_export WHERE name = ?1";
    connection.prepare_cached(sql)?.query_one([exporter], position).optional()
}

/// Reads a row of all columns, but for its name.
pub(super) fn position(row: &Row<'_>) -> Result<ExportPosition> {
    Ok(ExportPosition {
        trail: row.get("trail")?,
        line: EventPosition(row.get::<_, i64>("line")?.unsigned_abs()),
        moved_at: row.get::<_, Instant>("moved_at")?.0,
        refused: row.get::<_, i64>("refused")?.unsigned_abs(),
        dropped: row.get::<_, i64>("dropped")?.unsigned_abs(),
    })
}

fn go_on(
    connection: &Connection,
    exporter: &str,
    from: Option<&ExportPosition>,
    to: &ExportPosition,
) -> Result<bool> {
    let place = |position: &ExportPosition| (position.trail.clone(), position.line);
    // Every other change is kept out until this one is over.
    let is_there = find(connection, exporter)?.as_ref().map(place) == from.map(place);
    if is_there {
        put(connection, exporter, to)?;
    }
    Ok(is_there)
}

pub(super) fn put(connection: &Connection, exporter: &str, position: &ExportPosition) -> Result<()> {
    let sql = "INSERT INTO audit_export (name, trail, line, moved_at, refused, dropped)
         VALUES (:name, :trail, :line, :moved_at, :refused, :dropped)
         ON CONFLICT (name) DO UPDATE
         SET trail = :trail, line = :line, moved_at = :moved_at, refused = :refused, dropped = :dropped";
    connection
        .prepare_cached(sql)?
        .execute(named_params! {
            ":name": exporter,
            ":trail": position.trail,
            ":line": number(position.line.0),
            ":moved_at": Instant(position.moved_at),
            ":refused": number(position.refused),
            ":dropped": number(position.dropped),
        })
        .map(drop)
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
