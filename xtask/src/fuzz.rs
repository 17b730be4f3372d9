//! The fuzz targets of `fuzz/`, each from its corpus and for a fixed number of inputs. libFuzzer needs coverage
//! counters, which a stable compiler also puts in; only sanitizers would need a nightly one, and there is no unsafe
//! code of ours for them to watch. `cargo fuzz run TARGET`, where it is installed, goes on for as long as you like.

use crate::process::{answer, on_path, run};
use crate::{Outcome, Workspace, debian};

/// A target, and how many inputs it tries: about seven seconds of them.
const TARGETS: [(&str, u32); 9] = [
    ("template", 350_000),
    ("id_token", 350_000),
    ("answer", 80_000),
    ("policy", 250_000),
    ("sigv4", 90_000),
    ("sts_form", 30_000),
    ("aws_json", 18_000),
    ("lambda", 80_000),
    ("s3", 3_000),
];

/// What `cargo fuzz` asks of the compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions --cfg fuzzing";

pub(crate) fn run_all(workspace: &Workspace) -> Outcome {
    if on_path("c++").is_none() {
        debian::install(
            workspace,
            &["g++"],
            "libFuzzer needs a C++ compiler, and there is none on the PATH",
        )?;
    }
    let host = host(workspace)?;
    // With `--target`, build scripts and macros get no counters.
    let mut build =
        workspace.cargo(&format!("build --manifest-path fuzz/Cargo.toml --release --locked --target {host}"));
    build.arg("--target-dir").arg(workspace.installed("fuzz"));
    run(build.env("RUSTFLAGS", COVERAGE))?;
    for (target, runs) in TARGETS {
        let found = workspace.installed(&format!("fuzz/found/{target}"));
        std::fs::create_dir_all(&found)?;
        let mut fuzz = workspace.command(workspace.installed(&format!("fuzz/{host}/release/{target}")));
        fuzz.args(["-seed=1", "-max_len=2048", "-timeout=10", "-verbosity=0"]);
        fuzz.arg(format!("-runs={runs}"));
        fuzz.arg(format!("-artifact_prefix={}/crash-of-{target}-", workspace.installed("fuzz").display()));
        fuzz.args([found, workspace.source(&format!("fuzz/corpus/{target}"))]);
        run(&mut fuzz)?;
    }
    Ok(())
}

/// The machine that the compiler compiles for by itself.
fn host(workspace: &Workspace) -> Outcome<String> {
    let version = answer(workspace.command("rustc").arg("-vV")).ok_or("rustc does not answer")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc does not say what machine it compiles for")?.to_owned())
}
