//! Objects of three sizes, in and out.

use std::time::Instant;

use super::client::{Request, send_all};
use super::stores::{BUCKET, Store};
use super::stuff::{Stuff, span};
use super::{Amounts, CONNECTIONS, memory};
use crate::Outcome;
use crate::statistics::Sample;
use crate::token::verdict;

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

pub(super) fn tables(stores: &[Store; 3], stuff: &Stuff, amounts: &Amounts) -> Outcome<()> {
    for (row, count) in ROWS.iter().zip(amounts.objects) {
        println!("\nS3: objects of {}, {count} in a round", row.title);
        let [put, get] = row.measure(stores, stuff, count, amounts.rounds)?;
        row.print("PUT", stores, &put);
        row.print("GET", stores, &get);
        println!("  memory of Daypass {}", memory(put[0].mebibytes.max(get[0].mebibytes)));
    }
    Ok(())
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
    fn print(&self, operation: &str, stores: &[Store; 3], figures: &[Figures; 3]) {
        for (store, figures) in stores.iter().zip(figures) {
            let per_second = Sample::of(figures.per_second.iter().copied());
            let megabytes = per_second.median() * self.length as f64 / 1e6;
            let memory = figures.mebibytes;
            println!(
                "  {operation} {:<9} {megabytes:7.1} MB/s   {memory:+7.1} MiB   {per_second:.1} /s",
                store.name
            );
        }
        for ((store, figures_of_other), target) in stores.iter().zip(figures).skip(1).zip(self.targets) {
            let pairs = figures[0].per_second.iter().zip(&figures_of_other.per_second);
            let ratio = Sample::of(pairs.map(|(ours, others)| ours / others));
            println!("      ÷ {:<9} {ratio:.2}{}", store.name, judged(&ratio, target));
        }
    }
}

fn judged(ratio: &Sample, target: Option<f64>) -> String {
    let judge = |target| format!("   target ≥ {target}: {}", verdict(ratio.median() >= target));
    target.map(judge).unwrap_or_default()
}
