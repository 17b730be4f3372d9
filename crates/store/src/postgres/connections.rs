//! Connections, and a question asked on one of them: how long is waited, and what becomes of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daypass_core::ground::clock::Clock;
use daypass_core::store::StoreConnections;
use deadpool::Runtime;
use deadpool::managed::{Object, Pool, Status};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dialect::PostgresDialect;
use super::iam::Tokens;
use super::manager::{Connection, Manager};
use super::statements::{Statement, Statements};
use super::trouble::{Failure, Kind, Place, PostgresOpenError};
use super::url::PostgresUrl;

/// For how long is waited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// For a new connection.
    pub(super) connecting: Duration,
    /// For one that others use.
    pub(super) waiting: Duration,
    /// For an answer.
    pub(super) answering: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connecting: Duration::from_secs(3),
            waiting: Duration::from_secs(1),
            answering: Duration::from_secs(5),
        }
    }
}

/// After so long without a word the other end is asked whether it is still there. What is between the two, and forgets connections
/// that are quiet, waits longer.
const QUIET: Duration = Duration::from_secs(30);
const BETWEEN_PROBES: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

pub(super) struct Connections {
    pool: Pool<Manager>,
    tls: MakeRustlsConnect,
    /// Whether statements are prepared, each once for a connection.
    is_preparing: AtomicBool,
    deadlines: Deadlines,
    place: Place,
}

impl Connections {
    /// Connects to nothing yet.
    pub(super) fn new(
        url: &PostgresUrl,
        deadlines: Deadlines,
        tokens: Option<Tokens>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PostgresOpenError> {
        let mut config = url.config.clone();
        let hosts = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
        config
            // The second host has its turn when the first one is silent.
            .connect_timeout(deadlines.connecting)
            .tcp_user_timeout(deadlines.answering)
            .keepalives_idle(QUIET)
            .keepalives_interval(BETWEEN_PROBES)
            .keepalives_retries(PROBES);
        let dialect = url.dialect();
        if dialect == PostgresDialect::Postgresql {
            // What a server that follows another one tells is old. All of DSQL's are asked to write.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let place = Place { name: url.to_string(), dialect, is_by_iam: tokens.is_some() };
        let tls = MakeRustlsConnect::new(tls(url)?);
        let pool = Pool::builder(Manager { config, tls: tls.clone(), dialect, tokens, clock })
            .max_size(url.connections.into())
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(deadlines.waiting))
            .create_timeout(Some(deadlines.connecting * u32::try_from(hosts).unwrap_or(u32::MAX)))
            .build()
            .expect("a runtime is named");
        let is_preparing = AtomicBool::new(url.is_preparing);
        Ok(Self { pool, tls, is_preparing, deadlines, place })
    }

    /// How many there are, and of what use.
    pub(super) fn count(&self) -> StoreConnections {
        let Status { max_size, size, available, waiting } = self.pool.status();
        StoreConnections { limit: max_size, open: size, idle: available, waiting }
    }

    /// Where they lead to, in words.
    pub(super) fn place(&self) -> &str {
        &self.place.name
    }

    /// What is asked there.
    pub(super) fn dialect(&self) -> PostgresDialect {
        self.place.dialect
    }

    pub(super) fn statements(&self) -> &'static Statements {
        self.place.dialect.statements()
    }

    /// Asks a statement, in one round trip if the connection knows it.
    pub(super) async fn ask(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let prepared = self.is_preparing.load(Ordering::Relaxed);
        match self.ask_once(statement, parameters, prepared).await {
            // A pooler on the way has given the connection to the server to somebody else: it would again.
            Err(Failure { kind: Kind::Unprepared, .. }) if prepared => {
                self.is_preparing.store(false, Ordering::Relaxed);
                self.ask_once(statement, parameters, false).await
            }
            answer => answer,
        }
    }

    /// Asks a statement that is asked no second time, or seldom.
    pub(super) async fn ask_unprepared(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        self.ask_once(statement, parameters, false).await
    }

    async fn ask_once(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
        prepared: bool,
    ) -> Result<Vec<Row>, Failure> {
        let connection = self.pool.get().await.map_err(|error| Failure::unreached(&self.place, &error))?;
        let asked = Asked { connections: self, connection: Some(connection) };
        let answer = timeout(self.deadlines.answering, asked.ask(statement, parameters, prepared)).await;
        let Ok(answer) = answer else { return Err(Failure::late(&self.place)) };
        let answer = answer.map_err(|error| Failure::asked(&self.place, &error));
        asked.answered(answer.as_ref().err().is_none_or(Failure::leaves_the_session));
        answer
    }
}

