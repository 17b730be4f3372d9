//! `cargo xtask bench`: builds the server, as it is shipped, and the program that measures it, and hands
//! over. The measuring lies in a package of its own (`bench/`), because what it needs would make xtask slow to compile.

use std::path::PathBuf;
use std::process::Command;

use crate::process::answer;
use crate::steps::{COGNITO, POOL, SEAWEEDFS};
use crate::{Outcome, Workspace, dynoxide, node, postgres, process, python, release};

/// The folder of the function that Daypass is compared with.
const LAMBDA_NODE: &str = "bench/lambda-node";

/// Options behind which a file stands.
const WITH_FILE: [&str; 2] = ["--save", "--compare"];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let mut bench = workspace.cargo("run --release --locked --quiet --package daypass-bench --");
    bench.args(arguments);
    // Nobody waits for a build of everything to read a page.
    if arguments.iter().any(|word| word == "--help" || word == "-h") {
        return process::run(&mut bench);
    }
    bench
        .env("DAYPASS_BIN", release::shipped_program(workspace)?)
        .env("BENCH_FOLDER", workspace.built("bench"));
    bench.env("BENCH_COMMIT", commit(workspace)).env("BENCH_COMPILER", compiler(workspace));
    if is_asked(arguments, "lambda") {
        bench.env("LAMBDA_DAYPASS", release::lambda_program(workspace, None)?);
        let function = node::prepare(workspace, LAMBDA_NODE).map(|()| workspace.source(LAMBDA_NODE));
        of_others(workspace, &mut bench, "LAMBDA_NODE", function);
    }
    if is_asked(arguments, "emulators") {
        of_others(workspace, &mut bench, "EMULATORS_PYTHON", python::interpreter(workspace, COGNITO));
    }
    if is_asked(arguments, "stores") {
        of_others(workspace, &mut bench, "POSTGRES", postgres::programs(workspace));
        of_others(workspace, &mut bench, "DYNOXIDE", dynoxide::program(workspace));
    }
    if is_asked(arguments, "s3") {
        stores_of_objects(workspace, &mut bench)?;
    }
    process::run(&mut bench)
}

/// The commit that is measured, and whether something else is measured after all.
fn commit(workspace: &Workspace) -> String {
    let git = |arguments: &str| answer(workspace.command("git").args(arguments.split(' ')));
    let changed = git("status --porcelain --untracked-files=no").is_some_and(|changes| !changes.is_empty());
    let commit = git("rev-parse --short=12 HEAD").unwrap_or_else(|| "unknown".into());
    if changed { format!("{commit} with changes") } else { commit }
}

fn compiler(workspace: &Workspace) -> String {
    answer(workspace.command("rustc").arg("--version")).unwrap_or_else(|| "unknown".into())
}

/// Whether a measure is named, or none is.
fn is_asked(arguments: &[String], measure: &str) -> bool {
    let mut words = arguments.iter();
    let mut named = false;
    while let Some(word) = words.next() {
        if WITH_FILE.contains(&word.as_str()) {
            words.next();
        } else if !word.starts_with("--") {
            named = true;
            if word == measure {
                return true;
            }
        }
    }
    !named
}

/// What somebody else made is measured if it can be had. If it cannot, the figures say so and why.
fn of_others(workspace: &Workspace, bench: &mut Command, variable: &str, found: Outcome<PathBuf>) {
    match found {
        Ok(found) => bench.env(variable, found),
        Err(failure) => {
            workspace.say(&format!("going on without {variable}: {failure}"));
            bench.env(format!("{variable}_MISSING"), failure.to_string())
        }
    };
}

/// The stores of others, as the tests with them have them.
fn stores_of_objects(workspace: &Workspace, bench: &mut Command) -> Outcome {
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
        for line in ["", "--quick", "s3", "token s3 --quick", "s3 token", "--report", "--save token"] {
            assert!(asks(line), "{line}");
        }
        for line in ["token", "--quick token", "lambda memory", "--compare s3 token"] {
            assert!(!asks(line), "{line}");
        }
    }
}
