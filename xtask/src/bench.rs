//! `cargo xtask bench`: builds the server and the program that measures it, both as released, and hands
//! over. The measuring lies in a package of its own (`bench/`), because what it needs would make xtask slow to compile.

use std::process::Command;

use crate::steps::{POOL, SEAWEEDFS};
use crate::{Outcome, Workspace, node, process, python, release};

/// The folder of the function that Daypass is compared with.
const LAMBDA_NODE: &str = "bench/lambda-node";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let daypass = release::program(workspace)?;
    let mut bench = workspace.cargo("run --release --locked --quiet --package daypass-bench --");
    bench.args(arguments).env("DAYPASS_BIN", daypass);
    if is_asked(arguments, "lambda") {
        lambda(workspace, &mut bench)?;
    }
    if is_asked(arguments, "s3") {
        stores(workspace, &mut bench)?;
    }
    process::run(&mut bench)
}

/// Whether a measure is named, or none is.
fn is_asked(arguments: &[String], measure: &str) -> bool {
    let mut names = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
    names.peek().is_none() || names.any(|name| name == measure)
}

fn lambda(workspace: &Workspace, bench: &mut Command) -> Outcome {
    let function = release::lambda_program(workspace, None)?;
    node::prepare(workspace, LAMBDA_NODE)?;
    bench.env("LAMBDA_DAYPASS", function).env("LAMBDA_NODE", workspace.source(LAMBDA_NODE));
    Ok(())
}

/// The stores of others, as the tests with them have them.
fn stores(workspace: &Workspace, bench: &mut Command) -> Outcome {
    let weed = python::interpreter(workspace, SEAWEEDFS)?.with_file_name("weed");
    bench.env("WEED", weed).env("MOTO_PYTHON", python::interpreter(workspace, POOL)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_asked;

    #[test]
    fn a_measure_is_prepared_for_when_it_is_named_or_none_is() {
        let asks =
            |line: &str| is_asked(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), "s3");
        for line in ["", "--quick", "s3", "token s3 --quick", "s3 token"] {
            assert!(asks(line), "{line}");
        }
        for line in ["token", "--quick token", "lambda memory"] {
            assert!(!asks(line), "{line}");
        }
    }
}
