//! What the stores cost that several servers share: PostgreSQL beside SQLite, DynamoDB in its units, and a second server on the
//! same database.

mod beside_sqlite;
mod cluster;
mod dynamodb;
mod identities;
mod meter;
mod million;
mod nodes;
mod operations;
mod site;
mod units;
mod wire;

use cluster::Cluster;
use units::Emulator;

use crate::Outcome;
use crate::size::Size;
use crate::table::Table;

/// Measures what a table has, in a PostgreSQL that nobody has used.
type Fill = fn(&mut Table, &Cluster, &Size) -> Outcome<()>;

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let (mut beside, mut nodes, mut identities) =
        (beside_sqlite::empty(), nodes::empty(), identities::empty());
    for (table, fill) in [
        (&mut beside, beside_sqlite::fill as Fill),
        (&mut nodes, nodes::fill),
        (&mut identities, identities::fill),
    ] {
        match Cluster::start() {
            Ok(cluster) => fill(table, &cluster, size)?,
            Err(failure) => table.missing.push(format!("{}, without PostgreSQL: {failure}", table.title)),
        }
    }
    let mut dynamodb = dynamodb::empty();
    match Emulator::start() {
        Ok(emulator) => dynamodb::fill(&mut dynamodb, &emulator, size)?,
        Err(failure) => dynamodb.missing.push(format!("{}, without dynoxide: {failure}", dynamodb.title)),
    }
    let million = million::of(&beside, &dynamodb);
    Ok(vec![beside, dynamodb, million, nodes, identities])
}
