//! Asking what may be asked again: others are in the way, or the answer was lost.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::connections::Connections;
use super::statements::Statement;
use super::trouble::{Failure, Kind};

pub(super) const TRIES: u32 = 3;

const PAUSE: Duration = Duration::from_millis(200);

/// Of a statement that may be made again.
pub(super) async fn ask_again(
    connections: &Connections,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Failure> {
    for _ in 1..TRIES {
        match connections.ask_unprepared(statement, parameters).await {
            Err(failure) if is_passing(&failure) => pause().await,
            answer => return answer,
        }
    }
    connections.ask_unprepared(statement, parameters).await
}

/// Whether the same may go well. IF NOT EXISTS does not keep out who does the same at the same time: once they are done, it does.
pub(super) fn is_passing(failure: &Failure) -> bool {
    let is_of_others = matches!(
        failure.code,
        Some(SqlState::UNIQUE_VIOLATION | SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT)
    );
    is_of_others || matches!(failure.kind, Kind::Busy | Kind::Cut)
}

#[expect(clippy::disallowed_methods, reason = "it is others who are waited for, and no instant")]
pub(super) async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
