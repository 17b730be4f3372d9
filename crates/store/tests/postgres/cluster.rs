//! Schemas in a PostgreSQL that all tests have in common.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use daypass_store::{Open, PostgresEngine, PostgresUrl};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use crate::server::Cluster;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A schema of its own, in the database of all tests or another one.
pub struct Schema {
    name: String,
    /// Where the server's socket is.
    folder: PathBuf,
}

impl Schema {
    /// An empty one in the database of all tests.
    pub async fn new() -> Self {
        Self::on(folder()).await
    }

    /// An empty one on the server whose socket is in a folder.
    pub async fn on(folder: &Path) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("s{}", MADE.fetch_add(1, Ordering::Relaxed));
        client_on(folder).await.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        Self { name, folder: folder.to_owned() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL by which a store is in it, with parameters.
    pub fn url(&self, options: &str, parameters: &str) -> PostgresUrl {
        self.text("postgres", options, parameters).try_into().unwrap()
    }

    /// The same for any user, as it is written.
    pub fn text(&self, user: &str, options: &str, parameters: &str) -> String {
        let (folder, name) = (self.folder.display(), &self.name);
        format!(
            "postgres:///postgres?host={folder}&user={user}&options=-csearch_path%3D{name}%20{options}&{parameters}"
        )
    }

    /// An engine in it.
    pub async fn engine(&self) -> PostgresEngine {
        PostgresEngine::open(&self.url("", ""), Open::OrMake).await.unwrap()
    }

    /// Waits until as many sessions as that are as a condition says. They are told by their `application_name`, the schema's.
    pub async fn until_sessions(&self, expected: RangeInclusive<i64>, condition: &str) {
        let (watch, mut found) = (client_on(&self.folder).await, -1);
        let count =
            format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND {condition}");
        let waiting = async {
            while !expected.contains(&found) {
                found = watch.query_one(&count, &[&self.name]).await.unwrap().get(0);
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{condition}: not {expected:?}"));
    }

    /// A client that is not the engine's.
    pub async fn client(&self) -> Client {
        let client = client_on(&self.folder).await;
        client.batch_execute(&format!("SET search_path = {}", self.name)).await.unwrap();
        client
    }
}

/// A client of the database of all tests.
pub async fn client() -> Client {
    client_on(folder()).await
}

async fn client_on(folder: &Path) -> Client {
    let config = format!("host={} user=postgres dbname=postgres", folder.display());
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Where the server's socket is.
pub fn folder() -> &'static Path {
    // One that does not start is not tried again: each try leaves a folder.
    static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);
    &CLUSTER.folder
}
