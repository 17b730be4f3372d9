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

use crate::size::Size;
use crate::table::Table;
use crate::{Outcome, prepared};

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let (mut beside, mut nodes, mut identities) =
        (beside_sqlite::empty(), nodes::empty(), identities::empty());
    match prepared::prepared("POSTGRES") {
        Ok(_) => {
            beside_sqlite::fill(&mut beside, size)?;
            nodes::fill(&mut nodes, size)?;
            identities::fill(&mut identities, size)?;
        }
        Err(failure) => {
            for table in [&mut beside, &mut nodes, &mut identities] {
                table.missing.push(format!("PostgreSQL, {}: {failure}", table.title));
            }
        }
    }
    let mut dynamodb = dynamodb::empty();
    match prepared::prepared("DYNOXIDE") {
        Ok(_) => dynamodb::fill(&mut dynamodb, size)?,
        Err(failure) => dynamodb.missing.push(format!("DynamoDB: {failure}")),
    }
    let million = million::of(&beside, &dynamodb);
    Ok(vec![beside, dynamodb, million, nodes, identities])
}
