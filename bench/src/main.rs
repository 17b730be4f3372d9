//! Measures `daypass up` from outside: the CPU it spends on a signed request, how soon it is ready, how much
//! memory it holds, and what its S3 does beside those of others. CPU is given as a multiple of one bare RSA-2048 signature by the same library on
//! the same machine in the same run, because seconds of one machine say nothing about another.
//!
//! Use it through `cargo xtask bench`, which builds the server and names it in `DAYPASS_BIN`.

#![expect(clippy::print_stdout, reason = "the figures are the product")]
#![expect(clippy::print_stderr, reason = "a failure is told to the person at the terminal")]

mod cpu;
mod crowd;
mod engine;
mod far_end;
mod http;
mod issuer;
mod lambda;
mod logins;
mod memory;
mod operations;
mod overload;
mod requests;
mod resident;
mod s3;
mod scene;
mod server;
mod signature;
mod start;
mod statistics;
mod token;

use std::error::Error;
use std::process::ExitCode;

/// A failure is a sentence for the person at the terminal.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How much is measured. The quick size shows that everything works, and its figures are not to be quoted.
struct Size {
    rounds: u32,
    requests_per_round: u32,
    signatures_per_round: u32,
    starts: u32,
    /// Of each process of a Lambda function, after the first.
    invocations: u32,
    exchanges: u32,
    /// Requests for each operation in each round.
    requests_per_operation: usize,
    /// Proofs for the engine in each round.
    verifications: u32,
    /// How many people sign in at the same moment.
    people_at_once: usize,
    /// All of those that are too many.
    overload_requests: usize,
    /// Whether to prepare what takes a minute to prepare.
    large: bool,
}

const FULL: Size = Size {
    rounds: 9,
    requests_per_round: 8_000,
    signatures_per_round: 8_000,
    starts: 15,
    invocations: 500,
    exchanges: 100_000,
    requests_per_operation: 2_000,
    verifications: 20_000,
    people_at_once: 1_000,
    overload_requests: 60_000,
    large: true,
};
const QUICK: Size = Size {
    rounds: 3,
    requests_per_round: 500,
    signatures_per_round: 500,
    starts: 3,
    invocations: 20,
    exchanges: 1_000,
    requests_per_operation: 64,
    verifications: 500,
    people_at_once: 100,
    overload_requests: 6_000,
    large: false,
};

/// A name, and what is measured under it.
type Measure = (&'static str, fn(&Size) -> Outcome<()>);

/// In their order.
const MEASURES: [Measure; 10] = [
    ("token", token::row),
    ("growth", token::growth_row),
    ("operations", operations::table),
    ("engine", engine::table),
    ("logins", logins::row),
    ("overload", overload::row),
    ("start", start::row),
    ("lambda", lambda::table),
    ("memory", memory::row),
    ("s3", s3::table),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("daypass-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let mut size = FULL;
    let mut chosen = Vec::new();
    for argument in std::env::args().skip(1) {
        if argument == "--quick" {
            println!("quick run: it shows that everything works; do not quote its figures");
            size = QUICK;
        } else {
            chosen.push(find(&argument)?);
        }
    }
    if chosen.is_empty() {
        chosen.extend(MEASURES);
    }
    chosen.into_iter().try_for_each(|(_, measure)| measure(&size))
}

fn find(name: &str) -> Outcome<Measure> {
    let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
    let found = MEASURES.into_iter().find(|(known, _)| *known == name);
    found.ok_or_else(|| format!("{name:?} is none of --quick, {}", names.join(", ")).into())
}
