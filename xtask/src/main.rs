//! What a developer repeats, as `cargo xtask COMMAND`. It is written with the standard library alone, so
//! that it compiles in seconds on a machine where nothing else has been built yet.

#![expect(clippy::print_stdout, reason = "a command speaks to the person who typed it")]
#![expect(clippy::print_stderr, reason = "a command speaks to the person who typed it")]

#[cfg(test)]
mod architecture;
mod bench;
mod cargo_deny;
mod chromium;
#[cfg(test)]
mod citations;
mod coverage;
mod debian;
mod dynoxide;
mod fuzz;
mod generated;
mod helm;
mod node;
mod package;
mod postgres;
mod process;
mod promtool;
#[cfg(test)]
mod providers;
mod python;
mod release;
#[cfg(test)]
mod rooms;
mod stamp;
mod steps;
mod test;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use workspace::Workspace;

/// What every part of xtask answers: a failure is a sentence for the person at the terminal.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

struct Command {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        usage: "test [--quick | --only STEP[,STEP]]",
        about: "install what the tests need and this machine lacks, then run every check",
        run: test::run,
    },
    Command {
        name: "bench",
        usage: "bench [NAME…] [OPTIONS]",
        about: "measure speed and size against the targets, as ratios inside one run",
        run: bench::run,
    },
    Command {
        name: "package",
        usage: "package [OPTIONS]",
        about: "lay out what AWS Lambda runs, as a directory and as a zip file",
        run: package::run_all,
    },
    Command {
        name: "gen",
        usage: "gen",
        about: "write again whatever in the repository is generated",
        run: generated::run_all,
    },
    Command { name: "help", usage: "help", about: "this page", run: help },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if coverage::is_asked() {
        return coverage::compile(&arguments);
    }
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.trim_start_matches("--"), rest),
        None => ("help", arguments),
    };
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| format!("there is no command `{name}`; `cargo xtask help` lists them"))?;
    (command.run)(&Workspace::locate()?, rest)
}

fn help(_: &Workspace, arguments: &[String]) -> Outcome {
    if let Some(unexpected) = arguments.first() {
        return Err(format!("`help` takes no argument; it was given `{unexpected}`").into());
    }
    for command in COMMANDS {
        println!("cargo xtask {:<36} {}", command.usage, command.about);
    }
    print_steps("Steps of `test`, in order", steps::ALL);
    print_steps("Steps of `test --quick`", steps::QUICK);
    Ok(())
}

fn print_steps(heading: &str, steps: &[steps::Step]) {
    println!("\n{heading}:");
    for step in steps {
        println!("  {:<16} {}", step.name, step.about);
    }
}
