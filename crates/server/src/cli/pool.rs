//! `daypass pool`: identity pools as a whole. Copying works on any pool behind the AWS API; the rest on the
//! database of the embedded pools.

mod copy;
mod create;
mod export;
mod file;
mod import;
mod lookup;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use daypass_core::ground::ids::IdentityPoolId;
use daypass_core::operator::pools::{self, PoolOverview};
use daypass_core::store::SharedStore;
use daypass_store::{Open, StoreUrl};
use serde_json::{Value, json};

use super::place::Place;
use super::{print, tell};
use crate::installation::taking_over;
use crate::printable::printable;

/// As many pools are read at a time.
const POOLS: usize = 100;

/// What can be done with pools.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// List the embedded pools, and how many identities they have
    List(Database),
    /// Make the pool that a configuration names, beside those that other names lead to
    ///
    /// The first pool of a store is made by the first start. Nobody is in a new pool:
    /// whoever signed in before is somebody else there.
    Create(Place),
    /// Show all that an embedded pool is set to, as JSON
    Show(Show),
    /// Look up a person's identity in every Region, Amazon's or ours
    Lookup(lookup::Arguments),
    /// Copy a pool's whole configuration to another Region
    ///
    /// Shows what it would do, and does it with --apply. Run again after a failure,
    /// it goes on where it was. Each end is Amazon Cognito, or a running Daypass.
    /// Identities and logins stay where they are.
    Copy(Box<copy::Arguments>),
    /// Write an embedded pool with everybody in it to stdout
    ///
    /// A running server goes on meanwhile; what it changes is not in the file. The
    /// file says who logs in: keep it private.
    Export(export::Arguments),
    /// Read an exported pool with everybody in it
    ///
    /// All of it comes in, or nothing does: a file that is damaged or cut off changes
    /// nothing, and neither does an import that is killed. A pool that is there has
    /// to be empty, or to have the same identities. No server may run meanwhile.
    Import(import::Arguments),
}

/// Which pool to show.
#[derive(Debug, Args)]
pub struct Show {
    /// The pool
    #[arg(value_name = "ID", value_parser = |text: &str| IdentityPoolId::parse(text))]
    id: IdentityPoolId,
    #[command(flatten)]
    place: Database,
}

/// Where embedded pools are kept.
#[derive(Debug, Args)]
pub struct Database {
    #[command(flatten)]
    place: Place,
    /// A database file of no installation, such as one that was set aside
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dir", "config"])]
    database: Option<PathBuf>,
}

impl Database {
    /// Opens the database that is there.
    async fn open(&self) -> anyhow::Result<SharedStore> {
        match &self.database {
            None => self.place.find()?.store(Open::Existing).await,
            Some(file) => {
                let url = StoreUrl::Sqlite(file.clone());
                let opened = daypass_store::open(&url, Open::Existing, &mut taking_over()).await;
                opened.context("name another --database")
            }
        }
    }
}

pub async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::List(place) => list(&place).await,
        Task::Create(place) => create::run(&place).await,
        Task::Show(Show { id, place }) => show(&id, &place).await,
        Task::Copy(arguments) => copy::run(*arguments).await,
        Task::Lookup(arguments) => lookup::run(arguments).await,
        Task::Export(arguments) => export::run(arguments).await,
        Task::Import(arguments) => import::run(arguments).await,
    }
}

async fn list(place: &Database) -> anyhow::Result<()> {
    let store = place.open().await?;
    print(&format!("{:<46}  {:>10}  NAME", "ID", "IDENTITIES"))?;
    let mut next_token: Option<String> = None;
    loop {
        let page = pools::list(&*store, POOLS, next_token.as_deref()).await?;
        page.items.iter().map(row).try_for_each(|row| print(&row))?;
        match page.next_token {
            None => return Ok(()),
            more => next_token = more,
        }
    }
}

fn row(PoolOverview { pool, identities, .. }: &PoolOverview) -> String {
    format!("{:<46}  {identities:>10}  {}", pool.id.as_str(), printable(&pool.settings.name))
}

async fn show(id: &IdentityPoolId, place: &Database) -> anyhow::Result<()> {
    let shown = pools::show(&*place.open().await?, id).await?.ok_or_else(|| no_pool(id))?;
    let PoolOverview { pool, configured_as, identities } = shown;
    let shown =
        json!({"pool": file::Pool::from(pool), "configured_as": configured_as, "identities": identities});
    Ok(print(&format!("{:#}", without_control_characters(shown)))?)
}

/// JSON spells out the first 32 control characters by itself, and a terminal obeys more.
fn without_control_characters(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable(&text)),
        Value::Array(values) => values.into_iter().map(without_control_characters).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (printable(&name), without_control_characters(value)))
            .collect(),
        other => other,
    }
}

fn no_pool(id: &IdentityPoolId) -> anyhow::Error {
    anyhow!("there is no pool {id}; `daypass pool list` shows those there are")
}
