//! A database for the nodes of a test.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::postgres::Cluster;

/// The URL of an empty store of its own, in a PostgreSQL that all tests have in common.
pub fn store() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let schema = format!("s{}", MADE.fetch_add(1, Ordering::Relaxed));
    store_in(folder(), &schema)
}

/// The URL of an empty store in a PostgreSQL.
pub fn store_in(folder: &Path, schema: &str) -> String {
    execute(folder, &format!("CREATE SCHEMA {schema}"));
    url(folder, "postgres", schema)
}

pub fn url(folder: &Path, user: &str, schema: &str) -> String {
    let folder = folder.display();
    format!("postgres:///postgres?host={folder}&user={user}&options=-csearch_path%3D{schema}")
}

/// Where the socket of the common one is.
pub fn folder() -> &'static Path {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    &CLUSTER.get_or_init(Cluster::start).folder
}

/// Has a PostgreSQL do something.
pub fn execute(folder: &Path, statements: &str) {
    let config = format!("host={} user=postgres dbname=postgres", folder.display());
    let executing = async {
        let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(statements).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(executing);
}
