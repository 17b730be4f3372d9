//! How a connection is made, and how long it is used.

use std::sync::Arc;

use daypass_core::ground::clock::{Clock, SignedDuration, Timestamp};
use daypass_core::ground::random::{Random, SystemRandom};
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dialect::PostgresDialect;
use super::iam::{IamError, Tokens};

/// DSQL ends a connection after an hour (Amazon Aurora DSQL User Guide, "Cluster quotas and database limits"). Before that it is not
/// used any more, and not all at the same time.
const DSQL_LIFE: SignedDuration = SignedDuration::from_mins(45);
/// As many seconds more, at most.
const DSQL_MORE: i64 = 600;

/// Makes connections.
pub(super) struct Manager {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    pub(super) dialect: PostgresDialect,
    /// What stands for a password, if IAM lets in.
    pub(super) tokens: Option<Tokens>,
    pub(super) clock: Arc<dyn Clock>,
}

/// A connection.
pub(super) struct Connection {
    pub(super) client: ClientWrapper,
    retires_at: Option<Timestamp>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(transparent)]
    Iam(#[from] IamError),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        let now = self.clock.now();
        let mut config = self.config.clone();
        if let Some(tokens) = &self.tokens {
            config.password(tokens.token(now.into()).await?.expose());
        }
        let (client, connection) = config.connect(self.tls.clone()).await?;
        // Whoever asks is told how it ended.
        let work = tokio::spawn(async move { drop(connection.await) });
        Ok(Connection { client: ClientWrapper::new(client, work), retires_at: retirement(self.dialect, now) })
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<ConnectError> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("it is closed"));
        }
        if connection.retires_at.is_some_and(|end| end <= self.clock.now()) {
            return Err(RecycleError::message("it is old"));
        }
        Ok(())
    }
}

fn retirement(dialect: PostgresDialect, now: Timestamp) -> Option<Timestamp> {
    match dialect {
        PostgresDialect::Postgresql => None,
        PostgresDialect::Dsql => {
            let [part] = (&SystemRandom as &dyn Random).bytes();
            Some(now + DSQL_LIFE + SignedDuration::from_secs(DSQL_MORE * i64::from(part) / 255))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_connection_to_dsql_retires_before_its_hour_and_not_with_all_others() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(retirement(PostgresDialect::Postgresql, now), None);
        let ends: BTreeSet<_> = (0..100).map(|_| retirement(PostgresDialect::Dsql, now).unwrap()).collect();
        assert!(ends.len() > 10, "{ends:?}");
        let minutes = |minutes| now + SignedDuration::from_mins(minutes);
        assert!(ends.iter().all(|end| (minutes(45)..=minutes(55)).contains(end)), "{ends:?}");
    }
}
