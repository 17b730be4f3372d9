//! The fuzz targets of `fuzz/`, each from its corpus and for a fixed number of inputs. Only sanitizers would need
//! a nightly compiler, and there is no unsafe code of ours for them to watch. `cargo fuzz run TARGET`, where it is
//! installed, goes on for as long as you like, with counters in what others wrote, too.

use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use crate::process::{command_line, on_path, run};
use crate::{Outcome, Workspace, coverage, debian};

/// A target, and how many inputs it tries: about seven seconds of them.
const TARGETS: [(&str, u32); 10] = [
    ("template", 350_000),
    ("id_token", 350_000),
    ("answer", 80_000),
    ("policy", 250_000),
    ("sigv4", 90_000),
    ("sts_form", 30_000),
    ("aws_json", 18_000),
    ("lambda", 80_000),
    ("trail", 60_000),
    ("s3", 2_000),
];

pub(crate) fn build(workspace: &Workspace) -> Outcome {
    if on_path("c++").is_none() {
        debian::install(
            workspace,
            &["g++"],
            "libFuzzer needs a C++ compiler, and there is none on the PATH",
        )?;
    }
    let mut build = workspace.cargo("build --manifest-path fuzz/Cargo.toml --release --locked");
    // The same directory, where what others wrote is compiled already.
    run(coverage::ask_of(build.arg("--target-dir").arg(workspace.built("")))?)
}

pub(crate) fn run_all(workspace: &Workspace) -> Outcome {
    build(workspace)?;
    // A target keeps one processor busy.
    let at_once = available_parallelism()?.get();
    TARGETS.chunks(at_once).try_for_each(|targets| run_together(workspace, targets))
}

/// Runs targets at the same time, and tells of each when it has ended.
fn run_together(workspace: &Workspace, targets: &[(&str, u32)]) -> Outcome {
    let commands: Vec<Command> =
        targets.iter().map(|(target, runs)| command(workspace, target, *runs)).collect::<Outcome<_>>()?;
    let started: Vec<(String, Outcome<Child>)> = commands.into_iter().map(start).collect();
    let ended: Vec<Outcome> = started.into_iter().map(|(line, child)| wait(&line, child)).collect();
    ended.into_iter().collect()
}

fn command(workspace: &Workspace, target: &str, runs: u32) -> Outcome<Command> {
    let found = workspace.installed(&format!("fuzz/found/{target}"));
    std::fs::create_dir_all(&found)?;
    let mut fuzz = workspace.command(workspace.built(&format!("release/{target}")));
    fuzz.args(["-seed=1", "-max_len=2048", "-timeout=10", "-verbosity=0"]);
    fuzz.arg(format!("-runs={runs}"));
    fuzz.arg(format!("-artifact_prefix={}/crash-of-{target}-", workspace.installed("fuzz").display()));
    fuzz.args([found, workspace.source(&format!("fuzz/corpus/{target}"))]);
    Ok(fuzz)
}

fn start(mut command: Command) -> (String, Outcome<Child>) {
    let line = command_line(&command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    (line, child.map_err(Into::into))
}

fn wait(line: &str, child: Outcome<Child>) -> Outcome {
    let output = child?.wait_with_output()?;
    println!("  $ {line}");
    let said = [output.stdout, output.stderr].concat();
    print!("{}", String::from_utf8_lossy(&said));
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("`{line}` ended with {}", output.status).into())
    }
}
