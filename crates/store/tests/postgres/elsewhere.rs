//! The contract on other servers than that of all other tests, each where the environment says that it is. `cargo xtask test` says it.
//! Where nothing is said, the cases of that server are passed over, aloud; or they fail, if `CONTRACT_REQUIRE` names it.

use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;

use daypass_core::store::SharedStore;
use daypass_store::{Open, PostgresDialect, PostgresEngine, PostgresUrl, StoreUrl, open};

use crate::any;
use crate::cluster::{Schema, client};
use crate::engine::is_as_in_memory;
use crate::pooler::Pooler;
use crate::server::{Cluster, POSTGRES_16, POSTGRES_18, said};

/// A store for a case, or the case is over.
macro_rules! or_pass_over {
    ($store:expr) => {
        match $store {
            Some(store) => (store, ()),
            None => return,
        }
    };
}

daypass_core::contract_tests!(postgres_16, or_pass_over!(on_postgres_16().await));
daypass_core::contract_tests!(postgres_18, or_pass_over!(on_postgres_18().await));
daypass_core::contract_tests!(pgbouncer, or_pass_over!(behind_pgbouncer().await));
daypass_core::contract_tests!(by_url, or_pass_over!(by_url().await));

async fn on_postgres_16() -> Option<SharedStore> {
    static CLUSTER: LazyLock<Option<Cluster>> = LazyLock::new(|| Cluster::start_of(POSTGRES_16));
    on(CLUSTER.as_ref()).await
}

async fn on_postgres_18() -> Option<SharedStore> {
    static CLUSTER: LazyLock<Option<Cluster>> = LazyLock::new(|| Cluster::start_of(POSTGRES_18));
    on(CLUSTER.as_ref()).await
}

async fn on(cluster: Option<&Cluster>) -> Option<SharedStore> {
    let schema = Schema::on(&cluster?.folder).await;
    Some(store(schema.url("", "connections=8")).await)
}

/// The pooler passes no `options` on: so each store has a user, whose schema has the same name.
async fn behind_pgbouncer() -> Option<SharedStore> {
    static POOLER: LazyLock<Option<Pooler>> =
        LazyLock::new(|| Some(Pooler::start(Path::new(&said(("pgbouncer", "DAYPASS_TEST_PGBOUNCER"))?))));
    let folder = POOLER.as_ref()?.folder.display();
    let schema = Schema::new().await;
    let name = schema.name();
    let own = format!("CREATE ROLE {name} LOGIN; ALTER SCHEMA {name} OWNER TO {name}");
    client().await.batch_execute(&own).await.unwrap();
    let url = format!("postgres:///postgres?host={folder}&user={name}&connections=8");
    Some(store(url.try_into().unwrap()).await)
}

async fn by_url() -> Option<SharedStore> {
    static URL: LazyLock<Option<OsString>> = LazyLock::new(|| said(("by_url", "DAYPASS_TEST_POSTGRES_URL")));
    let url = URL.as_ref()?;
    Some(store(any::schema(url.to_str().unwrap()).await).await)
}

/// A cluster of Aurora DSQL, with a schema that is empty. The contract wants a schema for each case, and DSQL has ten at most.
#[tokio::test]
async fn dsql_by_url() {
    let Some(url) = said(("dsql_by_url", "DAYPASS_TEST_DSQL_URL")) else { return };
    let url: PostgresUrl = url.into_string().unwrap().try_into().unwrap();
    let url = url.with_dialect(PostgresDialect::Dsql);
    is_as_in_memory(&PostgresEngine::open(&url, Open::OrMake).await.unwrap()).await;
}

async fn store(url: PostgresUrl) -> SharedStore {
    open(&StoreUrl::Postgres(Box::new(url)), Open::OrMake, &mut |_, _| {}).await.unwrap()
}
