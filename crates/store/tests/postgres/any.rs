//! Any server that speaks PostgreSQL's protocol, by a URL as Daypass takes it, with the password in it.

use std::sync::atomic::{AtomicU32, Ordering};

use daypass_store::PostgresUrl;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What the client library does not know.
const OURS: [&str; 3] = ["connections", "statements", "sslrootcert"];

/// The URL of a new schema there, which stays.
pub async fn schema(url: &str) -> PostgresUrl {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("daypass_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let (client, connection) = tokio_postgres::connect(&without_ours(url), tls()).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let before = if url.contains('?') { '&' } else { '?' };
    format!("{url}{before}options=-csearch_path%3D{name}").try_into().unwrap()
}

fn without_ours(url: &str) -> String {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let is_ours = |parameter: &&str| OURS.iter().any(|ours| parameter.starts_with(ours));
    let others: Vec<&str> = parameters.split('&').filter(|parameter| !is_ours(parameter)).collect();
    format!("{place}?{}", others.join("&"))
}

fn tls() -> MakeRustlsConnect {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_platform_verifier()
        .unwrap()
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}