/// A connection that was asked something. If nobody waits for the answer any more, it is called off, and the connection is closed:
/// whoever had it next would wait for that answer first.
struct Asked<'a> {
    connections: &'a Connections,
    connection: Option<Object<Manager>>,
}

impl Asked<'_> {
    async fn ask(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
        prepared: bool,
    ) -> Result<Vec<Row>, Error> {
        let Connection { client, .. } =
            &**self.connection.as_ref().expect("it is there until it was answered");
        if prepared {
            let prepared = client.prepare_typed_cached(statement.text, statement.types).await?;
            return client.query(&prepared, parameters).await;
        }
        let typed: Vec<_> = parameters.iter().copied().zip(statement.types.iter().cloned()).collect();
        client.query_typed(statement.text, &typed).await
    }

    fn answered(mut self, is_good: bool) {
        let connection = self.connection.take();
        if !is_good {
            connection.map(Object::take);
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let Some(Connection { client, .. }) = self.connection.take().map(Object::take) else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        // DSQL calls nothing off, and counts connections.
        if self.connections.place.dialect == PostgresDialect::Dsql {
            return;
        }
        let tls = self.connections.tls.clone();
        let deadline = self.connections.deadlines.connecting;
        runtime.spawn(async move {
            let _ = timeout(deadline, client.cancel_token().cancel_query(tls)).await;
        });
    }
}

/// Trusts whom the system trusts, and the certificates that the URL names.
fn tls(url: &PostgresUrl) -> Result<ClientConfig, PostgresOpenError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let mut config = if url.is_with_tls() {
        let verifier = Verifier::new_with_extra_roots(root_certificates(url)?, provider)?;
        config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        // Not asked. A system without certificates has none to read.
        config.with_root_certificates(RootCertStore::empty())
    }
    .with_no_client_auth();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(config)
}

fn root_certificates(url: &PostgresUrl) -> Result<Vec<CertificateDer<'static>>, PostgresOpenError> {
    let Some(file) = &url.root_certificates else { return Ok(Vec::new()) };
    let read = || -> Result<Vec<_>, rustls::pki_types::pem::Error> {
        let certificates: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
        if certificates.is_empty() {
            Err(rustls::pki_types::pem::Error::NoItemsFound)
        } else {
            Ok(certificates)
        }
    };
    read().map_err(|source| PostgresOpenError::RootCertificates { file: file.clone(), source })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use daypass_core::ground::clock::SystemClock;

    use super::*;
    use crate::postgres::statements::POSTGRESQL;

    const FORGET: Statement = POSTGRESQL.forget;

    const SHORT: Deadlines = Deadlines {
        connecting: Duration::from_millis(50),
        waiting: Duration::from_millis(10),
        answering: Duration::from_secs(5),
    };

    fn connections(url: String) -> Connections {
        Connections::new(&url.try_into().unwrap(), SHORT, None, Arc::new(SystemClock)).unwrap()
    }

    async fn ask(url: String) -> Failure {
        connections(url).ask(&FORGET, &[&0_i64]).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for() {
        // Whoever connects is taken, and gets no answer.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        let failure = ask(format!("postgres://ada:hunter2@{address}/d")).await;
        assert_eq!(failure.kind, Kind::Refused);
        assert!(format!("{failure:?}").contains("it does not answer in time: it hangs"), "{failure:?}");
        assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    }

    #[tokio::test]
    async fn whoever_waits_for_a_connection_of_others_is_told_that_it_is_busy() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        let connections = connections(format!("postgres://ada@{address}/d?connections=1"));
        let ask = async || connections.ask(&FORGET, &[&0_i64]).await.unwrap_err().kind;
        assert_eq!(tokio::join!(ask(), ask()), (Kind::Refused, Kind::Busy));
    }

    #[tokio::test]
    async fn whoever_waits_is_counted() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        let connections = connections(format!("postgres://ada@{address}/d?connections=1"));
        let nobody = StoreConnections { limit: 1, open: 0, idle: 0, waiting: 0 };
        assert_eq!(connections.count(), nobody);
        let mut asking = [(); 2].map(|()| Box::pin(connections.ask(&FORGET, &[&0_i64])));
        for ask in &mut asking {
            assert!(futures::future::poll_immediate(ask).await.is_none());
        }
        // One until it is open, and one until the other is done.
        assert_eq!(connections.count().waiting, 2);
        drop(asking);
        assert_eq!(connections.count().waiting, 0);
    }
}
