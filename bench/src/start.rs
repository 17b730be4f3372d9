//! How soon the server is ready: from the start of the process to the line that says so.

use crate::server::Server;
use crate::statistics::Sample;
use crate::token::verdict;
use crate::{Outcome, Size};

const TARGET_MS: f64 = 100.0;

pub(crate) fn row(size: &Size) -> Outcome<()> {
    let first = Sample::of(repeat(size, || start_in(tempfile::tempdir()?.path()))?);
    let directory = tempfile::tempdir()?;
    start_in(directory.path())?;
    let again = Sample::of(repeat(size, || start_in(directory.path()))?);
    println!("\n`daypass up`, from start to ready");
    println!("  in a new directory     {first:.0} ms (makes its keys)");
    println!(
        "  in an existing one     {again:.0} ms   target ≤ {TARGET_MS} ms: {}",
        verdict(again.median() <= TARGET_MS)
    );
    Ok(())
}

fn repeat(size: &Size, measure: impl Fn() -> Outcome<f64>) -> Outcome<Vec<f64>> {
    (0..size.starts).map(|_| measure()).collect()
}

/// Milliseconds of one start.
fn start_in(directory: &std::path::Path) -> Outcome<f64> {
    let server = Server::start(directory)?;
    let took = server.started_in.as_secs_f64() * 1e3;
    server.stop()?;
    Ok(took)
}
