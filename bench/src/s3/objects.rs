//! Objects of three sizes, in and out.

use std::time::Instant;

use super::client::{Request, send_all};
use super::stores::{BUCKET, Store};
use super::stuff::{Stuff, span};
use super::{Amounts, CONNECTIONS, memory, memory_column};
use crate::table::{Cell, Column, Table};
use crate::{Outcome, progress};

/// A size, and what Daypass is held to at it.
struct Row {
    title: &'static str,
    length: u64,
    /// How many times as fast as SeaweedFS and as moto.
    targets: [Option<f64>; 2],
}

const ROWS: [Row; 3] = [
    Row { title: "1 kB", length: 1_000, targets: [None, Some(10.0)] },
    Row { title: "1 MB", length: 1_000_000, targets: [Some(1.0), None] },
    Row { title: "100 MB", length: 100_000_000, targets: [Some(1.0), None] },
];

#[derive(Clone, Copy)]
enum Operation {
    Put,
    Get,
}

/// What a store did in the rounds that count.
#[derive(Default)]
struct Figures {
    per_second: Vec<f64>,
    /// The most that any round took, the first one too.
    mebibytes: f64,
}

pub(super) fn tables(stores: &[Store; 3], stuff: &Stuff, amounts: &Amounts) -> Outcome<Vec<Table>> {
    let of_row = |(row, count): (&Row, u64)| {
        progress::say(&format!("S3: objects of {}", row.title));
        let [put, get] = row.measure(stores, stuff, count, amounts.rounds)?;
        let columns = [
            Column::more("throughput", "MB/s", 1),
            Column::more("objects", "/s", 1),
            memory_column(),
            Column::more("Daypass ÷ it", "", 2),
        ];
        let id = format!("s3-{}", row.title.replace(' ', "-").to_lowercase());
        let mut table = Table::new(&id, &format!("S3: objects of {}", row.title), columns)
            .note(format!("{count} in a round."));
        row.add("PUT", stores, &put, &mut table);
        row.add("GET", stores, &get, &mut table);
        Ok(table)
    };
    ROWS.iter().zip(amounts.objects).map(of_row).collect()
}

impl Row {
    /// The stores take turns, so that whatever slows the machine down for a while slows down all of them.
    fn measure(
        &self,
        stores: &[Store; 3],
        stuff: &Stuff,
        count: u64,
        rounds: usize,
    ) -> Outcome<[[Figures; 3]; 2]> {
        let mut figures = <[[Figures; 3]; 2]>::default();
        for round in 0..rounds {
            for (operation, figures) in [Operation::Put, Operation::Get].into_iter().zip(&mut figures) {
                for (store, figures) in stores.iter().zip(figures) {
                    let (per_second, mebibytes) = self.ask(operation, store, stuff, round, count)?;
                    figures.per_second.extend(Some(per_second).filter(|_| round > 0));
                    figures.mebibytes = figures.mebibytes.max(mebibytes);
                }
            }
        }
        Ok(figures)
    }

    /// Requests a second, and what memory they took.
    fn ask(
        &self,
        operation: Operation,
        store: &Store,
        stuff: &Stuff,
        round: usize,
        count: u64,
    ) -> Outcome<(f64, f64)> {
        let requests = (0..count).map(|number| self.request(operation, store, round, number));
        let requests = requests.collect::<Outcome<Vec<_>>>()?;
        let mut seconds = 0.0;
        let mebibytes = store.memory_of(|| {
            let started = Instant::now();
            send_all(&store.endpoint, stuff, &requests, CONNECTIONS, |_| Ok(()))?;
            seconds = started.elapsed().as_secs_f64();
            Ok(())
        })?;
        Ok((f64::from(u32::try_from(count)?) / seconds, mebibytes))
    }

    fn request(&self, operation: Operation, store: &Store, round: usize, number: u64) -> Outcome<Request> {
        let path = format!("/{BUCKET}/{}/{round}/{number}", self.length);
        let span = span(number, self.length);
        match operation {
            Operation::Put => store.endpoint.put(&path, span),
            Operation::Get => store.endpoint.get(&path, span),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "no size has as many digits")]
    fn add(&self, operation: &str, stores: &[Store; 3], figures: &[Figures; 3], table: &mut Table) {
        let targets = [None].into_iter().chain(self.targets);
        for (number, ((store, its), target)) in stores.iter().zip(figures).zip(targets).enumerate() {
            let megabytes = self.length as f64 / 1e6;
            let ratio = figures[0].per_second.iter().zip(&its.per_second).map(|(ours, its)| ours / its);
            let (ratio, mebibytes) = (Cell::of(ratio), its.mebibytes);
            let cells = [
                Some(Cell::of(its.per_second.iter().map(|objects| objects * megabytes))),
                Some(Cell::of(its.per_second.iter().copied())),
                Some(if number == 0 { memory(mebibytes) } else { Cell::of([mebibytes]) }),
                (number > 0)
                    .then(|| target.map_or_else(|| ratio.clone(), |limit| ratio.clone().at_least(limit))),
            ];
            table.row(format!("{operation}, {}", store.name), cells);
        }
    }
}
