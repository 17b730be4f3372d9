//! Identities by the thousand, written straight into the server's database: through the API, a million would
//! take a quarter of an hour, most of it for signatures.

use std::path::Path;

use aws_lc_rs::rand;
use daypass_core::store::packed::packed;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::Outcome;

/// An identity and the developer user whose it is.
pub(crate) struct Person {
    pub(crate) identity_id: String,
    pub(crate) user: String,
}

/// Adds `count` identities to a pool, each with one developer login. The server may be running.
pub(crate) fn add(database: &Path, pool_id: &str, count: usize) -> Outcome<Vec<Person>> {
    let mut people = (0..count).map(|_| person(pool_id)).collect::<Outcome<Vec<_>>>()?;
    let mut connection = Connection::open(database)?;
    // Enough for the indexes of a million, which are filled out of order.
    connection.pragma_update(None, "cache_size", -400_000)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    people.sort_unstable_by(|one, other| one.identity_id.cmp(&other.identity_id));
    insert(&transaction, pool_id, &people)?;
    transaction.commit()?;
    Ok(people)
}

fn insert(transaction: &Transaction<'_>, pool_id: &str, people: &[Person]) -> rusqlite::Result<()> {
    const INCARNATION: &str = "SELECT incarnation FROM identity_pool WHERE id = ?1";
    let incarnation: String = transaction.query_one(INCARNATION, [pool_id], |row| row.get(0))?;
    let mut identity = transaction.prepare(
        "INSERT INTO identity (id, incarnation, authenticated, created_at, modified_at) VALUES (?1, ?2, 1, 0, 0)",
    )?;
    let mut login = transaction
        .prepare("INSERT INTO login (incarnation, provider, user, identity_id) VALUES (?1, '', ?2, ?3)")?;
    for Person { identity_id, user } in people {
        let id = packed(identity_id);
        identity.execute((&id, &incarnation))?;
        login.execute((&incarnation, user, &id))?;
    }
    Ok(())
}

/// A random GUID in the pool's Region, and a user called after another one.
fn person(pool_id: &str) -> Outcome<Person> {
    let region = pool_id.split(':').next().unwrap_or_default();
    Ok(Person { identity_id: format!("{region}:{}", guid()?), user: format!("user-{}", guid()?) })
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing is to be repeated here, only to be unlike anything else"
)]
fn guid() -> Outcome<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)?;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}
