//! What the same operations cost in a table of Amazon DynamoDB, in the units that it charges for.

use super::meter::{Counted, Meter};
use super::operations::{CREDENTIALS, KNOWN, NEW, OPERATIONS, Operation};
use super::site::{Site, settle};
use super::units::Emulator;
use crate::size::Size;
use crate::statistics::as_float;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, progress};

pub(super) const READ: &str = "read in all";
pub(super) const WRITTEN: &str = "written in all";

/// As many that come together say as much as more would: units are counted.
const MANY: usize = 400;

/// Units until the answer: of what docs/dynamodb.md says that the store is asked, and of the event.
const TARGETS: [(&str, Counted); 3] =
    [(KNOWN.title, [2.0, 1.0]), (NEW.title, [2.0, 7.0]), (CREDENTIALS.title, [4.0, 1.0])];

pub(super) fn empty() -> Table {
    let columns = [
        Column::less("read", "units", 0),
        Column::less("written", "units", 0),
        Column::less(READ, "units", 1),
        Column::less(WRITTEN, "units", 1),
    ];
    Table::new("stores-dynamodb", "DynamoDB, units of a request", columns)
        .note(
            "By dynoxide, an emulator, which is asked for them on the way (`ReturnConsumedCapacity`) and counts by AWS's rules. Reads are strongly \
             consistent. No bill was ever held against it.",
        )
        .note(
            "First those until the answer: the least of requests that come alone. `In all` is of requests that come together, with what the trail \
             takes behind the answers, and with looks at it meanwhile.",
        )
}

pub(super) fn fill(table: &mut Table, emulator: &Emulator, size: &Size) -> Outcome<()> {
    let meter = Meter::default();
    let site = Site::open(&emulator.counted_url(&meter)?)?;
    settle(&site.server)?;
    progress::say("stores, units of DynamoDB");
    let alone = OPERATIONS.iter().map(|operation| operation.count_one(&site, &meter, size));
    let alone = alone.collect::<Outcome<Vec<Counted>>>()?;
    settle(&site.server)?;
    for (operation, alone) in OPERATIONS.iter().zip(alone) {
        let target = TARGETS.iter().find(|(title, _)| *title == operation.title).map(|(_, units)| units);
        let alone = [0, 1].map(|at| held(alone[at], target.map(|units| units[at])));
        let together = together(operation, &site, &meter, size)?.map(|units| Cell::of([units]));
        table.row(operation.title, alone.into_iter().chain(together).map(Some));
    }
    site.server.stop()
}

fn held(units: f64, target: Option<f64>) -> Cell {
    let cell = Cell::of([units]);
    match target {
        Some(limit) => cell.at_most(limit),
        None => cell,
    }
}

/// What each takes of many, until the trail has all of them. What was asked before has its place there.
fn together(operation: &Operation, site: &Site, meter: &Meter, size: &Size) -> Outcome<Counted> {
    let requests = operation.requests(site, size.requests_per_store.min(MANY))?;
    meter.take();
    site.ask(&requests)?;
    operation.settle(&site.server)?;
    Ok(meter.take().map(|units| units / as_float(requests.len())))
}
