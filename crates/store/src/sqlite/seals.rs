//! What lies sealed in the tables of others, and the master keys that it is sealed under.

use async_trait::async_trait;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::SignInSessionId;
use daypass_core::ground::seal::{MasterKeyId, Sealed};
use daypass_core::store::{AnnouncedMasterKey, Page, Resealing, SealedItem, SealedValue, Seals, StoreError};
use rusqlite::types::Type;
use rusqlite::{Connection, Result, Row, ToSql, named_params};

use super::SqliteStore;
use super::value::{Instant, Text, integer};

#[async_trait]
impl Seals for SqliteStore {
    async fn list_sealed(&self, page: Page<SealedItem>) -> Result<Vec<SealedValue>, StoreError> {
        self.readers.read(|connection| list(connection, &page))
    }

    async fn reseal(&self, changes: &[Resealing]) -> Result<usize, StoreError> {
        let changes = changes.to_vec();
        self.writer.write(move |connection| changes.iter().map(|it| reseal(connection, it)).sum()).await
    }

    async fn announce_master_key(&self, id: MasterKeyId, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(move |connection| announce(connection, id, now)).await
    }

    async fn list_master_keys(&self) -> Result<Vec<AnnouncedMasterKey>, StoreError> {
        self.readers.read(master_keys)
    }
}

type Read = fn(&Row<'_>) -> Result<SealedValue>;

/// The tables in the order of what is listed, and how a row of each is read.
const TABLES: [(&str, Read); 3] = [
    ("SELECT id, sealed_secret FROM access_key WHERE ?1 IS NULL OR id > ?1 ORDER BY id LIMIT ?2", |row| {
        value(SealedItem::AccessKey(row.get::<_, Text<_>>(0)?.0), row)
    }),
    ("SELECT id, login FROM sign_in_session WHERE id > coalesce(?1, x'') ORDER BY id LIMIT ?2", |row| {
        value(SealedItem::SignInSession(SignInSessionId::of_bytes(row.get(0)?)), row)
    }),
    (
        "SELECT key_id, sealed_private_key FROM signing_key WHERE ?1 IS NULL OR key_id > ?1 ORDER BY key_id LIMIT ?2",
        |row| value(SealedItem::SigningKey(row.get(0)?), row),
    ),
];

fn value(item: SealedItem, row: &Row<'_>) -> Result<SealedValue> {
    Ok(SealedValue { item, sealed: Sealed(row.get(1)?) })
}

fn list(connection: &Connection, page: &Page<SealedItem>) -> Result<Vec<SealedValue>> {
    let (first, after) = page.after.as_ref().map_or((0, None), |after| {
        let (table, id) = place(after);
        (table, Some(id))
    });
    let mut values = Vec::new();
    for (table, (select, read)) in TABLES.into_iter().enumerate().skip(first) {
        let after = after.as_ref().filter(|_| table == first);
        let limit = integer(page.limit - values.len());
        let mut select = connection.prepare_cached(select)?;
        let rows = select.query_map((after, limit), read)?;
        for row in rows {
            values.push(row?);
        }
    }
    Ok(values)
}

/// The table of an item, and its key there.
fn place(item: &SealedItem) -> (usize, Box<dyn ToSql + '_>) {
    match item {
        SealedItem::AccessKey(id) => (0, Box::new(id.as_str())),
        SealedItem::SignInSession(id) => (1, Box::new(id.to_bytes())),
        SealedItem::SigningKey(id) => (2, Box::new(id)),
    }
}

fn reseal(connection: &Connection, Resealing { from, to }: &Resealing) -> Result<usize> {
    const UPDATES: [&str; 3] = [
        "UPDATE access_key SET sealed_secret = :to WHERE id = :id AND sealed_secret = :from",
        "UPDATE sign_in_session SET login = :to WHERE id = :id AND login = :from",
        "UPDATE signing_key SET sealed_private_key = :to WHERE key_id = :id AND sealed_private_key = :from",
    ];
    let (table, id) = place(&from.item);
    connection
        .prepare_cached(UPDATES[table])?
        .execute(named_params! { ":id": id, ":from": from.sealed.0, ":to": to.0 })
}

fn announce(connection: &Connection, id: MasterKeyId, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO master_key (id, since)
             SELECT :id, max(:now, coalesce((SELECT max(since) + 1 FROM master_key), :now))
             WHERE :id IS NOT (SELECT id FROM master_key ORDER BY since DESC LIMIT 1)
             ON CONFLICT (id) DO UPDATE SET since = excluded.since",
        )?
        .execute(named_params! { ":id": id.to_string(), ":now": Instant(now) })
        .map(drop)
}

pub(super) fn master_keys(connection: &Connection) -> Result<Vec<AnnouncedMasterKey>> {
    connection
        .prepare_cached("SELECT id, since FROM master_key ORDER BY since DESC")?
        .query_map([], |row| {
            let id = MasterKeyId::parse(&row.get::<_, String>(0)?).ok_or_else(|| {
                let error = "this is no ID of a master key";
                rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
            })?;
            Ok(AnnouncedMasterKey { id, since: row.get::<_, Instant>(1)?.0 })
        })?
        .collect()
}
