//! `cargo xtask gen`: writes again whatever in the repository is generated. A test compares each such file
//! with what it would be now, so nobody has to remember when.

use crate::process::run;
use crate::steps::{CLIENTS, DEPLOY, S3};
use crate::{Outcome, Workspace, python, release};

struct Generated {
    file: &'static str,
    from: &'static str,
    write: fn(&Workspace) -> Outcome,
}

const ALL: &[Generated] = &[
    Generated {
        file: "docs/compatibility.md",
        from: "what the conformance tests find",
        write: compatibility,
    },
    Generated {
        file: "docs/reference/s3-operations.md",
        from: "what the tests of S3 find",
        write: s3_operations,
    },
    Generated { file: "docs/providers.md", from: "the catalogue of providers", write: providers },
    Generated {
        file: "docs/reference/configuration.md and daypass.schema.json",
        from: "the grammar of the configuration",
        write: configuration,
    },
    Generated {
        file: "docs/reference/http.md and openapi.json, and sdk/wire.d.ts",
        from: "the routes, and the types that they read and write",
        write: http,
    },
    Generated {
        file: "docs/benchmarks.md and its charts",
        from: "the figures of its run, in docs/benchmarks",
        write: benchmarks,
    },
    Generated {
        file: "sdk/src/marks.js",
        from: "the marks of providers, as the sign-in page has them",
        write: marks,
    },
    Generated {
        file: "crates/server/src/export/ocsf/examples.jsonl and otlp/example.json",
        from: "events of each kind, as they are exported",
        write: exported,
    },
    Generated {
        file: "crates/server/src/traces/example.json",
        from: "a trace, as a collector is sent it",
        write: traces,
    },
    Generated {
        file: "crates/core/tests/deploy/policies.json",
        from: "the IAM documents in deploy/, filled in",
        write: policies,
    },
];

pub(crate) fn run_all(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let wanted: Vec<_> = ALL.iter().filter(|generated| is_wanted(generated.file, arguments)).collect();
    if wanted.is_empty() {
        let files: Vec<_> = ALL.iter().map(|generated| generated.file).collect();
        return Err(format!("`gen` takes parts of the names of files: {}", files.join(", ")).into());
    }
    for generated in wanted {
        workspace.say(&format!("{}: {}", generated.file, generated.from));
        (generated.write)(workspace).map_err(|failure| format!("{}: {failure}", generated.file))?;
    }
    Ok(())
}

/// All files, if none is named. A page that only the compiler has to be asked about needs no release build.
fn is_wanted(file: &str, named: &[String]) -> bool {
    named.is_empty() || named.iter().any(|part| file.contains(part.as_str()))
}

/// The tests write it in passing. A failure of theirs is one of `gen`, but the document then says what is
/// missing.
fn compatibility(workspace: &Workspace) -> Outcome {
    let mut test = workspace.command(python::interpreter(workspace, CLIENTS)?);
    test.args(["-m", "pytest", "--quiet", "--regenerate", "tests/clients/test_conformance.py"]);
    run(test.env("DAYPASS_BIN", release::program(workspace)?))
}

/// Likewise.
fn s3_operations(workspace: &Workspace) -> Outcome {
    let mut test = workspace.command(python::interpreter(workspace, S3)?);
    test.args(["-m", "pytest", "--quiet", "--regenerate", "tests/s3/test_operations.py"]);
    run(test.env("DAYPASS_BIN", release::program(workspace)?))
}

/// The test that compares it writes it first when it is told to.
fn providers(workspace: &Workspace) -> Outcome {
    regenerate(workspace, "cli::provider::page")
}

/// Likewise.
fn configuration(workspace: &Workspace) -> Outcome {
    regenerate(workspace, "config::reference")
}

/// Likewise.
fn http(workspace: &Workspace) -> Outcome {
    regenerate(workspace, "routes::reference")
}

/// Likewise.
fn marks(workspace: &Workspace) -> Outcome {
    regenerate(workspace, "routes::login::marks")
}

/// Likewise.
fn exported(workspace: &Workspace) -> Outcome {
    regenerate(workspace, "export::")
}

/// Likewise.
fn traces(workspace: &Workspace) -> Outcome {
    regenerate(workspace, "traces::")
}

/// Likewise. What they show is measured by `cargo xtask bench --report`.
fn benchmarks(workspace: &Workspace) -> Outcome {
    let mut test = workspace.cargo("test --workspace --bin daypass-bench --locked --quiet report::tests");
    run(test.env("DAYPASS_REGENERATE", "1"))
}

fn regenerate(workspace: &Workspace, test: &str) -> Outcome {
    let mut test = workspace.cargo(&format!("test --workspace --lib --locked --quiet {test}"));
    run(test.env("DAYPASS_REGENERATE", "1"))
}

/// Likewise.
fn policies(workspace: &Workspace) -> Outcome {
    let mut test = workspace.command(python::interpreter(workspace, DEPLOY)?);
    run(test.args(["-m", "pytest", "--quiet", "--regenerate", "tests/deploy/test_policies.py"]))
}
