//! Measures Daypass from outside: the CPU it spends on a request, how long people wait while others come, how soon it is ready, what
//! memory and disk it takes, and what others take for the same. CPU is given as a multiple of one bare RSA-2048 signature by the same library on
//! the same machine in the same run, because seconds of one machine say nothing about another.
//!
//! Use it through `cargo xtask bench`, which builds the programs and names them in the environment.

#![expect(clippy::print_stdout, reason = "the figures are the product")]
#![expect(clippy::print_stderr, reason = "progress and failures are told to the person at the terminal")]

mod arguments;
mod compare;
mod cores;
mod cpu;
mod crowd;
mod emulators;
mod engine;
mod far_end;
mod growth;
mod http;
mod issuer;
mod lambda;
mod latency;
mod logins;
mod machine;
mod memory;
mod open_loop;
mod operations;
mod others;
mod overload;
mod prepared;
mod progress;
mod report;
mod requests;
mod resident;
mod run;
mod s3;
mod scene;
mod server;
mod show;
mod signature;
mod size;
mod stages;
mod start;
mod statistics;
mod stores;
mod table;
mod token;
mod town;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::Arguments;
use run::Run;
use size::{FULL, LARGE_CROWD, LARGE_IDENTITIES, QUICK, Size};
use table::Table;

/// A failure is a sentence for the person at the terminal.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A name, and what is measured under it.
type Measure = (&'static str, fn(&Size) -> Outcome<Vec<Table>>);

/// In their order.
const MEASURES: [Measure; 14] = [
    ("token", token::tables),
    ("stages", stages::tables),
    ("operations", operations::tables),
    ("latency", latency::tables),
    ("growth", growth::tables),
    ("engine", engine::tables),
    ("stores", stores::tables),
    ("logins", logins::tables),
    ("overload", overload::tables),
    ("start", start::tables),
    ("lambda", lambda::tables),
    ("memory", memory::tables),
    ("emulators", emulators::tables),
    ("s3", s3::tables),
];

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("daypass-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == [start::FLOOR] {
        return start::be_the_floor();
    }
    if words.iter().any(|word| word == "--help" || word == "-h") {
        print!("{}", help());
        return Ok(());
    }
    let command = format!("cargo xtask bench {}", words.join(" "));
    let arguments = Arguments::parse(words)?;
    let chosen = choose(&arguments.measures)?;
    // What is no run is refused before half an hour is spent.
    let before = arguments.compare.as_deref().map(Run::read).transpose()?;
    let mut run = Run::new(command.trim_end().to_owned(), arguments.quick);
    let size = size_of(&arguments);
    let file = arguments.save.unwrap_or_else(|| folder().join("last.json"));
    measure_all(&mut run, &chosen, &size, &file)?;
    println!("\n{} s; the figures are in {}", run.seconds, file.display());
    if let Some(before) = before {
        print!("{}", compare::Comparison::of(&before, &run));
    }
    if arguments.report {
        write_page(&run)?;
    }
    Ok(())
}

fn size_of(arguments: &Arguments) -> Size {
    if arguments.quick {
        println!("quick run: it shows that everything works; do not quote its figures");
        return QUICK;
    }
    if arguments.large { Size { crowd: LARGE_CROWD, identities: LARGE_IDENTITIES, ..FULL } } else { FULL }
}

/// Each table is shown and kept as soon as it is there: a run takes half an hour, and may be ended before it is over.
fn measure_all(run: &mut Run, chosen: &[Measure], size: &Size, file: &Path) -> Outcome<()> {
    for (name, measure) in chosen {
        progress::say(&format!("measuring {name}"));
        for table in measure(size).map_err(|error| format!("{name}: {error}"))? {
            print!("{table}");
            run.tables.push(table);
        }
        run.seconds = progress::so_far().as_secs();
        run.write(file)?;
    }
    Ok(())
}

/// The page of the docs; of a quick run, one beside its figures, lest somebody believes it.
fn write_page(run: &Run) -> Outcome<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = report::write(run, &if run.quick { folder() } else { docs })?;
    println!("the page is {}", page.display());
    Ok(())
}

/// Where files go that nobody named a place for.
fn folder() -> PathBuf {
    std::env::var_os("BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from)
}

fn help() -> String {
    format!(
        "Measures Daypass against its targets, as ratios inside one run.

Usage: cargo xtask bench [NAME…] [OPTIONS]

Names: {}; all of them if there is none.

Options:
  --quick         a few minutes, which show that everything works; no figures to quote
  --large         a crowd of ten million, in PostgreSQL as well, for which hours and some gigabytes are needed
  --report        write docs/benchmarks.md; it takes half an hour, on a machine that nobody else uses
  --save FILE     where the figures go, for --compare
  --compare FILE  tell what changed since the figures in a file
",
        names().join(", ")
    )
}

/// The measures of these names, or all.
fn choose(names: &[String]) -> Outcome<Vec<Measure>> {
    if names.is_empty() {
        return Ok(MEASURES.to_vec());
    }
    names.iter().map(|name| find(name)).collect()
}

fn find(name: &str) -> Outcome<Measure> {
    let found = MEASURES.into_iter().find(|(known, _)| *known == name);
    found.ok_or_else(|| format!("{name:?} is none of {}", names().join(", ")).into())
}

fn names() -> Vec<&'static str> {
    MEASURES.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::measure_all;
    use crate::run::Run;
    use crate::size::QUICK;
    use crate::table::{Column, Table};

    #[test]
    fn what_was_measured_is_kept_when_something_else_cannot_be() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("last.json");
        let mut run = Run::new("cargo xtask bench".into(), true);
        let failed = measure_all(
            &mut run,
            &[
                ("token", |_| Ok(vec![Table::new("token", "A token", [Column::less("CPU", "µs", 1)])])),
                ("s3", |_| Err("no store answers".into())),
            ],
            &QUICK,
            &file,
        );
        assert!(failed.is_err_and(|failure| failure.to_string() == "s3: no store answers"));
        assert!(Run::read(&file).unwrap().table("token").is_some());
    }
}
